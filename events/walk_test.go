package events_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"curfew/events"
)

// A walk drives one case with arbitrary facts and checks, after every one, what
// must always hold. It keeps its own account of what was told, done and seen, so
// that it does not take the case's word for it.
type walk struct {
	p     events.Policies
	now   time.Time
	c     events.Case
	d     events.Device
	ids   map[string]bool
	told  time.Time // a mail of the policy in force was done, in this episode
	held  time.Time
	woken bool                  // a hold has ended, and nobody has looked since
	blind bool                  // a look has come back without an answer meanwhile
	given map[string]consent    // approvals, by task and person
	sane  bool                  // only what is in the queue is done
	open  map[events.Order]bool // what stands open outside: tickets and pages
}

// consent is when a person approved, and what the device was like.
type consent struct {
	at   time.Time
	risk string
}

func newWalk(p events.Policies) *walk {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	key := events.Key{Tenant: "contoso", Device: "d1"}
	return &walk{
		p: p, now: now,
		c:     events.Case{Key: key},
		d:     events.Device{Key: key, Threat: "secured", Compliance: "compliant", LastSync: now},
		ids:   map[string]bool{},
		given: map[string]consent{},
		open:  map[events.Order]bool{},
	}
}

// step takes one fact and returns what is wrong, or "".
func (w *walk) step(f events.Fact) string {
	before := w.c
	was, _ := json.Marshal(before)
	next, tasks := events.Step(w.c, f, w.p, w.now)
	if is, _ := json.Marshal(before); string(is) != string(was) {
		return "Step changed the case it was given"
	}
	if again, more := events.Step(next, f, w.p, w.now); len(more) > 0 || !equal(again, next) {
		return fmt.Sprintf("%T is not idempotent: %v %s", f, more, cmp.Diff(next, again))
	}
	var back events.Case
	b, err := json.Marshal(next)
	if err == nil {
		err = json.Unmarshal(b, &back)
	}
	if err != nil || !equal(back, next) {
		return fmt.Sprintf("the case does not survive JSON: %v %s", err, cmp.Diff(next, back))
	}
	if bad := w.account(f, before, next); bad != "" {
		return bad
	}
	for _, t := range tasks {
		if t.Sent == 1 && w.ids[t.ID] {
			return t.ID + " is asked for twice"
		}
		w.ids[t.ID] = true
		if !t.Out || t.After != "" {
			return t.ID + " goes into the queue and is not marked so"
		}
	}
	w.c = next
	return w.waits()
}

// equal is cmp.Equal, which takes its time, for cases that mostly are.
func equal(a, b events.Case) bool { return reflect.DeepEqual(a, b) || cmp.Equal(a, b) }

// waits checks that nothing stands still unseen.
func (w *walk) waits() string {
	rest := !w.c.Open && len(w.c.Pending) == 0
	switch {
	case rest && !w.c.WakeAt.IsZero():
		return "a case at rest sets an alarm"
	case !rest && w.c.WakeAt.IsZero():
		return "a case waits and has no alarm"
	case !rest && !w.c.WakeAt.After(w.now):
		return "the alarm is in the past"
	case !rest && w.c.WakeAt.Sub(w.now) > 30*24*time.Hour:
		return "the alarm is more than a month away"
	}
	looks := 0
	for _, t := range w.c.Pending {
		if !w.c.Open && t.Rung > 0 && t.Begun == nil {
			return t.ID + " waits in a case that is closed, and can never begin"
		}
		if t.Action == events.Look {
			looks++
		}
		if t.After != "" && !slices.ContainsFunc(w.c.Pending, func(o events.Task) bool { return o.ID == t.After }) {
			return t.ID + " waits for a task that is gone"
		}
	}
	if looks > 1 {
		return "more than one look at a time"
	}
	if len(w.c.Given) > events.MaxGiven || len(w.c.Attention) > 10 || len(w.c.Trace) > 60 {
		return "the case grows without bound"
	}
	return ""
}

