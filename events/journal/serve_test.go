package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
)

// Errors as handlers make them.
type (
	giveUp struct{ error }
	after  struct {
		error
		time.Duration
	}
)

func (giveUp) GiveUp() bool               { return true }
func (a after) RetryAfter() time.Duration { return a.Duration }

// mailing is a policy with nothing but a mail, a second one after an hour, so
// that the first can be watched.
var mailing = events.Policies{List: []events.Policy{{
	Name: "threat", When: atRisk(events.Medium),
	Ladder: []events.Rung{{Do: []events.Order{{Action: events.Mail, Destination: "user"}}}, {After: 48 * time.Hour}},
}}, Relook: 100 * time.Hour}

// post runs a worker whose handler of mail is do, with a device at risk.
func post(t *testing.T, x *worker, do Func, o ServeOptions) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	x.cancel = cancel
	w := newWorld(t)
	w.set(key("d1"), "highSeverity")
	x.wg.Go(func() { check(t, x.Keep(ctx, func() events.Policies { return mailing })) })
	x.wg.Go(func() { check(t, x.Serve(ctx, events.Look, w.do, ServeOptions{})) })
	x.wg.Go(func() { check(t, x.Serve(ctx, events.Mail, do, o)) })
	x.notice(key("d1"))
}

// mailTask is the mail of the case, pending or given up.
func (x *worker) mailTask(k events.Key) (events.Task, string) {
	x.t.Helper()
	c := x.mustCase(k)
	is := func(task events.Task) bool { return task.Action == events.Mail }
	if i := slices.IndexFunc(c.Pending, is); i >= 0 {
		return c.Pending[i], "pending"
	}
	if i := slices.IndexFunc(c.Given, is); i >= 0 {
		return c.Given[i], "given up"
	}
	return events.Task{}, "done"
}

func TestPutOffAndRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		var calls []time.Duration
		begin := time.Now()
		post(t, x, func(_ context.Context, _ events.Case, task events.Task) (events.Fact, error) {
			calls = append(calls, time.Since(begin).Round(time.Second))
			switch len(calls) {
			case 1, 2, 3:
				return nil, fmt.Errorf("mail server is down\nfor try %d", len(calls))
			case 4:
				return nil, after{errors.New("too many requests"), 10 * time.Minute}
			}
			if task.Unsure || task.Tries != 4 {
				t.Errorf("%+v", task)
			}
			return events.Done{Task: task.ID}, nil
		}, ServeOptions{})
		pass(3 * time.Second)
		if task, _ := x.mailTask(key("d1")); task.Why != "mail server is down | for try 2" {
			t.Errorf("%+v", task)
		}
		pass(20 * time.Minute)
		if _, is := x.mailTask(key("d1")); is != "done" {
			t.Error(is)
		}
		// 1, 4 and 9 seconds, rounded up by the alarm, and then as it was told.
		for i, want := range []time.Duration{0, 2 * time.Second, 7 * time.Second, 17 * time.Second, 617 * time.Second} {
			if got := calls[i]; got < want-2*time.Second || got > want+3*time.Second {
				t.Errorf("call %d came after %v, want about %v", i+1, got, want)
			}
		}
		if len(calls) != 5 {
			t.Errorf("calls at %v", calls)
		}
	})
}

// A task that is given up is a dead letter, and a person can have it tried again.
func TestGivenUpAndReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		calls := 0
		post(t, x, func(_ context.Context, _ events.Case, task events.Task) (events.Fact, error) {
			if calls++; calls == 1 {
				return nil, giveUp{errors.New("no such mailbox")}
			}
			return events.Done{Task: task.ID}, nil
		}, ServeOptions{})
		pass(time.Minute)
		task, is := x.mailTask(key("d1"))
		if is != "given up" || task.Why != "no such mailbox" {
			t.Errorf("%s: %+v", is, task)
		}
		letters := must(t, of(x.Dead(t.Context(), 0, 10)))
		if len(letters) != 1 || letters[0].Family != "task" || letters[0].Kind != "mail" || letters[0].Key != key("d1") || letters[0].Reason != "no such mailbox" {
			t.Fatalf("%+v", letters)
		}
		check(t, x.Replay(t.Context(), letters[0].ID, "alice"))
		pass(time.Minute)
		if _, is := x.mailTask(key("d1")); is != "done" || calls != 2 {
			t.Errorf("%s after %d calls", is, calls)
		}
		if letters := must(t, of(x.Dead(t.Context(), 0, 10))); len(letters) != 0 {
			t.Errorf("%+v", letters)
		}
	})
}

