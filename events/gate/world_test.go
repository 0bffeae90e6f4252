package gate_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server/ats"
	"go.uber.org/goleak"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/gate"
	"curfew/events/journal"
)

// The NATS server keeps one ticker per process, which must not be born in a bubble.
func TestMain(m *testing.M) {
	ats.Register()
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

var quiet = slog.New(slog.DiscardHandler)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// store is the journal's bucket as the gates want to see it.
type store struct{ *journal.State }

func (s store) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	v, rev, err := s.State.Get(ctx, key)
	if errors.Is(err, journal.ErrNoKey) {
		return nil, 0, nil
	}
	return v, rev, err
}

// cases are those of the journal.
type cases struct{ *journal.Journal }

func (c cases) Openings(ctx context.Context, tenant string, _ time.Time) (out []time.Time, err error) {
	for x, err := range c.Cases(ctx, tenant) {
		if err != nil {
			return nil, err
		}
		if x.Policy != "" && x.Key != events.TenantKey(tenant) {
			out = append(out, x.Opened)
		}
	}
	return out, nil
}

func (c cases) Waiting(ctx context.Context) iter.Seq2[events.Case, error] { return c.Cases(ctx, "") }

// fleet is how many devices each tenant has; 0: nobody knows.
type fleet int

func (f fleet) Devices(context.Context, string) (int, bool, error) { return int(f), f > 0, nil }

// atRisk is a condition that looks at the threat alone.
type atRisk struct{}

func (atRisk) Holds(d events.Device) (bool, error) { return d.Threat.Level() >= events.Medium, nil }

const tenant = "contoso"

func key(i int) events.Key { return events.Key{Tenant: tenant, Device: fmt.Sprintf("d%d", i)} }

// A world is a journal in a bubble, two workers with a guard each, and what
// happens outside.
type world struct {
	t      *testing.T
	j      *journal.Journal
	guards [2]*gate.Guard
	rules  events.Policies

	mu     sync.Mutex
	calls  map[events.Action][]call
	bad    map[events.Key]bool
	threat map[events.Key]events.Threat // of those that are not highSeverity
	pager  *pager
	last   bool          // the handler of resets asks once more before its call
	looks  time.Duration // how long it looks before that
}

// A call is something that was done outside.
type call struct {
	about events.Key
	at    time.Time
}

// inWorld runs f in a world. Reset comes an hour after the mail, a page between.
func inWorld(t *testing.T, devices fleet, set func(*gate.Guard), f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b, err := broker.Embed(t.Context(), broker.Embedded{Dir: t.TempDir(), DontListen: true}, quiet)
		check(t, err)
		j, err := journal.Open(t.Context(), b.Conn(), journal.Options{Partitions: 4, Pulse: 30 * time.Second}, quiet)
		check(t, err)
		w := &world{t: t, j: j, calls: map[events.Action][]call{}, bad: map[events.Key]bool{}, threat: map[events.Key]events.Threat{}, pager: &pager{}, rules: policies()}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range w.guards {
			g := &gate.Guard{Store: store{j.State()}, Cases: cases{j}, Fleet: devices, Sink: j}
			if set != nil {
				set(g)
			}
			w.guards[i] = g
			wg.Go(func() { _ = j.Keep(ctx, func() events.Policies { return w.rules }) })
			wg.Go(func() { _ = g.Watch(ctx, []string{tenant}) })
			wg.Go(func() { _ = (&gate.Digester{Guard: g, Cases: cases{j}, Teller: hand{w.pager, i}, Log: quiet}).Run(ctx) })
			for _, a := range []events.Action{events.Look, events.Mail, events.Page, events.Resolve, events.Ticket, events.Close, events.Reset} {
				do := func(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
					return w.do(ctx, g, c, t)
				}
				wg.Go(func() { check(t, j.Serve(ctx, a, g.Func(do), journal.ServeOptions{})) })
			}
		}
		defer func() {
			time.Sleep(time.Second) // the broker does first what it was asked to: its stop sleeps with a lock held
			cancel()
			wg.Wait()
			check(t, b.Stop(context.WithoutCancel(t.Context())))
		}()
		f(w)
	})
}

