package journal

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"curfew/events"
	"curfew/events/evidence"
)

// hall starts a server that outlives the workers connected to it.
func hall(t testing.TB, dir string) *server.Server {
	t.Helper()
	s := must(t, of(server.NewServer(&server.Options{
		DontListen: true, JetStream: true, StoreDir: dir, // it does not die, so that it need not sync
		NoSigs: true, NoLog: true, NoSystemAccount: true,
		JetStreamMaxStore: 1 << 40, JetStreamMaxMemory: 64 << 20,
	})))
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("not ready")
	}
	return s
}

// A doom stops a worker dead at the nth point of its life: what it does
// afterwards does not reach the broker any more.
type doom struct {
	at   int // 0: never
	kill func()
	dead chan struct{}

	mu     sync.Mutex
	passed []string
}

var errDead = errors.New("this process is dead")

func (d *doom) crash(point string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.dead:
		return errDead
	default:
	}
	d.passed = append(d.passed, point)
	if len(d.passed) != d.at {
		return nil
	}
	close(d.dead)
	d.kill()
	return errDead
}

// points are those the worker has passed.
func (d *doom) points() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.passed)
}

// A visitor is a worker in the hall.
type visitor struct {
	*Journal
	doom *doom
	stop func()
}

// enter runs a worker that dies at its nth point.
func enter(t testing.TB, s *server.Server, w *world, p events.Policies, at int) *visitor {
	t.Helper()
	return enterWith(t, s, w.do, p, at, ServeOptions{})
}

func enterWith(t testing.TB, s *server.Server, do Func, p events.Policies, at int, o ServeOptions) *visitor {
	t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(s), nats.ReconnectBufSize(-1))
	if err != nil {
		t.Fatal(err)
	}
	j, err := Open(t.Context(), nc, Options{Partitions: 2, Pulse: 30 * time.Second}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	d := &doom{at: at, kill: nc.Close, dead: make(chan struct{})}
	j.crash = d.crash
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { check(t, j.Keep(ctx, func() events.Policies { return p })) })
	for _, a := range []events.Action{events.Look, events.Mail, events.Ticket, events.Close, events.Reset} {
		wg.Go(func() { check(t, j.Serve(ctx, a, do, o)) })
	}
	return &visitor{j, d, func() { cancel(); wg.Wait(); nc.Close() }}
}

// quick is a ladder on which every kind of thing happens within minutes.
var quick = events.Policies{
	List: []events.Policy{{
		Name: "threat", When: atRisk(events.Medium), Grace: 2 * time.Minute,
		Ladder: []events.Rung{
			{Do: []events.Order{{Action: events.Mail, Destination: "user"}, {Action: events.Ticket, Destination: "desk"}}},
			{After: 2 * time.Minute, Do: []events.Order{{Action: events.Reset}}},
		},
		Closing: []events.Order{{Action: events.Mail, Destination: "user", Template: "cleared"}},
	}},
}

// One device falls ill and is healed, again and again, and each time the worker
// dies one write later than the time before. Another worker starts at once.
// Whatever the point, everything is done in the end, and nothing twice.
func TestDeathBetweenAnyTwoWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hall(t, t.TempDir())
		points := map[string]bool{}
		for at := 1; ; at++ {
			passed, died := liveThrough(t, s, at)
			if !died {
				if at < 100 {
					t.Errorf("the story has only %d points", at)
				}
				break
			}
			points[passed[len(passed)-1]] = true
		}
		for _, want := range []string{
			"case: store", "case: stored", "task: publish", "alarm: publish", "alarm: cancel", "fact: acknowledge",
			"begun: append", "begun: appended", "begun: seen", "handler: call", "outcome: append", "outcome: appended", "task: acknowledge",
		} {
			if !points[want] {
				t.Errorf("no worker died at %q", want)
			}
		}
	})
}

// liveThrough tells the story of one device, with a worker that dies at its nth
// point and one that takes over.
func liveThrough(t *testing.T, s *server.Server, at int) (passed []string, died bool) {
	w := newWorld(t)
	k := key("d" + number(at))
	first := enter(t, s, w, quick, at)
	now := first
	// until lets time pass, and replaces the worker if it dies.
	until := func(moment time.Duration) {
		select {
		case <-time.After(time.Until(w.start.Add(moment))):
		case <-first.doom.dead:
			if !died {
				died = true
				first.stop()
				now = enter(t, s, w, quick, 0)
			}
			time.Sleep(time.Until(w.start.Add(moment)))
		}
	}
	// notice is as stubborn as Graph.
	notice := func(moment time.Duration) {
		for now.Append(t.Context(), k, events.Noticed{Source: "webhook"}, "") != nil {
			moment += time.Second
			until(moment)
		}
	}
	w.set(k, "highSeverity")
	notice(0)
	until(5 * time.Minute)
	w.set(k, "secured")
	notice(5 * time.Minute)
	until(8 * time.Minute)
	defer now.stop()

	passed = first.doom.points()
	last := passed[len(passed)-1]
	if got, want := actions(w.effects(k)), "close mail mail reset ticket"; got != want {
		t.Errorf("death %d at %q: did %s, want %s", at, last, got, want)
	}
	w.once()
	c, _, err := now.Case(t.Context(), k)
	if err != nil || c.State() != "rest" || !c.WakeAt.IsZero() {
		t.Errorf("death %d at %q: the case is left %s with %v, waking %v (%v)", at, last, c.State(), c.Pending, c.WakeAt, err)
	}
	if left := leftovers(t, now.Journal); left != "" {
		t.Errorf("death %d at %q: %s", at, last, left)
	}
	if r := proof(t, now.Journal, k); !r.OK() || r.Begins != evidence.BeginsFirst || r.Bound != r.Records {
		t.Errorf("death %d at %q: the chain is %+v", at, last, r)
	}
	return passed, died
}

// leftovers says what the journal holds that it should not when all is done.
func leftovers(t *testing.T, j *Journal) string {
	t.Helper()
	var left []string
	for _, u := range must(t, of(j.Usage(t.Context()))) {
		if u.Waiting > 0 {
			left = append(left, u.Family+" has something waiting")
		}
		if (u.Family == "TASKS" || u.Family == "DEAD") && u.Messages > 0 {
			left = append(left, u.Family+" is not empty")
		}
	}
	if n := alarms(t, j); n > 0 {
		left = append(left, number(n)+" alarms are set")
	}
	return strings.Join(left, ", ")
}

// actions are the actions of effects, in alphabetical order.
func actions(effects []string) string {
	var names []string
	for _, e := range effects {
		_, action, _ := strings.Cut(e, " ")
		names = append(names, action)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
