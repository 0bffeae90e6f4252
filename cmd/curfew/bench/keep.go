package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/journal"
)

// tenantID is that of the tenant that devices are made up in.
const tenantID = "7f3c2f52-5a3b-4c0e-9d55-3f1c0a6b9e01"

func deviceKey(i int) events.Key {
	return events.Key{Tenant: tenantID, Device: fmt.Sprintf("5b1d4c9e-0000-4000-8000-%012d", i)}
}

// notices are facts about so many devices in turn.
func notices(n, devices int) []journal.Entry {
	list := make([]journal.Entry, n)
	for i := range list {
		list[i] = journal.Entry{Key: deviceKey(i % devices), Fact: events.Noticed{Source: "webhook"}}
	}
	return list
}

// keepChange keeps notices of devices never heard of: for each its case, a task
// to look at it and its alarm are written.
func keepChange(ctx context.Context, r *Rig) ([]Figure, error) {
	n, err := r.fit(ctx, r.Size.Changes, 1)
	if err != nil {
		return nil, err
	}
	var took time.Duration
	raw, err := r.beside(ctx, syncPublish, func() error {
		return r.journal(ctx, func(b *broker.Broker, j *journal.Journal) (err error) {
			if err = j.AppendAll(ctx, notices(n, n)); err == nil {
				took, err = keepAll(ctx, b, j, n, events.Policies{})
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return []Figure{rate("facts that change a case", float64(n)/took.Seconds(), raw/3, 0.6, 1500)}, nil
}

// keepNothing keeps notices of devices that are being looked at already.
func keepNothing(ctx context.Context, r *Rig) ([]Figure, error) {
	const devices = 500
	n, err := r.fit(ctx, r.Size.Nothing, 1)
	if err != nil {
		return nil, err
	}
	var took time.Duration
	raw, err := r.beside(ctx, pipelinedPublish, func() error {
		return r.journal(ctx, func(b *broker.Broker, j *journal.Journal) (err error) {
			if err = j.AppendAll(ctx, notices(2*devices, devices)); err == nil {
				_, err = keepAll(ctx, b, j, 2*devices, events.Policies{})
			}
			if err == nil {
				err = j.AppendAll(ctx, notices(n, devices))
			}
			if err == nil {
				took, err = keepAll(ctx, b, j, 2*devices+n, events.Policies{})
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return []Figure{rate("facts that change nothing", float64(n)/took.Seconds(), raw, 0, 10_000)}, nil
}

// keepAll keeps until so many facts are taken, and says how long it took.
func keepAll(ctx context.Context, b *broker.Broker, j *journal.Journal, n int, by events.Policies) (time.Duration, error) {
	js, err := jetstream.New(b.Conn())
	if err != nil {
		return 0, err
	}
	facts, err := js.Stream(ctx, "FACTS")
	if err != nil {
		return 0, err
	}
	var took time.Duration
	keeping, stop := context.WithCancel(ctx)
	g, keeping := errgroup.WithContext(keeping)
	start := time.Now()
	g.Go(func() error { return j.Keep(keeping, func() events.Policies { return by }) })
	g.Go(func() error {
		defer stop()
		for keeping.Err() == nil {
			done, err := taken(ctx, facts)
			if took = time.Since(start); err != nil || done >= n {
				return err
			}
			time.Sleep(5 * time.Millisecond)
		}
		return keeping.Err()
	})
	return took, g.Wait()
}

// taken is how many facts were taken into their cases and acknowledged.
func taken(ctx context.Context, facts jetstream.Stream) (int, error) {
	n := 0
	list := facts.ListConsumers(ctx)
	for c := range list.Info() {
		n += int(c.AckFloor.Consumer)
	}
	return n, list.Err()
}
