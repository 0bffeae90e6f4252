package journal

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"curfew/events"
)

// A handler hangs and hears nothing. The other tasks of its tenant are done in its
// place, the process says that only a restart helps, and the task is nobody
// else's while it may still be done.
func TestHandlerHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		stuck := make(chan struct{})
		var mu sync.Mutex
		calls := map[events.Key]int{}
		hangs := key("d1")
		w := newWorld(t)
		for i := 1; i <= 6; i++ {
			w.set(key("d"+number(i)), "highSeverity")
		}
		ctx, cancel := context.WithCancel(t.Context())
		x.cancel = cancel
		x.wg.Go(func() { check(t, x.Keep(ctx, func() events.Policies { return mailing })) })
		x.wg.Go(func() { check(t, x.Serve(ctx, events.Look, w.do, ServeOptions{})) })
		x.wg.Go(func() {
			check(t, x.Serve(ctx, events.Mail, func(_ context.Context, c events.Case, task events.Task) (events.Fact, error) {
				mu.Lock()
				calls[c.Key]++
				mu.Unlock()
				if c.Key == hangs {
					<-stuck
				}
				return events.Done{Task: task.ID}, nil
			}, ServeOptions{Concurrency: 2, Timeout: 10 * time.Second})) // so a tenant has one place
		})
		x.notice(hangs)
		pass(2 * time.Second)
		check(t, x.Alive(t.Context()))
		for i := 2; i <= 6; i++ {
			x.notice(key("d" + number(i)))
		}
		pass(5 * time.Minute)
		for i := 2; i <= 6; i++ {
			if n := calls[key("d"+number(i))]; n != 1 {
				t.Errorf("d%d had %d calls", i, n)
			}
		}
		if _, is := x.mailTask(hangs); is != "pending" || calls[hangs] != 1 {
			t.Errorf("%s after %d calls", is, calls[hangs])
		}
		if err := x.Alive(t.Context()); err == nil || !strings.Contains(err.Error(), "1 calls of handlers do not end although their time is up, the oldest, of mail") {
			t.Errorf("got %v", err)
		}
		close(stuck)
		pass(time.Minute)
		if _, is := x.mailTask(hangs); is != "done" || calls[hangs] != 1 {
			t.Errorf("%s in the end, after %d calls", is, calls[hangs])
		}
		check(t, x.Alive(t.Context()))
	})
}

// So many handlers hang that no more places are lent: nothing else is served by
// this process, and it stops all the same when it must.
func TestEveryHandlerHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		stuck := make(chan struct{})
		var mu sync.Mutex
		calls := 0
		ctx, cancel := context.WithCancel(t.Context())
		x.cancel = cancel
		x.wg.Go(func() { check(t, x.Keep(ctx, rules)) })
		served := make(chan error, 1)
		go func() {
			served <- x.Serve(ctx, events.Look, func(context.Context, events.Case, events.Task) (events.Fact, error) {
				mu.Lock()
				calls++
				mu.Unlock()
				<-stuck
				return nil, errors.New("at last")
			}, ServeOptions{Concurrency: 4, Timeout: 10 * time.Second})
		}()
		for i := range 30 {
			x.notice(key("d" + number(i)))
		}
		pass(10 * time.Minute)
		if calls > 8 {
			t.Errorf("%d calls hang in 4 places", calls)
		}
		x.stop()
		if err := <-served; err == nil || !strings.Contains(err.Error(), "ignores that its context has ended") {
			t.Errorf("got %v", err)
		}
		close(stuck)
		pass(time.Minute)
	})
}

// What is asked before an attempt panics: the task is put off, and nothing has begun.
func TestBeforePanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		asked := 0
		var tasks []events.Task
		post(t, x, func(_ context.Context, _ events.Case, task events.Task) (events.Fact, error) {
			tasks = append(tasks, task)
			return events.Done{Task: task.ID}, nil
		}, ServeOptions{Before: func(context.Context, events.Case, events.Task) (string, error) {
			if asked++; asked == 1 {
				panic("oh")
			}
			return "", nil
		}})
		pass(time.Minute)
		if len(tasks) != 1 || tasks[0].Unsure || tasks[0].Tries != 1 {
			t.Errorf("called with %+v", tasks)
		}
	})
}

// A seat is where a server can be taken away and put back.
type seat struct {
	mu sync.Mutex
	s  *server.Server
}

func (s *seat) InProcessConn() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.s == nil {
		return nil, errors.New("nobody is here")
	}
	return s.s.InProcessConn()
}

func (s *seat) put(srv *server.Server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.s != nil {
		s.s.Shutdown()
		s.s.WaitForShutdown()
	}
	s.s = srv
}

