package graph_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/graph"
	"curfew/graph/graphtest"
)

func TestASubscriptionIsKeptAliveForMonths(t *testing.T) {
	mailroom(t, func(t *testing.T, o *office) {
		w := o.hire(users).start()
		defer w.end()
		first := o.only()
		if len(first.ClientState) < 43 || len(first.ClientState) > 128 {
			t.Errorf("the secret has %d characters", len(first.ClientState))
		}
		if first.NotificationURL != publicURL+"/graph/notifications" || first.LifecycleURL != publicURL+"/graph/lifecycle" || first.ChangeType != "updated,deleted" {
			t.Errorf("subscribed %+v", first)
		}
		for range 120 {
			later(days(1))
			s := o.only()
			if s.ID != first.ID {
				t.Fatal("a subscription that was alive was made anew")
			}
			if left := time.Until(s.Expires); left < days(12) {
				t.Fatalf("it was let come within %v of its end", left)
			}
		}
		if n := o.asked("POST"); n != 1 {
			t.Errorf("%d subscriptions were made", n)
		}
		if n := o.asked("PATCH"); n < 6 || n > 10 {
			t.Errorf("renewed %d times in 120 days, want about every 14", n)
		}
		if st := w.list()["users"]; st.State != "live" || st.ID != first.ID || st.Reason != "" || st.Next.IsZero() {
			t.Errorf("listed as %+v", st)
		}
		if w.swept.Load() != 0 {
			t.Errorf("%d sweeps out of turn, though nothing was lost", w.swept.Load())
		}
	})
}

func TestARestartFindsWhatItLeft(t *testing.T) {
	mailroom(t, func(t *testing.T, o *office) {
		var ids []string
		for range 5 {
			w := o.hire(users, graph.Resource{Path: "/groups"}).start()
			later(time.Hour)
			for _, s := range o.tenant.Subscriptions() {
				if !slices.Contains(ids, s.ID) {
					ids = append(ids, s.ID)
				}
			}
			w.end()
		}
		if n := o.asked("POST"); n != 2 || len(ids) != 2 {
			t.Errorf("%d made and %d seen, want 2", n, len(ids))
		}
		if n := o.asked("PATCH") + o.asked("DELETE"); n != 0 {
			t.Errorf("%d needless changes", n)
		}
	})
}

func TestASubscriptionWhoseAnswerWasLostIsAdopted(t *testing.T) {
	for _, kind := range []graphtest.Kind{graphtest.TimedOutButDone, graphtest.CutOffButDone} {
		t.Run(string(kind), func(t *testing.T) {
			mailroom(t, func(t *testing.T, o *office) {
				o.tenant.Inject(graphtest.Fault{Kind: kind, Path: "subscriptions", Method: "POST", Times: 1})
				w := o.hire(users).start()
				defer w.end()
				made := o.only()
				if st := w.list()["users"]; st.State != "failing" || st.Reason == "" {
					t.Errorf("listed as %+v", st)
				}
				later(time.Minute)
				if s := o.only(); s.ID != made.ID || o.asked("DELETE") != 0 {
					t.Error("the subscription was not adopted but replaced")
				}
				if st := w.list()["users"]; st.State != "live" || st.ID != made.ID {
					t.Errorf("listed as %+v", st)
				}
				later(days(30))
				if o.only().ID != made.ID {
					t.Error("the adopted subscription was not renewed")
				}
			})
		})
	}
}

func TestASubscriptionWhoseSecretIsLostGivesWay(t *testing.T) {
	mailroom(t, func(t *testing.T, o *office) {
		o.hire(users).start().end()
		old := o.only()
		o.shelf = newShelf() // the disk was lost
		w := o.hire(users).start()
		defer w.end()
		if s := o.only(); s.ID == old.ID || s.ClientState == old.ClientState {
			t.Error("it was adopted though nobody knows its secret")
		}
		if st := w.list()["users"]; st.State != "live" {
			t.Errorf("listed as %+v", st)
		}
	})
}

func TestTheSubscriptionOfAnotherInstallationIsLeftAlone(t *testing.T) {
	mailroom(t, func(t *testing.T, o *office) {
		other := o.hire(users)
		other.subs.URL = "https://curfew.test.example"
		other.start().end()
		theirs := o.only()
		o.shelf = newShelf()
		w := o.hire(users).start()
		defer w.end()
		if s := o.only(); s != theirs {
			t.Errorf("their subscription became %+v", s)
		}
		if st := w.list()["users"]; st.State != "refused" || !strings.Contains(st.Reason, theirs.ID) {
			t.Errorf("listed as %+v", st)
		}
		if err := w.subs.Remove(o.ctx); err != nil || len(o.tenant.Subscriptions()) != 1 {
			t.Errorf("Remove took what is not ours, or failed: %v", err)
		}
		if err := w.subs.RemoveAll(o.ctx); err != nil || len(o.tenant.Subscriptions()) != 0 {
			t.Errorf("RemoveAll left something: %v", err)
		}
		later(days(1.2))
		if s := o.only(); !strings.HasPrefix(s.NotificationURL, publicURL) {
			t.Errorf("after theirs was removed ours is %+v", s)
		}
	})
}

