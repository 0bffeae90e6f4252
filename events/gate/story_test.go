package gate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/gate"
	"curfew/events/journal"
)

// TestFiveHundredTriggers: with a budget of two, two workers reset two devices and
// hold the others; one person is paged; and a person's word lets one more through.
func TestFiveHundredTriggers(t *testing.T) {
	inWorld(t, 20_000, nil, func(w *world) {
		w.rules.List[0].Ladder[1] = events.Rung{After: time.Second, Do: []events.Order{{Action: events.Mail}}}
		w.turn(0, 500)
		time.Sleep(90 * time.Minute)
		w.expect("resets", w.count(events.Reset, false), 2)
		w.expect("held by the budget", w.held(events.Reset, gate.GateBudget), 498)
		w.expect("pages", w.count(events.Page, true)+w.count(events.Page, false), 1)
		c := w.tenantCase()
		if !c.Open || len(c.Attention) != 1 || !strings.HasPrefix(c.Attention[0], "budget: the budget of 2 resets within 24h is used up") {
			t.Errorf("the tenant's case: open %v, %q", c.Open, c.Attention)
		}

		var one events.Task
		for x, err := range w.j.Cases(w.t.Context(), tenant) {
			check(w.t, err)
			if len(x.Pending) > 0 && x.Pending[0].Held != nil && one.ID == "" {
				one = x.Pending[0]
				w.say(x.Key, events.Released{Task: one.ID, By: "kim"})
			}
		}
		w.say(events.TenantKey(tenant), events.Closed{By: "kim", Reason: "seen"})
		time.Sleep(5 * time.Minute)
		w.expect("resets after one was released", w.count(events.Reset, false), 3)
		w.expect("pages", w.count(events.Page, true), 1)
		w.expect("the tenant's case", w.tenantCase().State(), "rest")
	})
}

