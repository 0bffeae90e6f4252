package graph

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"curfew/events"
)

// incidentRow is a security.incident (Graph v1.0 metadata, 2026-08) with its
// alerts (Graph docs: security-list-incidents, the example with $expand).
type incidentRow struct {
	ID       text             `json:"id"`
	Redirect text             `json:"redirectIncidentId"`
	Alerts   *parts[alertRow] `json:"alerts"`
	More     long             `json:"alerts@odata.nextLink"`
}

const (
	maxRedirects     = 5
	maxIncidentPages = 20
)

// isIncident reports whether id is an incident's, which is a number.
func isIncident(id string) bool {
	return id != "" && len(id) <= 20 && strings.Trim(id, "0123456789") == ""
}

func (n *neighbourhood) ofIncident(ctx context.Context, id string) error {
	in, err := n.incident(ctx, id)
	if err != nil {
		return err
	}
	k := call{op: n.op, needs: needsIncident, service: security}
	alerts, bad, pages := in.Alerts.list, in.Alerts.bad, 0
	if in.More != "" {
		next := n.follow(k)
		err = read(ctx, n.send, next(string(in.More)), next, func(p page[alertRow]) error {
			if pages++; pages > maxIncidentPages {
				return final("", "the incident has too many alerts")
			}
			alerts, bad = append(alerts, p.Value.list...), bad+p.Value.bad
			return nil
		})
		if err != nil {
			return err
		}
	}
	if bad > 0 {
		n.leave("the devices of alerts that cannot be read: %d", bad)
	}
	return n.ofAlerts(ctx, alerts)
}

// incident reads the incident, or the one that it was merged into.
func (n *neighbourhood) incident(ctx context.Context, id string) (incidentRow, error) {
	k := call{op: n.op, needs: needsIncident, service: security}
	var seen []string
	for {
		if !isIncident(id) {
			return incidentRow{}, final("", "%q is no id of an incident", oneLine(id, 64))
		}
		if slices.Contains(seen, id) || len(seen) > maxRedirects {
			return incidentRow{}, final("", "incident %s leads from one to the next without an end: %s", seen[0], strings.Join(append(seen, id), ", "))
		}
		seen = append(seen, id)
		var in incidentRow
		if err := n.send(ctx, k.of(n.query("v1.0/security/incidents/"+id, url.Values{"$expand": {"alerts"}}), nil), &in); err != nil {
			return in, err
		}
		switch {
		case string(in.ID) != id:
			return in, &Error{Message: "Graph answered with another incident"}
		case in.Redirect != "":
			id = string(in.Redirect)
		case in.Alerts == nil: // silence is no list
			return in, &Error{Message: "an incident without a list of alerts"}
		default:
			return in, nil
		}
	}
}

// ofAlerts takes in every device of the alerts' evidence.
func (n *neighbourhood) ofAlerts(ctx context.Context, alerts []alertRow) error {
	names := map[events.Key]string{}
	for _, a := range alerts {
		about, nameless := n.devices(a)
		if nameless+a.Evidence.bad > 0 {
			n.leave("alert %s: evidence without an id: %d", a.ID, nameless+a.Evidence.bad)
		}
		for k, e := range about {
			names[k] = string(e.Name)
		}
	}
	keys := make([]events.Key, 0, len(names))
	for k := range names {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b events.Key) int { return strings.Compare(a.Device, b.Device) })
	for _, k := range keys {
		id, name := k.Device, names[k]
		if machine, unresolved := strings.CutPrefix(id, events.UnresolvedPrefix); unresolved {
			known, why, err := n.entraIDOf(ctx, machine)
			if err != nil {
				return err
			}
			if known == "" {
				n.leave("%s (machine %s in Defender): %s", name, machine, why)
				continue
			}
			id = known
		}
		if err := n.withEntraID(ctx, id, name); err != nil {
			return err
		}
	}
	return nil
}

// entraIDOf asks Defender for Endpoint, where it is used, which device a machine
// is. Empty: why says why that is not known.
func (n *neighbourhood) entraIDOf(ctx context.Context, machine string) (id, why string, err error) {
	const unsaid = "its alert does not say which device of Entra it is"
	if n.defender == nil {
		return "", unsaid, nil
	}
	rows, err := n.machineByID(ctx, call{op: n.op, needs: needsMachines, service: endpoint}, machine)
	if e, no := refused(err); no {
		return "", unsaid + ", and Defender cannot be asked: " + e.Message, nil
	}
	switch {
	case err != nil:
		return "", "", err
	case len(rows) == 0 || !isGUID(string(rows[0].EntraID)):
		return "", "neither its alert nor Defender says which device of Entra it is", nil
	}
	return strings.ToLower(string(rows[0].EntraID)), "", nil
}

// DevicesOfUser is [Client.DevicesOfUser].
func (ts Tenants) DevicesOfUser(ctx context.Context, tenant, user string) (found []events.Device, leftOut []string, err error) {
	c, err := ts.of("find the user's devices", tenant)
	if err != nil {
		return nil, nil, err
	}
	return c.DevicesOfUser(ctx, user)
}

// DevicesOfIncident is [Client.DevicesOfIncident].
func (ts Tenants) DevicesOfIncident(ctx context.Context, tenant, incident string) (found []events.Device, leftOut []string, err error) {
	c, err := ts.of("find the incident's devices", tenant)
	if err != nil {
		return nil, nil, err
	}
	return c.DevicesOfIncident(ctx, incident)
}

// DevicesOfGroup is [Client.DevicesOfGroup].
func (ts Tenants) DevicesOfGroup(ctx context.Context, tenant, group string) (found []events.Device, leftOut []string, err error) {
	c, err := ts.of("find the group's devices", tenant)
	if err != nil {
		return nil, nil, err
	}
	return c.DevicesOfGroup(ctx, group)
}