func TestASubscriptionThatIsGoneIsMadeAnew(t *testing.T) {
	t.Run("found within a day", func(t *testing.T) {
		mailroom(t, func(t *testing.T, o *office) {
			w := o.hire(users).start()
			defer w.end()
			old := o.only()
			later(days(2))
			o.tenant.ForgetSubscriptions()
			later(days(1.2))
			if s := o.only(); s.ClientState == old.ClientState {
				t.Error("a secret was used twice")
			}
			later(2 * time.Minute)
			if w.swept.Load() != 1 {
				t.Errorf("%d sweeps after a gap, want 1", w.swept.Load())
			}
		})
	})
	t.Run("found at its renewal", func(t *testing.T) {
		mailroom(t, func(t *testing.T, o *office) {
			w := o.hire(graph.Resource{Path: "users", Life: 2 * time.Hour}).start()
			defer w.end()
			o.tenant.ForgetSubscriptions()
			later(70 * time.Minute)
			o.only()
			if w.swept.Load() != 1 {
				t.Errorf("%d sweeps after a gap, want 1", w.swept.Load())
			}
		})
	})
	t.Run("expired while the worker was down", func(t *testing.T) {
		mailroom(t, func(t *testing.T, o *office) {
			o.hire(users).start().end()
			later(days(40))
			w := o.hire(users).start()
			defer w.end()
			o.only()
			if w.swept.Load() != 1 {
				t.Errorf("%d sweeps after a gap, want 1", w.swept.Load())
			}
		})
	})
}

func TestTheConfigurationChanges(t *testing.T) {
	mailroom(t, func(t *testing.T, o *office) {
		o.hire(users, graph.Resource{Path: "groups"}).start().end()
		if n := len(o.tenant.Subscriptions()); n != 2 {
			t.Fatalf("%d subscriptions, want 2", n)
		}
		// A resource is dropped.
		o.hire(users).start().end()
		old := o.only()
		// Curfew moves to another address, and wants other changes.
		w := o.hire(graph.Resource{Path: "users", Changes: "updated"})
		w.subs.URL = "https://new.contoso.example/"
		w.start()
		if s := o.only(); s.ID == old.ID || s.NotificationURL != "https://new.contoso.example/graph/notifications" || s.ChangeType != "updated" {
			t.Errorf("after the move it is %+v", s)
		}
		w.end()
		if err := w.subs.Remove(o.ctx); err != nil {
			t.Fatal(err)
		}
		if n := len(o.tenant.Subscriptions()); n != 0 {
			t.Errorf("%d subscriptions left", n)
		}
		if keys, _ := o.shelf.Keys(o.ctx, "subscription."); len(keys) != 0 {
			t.Errorf("the state still has %v", keys)
		}
	})
}

func TestADamagedRecordIsReplaced(t *testing.T) {
	mailroom(t, func(t *testing.T, o *office) {
		o.hire(users).start().end()
		keys, _ := o.shelf.Keys(o.ctx, "subscription.")
		o.shelf.kept[keys[0]] = kept{value: []byte(`{"id":42`), rev: 4711}
		w := o.hire(users).start()
		defer w.end()
		o.only()
		if st := w.list()["users"]; st.State != "live" {
			t.Errorf("listed as %+v", st)
		}
	})
}

func TestMistakesInTheConfigurationAreNamedAtOnce(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		s := &graph.Subscriptions{Client: d.client, State: newShelf(), URL: "http://user:hunter2@curfew.example", Resources: []graph.Resource{
			users, {Path: "/Users"}, {Path: ""}, {Path: "groups", Changes: "updated,moved", Life: -1},
		}}
		err := s.Run(d.ctx)
		if err == nil {
			t.Fatal("no mistake was found")
		}
		for _, word := range []string{"https://", "twice", `resource ""`, "moved", "-1ns"} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q is not in: %v", word, err)
			}
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Error("the error has a password")
		}
		if err := new(graph.Subscriptions).Run(d.ctx); err == nil {
			t.Error("no client and no state, and nobody says so")
		}
	})
}

func TestLivesAreAsLongAsMicrosoftAllows(t *testing.T) {
	resources := map[string]float64{ // days; all of these the tenant takes, and it refuses what is too long
		"users": 29, "groups": 29, "/users/curfew@contoso.example/messages": 2.94,
	}
	mailroom(t, func(t *testing.T, o *office) {
		var list []graph.Resource
		for path := range resources {
			list = append(list, graph.Resource{Path: path})
		}
		w := o.hire(list...).start()
		defer w.end()
		for path, st := range w.list() {
			if got := time.Until(st.Expires).Hours() / 24; st.State != "live" || got < resources[path]-0.1 || got > resources[path] {
				t.Errorf("%s is %s for %.2f days, want %.2f: %s", path, st.State, got, resources[path], st.Reason)
			}
		}
	})
}