// TestPauseInTheMiddle of a batch: whatever was not called by then is not called.
func TestPauseInTheMiddle(t *testing.T) {
	limits := map[string]gate.Limit{gate.BudgetReset: {Count: 1000, Window: time.Hour}}
	inWorld(t, 20_000, func(g *gate.Guard) { g.Limits = limits }, func(w *world) {
		w.rules.List[0].Ladder[1] = events.Rung{After: time.Second, Do: []events.Order{{Action: events.Mail}}}
		w.last, w.looks = true, time.Second
		w.turn(0, 60)
		for w.count(events.Reset, false) == 0 {
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(500 * time.Millisecond) // others are between their questions and their calls
		before := w.count(events.Reset, false)
		ps := gate.Pauses{Store: store{w.j.State()}}
		check(w.t, ps.Set(w.t.Context(), gate.Pause{Action: events.Reset, By: "kim", Reason: "wrong policy", At: time.Now()}))
		time.Sleep(time.Hour)
		w.expect("resets after the pause", w.count(events.Reset, false)-before, 0)
		w.expect("held by the pause", w.held(events.Reset, gate.GatePause), 60-before)
		if before == 0 || before == 60 {
			t.Errorf("%d resets before the pause: it was not in the middle", before)
		}

		// Those that were stopped had given their slots back, and go on when two people want it.
		_, lifted, err := ps.Lift(w.t.Context(), "", events.Reset, "kim", time.Now())
		if lifted || err != nil {
			t.Errorf("one person lifted it: %v", err)
		}
		if _, _, err = ps.Lift(w.t.Context(), "", events.Reset, "kim", time.Now()); !errors.Is(err, gate.ErrSamePerson) {
			t.Error("the same person twice: ", err)
		}
		w.release(gate.GatePause, "kim")
		time.Sleep(5 * time.Minute)
		w.expect("resets while one person wants it lifted", w.count(events.Reset, false)-before, 0)
		_, lifted, err = ps.Lift(w.t.Context(), "", events.Reset, "lee", time.Now())
		if !lifted || err != nil {
			t.Errorf("two people could not lift it: %v", err)
		}
		w.release(gate.GatePause, "lee") // which makes them ask at once
		time.Sleep(5 * time.Minute)
		w.expect("resets in the end", w.count(events.Reset, false), 60)
	})
}

// TestPolicyRollOut: forty per cent of a tenant turn bad. Nothing is reset, one
// person is paged about the tenant, nobody about devices, and users are told.
func TestPolicyRollOut(t *testing.T) {
	inWorld(t, 50, nil, func(w *world) {
		w.turn(0, 20)
		time.Sleep(20 * time.Second)
		c := w.tenantCase()
		if !c.Open || len(c.Attention) != 1 || !strings.HasPrefix(c.Attention[0], "breaker: 20 of 50 devices turned bad within 1h") {
			t.Fatalf("the tenant's case: open %v, %q", c.Open, c.Attention)
		}
		time.Sleep(4 * time.Hour)
		w.expect("resets", w.count(events.Reset, false), 0)
		w.expect("mails", w.count(events.Mail, false), 20)
		w.expect("pages about the tenant", w.count(events.Page, true), 1)
		w.expect("pages about devices", w.count(events.Page, false), 0)
		w.expect("pages held", w.held(events.Page, gate.GateBreaker), 20)

		// A person closes the tenant's case, which resets the breaker: those that
		// were bad then do not trip it again, and the other gates still stand.
		w.say(events.TenantKey(tenant), events.Closed{By: "kim", Reason: "the policy is taken back"})
		time.Sleep(3 * time.Hour)
		w.expect("pages about devices", w.count(events.Page, false), 20)
		w.expect("resets, of a tenant so small", w.count(events.Reset, false), 1)
		for _, why := range w.tenantCase().Attention {
			if strings.HasPrefix(why, "breaker") {
				t.Error("it has tripped again: ", why)
			}
		}

		w.turn(20, 26) // and it trips for others
		time.Sleep(20 * time.Second)
		if c := w.tenantCase(); !strings.Contains(fmt.Sprint(c.Attention), "breaker: 6 of 50") {
			t.Errorf("%q", c.Attention)
		}
	})
}

// TestNobodyKnowsHowManyDevices there are: what is destructive waits, pages go on.
func TestNobodyKnowsHowManyDevices(t *testing.T) {
	inWorld(t, 0, nil, func(w *world) {
		w.turn(0, 6)
		time.Sleep(3 * time.Hour)
		w.expect("pages about devices", w.count(events.Page, false), 6)
		w.expect("resets", w.count(events.Reset, false), 0)
		w.expect("resets held", w.held(events.Reset, gate.GateBreaker), 6)
		w.expect("the tenant's case", w.tenantCase().Open, false)
	})
}

// TestProtectedIsNeverReset, and nobody's word changes that.
func TestProtectedIsNeverReset(t *testing.T) {
	protect := func(g *gate.Guard) { g.Protected.Groups = []string{"Board"} } // which nobody has read
	inWorld(t, 1000, protect, func(w *world) {
		w.turn(0, 1)
		time.Sleep(3 * time.Hour)
		c, _, err := w.j.Case(w.t.Context(), key(0))
		check(w.t, err)
		if len(c.Pending) != 1 || c.Pending[0].Held == nil || c.Pending[0].Held.Gate != gate.GateProtected {
			t.Fatalf("%+v", c.Pending)
		}
		w.say(key(0), events.Released{Task: c.Pending[0].ID, By: "kim"})
		time.Sleep(30 * time.Hour)
		w.expect("resets", w.count(events.Reset, false), 0)
	})
}

// bench is a store and a guard without workers.
func bench(t *testing.T, f func(t *testing.T, g *gate.Guard, again func() *gate.Guard)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b, err := broker.Embed(t.Context(), broker.Embedded{Dir: t.TempDir(), DontListen: true}, quiet)
		check(t, err)
		defer func() { check(t, b.Stop(context.WithoutCancel(t.Context()))) }()
		j, err := journal.Open(t.Context(), b.Conn(), journal.Options{Partitions: 1, Pulse: 30 * time.Second}, quiet)
		check(t, err)
		again := func() *gate.Guard {
			return &gate.Guard{
				Store: store{j.State()}, Cases: cases{j}, Fleet: fleet(1000), Sink: j,
				Limits: map[string]gate.Limit{gate.BudgetReset: {Count: 1, Window: time.Hour}},
			}
		}
		f(t, again(), again)
	})
}

func reset(i int) (events.Case, events.Task) {
	return events.Case{Key: key(i)}, events.Task{ID: key(i).String() + "/1-reset", Order: events.Order{Action: events.Reset}}
}

type unsure struct{ error }

func (unsure) Unsure() bool { return true }

type giveUp struct{ error }

func (giveUp) GiveUp() bool { return true }