// The broker is gone for an hour, and two rungs' alarms fall due meanwhile. New
// facts are refused at once, the worker says that it is not ready, and when the
// broker is back everything goes on by itself: late, in its order, and once.
func TestBrokerGoneForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		at := &seat{s: hall(t, dir)}
		nc, err := nats.Connect("", nats.InProcessServer(at), nats.ReconnectBufSize(-1), nats.MaxReconnects(-1), nats.ReconnectWait(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		x := &worker{Journal: must(t, of(Open(t.Context(), nc, Options{Partitions: 2, Pulse: 30 * time.Second}, quiet))), t: t}
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { check(t, x.Keep(ctx, rules)) })
		for _, a := range events.Actions() {
			wg.Go(func() { check(t, x.Serve(ctx, a, w.do, ServeOptions{})) })
		}
		defer func() { cancel(); wg.Wait(); nc.Close() }()
		k := key("d1")
		w.set(k, "highSeverity")
		x.notice(k)
		pass(12 * time.Minute) // the next rung would be due at 20 min

		at.put(nil)
		pass(time.Minute)
		began := time.Now()
		if err := x.Append(t.Context(), key("d2"), events.Noticed{}, ""); err == nil || time.Since(began) > time.Second {
			t.Errorf("a fact that nobody keeps is answered with %v after %v", err, time.Since(began))
		}
		if err := x.Ready(t.Context()); err == nil {
			t.Error("ready without a broker")
		}
		pass(59 * time.Minute)
		before := w.effects(k)

		at.put(hall(t, dir))
		pass(5 * time.Minute)
		check(t, x.Ready(t.Context()))
		if got, want := strings.Join(w.effects(k), ", "), strings.Join(append(before, "1h12m0s page"), ", "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		pass(25 * time.Minute)
		if got := w.effects(k); got[len(got)-1] != "1h32m0s reset" { // its wait counts from the page
			t.Errorf("got %q", got)
		}
		w.once()
	})
}

// The clock goes back by an hour while the worker is down, as after it was wrong.
// Nothing comes early by the clock on the wall, nothing is lost or done twice, and
// new facts are taken.
func TestClockGoesBackAnHour(t *testing.T) {
	dir, k := t.TempDir(), key("d1")
	done := map[string]int{}
	day := func(minute int) time.Time { return time.Date(2000, 1, 1, 0, minute, 0, 0, time.UTC) }
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(day(120)))
		w := newWorld(t)
		w.done = done
		w.set(k, "highSeverity")
		x := start(t, dir).run(w)
		x.notice(k)
		pass(12 * time.Minute)
		if got := actions(w.effects(k)); got != "mail scan ticket" {
			t.Errorf("did %q", got)
		}
		x.stop()
	})
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(day(72))) // it was 2:12, and is 1:12
		w := newWorld(t)
		w.done, w.start = done, day(120)
		w.set(k, "highSeverity")
		w.set(key("d2"), "highSeverity")
		x := start(t, dir).run(w)
		defer x.stop()
		x.notice(k)
		x.notice(key("d2"))
		pass(5 * time.Minute)
		if got := actions(w.effects(key("d2"))); got != "mail ticket" {
			t.Errorf("about a new device it did %q", got)
		}
		if got := w.effects(k); len(got) > 0 {
			t.Errorf("did %q before its time", got)
		}
		pass(2 * time.Hour)
		if got := w.effects(k); !slices.Equal(got, []string{"20m0s page", "40m0s reset"}) { // as if nothing had been
			t.Errorf("did %q", got)
		}
		w.once()
	})
}

// The end of a stream's file is damaged while the worker is down: torn off, flipped,
// or followed by garbage. Everything before it is there, what was lost is found
// again by the next look, and nothing is done twice.
func TestCorruptedTail(t *testing.T) {
	torn := func(b []byte) []byte { return b[:len(b)-11] }
	flipped := func(b []byte) []byte { b[len(b)-3] ^= 0x40; return b }
	garbage := func(b []byte) []byte { return append(b, "never written like this"...) }
	zeros := func(b []byte) []byte { return append(b, make([]byte, 4096)...) }
	for name, c := range map[string]struct {
		stream string
		damage func([]byte) []byte
	}{
		"facts torn off": {"FACTS", torn}, "facts and garbage": {"FACTS", garbage},
		"cases torn off": {"CASES", torn}, "cases flipped": {"CASES", flipped},
		"tasks and zeros": {"TASKS", zeros}, "state flipped": {"KV_STATE", flipped},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				w := newWorld(t)
				x := start(t, dir).run(w)
				for i := range 2 {
					w.set(key("d"+number(i)), "highSeverity")
					x.notice(key("d" + number(i)))
				}
				pass(5 * time.Minute)
				x.stop()
				spoil(t, filepath.Join(dir, "jetstream", "$G", "streams", c.stream), c.damage)

				x = start(t, dir).run(w)
				defer x.stop()
				check(t, x.Ready(t.Context()))
				for i := range 3 { // as the sweep would
					w.set(key("d"+number(i)), "highSeverity")
					x.notice(key("d" + number(i)))
				}
				pass(2 * time.Hour)
				for i := range 3 {
					if got := actions(w.effects(key("d" + number(i)))); got != "mail page reset scan ticket" {
						t.Errorf("d%d: did %q", i, got)
					}
				}
				w.once()
				check(t, x.b.Healthy())
				check(t, x.Ready(t.Context()))
			})
		})
	}
}

// spoil damages the newest file of a stream's messages, and removes the index that
// an orderly stop leaves: after a crash there is none that knows the end.
func spoil(t *testing.T, stream string, damage func([]byte) []byte) {
	t.Helper()
	blocks, err := filepath.Glob(filepath.Join(stream, "msgs", "*.blk"))
	if err != nil || len(blocks) == 0 {
		t.Fatalf("%d blocks (%v)", len(blocks), err)
	}
	slices.SortFunc(blocks, func(a, b string) int {
		return strings.Compare(filepath.Base(a), filepath.Base(b))
	})
	last := blocks[len(blocks)-1]
	b := must(t, of(os.ReadFile(last)))
	if len(b) == 0 {
		t.Fatalf("%s is empty", last)
	}
	check(t, os.WriteFile(last, damage(b), 0o600))
	if err := os.Remove(filepath.Join(stream, "msgs", "index.db")); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
}
