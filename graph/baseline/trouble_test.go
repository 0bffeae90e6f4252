package baseline_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/graph/baseline"
	"curfew/graph/graphtest"
)

// TestTroubleOnTheWay: what Microsoft puts off is asked again, what ends unclear stops
// the run, and the next one finishes it without making anything twice.
func TestTroubleOnTheWay(t *testing.T) {
	for name, c := range map[string]struct {
		fault   graphtest.Fault
		unclear bool
	}{
		"throttled":                 {fault: graphtest.Fault{Kind: graphtest.Throttled, RetryAfter: 20 * time.Second, Times: 3}},
		"throttled without a word":  {fault: graphtest.Fault{Kind: graphtest.Throttled, Times: 2}},
		"reading fails for a while": {fault: graphtest.Fault{Kind: graphtest.Unavailable, Method: http.MethodGet, Times: 3}},
		"an unclear end":            {fault: graphtest.Fault{Kind: graphtest.TimedOutButDone, Method: http.MethodPost, Times: 1}, unclear: true},
		"an unclear end, not done":  {fault: graphtest.Fault{Kind: graphtest.CutOff, Method: http.MethodPatch, Times: 1}, unclear: true},
		"no answer, but done":       {fault: graphtest.Fault{Kind: graphtest.CutOffButDone, Method: http.MethodPost, Times: 1}, unclear: true},
	} {
		for _, path := range []string{"deviceManagement", "deviceAppManagement", "identity/conditionalAccess"} {
			story(t, func(t *testing.T, w *world) {
				w.small()
				p := w.plan(baseline.PilotReport)
				c.fault.Path = path
				w.tenant.Inject(c.fault)
				_, err := w.apply(p)
				if err != nil && (!c.unclear || !strings.Contains(err.Error(), "not known")) {
					t.Fatalf("%s, %s: %v", name, path, err)
				}
				if _, err := w.apply(p); err != nil {
					t.Fatalf("%s, %s, again: %v", name, path, err)
				}
				w.done(baseline.PilotReport)
				w.once(t)
			})
		}
	}
}

// TestAnAccountThatFellAway between a plan and its apply.
func TestAnAccountThatFellAway(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		p := w.plan(baseline.PilotReport)
		w.tenant.AddUser(graphtest.User{UPN: breaks, Disabled: true})
		if _, err := w.apply(p); err == nil || !strings.Contains(err.Error(), "emergency") || len(w.writes()) > 0 {
			t.Fatal(err, w.writes())
		}
	})
}

// TestNothingIsWidenedWithoutAGate, by a plan that says otherwise either.
func TestNothingIsWidenedWithoutAGate(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.reach(baseline.PilotEnforced)
		w.gate = &baseline.Gate{To: baseline.AllReport, Reasons: []string{"LT-042 is not compliant"}}
		p := w.plan(baseline.AllReport)
		if !p.Refused() || !strings.Contains(show(p), "LT-042 is not compliant") || len(p.Steps) > 0 {
			t.Fatal(show(p))
		}
		w.gate = &baseline.Gate{To: baseline.AllReport, Passed: true}
		p = w.plan(baseline.AllReport)
		p.Gate = nil // what whoever applies it does, who asks the record
		before := len(w.writes())
		if _, err := w.apply(p); err == nil || !strings.Contains(err.Error(), "no gate that passed") || len(w.writes()) != before {
			t.Fatal(err)
		}
	})
}