// Whoever ran out of time, panicked or said nothing may have done it all the
// same: the next call is told so.
func TestUnsureAfterTroubleInTheHandler(t *testing.T) {
	for name, trouble := range map[string]Func{
		"out of time": func(ctx context.Context, _ events.Case, _ events.Task) (events.Fact, error) {
			<-ctx.Done()
			return nil, errors.New("aborted")
		},
		"panic":   func(context.Context, events.Case, events.Task) (events.Fact, error) { panic("oh") },
		"nothing": func(context.Context, events.Case, events.Task) (events.Fact, error) { return nil, nil },
		"says so": func(context.Context, events.Case, events.Task) (events.Fact, error) {
			return nil, unsure{errors.New("504")}
		},
		"sure": func(context.Context, events.Case, events.Task) (events.Fact, error) { return nil, errors.New("503") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := start(t, t.TempDir())
				defer x.stop()
				var again []events.Task
				post(t, x, func(ctx context.Context, c events.Case, task events.Task) (events.Fact, error) {
					if task.Tries == 0 {
						return trouble(ctx, c, task)
					}
					again = append(again, task)
					return events.Done{Task: task.ID}, nil
				}, ServeOptions{Timeout: 20 * time.Second})
				pass(5 * time.Minute)
				if len(again) != 1 || again[0].Unsure != (name != "sure") || again[0].Begun == nil {
					t.Errorf("called again with %+v", again)
				}
			})
		})
	}
}

// A task that another attempt has begun, and not reported, is handed out unsure.
func TestFoundBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		k := key("d1")
		x.crash = func(point string) error {
			if point == "begun: append" { // a worker that dies right after it has begun
				return x.Append(t.Context(), k, events.Begun{Task: k.String() + "/2-mail", Attempt: "somebody else's"}, "")
			}
			return nil
		}
		var tasks []events.Task
		var early atomic.Bool
		early.Store(true)
		post(t, x, func(_ context.Context, _ events.Case, task events.Task) (events.Fact, error) {
			if early.Load() {
				t.Error("called while another attempt may be under way")
			}
			tasks = append(tasks, task)
			return events.Done{Task: task.ID}, nil
		}, ServeOptions{})
		pass(time.Second)
		early.Store(false)
		pass(time.Minute)
		if len(tasks) != 1 || !tasks[0].Unsure || tasks[0].Begun.ID != "somebody else's" {
			t.Errorf("called with %+v", tasks)
		}
	})
}

// What became of an accepted task is asked without beginning again.
func TestAcceptedIsFollowedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		var tasks []events.Task
		post(t, x, func(_ context.Context, _ events.Case, task events.Task) (events.Fact, error) {
			if tasks = append(tasks, task); len(tasks) < 4 {
				return events.Accepted{Task: task.ID, Receipt: "204", Again: time.Now().Add(time.Minute)}, nil
			}
			return events.Done{Task: task.ID}, nil
		}, ServeOptions{})
		pass(10 * time.Minute)
		if len(tasks) != 4 {
			t.Fatalf("%d calls", len(tasks))
		}
		for i, task := range tasks {
			if task.Unsure || (task.Accepted != nil) != (i > 0) || task.Begun.ID != tasks[0].Begun.ID {
				t.Errorf("call %d with %+v", i+1, task)
			}
		}
	})
}

