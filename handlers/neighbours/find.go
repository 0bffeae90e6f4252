package neighbours

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// longAgo is how long a device may be silent that is still asked.
const longAgo = 30 * 24 * time.Hour

// mostIncidents bounds how many incidents of a device are followed.
const mostIncidents = 5

// find returns the devices of the task's scope, and what the scope is in words.
func (r *round) find(ctx context.Context) (found []events.Device, whose string, err error) {
	tenant := r.c.Key.Tenant
	group, isGroup := strings.CutPrefix(r.Scope, "group:")
	switch {
	case r.Scope == "user":
		id := r.c.Inhabited().UserID
		if id == "" {
			return nil, "its user, who is not known", nil
		}
		found, err = r.gather(r.Devices.DevicesOfUser(ctx, tenant, id))
		return found, "its user", err
	case r.Scope == "incident":
		ids := incidents(r.c.Device)
		if len(ids) == 0 {
			return nil, "its incident, for no alert of it belongs to one", nil
		}
		for _, id := range ids {
			some, err := r.gather(r.Devices.DevicesOfIncident(ctx, tenant, id))
			if err != nil {
				return nil, "", err
			}
			found = append(found, some...)
		}
		return found, "incident " + strings.Join(ids, ", "), nil
	case isGroup && group != "":
		found, err = r.gather(r.Devices.DevicesOfGroup(ctx, tenant, group))
		return found, "group " + handlers.Line(group, 80), err
	}
	return nil, "", handlers.GiveUp(fmt.Errorf(`the scope %q is none of "user", "incident" and "group:" with a name`, handlers.Line(r.Scope, 80)))
}

// gather notes what was left out, and is content with a part of too many.
func (r *round) gather(found []events.Device, leftOut []string, err error) ([]events.Device, error) {
	for _, why := range leftOut {
		r.skipped = append(r.skipped, handlers.Line(why, 80))
	}
	if err != nil && (len(found) == 0 || !handlers.Read(err).GiveUp) {
		return nil, err
	}
	if err != nil {
		r.skipped = append(r.skipped, "all beyond "+strconv.Itoa(len(found))+" found")
	}
	return found, nil
}

// incidents are those of the alerts that stand, or else of all, the newest first.
func incidents(d events.Device) []string {
	alerts := d.OpenAlerts()
	if len(alerts) == 0 {
		alerts = d.Alerts
	}
	var ids []string
	for _, a := range alerts {
		if a.Incident != "" && !slices.Contains(ids, a.Incident) && len(ids) < mostIncidents {
			ids = append(ids, a.Incident)
		}
	}
	return ids
}

// A neighbour is a device that is to be scanned.
type neighbour struct {
	events.Device
	label string // its name, by which no other is called

	noted   time.Duration // when it was asked, since the task was; zero: it was not, as far as the task knows
	unclear bool          // and whether that ended without an answer
	refused string        // why it cannot be asked
	state   string        // what Intune's record shows; empty: nothing
	final   bool
}

// due reports whether the device is to be asked now: it was not yet, or nobody
// knows and the record has had its time.
func (n *neighbour) due(r *round) bool {
	settled := time.Since(r.Asked)-n.noted >= r.follow.Settle
	return n.refused == "" && n.state == "" && (n.noted == 0 || n.unclear && settled)
}

// open reports whether there is anything to wait for.
func (n *neighbour) open() bool { return n.refused == "" && !n.final }

// choose picks the devices to ask, in an order that is the same in every round,
// and notes why the others are not.
func (r *round) choose(found []events.Device) {
	slices.SortFunc(found, func(a, b events.Device) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Device, b.Device))
	})
	found = slices.CompactFunc(found, func(a, b events.Device) bool { return a.Key == b.Key })
	names := map[string]int{}
	for _, d := range found {
		names[plain(d)]++
	}
	for _, d := range found {
		label := plain(d)
		if names[label] > 1 {
			label += "~" + d.Device[:min(8, len(d.Device))]
		}
		switch why := r.unfit(d); {
		case d.Key == r.c.Key, d.IntuneID != "" && d.IntuneID == r.c.Device.IntuneID, d.Tenant != r.c.Key.Tenant:
		case why != "":
			r.skipped = append(r.skipped, label+" ("+why+")")
		default:
			r.near = append(r.near, &neighbour{Device: d, label: label})
		}
	}
}

// unfit says why a device is not asked, or "".
func (r *round) unfit(d events.Device) string {
	switch {
	case !handlers.Windows(d):
		return "runs " + cmp.Or(handlers.Line(d.OS, 20), "nobody knows what")
	case d.IntuneID == "":
		return "not in Intune"
	case handlers.Reachable(d) != nil:
		return "Intune cannot reach it"
	case !d.LastSync.IsZero() && time.Since(d.LastSync) > longAgo:
		return "not seen since " + d.LastSync.UTC().Format(time.DateOnly)
	case len(r.near) >= r.Most:
		return "beyond " + strconv.Itoa(r.Most)
	}
	return ""
}

// plain is a device's name without anything that divides a list.
func plain(d events.Device) string {
	name := cmp.Or(handlers.Line(d.Name, 20), d.Device)
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(" ,;:()~", c) {
			return '-'
		}
		return c
	}, name)
}
