package graph_test

import (
	"net/http"
	"testing"
	"time"

	"curfew/graph"
	"curfew/graph/graphtest"
)

func TestLifecycleNotificationsAreAnswered(t *testing.T) {
	story := func(name string, resource graph.Resource, tell func(t *testing.T, o *office, w *worker)) {
		t.Run(name, func(t *testing.T) {
			mailroom(t, func(t *testing.T, o *office) {
				w := o.hire(resource).start()
				defer w.end()
				later(time.Hour)
				tell(t, o, w)
				for _, d := range o.tenant.Deliveries() {
					if d.Kind == "lifecycle" && d.Status != http.StatusAccepted {
						t.Errorf("answered with %d", d.Status)
					}
				}
			})
		})
	}
	story("reauthorize", users, func(t *testing.T, o *office, w *worker) {
		before := o.only()
		o.tenant.RequireReauthorization()
		later(time.Second)
		if s := o.only(); s.ID != before.ID || !s.Expires.After(before.Expires) || o.asked("PATCH") != 1 {
			t.Errorf("renewed %d times: %+v", o.asked("PATCH"), s)
		}
		later(2 * time.Hour)
		if w.swept.Load() != 0 {
			t.Error("a sweep, though nothing was lost")
		}
		if n := o.tenant.Notify("curfew@" + o.tenant.Domain); n != 1 {
			t.Error("notifications are paused")
		}
	})
	story("reauthorize, and Graph cannot be reached for a while", users, func(t *testing.T, o *office, w *worker) {
		lift := o.tenant.Inject(graphtest.Fault{Kind: graphtest.Unavailable, Path: "subscriptions", Method: "PATCH"})
		o.tenant.RequireReauthorization()
		later(90 * time.Minute)
		lift()
		later(time.Hour)
		if n := o.tenant.Notify("curfew@" + o.tenant.Domain); n != 1 {
			t.Error("notifications are paused")
		}
		later(2 * time.Minute)
		if w.swept.Load() != 2 { // one for the gap, one for the notification
			t.Errorf("%d sweeps, want 2", w.swept.Load())
		}
	})
	story("removed", users, func(t *testing.T, o *office, w *worker) {
		before := o.only()
		o.tenant.RemoveSubscriptions()
		later(2 * time.Minute)
		if s := o.only(); s.ID == before.ID || s.ClientState == before.ClientState {
			t.Errorf("it is still the old one: %+v", s)
		}
		if w.swept.Load() != 1 {
			t.Errorf("%d sweeps after a gap, want 1", w.swept.Load())
		}
	})
	story("missed", users, func(t *testing.T, o *office, w *worker) {
		o.tenant.Missed()
		later(time.Second)
		if w.swept.Load() != 1 || o.asked("PATCH")+o.asked("DELETE") != 0 {
			t.Errorf("%d sweeps after a gap, want 1", w.swept.Load())
		}
	})
	story("removed, and the worker is killed right after its answer", users, func(t *testing.T, o *office, w *worker) {
		w.end()
		o.tenant.RemoveSubscriptions() // the webhook answers, and nobody does anything about it
		later(time.Second)
		next := o.hire(users).start()
		defer next.end()
		later(time.Minute)
		o.only()
		if next.swept.Load() != 1 {
			t.Errorf("%d sweeps after a gap, want 1", next.swept.Load())
		}
	})
}
