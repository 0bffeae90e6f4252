package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"

	"curfew/events"
)

// ServeOptions say how the tasks of one action are handed out. Zero values are
// the defaults.
type ServeOptions struct {
	Concurrency int           // tasks at once in this process, at most half of them of one tenant; default 16
	Timeout     time.Duration // of one call; default 30 s
	Grace       time.Duration // when the worker stops, how long calls may go on; default 10 s

	// Before, if set, is asked before an attempt begins what the other side's
	// record shows; it is kept in [events.Attempt.Before]. Its errors put the
	// task off.
	Before func(context.Context, events.Case, events.Task) (string, error)
}

// A Func does one task and returns the fact that came of it.
type Func = func(context.Context, events.Case, events.Task) (events.Fact, error)

// Serve hands the tasks of an action to do until ctx ends, and appends the facts
// it returns. Any number of workers may serve the same action.
//
// Do is called only for a task that its case wants now. If the action does
// something outside, it is called only after the case shows that this attempt
// has begun; where another attempt has begun and was not heard of,
// [events.Task.Unsure] is set and do must find out what came of it.
//
// An error puts the task off: for the time its method RetryAfter() names, or for
// longer with every try. One whose method GiveUp() is true ends the task. One
// whose method Unsure() is true, or that comes after the time was up, brings it
// back unsure. The text of an error is kept, so it must hold no secret.
func (j *Journal) Serve(ctx context.Context, action events.Action, do Func, o ServeOptions) error {
	if !events.ValidID(string(action)) {
		return fmt.Errorf("journal: %.80q names no action", action)
	}
	o.Concurrency = cmp.Or(max(o.Concurrency, 0), 16)
	o.Timeout = cmp.Or(max(o.Timeout, 0), 30*time.Second)
	o.Grace = cmp.Or(max(o.Grace, 0), 10*time.Second)
	j.rewound(ctx)
	alive, cancel := outlive(ctx, o.Grace)
	defer cancel()
	s := &serving{Journal: j, action: action, do: do, o: o, stopping: func() bool { return ctx.Err() != nil }}
	s.desk = newDesk(o.Concurrency, func(m jetstream.Msg) { s.serve(alive, m) })
	var wg sync.WaitGroup
	wg.Go(func() { s.renewShelved(ctx) })
	j.consume(ctx, j.tasks, s.consumer(), 2*o.Concurrency, func(m jetstream.Msg) { s.receive(ctx, m) })
	for _, m := range s.desk.close() {
		j.handBack(m)
	}
	wg.Wait()
	return s.finish(alive)
}

// finish waits for the calls that are under way. One that does not end although
// its context has is left behind.
func (s *serving) finish(alive context.Context) error {
	done := make(chan struct{})
	go func() {
		s.desk.wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-alive.Done():
	}
	select {
	case <-done:
		return nil
	case <-time.After(2 * lastWords):
		return fmt.Errorf("journal: a handler of %s ignores that its context has ended; its tasks are another worker's now", s.action)
	}
}

// A serving hands out the tasks of one action.
type serving struct {
	*Journal
	action   events.Action
	do       Func
	o        ServeOptions
	desk     *desk
	stopping func() bool

	mu      sync.Mutex
	crowd   int       // tasks of the action that are with a worker or put back, as last counted
	counted time.Time // when
}

func (s *serving) consumer() jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable:       "serve-" + string(s.action),
		FilterSubject: fmt.Sprintf("task.%s.*.*.*", s.action),
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       s.lease,
		// A task that is put back for a while still counts as pending. With a limit,
		// those of one busy tenant would keep all others from being delivered.
		MaxAckPending: -1,
	}
}

// receive takes a message from the queue: onto the desk if there is room for its
// tenant, or back into the queue for a while.
func (s *serving) receive(ctx context.Context, m jetstream.Msg) {
	if ctx.Err() != nil {
		s.handBack(m)
		return
	}
	tenant := ""
	if k, err := s.keyOf(m.Subject()); err == nil {
		tenant = k.Tenant
	}
	if !s.desk.offer(tenant, m) {
		s.putBack(m, s.turn(ctx, m))
	}
}