// account follows what happened outside, and checks promise 3 and the taking back.
func (w *walk) account(f events.Fact, before, next events.Case) string {
	if !before.Open && next.Open || before.Policy != next.Policy {
		w.told = time.Time{}
	}
	if h := next.Hold; h != nil {
		w.held = h.Until
	} else {
		w.held = time.Time{}
	}
	if bad := w.asleep(f, before, next); bad != "" {
		return bad
	}
	switch f := f.(type) {
	case events.Done:
		t, _ := before.Wants(f.Task)
		if i := slices.IndexFunc(before.Given, func(x events.Task) bool { return x.ID == f.Task }); t.ID == "" && i >= 0 {
			t = before.Given[i] // it had been given up, and was done all the same
		}
		if t.ID == "" {
			break
		}
		where := events.Order{Action: t.Action, Destination: t.Destination}
		switch t.Action {
		case events.Mail:
			if t.Rung > 0 && t.Policy == next.Policy && next.Open && w.told.IsZero() {
				w.told = w.now
			}
		case events.Ticket, events.Page, events.Isolate:
			if f.Digest == "" || t.Action == events.Isolate {
				w.open[where] = true
			}
		case events.Unisolate:
			delete(w.open, events.Order{Action: events.Isolate})
		case events.Close:
			delete(w.open, events.Order{Action: events.Ticket, Destination: t.Destination})
		case events.Resolve:
			delete(w.open, events.Order{Action: events.Page, Destination: t.Destination})
		}
	case events.Begun:
		t, _ := next.Wants(f.Task)
		was, _ := before.Wants(f.Task)
		if t.Begun == nil || t.Begun.ID != f.Attempt || !t.Action.Grave() || was.Begun != nil && was.Begun.ID == f.Attempt {
			break // not let begin, or begun before and told again
		}
		if t.Action == events.Isolate {
			pol := w.p.List[slices.IndexFunc(w.p.List, func(p events.Policy) bool { return p.Name == next.Policy })]
			if w.approvals(t) < w.needs(pol, t) {
				return "an isolation without its approvals"
			}
			break
		}
		pol := w.p.List[slices.IndexFunc(w.p.List, func(p events.Policy) bool { return p.Name == next.Policy })]
		risk, _ := pol.When.Holds(w.d)
		switch {
		case w.open[events.Order{Action: events.Isolate}]:
			return "a reset of a device that Intune does not reach"
		case t.For != "" && t.For != w.d.IntuneID:
			return "a reset of another enrolment than it was asked for"
		case w.told.IsZero():
			return "a reset, and nobody was told"
		case w.now.Sub(w.told) < pol.Grace:
			return fmt.Sprintf("a reset %v after the notice", w.now.Sub(w.told))
		case !risk:
			return "a reset of a device that did not show the risk when it was last seen"
		case w.approvals(t) < w.needs(pol, t):
			return "a reset without its approvals"
		case w.held.After(w.now):
			return "a reset of a held case"
		case w.d.AwaitsActionCenter() && t.Asked.Equal(w.now):
			return "a reset before the Action center decided"
		}
	}
	if _, byHand := f.(events.Closed); before.Policy != "" && before.Open && !next.Open && !byHand {
		if s, ok := f.(events.Seen); !ok || s.Device.Threat.Level() > events.Clear || len(s.Device.Missing) > 0 || !s.Device.LastSync.After(before.Opened) {
			return "the case closed without proof"
		}
	}
	return ""
}

// asleep checks that nothing of the ladder begins after a hold before the device
// was looked at, unless that does not work.
func (w *walk) asleep(f events.Fact, before, next events.Case) string {
	switch f := f.(type) {
	case events.Seen:
		w.woken, w.blind = false, false
	case events.Delayed, events.Failed:
		w.blind = true
	case events.Begun:
		t, _ := next.Wants(f.Task)
		was, _ := before.Wants(f.Task)
		if t.Rung > 0 && t.Begun != nil && was.Begun == nil && w.woken && !w.blind && before.Hold == nil {
			return t.ID + " begins after a hold, and nobody has looked since"
		}
	}
	if before.Hold != nil && next.Hold == nil && next.Open {
		if s, ok := f.(events.Seen); !ok || s.Device.SeenAt.Before(w.now) {
			w.woken, w.blind = true, false
		}
	}
	return ""
}

// needs is how many approvals the rule asks for; the case's word is not taken.
func (w *walk) needs(pol events.Policy, t events.Task) int { return pol.Ladder[t.Rung-1].Approvals }

