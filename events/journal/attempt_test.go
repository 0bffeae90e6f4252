package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// mailing is a policy with nothing but a mail, and after it a long time in which
// nothing happens.
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