// What the record of the other side shows before is kept with the attempt; if it
// cannot be read, nothing has begun.
func TestBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		tries := 0
		var tasks []events.Task
		post(t, x, func(_ context.Context, _ events.Case, task events.Task) (events.Fact, error) {
			tasks = append(tasks, task)
			return events.Done{Task: task.ID}, nil
		}, ServeOptions{Before: func(context.Context, events.Case, events.Task) (string, error) {
			if tries++; tries < 3 {
				return "", unsure{errors.New("timeout")}
			}
			return "no reset since 2026-03-01", nil
		}})
		pass(time.Minute)
		if len(tasks) != 1 || tasks[0].Unsure || tasks[0].Tries != 2 || tasks[0].Begun.Before != "no reset since 2026-03-01" {
			t.Errorf("called with %+v", tasks)
		}
	})
}

// A person takes the case on while the mail waits to begin: it is not sent, and
// comes again when the hold ends.
func TestHeldBeforeItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		k := key("d1")
		held := false
		x.crash = func(point string) error {
			if point == "begun: append" && !held {
				held = true
				return x.Append(t.Context(), k, events.Acknowledged{By: "alice", Until: time.Now().Add(10 * time.Minute)}, "")
			}
			return nil
		}
		begin := time.Now()
		var calls []time.Duration
		post(t, x, func(_ context.Context, _ events.Case, task events.Task) (events.Fact, error) {
			calls = append(calls, time.Since(begin))
			return events.Done{Task: task.ID}, nil
		}, ServeOptions{})
		pass(time.Hour)
		if len(calls) != 1 || calls[0] < 10*time.Minute || calls[0] > 11*time.Minute {
			t.Errorf("calls at %v", calls)
		}
		if n := x.count("TASKS"); n != 0 {
			t.Errorf("%d tasks are left", n)
		}
	})
}

// Nothing is called while nobody keeps the journal, and the task is not lost.
func TestNobodyKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		ctx, cancel := context.WithCancel(t.Context())
		x.cancel = cancel
		defer x.stop()
		w := newWorld(t)
		k := key("d1")
		w.set(k, "highSeverity")
		keep, rest := context.WithCancel(ctx)
		x.wg.Go(func() { check(t, x.Keep(keep, func() events.Policies { return mailing })) })
		x.wg.Go(func() { check(t, x.Serve(ctx, events.Look, w.do, ServeOptions{})) })
		x.notice(k)
		pass(time.Second)
		rest()
		x.wg.Go(func() { check(t, x.Serve(ctx, events.Mail, w.do, ServeOptions{})) })
		pass(2 * time.Minute)
		if got := w.effects(k); len(got) != 0 {
			t.Errorf("did %q", got)
		}
		w.mu.Lock()
		w.trouble = func(task events.Task) error {
			if task.Unsure {
				t.Error("the attempt that had waited was forgotten")
			}
			return nil
		}
		w.mu.Unlock()
		x.wg.Go(func() { check(t, x.Keep(ctx, func() events.Policies { return mailing })) })
		pass(2 * time.Minute)
		if got := actions(w.effects(k)); got != "mail" {
			t.Errorf("did %q", got)
		}
	})
}

// The first error of a look leaves no trace in the case, the next ones do.
func TestLookHiccup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		ctx, cancel := context.WithCancel(t.Context())
		x.cancel = cancel
		defer x.stop()
		w := newWorld(t)
		calls := map[events.Key]int{}
		x.wg.Go(func() { check(t, x.Keep(ctx, rules)) })
		x.wg.Go(func() {
			check(t, x.Serve(ctx, events.Look, func(ctx context.Context, c events.Case, task events.Task) (events.Fact, error) {
				calls[c.Key]++
				if calls[c.Key] <= 1 && c.Key == key("d1") || calls[c.Key] <= 3 && c.Key == key("d2") {
					return nil, errors.New("reset by peer")
				}
				return w.do(ctx, c, task)
			}, ServeOptions{Concurrency: 1}))
		})
		x.notice(key("d1"))
		x.notice(key("d2"))
		pass(time.Minute)
		for device, want := range map[string]string{"d1": "noticed seen", "d2": "noticed delayed rang delayed rang seen"} {
			var kinds []string
			for r, err := range x.Facts(t.Context(), key(device)) {
				check(t, err)
				kinds = append(kinds, kindOf(r.Fact))
			}
			if got := strings.Join(kinds, " "); got != want {
				t.Errorf("%s: %s, want %s", device, got, want)
			}
		}
	})
}

