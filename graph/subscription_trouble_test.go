package graph_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/graph"
	"curfew/graph/graphtest"
)

func TestWhatATenantRefusesIsAStatus(t *testing.T) {
	const devices = "deviceManagement/managedDevices"
	mailroom(t, func(t *testing.T, o *office) {
		o.app.Revoke("Group.Read.All")
		resources := []graph.Resource{users, {Path: devices}, {Path: "groups"}}
		w := o.hire(resources...).start()
		st := w.list()
		if st["users"].State != "live" || st[devices].State != "refused" || st["groups"].State != "refused" {
			t.Fatalf("listed as %+v", st)
		}
		if !strings.Contains(st[devices].Reason, "400") || !strings.Contains(st["groups"].Reason, "Group.Read.All") {
			t.Errorf("the reasons do not help: %q, %q", st[devices].Reason, st["groups"].Reason)
		}
		o.tenant.Forget()
		later(days(3) + 12*time.Hour)
		if n := o.asked("POST"); n != 6 {
			t.Errorf("asked %d times again in 3½ days, want 3 for each of two", n)
		}
		// Microsoft takes devices one day, and within another it is noticed.
		o.tenant.SetRules(graphtest.Rules{Subscribable: map[string]string{devices: ""}})
		later(days(1.2))
		if st := w.list()[devices]; st.State != "live" || st.Reason != "" {
			t.Errorf("listed as %+v", st)
		}
		// Who grants a permission and starts again need not wait.
		w.end()
		o.app.Grant("Group.Read.All")
		later(2 * time.Hour) // an old token does not have it
		w = o.hire(resources...).start()
		defer w.end()
		if st := w.list()["groups"]; st.State != "live" {
			t.Errorf("listed as %+v", st)
		}
	})
}

func TestTroubleOnTheWayIsNotRefusal(t *testing.T) {
	for name, trouble := range map[string]func(o *office) (over func()){
		"the webhook is not up yet": func(o *office) func() {
			front := o.front.to
			o.front.put(nil)
			return func() { o.front.put(front) }
		},
		"throttled": func(o *office) func() { return o.tenant.Throttle("subscriptions", 0, 30*time.Second) },
		"503": func(o *office) func() {
			return o.tenant.Inject(graphtest.Fault{Kind: graphtest.Unavailable, Path: "subscriptions"})
		},
		"sign-in is down": func(o *office) func() {
			return o.tenant.Inject(graphtest.Fault{Kind: graphtest.TokenDown})
		},
		"the state cannot be written": func(o *office) func() {
			o.shelf.set(func(op, _ string) error {
				if op != "get" {
					return errors.New("no space left on the device")
				}
				return nil
			})
			return func() { o.shelf.set(nil) }
		},
		"the state cannot be read": func(o *office) func() {
			o.shelf.set(func(string, string) error { return errors.New("no connection") })
			return func() { o.shelf.set(nil) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			mailroom(t, func(t *testing.T, o *office) {
				w := o.hire(users)
				over := trouble(o)
				w.start()
				defer w.end()
				later(20 * time.Minute)
				if n := len(o.tenant.Subscriptions()); n != 0 {
					t.Fatalf("%d subscriptions, in trouble", n)
				}
				if n := o.asked("POST"); n > 30 {
					t.Errorf("asked %d times in 20 minutes", n)
				}
				over()
				later(time.Hour)
				o.only()
				if st := w.list()["users"]; st.State != "live" {
					t.Errorf("listed as %+v", st)
				}
			})
		})
	}
}

func TestTwoWorkersKeepOneSubscription(t *testing.T) {
	mailroom(t, func(t *testing.T, o *office) {
		a, b := o.hire(users), o.hire(users)
		n := 0
		o.front.put(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // a balancer
			n++
			[]*worker{a, b}[n%2].hook.ServeHTTP(w, r)
		}))
		a.start()
		b.start()
		defer a.end()
		defer b.end()
		first := o.only()
		for range 60 {
			later(days(1))
			if o.only().ID != first.ID {
				t.Fatal("it was made anew")
			}
		}
		if n := o.asked("POST"); n != 1 {
			t.Errorf("%d subscriptions were made", n)
		}
		if n := o.asked("PATCH"); n < 3 || n > 5 {
			t.Errorf("renewed %d times in 60 days, want as often as by one", n)
		}
	})
}

func TestAWorkerThatDiesHalfwayIsFollowedByAnother(t *testing.T) {
	mailroom(t, func(t *testing.T, o *office) {
		a := o.hire(users)
		o.shelf.set(killed(1)) // before it writes down what it made
		a.start()
		made := o.only()
		a.end()
		o.shelf.set(nil)
		b := o.hire(users).start()
		defer b.end()
		if st := b.list()["users"]; st.State != "pending" {
			t.Errorf("while another may be at it, it is %+v", st)
		}
		later(6 * time.Minute)
		if st := b.list()["users"]; st.State != "live" || st.ID != made.ID || o.only().ID != made.ID {
			t.Errorf("what the dead worker made was not found again: %+v", st)
		}
	})
}

func TestAWorkerThatIsStoppedHalfwayHoldsNobodyUp(t *testing.T) {
	mailroom(t, func(t *testing.T, o *office) {
		o.tenant.Inject(graphtest.Fault{Kind: graphtest.Slow, Path: "subscriptions", Method: "POST", Wait: 20 * time.Second, Times: 1})
		a := o.hire(users).start()
		later(10 * time.Second)
		a.end()
		b := o.hire(users).start()
		defer b.end()
		later(time.Minute)
		o.only()
		if st := b.list()["users"]; st.State != "live" {
			t.Errorf("a minute later it is %+v", st)
		}
	})
}

func TestGraphIsComeBackToWhenItSays(t *testing.T) {
	mailroom(t, func(t *testing.T, o *office) {
		o.tenant.Throttle("subscriptions", 0, 40*time.Minute)
		w := o.hire(users).start()
		defer w.end()
		st := w.list()["users"]
		if wait := time.Until(st.Next); st.State != "failing" || wait < 39*time.Minute || wait > 45*time.Minute {
			t.Errorf("tried again in %v: %+v", wait, st)
		}
	})
}