// approvals counts those of different people that have neither run out nor been
// given for a device that was not as it is.
func (w *walk) approvals(t events.Task) int {
	n := 0
	for _, by := range []string{"ana", "ben"} {
		if c, ok := w.given[t.ID+by]; ok && w.now.Sub(c.at) < 24*time.Hour && c.risk == w.d.Risk() {
			n++
		}
	}
	return n
}

// FuzzStep drives a case with arbitrary facts under the policies of the stories.
func FuzzStep(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 7, 0, 0, 1, 17, 0, 0, 9, 1, 0, 0, 1, 7, 0, 0, 1, 7, 0, 0, 1, 17, 0, 0, 200, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		w := newWalk(policies)
		for i := 0; i+3 < len(in); i += 4 {
			w.now = w.now.Add(time.Duration(in[i+3]) * 7 * time.Minute)
			if bad := w.step(w.fact(int(in[i]), int(in[i+1]), int(in[i+2]))); bad != "" {
				t.Fatal(bad)
			}
		}
	})
}

// TestPromises drives cases with arbitrary facts under arbitrary policies.
func TestPromises(t *testing.T) {
	often(t, 1_000, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			w := newWalk(anyPolicies(t))
			for range rapid.IntRange(1, 80).Draw(t, "facts") {
				w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 10, 60, 600, 6000}).Draw(t, "minutes")) * time.Minute)
				f := w.fact(rapid.IntRange(0, 20).Draw(t, "kind"), rapid.IntRange(0, 9).Draw(t, "task"), rapid.IntRange(0, 60).Draw(t, "n"))
				if bad := w.step(f); bad != "" {
					t.Fatal(bad)
				}
			}
		})
	})
}

// TestClockJumps drives cases by a clock that is put an hour or more forward and
// back. By the clock, nothing comes before its time, and nothing waits without an
// alarm that is still to come.
func TestClockJumps(t *testing.T) {
	often(t, 300, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			w := newWalk(anyPolicies(t))
			for range rapid.IntRange(1, 80).Draw(t, "facts") {
				w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 10, 60, 60, -60, -60, 600, -600}).Draw(t, "minutes")) * time.Minute)
				f := w.fact(rapid.IntRange(0, 20).Draw(t, "kind"), rapid.IntRange(0, 9).Draw(t, "task"), rapid.IntRange(0, 60).Draw(t, "n"))
				if bad := w.step(f); bad != "" {
					t.Fatal(bad)
				}
			}
		})
	})
}

// TestTakenBack lets the world go quiet after arbitrary facts: the device is
// healthy, every task is done. Whatever was opened outside must be closed then.
func TestTakenBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWalk(anyPolicies(t))
		w.sane = true
		for range rapid.IntRange(1, 60).Draw(t, "facts") {
			w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 60, 600}).Draw(t, "minutes")) * time.Minute)
			kind := rapid.SampledFrom([]int{0, 1, 1, 4, 5, 7, 7, 7, 8, 12, 14, 17, 17, 20}).Draw(t, "kind")
			if bad := w.step(w.fact(kind, rapid.IntRange(0, 9).Draw(t, "task"), rapid.IntRange(0, 60).Draw(t, "n"))); bad != "" {
				t.Fatal(bad)
			}
		}
		// Nobody approves any more, and a tenant's trouble is a person's to close.
		if w.c.Open && w.c.Policy == "" {
			if bad := w.step(events.Closed{By: "ana"}); bad != "" {
				t.Fatal(bad)
			}
		}
		w.d.Threat, w.d.Compliance, w.d.Alerts, w.d.Settings = "secured", "compliant", nil, nil
		for range 200 {
			w.now = w.now.Add(time.Hour)
			w.d.LastSync = w.now
			facts := []events.Fact{events.Rang{}, w.sight("")}
			for _, task := range w.c.Ready() {
				if task.Action != events.Look {
					facts = append(facts, events.Done{Task: task.ID, Receipt: "R"})
				}
			}
			for _, f := range facts {
				if s, ok := f.(events.Seen); ok {
					f = w.sight(s.Task)
				}
				if bad := w.step(f); bad != "" {
					t.Fatal(bad)
				}
			}
		}
		if w.c.Open || len(w.c.Pending) > 0 {
			t.Fatalf("a healthy device's case does not come to rest: %s, pending %v, unproven %v", w.c.State(), w.c.Pending, w.c.Unproven)
		}
		if len(w.open) > 0 {
			t.Fatalf("left open outside: %v", w.open)
		}
	})
}
