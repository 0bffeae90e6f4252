package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats-server/v2/server/ats"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/evidence"
	"curfew/events/journal"
)

// The NATS server keeps one ticker for the life of the process.
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

type atRisk events.Level

func (l atRisk) Holds(d events.Device) (bool, error) { return d.Threat.Level() >= events.Level(l), nil }

// ladder tells the user, and resets some time after.
func ladder(wait time.Duration) events.Policies {
	return events.Policies{Version: "test", List: []events.Policy{{
		Name: "threat", When: atRisk(events.Medium), Grace: wait,
		Ladder: []events.Rung{
			{Do: []events.Order{{Action: events.Mail, Destination: "user"}, {Action: events.Ticket, Destination: "desk"}}},
			{After: wait, Do: []events.Order{{Action: events.Reset}}},
		},
		Closing: []events.Order{{Action: events.Mail, Destination: "user", Template: "cleared"}},
	}}}
}

// A world is what is outside. Like a vendor it remembers what was done, and when;
// a handler that is unsure asks it.
type world struct {
	closed atomic.Bool // the desk
	mu     sync.Mutex
	healed map[events.Key]bool
	done   map[string][]time.Time // by device and action
	calls  map[string]int         // by task
}

func newWorld() *world {
	return &world{healed: map[events.Key]bool{}, done: map[string][]time.Time{}, calls: map[string]int{}}
}

func (w *world) do(_ context.Context, c events.Case, t events.Task) (events.Fact, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now().UTC()
	if t.Action == events.Look {
		threat := events.Threat("highSeverity")
		if w.healed[c.Key] {
			threat = "secured"
		}
		return events.Seen{Task: t.ID, Device: events.Device{Key: c.Key, Threat: threat, Compliance: "compliant", LastSync: now, SeenAt: now}}, nil
	}
	what := c.Key.String() + " " + string(t.Action)
	if t.Unsure {
		for _, at := range w.done[what] {
			if at.After(t.Begun.At) {
				return events.Done{Task: t.ID, Receipt: "found"}, nil
			}
		}
		if t.Action.Destructive() {
			return nil, givenUp{errors.New("cannot tell whether it was done; a person must look")}
		}
		return nil, errors.New("the record does not show it: starting over")
	}
	if t.Action == events.Ticket && w.closed.Load() {
		return nil, errors.New("the desk is closed")
	}
	w.calls[t.ID]++
	w.done[what] = append(w.done[what], now)
	return events.Done{Task: t.ID, Receipt: "done"}, nil
}

type givenUp struct{ error }

func (givenUp) GiveUp() bool { return true }

// times is how often something was done to a device.
func (w *world) times(k events.Key, a events.Action) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.done[k.String()+" "+string(a)])
}

// forget takes back what was done.
func (w *world) forget(k events.Key, a events.Action) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.done, k.String()+" "+string(a))
	clear(w.calls)
}

func (w *world) heal(k events.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.healed[k] = true
}

// once checks that nothing was done twice.
func (w *world) once(t testing.TB) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, n := range w.calls {
		if n != 1 {
			t.Errorf("%s was done %d times", id, n)
		}
	}
}

func key(n int) events.Key { return events.Key{Tenant: "contoso", Device: fmt.Sprint("d", n)} }

// embed starts a server of its own.
func embed(t testing.TB, dir string) *broker.Broker {
	t.Helper()
	b, err := broker.Embed(t.Context(), broker.Embedded{Dir: dir, DontListen: true}, quiet)
	check(t, err)
	t.Cleanup(func() { _ = b.Stop(context.WithoutCancel(t.Context())) })
	return b
}

// cluster runs three servers, and returns a connection to them.
func cluster(t *testing.T) *nats.Conn {
	t.Helper()
	var ports []int
	var routes []*url.URL
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		check(t, err)
		check(t, l.Close())
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
	}
	var urls []string
	var all []*server.Server
	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
			JetStreamMaxStore: 1 << 30, JetStreamMaxMemory: 1 << 26, NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "curfew", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		check(t, err)
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		all = append(all, s)
	}
	for _, s := range all {
		if !s.ReadyForConnections(20 * time.Second) {
			t.Fatal("not ready")
		}
		urls = append(urls, s.ClientURL())
	}
	nc, err := nats.Connect(strings.Join(urls, ","), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1))
	check(t, err)
	t.Cleanup(nc.Close)
	return nc
}

// openJournal opens a journal as soon as the servers agree.
func openJournal(t testing.TB, nc *nats.Conn, o journal.Options) *journal.Journal {
	t.Helper()
	o.Partitions, o.Lease, o.Pulse = 4, 2*time.Second, time.Second
	var j *journal.Journal
	poll(t, "the journal opens", func() (err error) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		j, err = journal.Open(ctx, nc, o, quiet)
		return err
	})
	return j
}

// poll waits until something is no error any more.
func poll(t testing.TB, what string, so func() error) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := so()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s: %v", what, err)
		}
	}
}

// work runs a worker until stop.
func work(t testing.TB, j *journal.Journal, w *world, p events.Policies) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = j.Keep(ctx, func() events.Policies { return p }) })
	for _, a := range []events.Action{events.Look, events.Mail, events.Ticket, events.Close, events.Reset} {
		wg.Go(func() { _ = j.Serve(ctx, a, w.do, journal.ServeOptions{}) })
	}
	return func() { cancel(); wg.Wait() }
}

// done waits until something was done to devices so often.
func (w *world) wait(t testing.TB, a events.Action, times, devices int) {
	t.Helper()
	poll(t, fmt.Sprint(a, " was done ", times, " times for everybody"), func() error {
		for n := range devices {
			if is := w.times(key(n), a); is < times {
				return fmt.Errorf("%s: %d times", key(n), is)
			}
		}
		return nil
	})
}

// prints is a hash of what is kept about a device, exactly as stored, up to some
// fact. Its chain must be whole.
func prints(t testing.TB, j *journal.Journal, k events.Key, upTo uint64) string {
	t.Helper()
	var file bytes.Buffer
	w := evidence.NewWriter(&file, evidence.About{Key: k, Made: time.Unix(0, 0), Keeps: journal.TimelineLength})
	for it, err := range j.RawCases(t.Context(), k) {
		check(t, err)
		check(t, w.Record(it))
	}
	for it, err := range j.RawFacts(t.Context(), k) {
		check(t, err)
		if it.Seq > upTo {
			break
		}
		check(t, w.Fact(it))
	}
	r, err := w.Close()
	check(t, err)
	if !r.OK() || r.Records > 0 && r.Begins != evidence.BeginsFirst || r.Bound != r.Records {
		t.Errorf("%s: the chain is not whole: %+v", k, r)
	}
	return r.Seal
}

// last is the number of the newest fact.
func last(t testing.TB, nc *nats.Conn) uint64 {
	t.Helper()
	js, err := jetstream.New(nc)
	check(t, err)
	st, err := js.Stream(t.Context(), "FACTS")
	check(t, err)
	return st.CachedInfo().State.LastSeq
}
