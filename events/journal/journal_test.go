package journal

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server/ats"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"curfew/events"
	"curfew/events/broker"
)

// The NATS server keeps one ticker per process, which must not be born in a bubble.
func TestMain(m *testing.M) {
	if spec := os.Getenv(nodeEnv); spec != "" {
		beNode(spec)
		return
	}
	// What go test notes of files that were opened is a file too, and some tests limit
	// how long one may be.
	flag.Parse()
	if f := flag.Lookup("test.testlogfile"); f != nil {
		_ = f.Value.Set("")
	}
	ats.Register()
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

// realStart is when the tests began, outside of any bubble.
var realStart = time.Now()

// atRisk is a condition that looks at the threat alone.
type atRisk events.Level

func (l atRisk) Holds(d events.Device) (bool, error) { return d.Threat.Level() >= events.Level(l), nil }

// policies have a ladder of minutes. Virtual time costs real time by the day.
var policies = events.Policies{
	List: []events.Policy{{
		Name:  "threat",
		When:  atRisk(events.Medium),
		Grace: 30 * time.Minute,
		Ladder: []events.Rung{
			{Do: []events.Order{{Action: events.Mail, Destination: "user", Template: "notice"}, {Action: events.Ticket, Destination: "desk"}}},
			{After: 10 * time.Minute, Do: []events.Order{{Action: events.Scan, Kind: "full"}}},
			{After: 10 * time.Minute, Do: []events.Order{{Action: events.Page, Destination: "oncall"}}},
			{After: 20 * time.Minute, Do: []events.Order{{Action: events.Reset}}},
		},
		ClearFor:     2 * time.Minute,
		ReopenWithin: time.Hour,
		Closing:      []events.Order{{Action: events.Mail, Destination: "user", Template: "cleared"}},
	}},
	Relook:  5 * time.Minute,
	Version: "test",
}

func rules() events.Policies { return policies }

func key(device string) events.Key { return events.Key{Tenant: "contoso", Device: device} }

// A world is what is outside: devices, and whatever the handlers do. Like an
// honest vendor it remembers what was done by the id of the task, and a handler
// that is unsure asks it.
type world struct {
	t     testing.TB
	start time.Time

	mu      sync.Mutex
	threat  map[events.Key]events.Threat
	done    map[string]int // by task id
	times   map[events.Key][]string
	trouble func(events.Task) error // what a call meets before it does anything
	after   func(events.Task) error // and after it did
}

func newWorld(t testing.TB) *world {
	return &world{t: t, start: time.Now(), threat: map[events.Key]events.Threat{}, done: map[string]int{}, times: map[events.Key][]string{}}
}

func (w *world) set(k events.Key, threat events.Threat) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.threat[k] = threat
}

// device shows a device, checking in all the time.
func (w *world) device(k events.Key) events.Device {
	w.mu.Lock()
	defer w.mu.Unlock()
	threat := w.threat[k]
	if threat == "" {
		threat = "secured"
	}
	now := time.Now().UTC()
	return events.Device{Key: k, Name: k.Device, Threat: threat, Compliance: "compliant", LastSync: now, SeenAt: now}
}

func (w *world) do(_ context.Context, c events.Case, t events.Task) (events.Fact, error) {
	if t.Action == events.Look {
		return events.Seen{Task: t.ID, Device: w.device(c.Key)}, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.Begun == nil {
		w.t.Errorf("%s was called without having begun", t.ID)
	}
	if t.Unsure && w.done[t.ID] > 0 {
		return events.Done{Task: t.ID, Receipt: "found"}, nil
	}
	if w.trouble != nil {
		if err := w.trouble(t); err != nil {
			return nil, err
		}
	}
	w.done[t.ID]++
	w.times[c.Key] = append(w.times[c.Key], fmt.Sprintf("%v %s", time.Since(w.start).Round(time.Minute), t.Action))
	if w.after != nil {
		if err := w.after(t); err != nil {
			return nil, err
		}
	}
	return events.Done{Task: t.ID, Receipt: "done"}, nil
}

// pass lets time pass in a bubble, until everything that it set off has settled.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// effects are what was done about a device and when, in order.
func (w *world) effects(k events.Key) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.times[k])
}

// once reports every task that was done more than once.
func (w *world) once() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, n := range w.done {
		if n != 1 {
			w.t.Errorf("%s was done %d times", id, n)
		}
	}
}

// A worker is a broker and a journal in one process, as they run.
type worker struct {
	*Journal
	t      testing.TB
	b      *broker.Broker
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func logTo(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func embed(t testing.TB, dir string) *broker.Broker {
	t.Helper()
	b, err := broker.Embed(t.Context(), broker.Embedded{Dir: dir, DontListen: true}, logTo(t))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, b *broker.Broker, o Options) *Journal {
	t.Helper()
	if o.Pulse == 0 {
		o.Pulse = 30 * time.Second
	}
	j, err := Open(t.Context(), b.Conn(), o, logTo(t))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// start runs a worker on a data directory, without any handlers yet.
func start(t testing.TB, dir string) *worker {
	t.Helper()
	b := embed(t, dir)
	return &worker{Journal: open(t, b, Options{Partitions: 4}), t: t, b: b}
}

// run keeps the journal and serves every action with w.
func (x *worker) run(w *world) *worker {
	ctx, cancel := context.WithCancel(x.t.Context())
	x.cancel = cancel
	x.wg.Go(func() { check(x.t, x.Keep(ctx, rules)) })
	for _, a := range events.Actions() {
		x.wg.Go(func() { check(x.t, x.Serve(ctx, a, w.do, ServeOptions{})) })
	}
	return x
}

// stop ends the worker in order.
func (x *worker) stop() {
	x.t.Helper()
	if x.cancel != nil {
		x.cancel()
	}
	x.wg.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.t.Context()), 10*time.Second)
	defer cancel()
	if err := x.b.Stop(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		x.t.Error(err)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// A result is what a function that may fail has returned.
type result[T any] struct {
	v   T
	err error
}

func of[T any](v T, err error) result[T] { return result[T]{v, err} }

// must returns a result that is no error.
func must[T any](t testing.TB, r result[T]) T {
	t.Helper()
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.v
}

func number(n int) string { return strconv.Itoa(n) }

// alarms counts the alarms that are set.
func alarms(t testing.TB, j *Journal) int {
	t.Helper()
	return len(must(t, of(j.facts.Info(t.Context(), jetstream.WithSubjectFilter("alarm.>")))).State.Subjects)
}

var quiet = slog.New(slog.DiscardHandler)

func (x *worker) mustCase(k events.Key) events.Case {
	x.t.Helper()
	c, _, err := x.Case(x.t.Context(), k)
	if err != nil {
		x.t.Fatal(err)
	}
	return c
}

func (x *worker) notice(k events.Key) {
	x.t.Helper()
	if err := x.Append(x.t.Context(), k, events.Noticed{Source: "webhook"}, ""); err != nil {
		x.t.Fatal(err)
	}
}
