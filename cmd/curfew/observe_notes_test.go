package main

import (
	"strings"
	"testing"
	"time"

	"curfew/cmd/curfew/metrics"
	"curfew/events"
	"curfew/graph"
)

// TestWarnings: what is wrong with a tenant is told beside that the worker is ready,
// and no sooner than it should be.
func TestWarnings(t *testing.T) {
	conf := &config{Tenants: []tenantConfig{{Name: "contoso", ID: contoso, Look: lookConfig{Alerts: true}}}}
	o := newObserver(conf, quiet)
	now := time.Now()
	said := func(at time.Time) string {
		var all []string
		for _, n := range o.notes(at) {
			all = append(all, n.Check+": "+n.Reason)
		}
		return strings.Join(all, "\n")
	}
	if text := said(now.Add(time.Hour)); text != "" {
		t.Error("before anything is known: ", text)
	}
	o.memory.exchange(contoso, remembered{}, now)
	for _, kind := range []string{"devices", "alerts", "entra"} {
		o.memory.swept(graph.Swept{Tenant: contoso, Kind: kind, Began: now, Complete: true})
	}
	o.metrics.Show(metrics.IdentityEnds, metrics.At(now.AddDate(0, 0, 1), "contoso", "auth"))
	if text := said(now.Add(50 * time.Minute)); text != "" {
		t.Error("all is well, and it says ", text)
	}
	o.memory.swept(graph.Swept{Tenant: contoso, Kind: "alerts", Began: now.Add(2 * time.Hour)}) // incomplete
	o.metrics.Show(metrics.Tripped, metrics.Of(1, "contoso"))
	o.metrics.Show(metrics.Overdue, metrics.Of(2, "contoso"))
	text := said(now.AddDate(0, 0, 2))
	for _, want := range []string{
		"tenant contoso: the last complete sweep of alerts was 2d ago", "has run out on", "the breaker has tripped", "2 cases stand still",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
}

// TestMemoryOfWorkers: of what several workers have stored the latest counts, and
// what was counted from the earliest.
func TestMemoryOfWorkers(t *testing.T) {
	m := &memory{of: map[string]*remembered{}, log: quiet}
	early, late := time.Unix(1000, 0).UTC(), time.Unix(2000, 0).UTC()
	m.heard(contoso, late)
	stored := remembered{Since: early, Webhook: early, Swept: map[string]time.Time{"devices": late}}
	if b := m.exchange(contoso, stored, late); !strings.Contains(string(b), `"webhook":"1970-01-01T00:33:20Z"`) {
		t.Errorf("%s", b)
	}
	r := m.of[contoso]
	if !r.Since.Equal(early) || !r.Webhook.Equal(late) || !r.Swept["devices"].Equal(late) {
		t.Errorf("%+v", r)
	}
	if b := m.exchange(contoso, stored, late); b != nil {
		t.Errorf("nothing is new, and %s is stored", b)
	}
}

// TestStandingStill: a case that waits has an alarm, an owner or a number that says so.
func TestStandingStill(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		what string
		kase events.Case
		want bool
	}{
		{"at rest", events.Case{}, false},
		{"its alarm is set", events.Case{Open: true, WakeAt: now.Add(time.Hour)}, false},
		{"its alarm has just rung", events.Case{Open: true, WakeAt: now.Add(-time.Minute)}, false},
		{"its alarm never rang", events.Case{Open: true, WakeAt: now.Add(-time.Hour)}, true},
		{"open, and nothing is due", events.Case{Open: true}, true},
		{"a person has it", events.Case{Open: true, Attention: []string{"see to it"}}, false},
		{"a task is under way", events.Case{Open: true, Pending: []events.Task{{ID: "t"}}}, false},
	} {
		if got := stands(c.kase, now); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}