func policies() events.Policies {
	order := func(a events.Action, to string) []events.Order { return []events.Order{{Action: a, Destination: to}} }
	return events.Policies{
		List: []events.Policy{{
			Name: "threat", When: atRisk{}, Grace: time.Hour, ClearFor: time.Minute,
			Ladder: []events.Rung{
				{Do: order(events.Mail, "")},
				{After: 10 * time.Minute, Do: order(events.Page, "oncall")},
				{After: time.Hour, Do: order(events.Reset, "")},
			},
		}},
		Attention: order(events.Page, "oncall"),
		Relook:    200 * time.Hour,
	}
}

func (w *world) do(ctx context.Context, g *gate.Guard, c events.Case, t events.Task) (events.Fact, error) {
	now := time.Now().UTC()
	if t.Action == events.Look {
		w.mu.Lock()
		defer w.mu.Unlock()
		d := events.Device{Key: c.Key, Name: c.Key.Device, Threat: "secured", Compliance: "compliant", LastSync: now, SeenAt: now}
		if w.bad[c.Key] {
			d.Threat = cmp.Or(w.threat[c.Key], "highSeverity")
		}
		return events.Seen{Task: t.ID, Device: d}, nil
	}
	if t.Unsure {
		w.t.Errorf("%s is unsure", t.ID)
	}
	if t.Action == events.Reset && w.last {
		time.Sleep(w.looks)
		if err := g.Last(ctx, t.Action, c.Device); err != nil {
			return nil, fmt.Errorf("reset: %w", err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[t.Action] = append(w.calls[t.Action], call{c.Key, time.Now()})
	return events.Done{Task: t.ID, Receipt: "r" + t.ID}, nil
}

// turn makes devices bad and has them looked at.
func (w *world) turn(from, to int) {
	w.t.Helper()
	var all []journal.Entry
	w.mu.Lock()
	for i := from; i < to; i++ {
		w.bad[key(i)] = true
		all = append(all, journal.Entry{Key: key(i), Fact: events.Noticed{Source: "sweep"}})
	}
	w.mu.Unlock()
	check(w.t, w.j.AppendAll(w.t.Context(), all))
}

func (w *world) say(k events.Key, f events.Fact) {
	w.t.Helper()
	check(w.t, w.j.Append(w.t.Context(), k, f, ""))
}

// count counts the calls of an action: about the tenant itself, or about devices.
func (w *world) count(a events.Action, aboutTenant bool) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls[a] {
		if (c.about == events.TenantKey(tenant)) == aboutTenant {
			n++
		}
	}
	return n
}

// held counts the tasks of an action that a gate holds.
func (w *world) held(a events.Action, by string) (n int) {
	w.t.Helper()
	for c, err := range w.j.Cases(w.t.Context(), tenant) {
		check(w.t, err)
		for _, t := range c.Pending {
			if t.Action == a && t.Held != nil && t.Held.Gate == by {
				n++
			}
		}
	}
	return n
}

func (w *world) tenantCase() events.Case {
	w.t.Helper()
	c, _, err := w.j.Case(w.t.Context(), events.TenantKey(tenant))
	check(w.t, err)
	return c
}

func (w *world) expect(what string, got, want any) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// release lets a person release every reset that a gate holds. The same word of
// the same person counts once.
func (w *world) release(by, who string) {
	w.t.Helper()
	for c, err := range w.j.Cases(w.t.Context(), tenant) {
		check(w.t, err)
		for _, t := range c.Pending {
			if t.Action == events.Reset && t.Held != nil && t.Held.Gate == by {
				w.say(c.Key, events.Released{Task: t.ID, By: who})
			}
		}
	}
}
