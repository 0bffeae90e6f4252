package journal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
)

// call calls the handler, within its time.
func (s *serving) call(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	if err := s.crashed("handler: call"); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	return s.patiently(ctx, c.Key, t, func() (events.Fact, error) { return s.safely(ctx, c, t) })
}

// safely calls the handler. One that panics, or whose time was up, leaves it open
// whether the task was done.
func (s *serving) safely(ctx context.Context, c events.Case, t events.Task) (f events.Fact, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a handler has panicked", "task", t.ID, "panic", p, "stack", string(debug.Stack()))
			f, err = nil, unsure{fmt.Errorf("the handler of %s has panicked: %v", s.action, p)}
		} else if err != nil && ctx.Err() != nil && !isSure(err) {
			err = unsure{err}
		} else if err == nil && f == nil {
			err = unsure{fmt.Errorf("the handler of %s returned neither a fact nor an error", s.action)}
		}
	}()
	return s.do(ctx, c, t)
}

// unsure marks an error after which nobody knows whether the task was done.
type unsure struct{ error }

func (u unsure) Unwrap() error { return u.error }
func (u unsure) Unsure() bool  { return true }

// hiccup reports, by a time to wait, whether an error is one that needs no
// remark in the case: the first of a look.
func (s *serving) hiccup(m jetstream.Msg, t events.Task, err error) time.Duration {
	meta, bad := m.Metadata()
	if err == nil || bad != nil || s.action.Effect() || t.Tries > 0 || meta.NumDelivered > 1 || givenUp(err) || retryAfter(err) > 0 {
		return 0
	}
	return time.Second
}

func givenUp(err error) bool {
	var g interface{ GiveUp() bool }
	return errors.As(err, &g) && g.GiveUp()
}

// stageOf is how far a task came that was given up, if its error says.
func stageOf(err error) events.Stage {
	var s interface{ Stage() events.Stage }
	if errors.As(err, &s) {
		return s.Stage()
	}
	return ""
}

func isUnsure(err error) bool {
	var u interface{ Unsure() bool }
	return errors.As(err, &u) && u.Unsure()
}

// isSure reports whether an error says that nothing was done, whenever it came.
func isSure(err error) bool {
	var u interface{ Unsure() bool }
	return errors.As(err, &u) && !u.Unsure()
}

func retryAfter(err error) time.Duration {
	var r interface{ RetryAfter() time.Duration }
	if errors.As(err, &r) {
		return r.RetryAfter()
	}
	return 0
}

// outcome turns what a handler returned into the fact to append. A task that is
// given up leaves a dead letter first.
func (s *serving) outcome(ctx context.Context, c events.Case, t events.Task, f events.Fact, err error) (events.Fact, error) {
	switch {
	case err == nil:
		return f, nil
	case givenUp(err):
		m, bad := pack(taskSubject(c.Key, t), t, maxFact)
		if bad != nil {
			return nil, fmt.Errorf("journal: task %s: %w", t.ID, bad)
		}
		if err := s.write(ctx, m.Subject, m.Header, m.Data, err.Error(), sentID(t)); err != nil {
			return nil, err
		}
		return events.Failed{Task: t.ID, Reason: oneLine(err.Error(), 500), Stage: stageOf(err)}, nil
	}
	return delayed(t, err, time.Now()), nil
}

// delayed puts a task off: for as long as the error says, or as its tries demand.
func delayed(t events.Task, err error, now time.Time) events.Delayed {
	const longest = 24 * time.Hour // whatever the other side says
	wait := patient(t.Tries)
	wait = min(max(wait+rand.N(wait/10), retryAfter(err), time.Second), longest)
	return events.Delayed{
		Task:   t.ID,
		Until:  now.UTC().Add(wait).Truncate(time.Millisecond),
		Reason: oneLine(err.Error(), 500),
		Unsure: t.Begun != nil && isUnsure(err),
	}
}

// patient is 1 s, 4 s, 9 s … up to an hour.
func patient(tries int) time.Duration {
	n := min(tries+1, 60)
	return time.Duration(n*n) * time.Second
}

// lastWords is how long a worker that must stop may take to say what came of a
// task.
const lastWords = 3 * time.Second

// record appends what came of a task, and tries for as long as it may: nobody
// else knows.
func (s *serving) record(ctx context.Context, k events.Key, t events.Task, f events.Fact) error {
	ctx, cancel := outlive(ctx, lastWords)
	defer cancel()
	kind := kindOf(f)
	for tries := 0; ; tries++ {
		if err := s.crashed("outcome: append"); err != nil {
			return err
		}
		err := s.Append(ctx, k, f, sentID(t)+"/"+kind)
		if err == nil {
			return s.crashed("outcome: appended")
		}
		if tries&(tries-1) == 0 {
			s.log.Warn("what came of a task cannot be recorded, trying again", "task", t.ID, "fact", kind, "err", err)
		}
		if !sleep(ctx, backoff(tries, 100*time.Millisecond, time.Second/2)) {
			return fmt.Errorf("journal: what came of %s was not recorded; the next attempt must find out: %w", t.ID, err)
		}
	}
}
