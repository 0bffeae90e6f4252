package journal

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"curfew/events"
)

// begin says that an attempt at a task is about to be made, and waits until the
// case lets it begin. If it does, the case and the task are as of then. A time
// says that the task is to be asked about again after it.
//
// The attempt may be made only after that. If this process dies in between, the
// next one to get the task finds it begun and is unsure, although nothing was
// done: that is the price of never doing anything twice.
func (s *serving) begin(ctx context.Context, c events.Case, t events.Task) (events.Case, events.Task, bool, time.Duration, error) {
	no := func(again time.Duration, err error) (events.Case, events.Task, bool, time.Duration, error) {
		return c, t, false, again, err
	}
	begun := events.Begun{Task: t.ID, Attempt: nuid.Next()}
	if s.o.Before != nil {
		before, err := s.before(ctx, c, t)
		if err != nil {
			f, err := s.outcome(ctx, c, t, nil, err)
			if err != nil {
				return no(0, err)
			}
			return no(0, s.record(ctx, c.Key, t, f))
		}
		begun.Before = oneLine(before, mostReason)
	}
	s.begins.Add(1)
	defer s.begins.Add(-1)
	if s.stopping() { // looked at after the count was raised; see linger
		return no(time.Millisecond, nil)
	}
	rang, stop := s.bell.listen(c.Key)
	defer stop()
	if err := s.crashed("begun: append"); err != nil {
		return no(0, err)
	}
	if err := s.announce(ctx, c.Key, t, begun); err != nil {
		return no(0, err)
	}
	if err := s.crashed("begun: appended"); err != nil {
		return no(0, err)
	}
	for tries, since := 0, time.Now(); time.Since(since) < beginWait; tries++ {
		now, rev, err := s.Case(ctx, c.Key)
		if err != nil && !errors.Is(err, context.Canceled) {
			s.log.Debug("cannot see whether a task may begin", "task", t.ID, "err", err)
		} else if err == nil {
			is, out := now.Wants(t.ID)
			switch {
			case is.Begun != nil && is.Begun.ID == begun.Attempt && out:
				if err := s.crashed("begun: seen"); err != nil {
					return no(0, err)
				}
				return now, is, true, 0, nil
			case !out && s.confirm(ctx, c.Key, rev) == nil: // called off, refused, or put off meanwhile
				return no(0, nil)
			case !out: // or the answer is of yesterday
			case is.Refused == begun.Attempt, is.Begun != nil: // another attempt has begun
				return no(s.lease, nil)
			}
		}
		select {
		case <-rang:
		case <-time.After(backoff(tries, 2*time.Millisecond, 250*time.Millisecond)):
		case <-ctx.Done():
			return no(0, context.Cause(ctx))
		}
	}
	return no(time.Minute, fmt.Errorf("journal: %s was not let begin within %v: facts are taken too slowly, or not at all", t.ID, beginWait))
}

// announce appends that an attempt is about to be made. A disk that is slow to say
// that it has the fact, or a cluster that has no leader for a moment, is asked again
// about the same one: another attempt would be one more to write, and a task that is
// put back while its consumer has no leader either comes again only after a lease.
func (s *serving) announce(ctx context.Context, k events.Key, t events.Task, begun events.Begun) error {
	for tries, since := 0, time.Now(); ; tries++ {
		err := s.Append(ctx, k, begun, sentID(t)+"/begun/"+begun.Attempt)
		passing := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, jetstream.ErrNoStreamResponse)
		if !passing || time.Since(since) > 2*s.lease || !sleep(ctx, backoff(tries, 50*time.Millisecond, time.Second/2)) {
			return err
		}
	}
}

// beginWait is how long an attempt waits to be let begin. It is long because one
// that gives up may be let begin all the same, and then the next is unsure for
// nothing.
const beginWait = 5 * time.Minute

// linger returns a context that ends after ctx, when no attempt waits to be let
// begin any more, but at most some time after.
func (j *Journal) linger(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		defer cancel()
		for end := time.Now().Add(most); j.begins.Load() > 0 && time.Now().Before(end); {
			sleep(out, 5*time.Millisecond)
		}
	})
	return out, func() { stop(); cancel() }
}

func (s *serving) before(ctx context.Context, c events.Case, t events.Task) (was string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("what is asked before an attempt has panicked", "task", t.ID, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("what is asked before %s has panicked: %v", s.action, p)
		}
	}()
	return s.o.Before(ctx, c, t)
}