// One tenant has hundreds of tasks that each take long. The task of
// another is done at once, and the first has never more than its share.
func TestBusyTenantDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		ctx, cancel := context.WithCancel(t.Context())
		x.cancel = cancel
		defer x.stop()
		var mu sync.Mutex
		done := map[string]int{}
		busy, most := 0, 0
		x.wg.Go(func() { check(t, x.Keep(ctx, rules)) })
		x.wg.Go(func() {
			check(t, x.Serve(ctx, events.Look, func(ctx context.Context, c events.Case, task events.Task) (events.Fact, error) {
				if c.Tenant == "storm" {
					mu.Lock()
					busy++
					most = max(most, busy)
					mu.Unlock()
					time.Sleep(10 * time.Second)
					mu.Lock()
					busy--
					mu.Unlock()
				}
				mu.Lock()
				defer mu.Unlock()
				done[c.Tenant]++
				return events.Seen{Task: task.ID, Device: events.Device{Key: c.Key, Threat: "secured", SeenAt: time.Now().UTC()}}, nil
			}, ServeOptions{Concurrency: 4, Timeout: time.Minute}))
		})
		var storm []Entry
		for i := range 100 {
			storm = append(storm, Entry{Key: events.Key{Tenant: "storm", Device: "d" + number(i)}, Fact: events.Noticed{}})
		}
		check(t, x.AppendAll(t.Context(), storm))
		pass(time.Minute)
		for i := range 10 {
			k := events.Key{Tenant: "calm", Device: "d" + number(i)}
			x.notice(k)
			begin := time.Now()
			for x.mustCase(k).Looked.IsZero() && time.Since(begin) < time.Minute {
				pass(10 * time.Millisecond)
			}
			if took := time.Since(begin); took > 100*time.Millisecond {
				t.Errorf("the other tenant waited %v", took)
			}
			pass(5 * time.Second)
		}
		if most != 2 {
			t.Errorf("the busy tenant had %d of 4 places at once", most)
		}
		pass(12 * time.Minute)
		if done["storm"] != 100 || done["calm"] != 10 {
			t.Errorf("done: %v", done)
		}
	})
}

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

func TestServeWhatIsNone(t *testing.T) {
	j := &Journal{}
	for _, a := range []events.Action{"", "look.>", "*", "a b"} {
		if err := j.Serve(t.Context(), a, nil, ServeOptions{}); err == nil {
			t.Errorf("%q was served", a)
		}
	}
}

func TestDelayed(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		tries       int
		err         error
		least, most time.Duration
	}{
		{0, errors.New("x"), time.Second, 1100 * time.Millisecond},
		{1, errors.New("x"), 4 * time.Second, 4400 * time.Millisecond},
		{9, errors.New("x"), 100 * time.Second, 110 * time.Second},
		{1000, errors.New("x"), time.Hour, 66 * time.Minute},
		{0, after{errors.New("x"), time.Minute}, time.Minute, time.Minute},
		{0, after{errors.New("x"), -time.Minute}, time.Second, 1100 * time.Millisecond},
		{0, fmt.Errorf("mail: %w", after{errors.New("x"), 10000 * time.Hour}), 24 * time.Hour, 24 * time.Hour},
	} {
		got := delayed(events.Task{Tries: c.tries}, c.err, now).Until.Sub(now)
		if got < c.least || got > c.most {
			t.Errorf("try %d with %v: %v", c.tries, c.err, got)
		}
	}
	long := delayed(events.Task{Begun: &events.Attempt{}}, unsure{errors.New(strings.Repeat("ü", 400) + "\x00\n")}, now)
	if len(long.Reason) > 500 || !strings.HasSuffix(long.Reason, "ü...") || !long.Unsure {
		t.Errorf("%+v", long)
	}
	if delayed(events.Task{}, unsure{errors.New("x")}, now).Unsure {
		t.Error("unsure of what had not begun")
	}
}
