package gate_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"curfew/events"
	"curfew/events/gate"
)

// memory is a store without a broker, for many short lives.
type memory struct {
	mu  sync.Mutex
	kv  map[string][]byte
	rev map[string]uint64
}

func newMemory() *memory { return &memory{kv: map[string][]byte{}, rev: map[string]uint64{}} }

func (m *memory) Get(_ context.Context, key string) ([]byte, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.kv[key]), m.rev[key], nil
}

func (m *memory) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	return m.Update(ctx, key, value, 0)
}

func (m *memory) Update(_ context.Context, key string, value []byte, rev uint64) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rev[key] != rev {
		return 0, errors.New("conflict")
	}
	m.kv[key], m.rev[key] = bytes.Clone(value), rev+1
	return rev + 1, nil
}

func (m *memory) Confirm(_ context.Context, key string, rev uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rev[key] != rev {
		return errors.New("conflict")
	}
	return nil
}

// A life is a tenant of eight devices, of which one is protected, and what has
// happened to it.
type life struct {
	*memory
	ctx    context.Context
	guards [2]*gate.Guard
	opened map[string]time.Time
	owner  events.Case // the tenant's
	tries  int
	broken string // the first promise that was

	paused bool            // as people have said
	wish   string          // who wants the pause lifted
	calls  map[string]made // that were made, or may have been, by task: a task takes one slot
	unsure map[string]bool
	begun  map[string]*events.Attempt // the last attempts
}

// made is a call, and the attempt that made it.
type made struct {
	at time.Time
	by string
}

const (
	lifeLimit  = 2
	lifeWindow = time.Hour
)

// A moment is one thing that happens in a life. Each uses the numbers it needs.
type moment struct {
	What      string
	Who       string
	Device    int
	Worker    int
	Needs     int
	Approvals int
	Ending    string
	Minutes   int
}

func moments() *rapid.Generator[[]moment] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) moment {
		return moment{
			What: rapid.SampledFrom([]string{"pause", "lift", "lift", "bad", "close", "wait", "reset", "reset", "reset", "reset"}).Draw(t, "what"),
			Who:  rapid.SampledFrom([]string{"kim", "lee"}).Draw(t, "who"), Device: rapid.IntRange(0, 7).Draw(t, "device"),
			Worker: rapid.IntRange(0, 1).Draw(t, "worker"), Needs: rapid.IntRange(0, 2).Draw(t, "needs"), Approvals: rapid.IntRange(0, 2).Draw(t, "approvals"),
			Ending:  rapid.SampledFrom([]string{"done", "refused", "looked", "timed out"}).Draw(t, "ending"),
			Minutes: rapid.IntRange(1, 90).Draw(t, "minutes"),
		}
	}), 1, 80)
}

// TestNoCallGetsPastTheGates, whatever people, devices, workers and time do in
// whatever order.
func TestNoCallGetsPastTheGates(t *testing.T) {
	often(t, 100_000, func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			all, broken := moments().Draw(rt, "moments"), ""
			synctest.Test(t, func(t *testing.T) { broken = newLife(t.Context()).live(all) })
			if broken != "" {
				rt.Fatal(broken)
			}
		})
	})
}

// often checks a property n times in all, or as often as -rapid.checks says,
// in shares that run side by side.
func often(t *testing.T, n int, property func(*testing.T)) {
	t.Helper()
	const shares = 4
	f := flag.Lookup("rapid.checks")
	said := f.Value.String()
	if said != f.DefValue {
		n, _ = strconv.Atoi(said) // it is a number, or the test would not run
	}
	set := func(s string) {
		if err := f.Value.Set(s); err != nil {
			t.Error(err)
		}
	}
	set(strconv.Itoa((n + shares - 1) / shares))
	t.Cleanup(func() { set(said) })
	for i := range shares {
		t.Run(strconv.Itoa(i+1), func(t *testing.T) {
			t.Parallel()
			property(t)
		})
	}
}

func newLife(ctx context.Context) *life {
	l := &life{
		memory: newMemory(), ctx: ctx, opened: map[string]time.Time{}, calls: map[string]made{}, unsure: map[string]bool{}, begun: map[string]*events.Attempt{},
		owner: events.Case{Key: events.TenantKey(tenant)},
	}
	for i := range l.guards {
		l.guards[i] = &gate.Guard{
			Store: l, Cases: l, Fleet: l, Sink: l, Protected: gate.Protected{Devices: []string{key(0).Device}},
			Limits:  map[string]gate.Limit{gate.BudgetReset: {Count: lifeLimit, Window: lifeWindow}},
			Breaker: gate.Breaker{Share: 0.3, Least: 3},
		}
	}
	return l
}

func (l *life) fail(format string, args ...any) {
	if l.broken == "" {
		l.broken = fmt.Sprintf(format, args...)
	}
}

// live lets everything happen, and returns the first promise that was broken.
func (l *life) live(all []moment) string {
	for _, m := range all {
		switch m.What {
		case "pause":
			if err := (gate.Pauses{Store: l}).Set(l.ctx, gate.Pause{Action: events.Reset, By: m.Who, Reason: "x"}); err != nil {
				l.fail("%v", err)
			}
			l.paused, l.wish = true, ""
		case "lift":
			l.lift(m.Who)
		case "bad":
			l.opened[key(m.Device).Device] = time.Now()
		case "close":
			l.owner, _ = events.Step(l.owner, events.Closed{By: m.Who}, events.Policies{}, time.Now())
		case "wait":
			time.Sleep(time.Duration(m.Minutes) * time.Minute)
		case "reset":
			l.attempt(m)
		}
	}
	return l.broken
}