// turn is how long a task is put back for that finds its tenant's share taken:
// longer each time, and the longer the more there are, so that no more than some
// thousand come by in a second.
func (s *serving) turn(ctx context.Context, m jetstream.Msg) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.counted) > time.Second {
		s.counted = time.Now()
		if cons, err := s.tasks.Consumer(ctx, s.consumer().Durable); err == nil {
			s.crowd = cons.CachedInfo().NumAckPending
		}
	}
	times := time.Duration(1)
	if meta, err := m.Metadata(); err == nil {
		times = time.Duration(min(meta.NumDelivered, 60))
	}
	d := min(max(times*time.Second/4, time.Duration(s.crowd)*time.Millisecond), time.Minute)
	return d/2 + rand.N(d)
}

func (s *serving) putBack(m jetstream.Msg, d time.Duration) {
	if err := m.NakWithDelay(d); err != nil {
		s.log.Debug("a task was not put back; it comes back by itself", "subject", m.Subject(), "err", err)
	}
}

// serve does the task of a message, if it is still wanted.
func (s *serving) serve(ctx context.Context, m jetstream.Msg) {
	if s.stopping() {
		s.handBack(m)
		return
	}
	l := s.hold(ctx, m)
	defer l.release()
	again, err := s.serveOnce(l.ctx, m)
	if err != nil {
		again = cmp.Or(again, time.Second)
		s.log.Warn("a task is put back", "subject", m.Subject(), "again", again, "err", err)
	}
	if again > 0 && !errors.Is(context.Cause(l.ctx), errLeaseLost) {
		s.putBack(m, again)
	}
}

// serveOnce does the task of a message. A time says that the message is to be
// put back into the queue for so long; otherwise it was acknowledged, or there is
// an error.
func (s *serving) serveOnce(ctx context.Context, m jetstream.Msg) (again time.Duration, err error) {
	e, k, rev, err := s.errandIn(m)
	if err != nil {
		return 0, s.bury(ctx, m, err.Error())
	}
	c, at, err := s.Case(ctx, k)
	switch {
	case errors.Is(err, ErrUnreadable):
		s.log.Error("the case of a device cannot be read; its tasks go to the dead letters", "device", k, "err", err)
		return 0, s.bury(ctx, m, err.Error())
	case err != nil:
		return 0, err
	case at < rev:
		return 0, fmt.Errorf("journal: case %s was read as it was before it asked for %s", k, e.Task)
	}
	t, out := c.Wants(e.Task)
	if !out {
		if err := s.confirm(ctx, k, at); err != nil {
			return 0, err
		}
		return 0, s.ackTask(m)
	}
	t.Unsure = t.Unsure || t.Begun != nil && t.Accepted == nil
	ctx, span := s.resume(ctx, "do "+string(s.action), m.Headers(), false, k, attribute.Int("curfew.task", t.N))
	defer func() { end(span, err) }()
	if s.action.Effect() && t.Begun == nil {
		var begun bool
		c, t, begun, again, err = s.begin(ctx, c, t)
		if err != nil || again > 0 {
			return again, err
		}
		if !begun {
			return 0, s.ackTask(m)
		}
	}
	f, err := s.call(ctx, c, t)
	if again := s.hiccup(m, t, err); again > 0 {
		return again, nil
	}
	if f, err = s.outcome(ctx, c, t, f, err); err != nil {
		return 0, err
	}
	if err := s.record(ctx, k, t, f); err != nil {
		return 0, err
	}
	return 0, s.ackTask(m)
}

func (s *serving) ackTask(m jetstream.Msg) error {
	if err := s.crashed("task: acknowledge"); err != nil {
		return err
	}
	return m.Ack()
}

// errandIn reads a message of the queue: the task, its device, and the sequence
// of the case that asked for it.
func (s *serving) errandIn(m jetstream.Msg) (e errand, k events.Key, rev uint64, err error) {
	if k, err = s.keyOf(m.Subject()); err != nil {
		return e, k, 0, err
	}
	if err = unpack(m.Headers(), m.Data(), &e); err != nil {
		return e, k, 0, err
	}
	if !strings.HasPrefix(e.Task, k.String()+"/") {
		return e, k, 0, fmt.Errorf("%w: task %.130q is not of the device %s", ErrUnreadable, e.Task, k)
	}
	rev, err = strconv.ParseUint(m.Headers().Get(caseHeader), 10, 64)
	if err != nil {
		return e, k, 0, fmt.Errorf("%w: it does not say which case asked for it", ErrUnreadable)
	}
	return e, k, rev, nil
}
