package journal

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A task belongs to the worker it was delivered to for as long as that says so,
// and for a lease after it last did.

// renewal is how often it says so.
func (j *Journal) renewal() time.Duration { return j.lease / 4 }

// forlorn is after how long without an answer it stops working, so as not to work
// when another does.
func (j *Journal) forlorn() time.Duration { return j.lease * 7 / 10 }

var errLeaseLost = errors.New("the broker has not been heard of, so the task may be another worker's by now")

// A lease is the hold on one delivered task.
type lease struct {
	ctx     context.Context // ends when the hold is lost
	release func()
}

// hold keeps a task this worker's until it is released.
func (j *Journal) hold(ctx context.Context, m jetstream.Msg) lease {
	ctx, cancel := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for heard := time.Now(); sleep(ctx, j.renewal()); {
			// A process that was stopped for a while must not take a late answer for
			// leave to go on.
			now := time.Now()
			if now.Sub(heard) < j.forlorn() && j.renew(ctx, m) == nil {
				heard = now
			} else if time.Since(heard) >= j.forlorn()-j.renewal() {
				cancel(errLeaseLost)
			}
		}
	})
	return lease{ctx, func() { cancel(nil); wg.Wait() }}
}

// renew says that the task is being worked on, and waits for the answer.
func (j *Journal) renew(ctx context.Context, m jetstream.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, j.renewal())
	defer cancel()
	_, err := j.nc.RequestWithContext(ctx, m.Reply(), []byte("+WPI"))
	return err
}

// renewShelved does the same for tasks that wait on the desk. Nothing was begun
// for them, so that it does not matter if they are lost.
func (s *serving) renewShelved(ctx context.Context) {
	for sleep(ctx, s.renewal()) {
		for _, m := range s.desk.shelved() {
			_ = m.InProgress()
		}
	}
}
