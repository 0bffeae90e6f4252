package journal

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
)

// The worker stops while tasks are under way: those are finished, the others are
// another worker's at once.
func TestStopInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hall(t, t.TempDir())
		w := newWorld(t)
		slow := func(ctx context.Context, c events.Case, task events.Task) (events.Fact, error) {
			if task.Action == events.Look {
				time.Sleep(5 * time.Second)
			}
			return w.do(ctx, c, task)
		}
		one := enterWith(t, s, slow, quick, 0, ServeOptions{Concurrency: 4})
		for i := range 20 {
			check(t, one.Append(t.Context(), key("d"+number(i)), events.Noticed{}, ""))
		}
		pass(time.Second)
		two := enterWith(t, s, w.do, quick, 0, ServeOptions{})
		begin := time.Now()
		one.stop()
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		pass(2 * time.Second)
		defer two.stop()
		looked := 0
		for c, err := range two.Cases(t.Context(), "") {
			check(t, err)
			if !c.Looked.IsZero() {
				looked++
			}
		}
		if looked != 20 {
			t.Errorf("%d of 20 devices were looked at", looked)
		}
	})
}

// The worker stops right after an attempt has begun: the attempt is made, or is
// not begun at all, but nobody is left unsure.
func TestStopWhileATaskBegins(t *testing.T) {
	for _, point := range []string{"begun: append", "begun: appended", "begun: seen", "handler: call"} {
		t.Run(point, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				calls := 0
				do := func(_ context.Context, _ events.Case, task events.Task) (events.Fact, error) {
					if calls++; task.Unsure {
						t.Error("unsure after a stop in order")
					}
					return events.Done{Task: task.ID}, nil
				}
				x := start(t, dir)
				reached := make(chan struct{})
				var once sync.Once
				x.crash = func(p string) error {
					if p == point {
						once.Do(func() { x.cancel(); close(reached) })
					}
					return nil
				}
				post(t, x, do, ServeOptions{})
				<-reached
				begin := time.Now()
				x.stop()
				if took := time.Since(begin); took > time.Second {
					t.Errorf("took %v to stop", took)
				}
				x = start(t, dir)
				defer x.stop()
				post(t, x, do, ServeOptions{})
				pass(time.Minute)
				if _, is := x.mailTask(key("d1")); is != "done" || calls != 1 {
					t.Errorf("%s after %d calls", is, calls)
				}
			})
		})
	}
}

// A handler that does not listen is not waited for longer than it may take.
func TestStopWithADeafHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		ctx, cancel := context.WithCancel(t.Context())
		x.cancel = cancel
		deaf := make(chan struct{})
		var served atomic.Pointer[error]
		x.wg.Go(func() { check(t, x.Keep(ctx, rules)) })
		x.wg.Go(func() {
			err := x.Serve(ctx, events.Look, func(context.Context, events.Case, events.Task) (events.Fact, error) {
				<-deaf
				return nil, errors.New("at last")
			}, ServeOptions{Grace: 2 * time.Second})
			served.Store(&err)
		})
		x.notice(key("d1"))
		pass(time.Second)
		cancel()
		pass(time.Minute)
		if err := served.Load(); err == nil || *err == nil || !strings.Contains((*err).Error(), "handler of look ignores") {
			t.Errorf("got %v", err)
		}
		close(deaf)
		pass(time.Minute)
	})
}

// A handler whose worker has lost the broker is told to stop before the task is
// handed to another worker.
func TestLeaseLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hall(t, t.TempDir())
		began := make(chan struct{})
		ended := make(chan time.Duration, 1)
		one := enterWith(t, s, func(ctx context.Context, _ events.Case, task events.Task) (events.Fact, error) {
			close(began)
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}, quick, 0, ServeOptions{Timeout: time.Hour})
		k := key("d1")
		check(t, one.Append(t.Context(), k, events.Noticed{}, ""))
		<-began
		pass(5 * time.Minute) // as long as it is renewed, it is this worker's
		two := enterWith(t, s, func(ctx context.Context, c events.Case, task events.Task) (events.Fact, error) {
			return events.Seen{Task: task.ID, Device: events.Device{Key: c.Key, Threat: "secured", SeenAt: time.Now().UTC()}}, nil
		}, quick, 0, ServeOptions{})
		defer two.stop()
		begin := time.Now()
		go func() {
			one.nc.Close()
			one.stop()
			ended <- time.Since(begin)
		}()
		pass(two.lease + 5*time.Second)
		if c, _, err := two.Case(t.Context(), k); err != nil || c.Looked.IsZero() {
			t.Errorf("the other worker did not get it: %v", err)
		}
		if took := <-ended; took > 10*time.Second {
			t.Errorf("the first one went on for %v", took)
		}
	})
}
