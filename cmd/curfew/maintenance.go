package main

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"curfew/events/gate"
	"curfew/events/rules"
	"curfew/graph"
)

// maintenanceConfig is a window of maintenance, in which nothing grave is done.
type maintenanceConfig struct {
	Tenants  []string       `json:"tenants"` // names or ids; empty: all
	Rule     string         `json:"rule"`    // an RRULE without DTSTART and UNTIL
	From     string         `json:"from"`    // a day, or a day and a time
	Until    string         `json:"until"`
	For      rules.Duration `json:"for"`
	TimeZone string         `json:"time_zone"` // empty: that of mail
	Reason   string         `json:"reason"`
	Silence  string         `json:"silence"` // grave, or notices too; empty: grave
}

// dayForms are how a moment is written, in the window's time zone.
var dayForms = [...]string{time.DateOnly, "2006-01-02 15:04"}

// maintenance makes the windows.
func (c *checker) maintenance(conf *config) {
	ids := map[string]string{}
	for _, t := range conf.Tenants {
		ids[strings.ToLower(t.Name)], ids[strings.ToLower(t.ID)] = t.ID, t.ID
	}
	for i, m := range conf.Maintenance {
		path := "/maintenance/" + strconv.Itoa(i)
		zone := conf.Mail.Zone
		if m.TimeZone != "" {
			z, err := time.LoadLocation(m.TimeZone)
			if err != nil {
				c.mistake(path+"/time_zone", "there is no time zone %q; names are as in the IANA database: Europe/Berlin", m.TimeZone)
				continue
			}
			zone = z
		}
		from, ok := c.moment(path+"/from", m.From, zone)
		until, also := c.moment(path+"/until", m.Until, zone)
		if !ok || !also {
			continue
		}
		w, err := gate.NewWindow(m.Rule, from, until, time.Duration(m.For))
		if err != nil {
			c.mistake(path+"/rule", "%v", err)
			continue
		}
		w.Reason, w.Silence = m.Reason, m.Silence == "notices"
		for j, name := range m.Tenants {
			id, known := ids[strings.ToLower(name)]
			if !known {
				c.mistake(path+"/tenants/"+strconv.Itoa(j), "there is no tenant %q", name)
				continue
			}
			w.Tenants = append(w.Tenants, id)
		}
		if len(w.Tenants) < len(m.Tenants) {
			continue // or it would be about all of them
		}
		if !until.After(time.Now()) {
			c.warning(path+"/until", "the window has ended for good: renew it, or leave it out")
		}
		conf.Windows = append(conf.Windows, w)
	}
}

func (c *checker) moment(path, text string, zone *time.Location) (time.Time, bool) {
	if zone == nil {
		zone = time.UTC
	}
	for _, form := range dayForms {
		if at, err := time.ParseInLocation(form, text, zone); err == nil {
			return at, true
		}
	}
	c.mistake(path, "%q is not a day such as 2026-12-24, or with a time: 2026-12-24 18:00", text)
	return time.Time{}, false
}

// edits tell the breaker which policies were changed.
type edits struct{ tenants graph.Tenants }

// Edits implements [gate.Edits].
func (e edits) Edits(ctx context.Context, tenant string, since time.Time) ([]string, error) {
	list, err := e.tenants.PolicyEdits(ctx, tenant, since)
	var out []string
	for _, x := range list {
		if x.Kind != graph.Notification && x.Kind != graph.Protection { // these turn no device bad
			out = append(out, editLine(x))
		}
	}
	return out, err
}

// editLine is an edit in one line for people.
func editLine(x graph.Edit) string {
	return x.At.UTC().Format("2 Jan 15:04 MST") + " " + cmp.Or(x.Who, "somebody") + " " + x.Did + " the " + x.Kind + " " + strconv.Quote(x.What)
}