func (l *life) Devices(context.Context, string) (int, bool, error) { return 8, true, nil }

func (l *life) Openings(context.Context, string, time.Time) ([]time.Time, error) {
	return slices.Collect(maps.Values(l.opened)), nil
}

func (l *life) Case(context.Context, events.Key) (events.Case, uint64, error) { return l.owner, 1, nil }

// Append takes what the tenant's case is told.
func (l *life) Append(_ context.Context, k events.Key, f events.Fact, _ string) error {
	if _, ok := f.(events.Tripped); !ok || k != events.TenantKey(tenant) {
		l.fail("%v of %s", f, k)
	}
	l.owner, _ = events.Step(l.owner, f, events.Policies{}, time.Now())
	return nil
}

// attempt lets a worker try a reset, which ends in one of many ways.
func (l *life) attempt(m moment) {
	c, task := reset(m.Device)
	task.Needs, task.Unsure = m.Needs, l.unsure[task.ID]
	if !task.Unsure {
		l.begun[task.ID] = &events.Attempt{ID: fmt.Sprint("a", l.tries)}
		l.tries++
	}
	task.Begun = l.begun[task.ID]
	for i := range m.Approvals {
		task.Approvals = append(task.Approvals, events.Approval{By: fmt.Sprint("person", i)})
	}
	called := false
	f, err := l.guards[m.Worker].Func(func(_ context.Context, _ events.Case, task events.Task) (events.Fact, error) {
		if called = true; !task.Unsure {
			l.called(m, task)
		}
		switch m.Ending {
		case "done":
			return events.Done{Task: task.ID}, nil
		case "refused":
			return nil, errors.New("403")
		case "looked":
			return events.Seen{Task: task.ID}, nil
		}
		return nil, unsure{errors.New("504")}
	})(l.ctx, c, task)
	if _, held := f.(events.Held); !called {
		if !held {
			l.fail("not called, and not held: %v, %v", f, err)
		}
		return
	}
	delete(l.unsure, task.ID)
	switch {
	case m.Ending == "timed out":
		l.unsure[task.ID] = true
	case m.Ending == "refused", m.Ending == "looked" && !task.Unsure:
		if l.calls[task.ID].by == task.Begun.ID {
			delete(l.calls, task.ID)
		}
	}
}

// called is what must hold whenever a call is made.
func (l *life) called(m moment, task events.Task) {
	now, within := time.Now(), 0
	if was, ok := l.calls[task.ID]; !ok || now.Sub(was.at) >= lifeWindow {
		l.calls[task.ID] = made{now, task.Begun.ID}
	}
	for _, call := range l.calls {
		if now.Sub(call.at) < lifeWindow {
			within++
		}
	}
	breaker := func(why string) bool { return strings.HasPrefix(why, gate.GateBreaker) }
	switch {
	case m.Device == 0:
		l.fail("a protected device was reset")
	case l.paused:
		l.fail("a reset while it is paused")
	case l.owner.Open && slices.ContainsFunc(l.owner.Attention, breaker):
		l.fail("a reset while the breaker has tripped")
	case m.Approvals < m.Needs:
		l.fail("a reset with %d of %d approvals", m.Approvals, m.Needs)
	case within > lifeLimit:
		l.fail("%d resets within the window", within)
	}
}

// lift says that somebody wants the pause lifted.
func (l *life) lift(who string) {
	_, lifted, err := gate.Pauses{Store: l}.Lift(l.ctx, "", events.Reset, who, time.Now())
	if want := l.paused && l.wish != "" && l.wish != who; lifted != want || err != nil && want {
		l.fail("%s lifts it after %q: %v, %v", who, l.wish, lifted, err)
	}
	switch {
	case lifted:
		l.paused, l.wish = false, ""
	case l.paused && l.wish == "":
		l.wish = who
	}
}

// TestTwoWorkersOneSlot: those who ask at the very same time are told apart.
func TestTwoWorkersOneSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &life{memory: newMemory(), ctx: t.Context(), owner: events.Case{Key: events.TenantKey(tenant)}}
		var wg sync.WaitGroup
		var mu sync.Mutex
		let := 0
		sink := appended{}
		for i := range 100 {
			wg.Go(func() {
				g := &gate.Guard{Store: l, Cases: l, Fleet: l, Sink: &sink, Limits: map[string]gate.Limit{gate.BudgetReset: {Count: 3, Window: lifeWindow}}}
				c, task := reset(i)
				h, err := g.Admit(t.Context(), c, task)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if h == nil {
					let++
				}
			})
		}
		wg.Wait()
		if let != 3 {
			t.Errorf("%d were let through, of a budget of 3", let)
		}
		if len(sink.ids) != 1 {
			t.Errorf("a person was told %v", sink.ids)
		}
	})
}

// appended is a sink that keeps facts by their ids, as a journal does.
type appended struct {
	mu  sync.Mutex
	ids map[string]int
}

func (a *appended) Append(_ context.Context, _ events.Key, _ events.Fact, id string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ids == nil {
		a.ids = map[string]int{}
	}
	a.ids[id]++
	return nil
}