// TestSlotsFollowWhatHappened: a slot comes back only when it is known that no
// call was made.
func TestSlotsFollowWhatHappened(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first func(*events.Task)
		fact  events.Fact
		err   error
		free  bool
	}{
		{"done", nil, events.Done{}, nil, false},
		{"accepted", nil, events.Accepted{}, nil, false},
		{"looked and did not", nil, events.Seen{}, nil, true},
		{"refused", nil, nil, errors.New("403"), true},
		{"given up before the call", nil, nil, giveUp{errors.New("macOS")}, true},
		{"timed out", nil, nil, unsure{errors.New("504")}, false},
		{"stopped right before the call", nil, nil, fmt.Errorf("reset: %w", &gate.Stop{Held: events.Held{Gate: gate.GatePause}}), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bench(t, func(t *testing.T, g *gate.Guard, _ func() *gate.Guard) {
				c, task := reset(1)
				f, err := g.Func(func(context.Context, events.Case, events.Task) (events.Fact, error) { return tt.fact, tt.err })(t.Context(), c, task)
				if h, ok := f.(events.Held); ok && (h.Task != task.ID || err != nil) {
					t.Errorf("%+v, %v", h, err)
				}
				h, err := g.Admit(t.Context(), c, task)
				if h != nil || err != nil {
					t.Errorf("the same task is kept from its own slot: %+v, %v", h, err)
				}
				if !tt.free {
					return
				}
				c, other := reset(2)
				if h, err := g.Admit(t.Context(), c, other); err != nil || h == nil {
					t.Errorf("it has taken two slots of one: %v", err)
				}
			})
			bench(t, func(t *testing.T, g *gate.Guard, _ func() *gate.Guard) {
				c, task := reset(1)
				_, _ = g.Func(func(context.Context, events.Case, events.Task) (events.Fact, error) { return tt.fact, tt.err })(t.Context(), c, task)
				c, other := reset(2)
				h, err := g.Admit(t.Context(), c, other)
				if err != nil || (h == nil) != tt.free {
					t.Errorf("another task: %+v, %v; want it let through: %v", h, err, tt.free)
				}
			})
		})
	}
}

// TestCrashBeforeTheCall: a worker dies between taking the slot and calling. The
// next one finds out what happened, through no gate, and the slot follows.
func TestCrashBeforeTheCall(t *testing.T) {
	for name, tt := range map[string]struct {
		settled error
		free    bool
	}{
		"it had been done":         {nil, false},
		"it had not":               {errors.New("starting over"), true},
		"nobody can tell yet":      {unsure{errors.New("no record")}, false},
		"nobody will ever know it": {giveUp{errors.New("a person must look")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			bench(t, func(t *testing.T, g *gate.Guard, again func() *gate.Guard) {
				c, task := reset(1)
				h, err := g.Admit(t.Context(), c, task)
				if h != nil || err != nil {
					t.Fatal(h, err)
				}
				g = again() // the next worker
				check(t, gate.Pauses{Store: g.Store}.Set(t.Context(), gate.Pause{Action: events.Mail, By: "kim", Reason: "x"}))
				task.Unsure = true
				asked := 0
				_, _ = g.Func(func(_ context.Context, _ events.Case, got events.Task) (events.Fact, error) {
					if asked++; !got.Unsure {
						t.Error("the handler was not told that it is unsure")
					}
					return events.Done{Task: got.ID}, tt.settled
				})(t.Context(), c, task)
				if asked != 1 {
					t.Error("nobody found out what happened")
				}
				c, other := reset(2)
				h, err = g.Admit(t.Context(), c, other)
				if err != nil || (h == nil) != tt.free {
					t.Errorf("another task: %+v, %v; want it let through: %v", h, err, tt.free)
				}
			})
		})
	}
}

// TestShutWhenItCannotBeAsked: a gate whose record cannot be read lets nothing through.
func TestShutWhenItCannotBeAsked(t *testing.T) {
	for _, k := range []string{"gate.pauses", "gate.trip." + tenant, "gate.budget.reset." + tenant} {
		bench(t, func(t *testing.T, g *gate.Guard, _ func() *gate.Guard) {
			if _, err := g.Store.Create(t.Context(), k, []byte("{broken")); err != nil {
				t.Fatal(err)
			}
			c, task := reset(1)
			called := false
			f, err := g.Func(func(context.Context, events.Case, events.Task) (events.Fact, error) { called = true; return nil, nil })(t.Context(), c, task)
			if err == nil || f != nil || called {
				t.Errorf("%s: %v, %v, called %v", k, f, err, called)
			}
		})
	}
	f, err := (&gate.Guard{}).Func(nil)(t.Context(), events.Case{}, events.Task{Order: events.Order{Action: events.Reset}})
	if f != nil || err == nil {
		t.Error("a guard without a store lets things through")
	}
}
