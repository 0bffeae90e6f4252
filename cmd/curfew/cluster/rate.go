package cluster

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"curfew/events"
	"curfew/events/journal"
)

type key = events.Key

// A Rate is how much some workers do in a second.
type Rate struct {
	Workers int     `json:"workers"`
	Facts   float64 `json:"facts"`   // that change a case, taken from a backlog
	Devices float64 `json:"devices"` // seen through, where each call outside takes [slowCall]
	Most    float64 `json:"most"`    // devices, if all that the workers may call at once were called all the time
	Raw     float64 `json:"raw"`     // what the bare cluster stores, in three copies, synced, at the same time of the run
}

const (
	slowCall   = 300 * time.Millisecond
	atOnce     = 8 // tasks of one action and tenant in one worker; see [journal.ServeOptions]
	publishers = 16
	payload    = 300
)

// measure measures one worker, two and three.
func (t *trial) measure(ctx context.Context) error {
	if _, err := t.js.CreateStream(ctx, jetstream.StreamConfig{Name: "RAW", Subjects: []string{"raw.>"}, Replicas: servers, MaxBytes: 256 << 20}); err != nil {
		return err
	}
	for n := 1; n <= 3; n++ {
		r := Rate{Workers: n, Most: float64(n*atOnce) / slowCall.Seconds()}
		var err error
		if r.Raw, err = t.raw(ctx); err != nil {
			return err
		}
		if r.Facts, err = t.drain(ctx, n, int(r.Raw*t.o.Measure.Seconds()/3)); err != nil {
			return err
		}
		if r.Devices, err = t.seeThrough(ctx, n); err != nil {
			return err
		}
		t.Rates = append(t.Rates, r)
		t.say("%d workers: %.0f facts/s and %.1f devices/s, and the bare cluster stores %.0f/s", n, r.Facts, r.Devices, r.Raw)
	}
	return t.js.DeleteStream(ctx, "RAW")
}

// raw is how many messages a second the cluster acknowledges.
func (t *trial) raw(ctx context.Context) (float64, error) {
	start := time.Now()
	counts := make([]int, publishers)
	g, ctx := errgroup.WithContext(ctx)
	for p := range publishers {
		g.Go(func() error {
			for data := make([]byte, payload); time.Since(start) < t.o.Measure; counts[p]++ {
				if _, err := t.js.Publish(ctx, fmt.Sprintf("raw.%d", p), data); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := g.Wait()
	n := 0
	for _, c := range counts {
		n += c
	}
	return float64(n) / time.Since(start).Seconds(), err
}

// drain is how many facts a second so many workers take from a backlog of n.
func (t *trial) drain(ctx context.Context, workers, n int) (float64, error) {
	t.dismiss()
	entries := make([]journal.Entry, n)
	for i := range entries {
		entries[i] = journal.Entry{Key: device(fmt.Sprint("r", workers, "-"), i%100), Fact: events.Noted{By: "kim", Text: fmt.Sprint(i)}}
	}
	if err := t.load.j.AppendAll(ctx, entries); err != nil {
		return 0, err
	}
	if err := t.hire(workers); err != nil {
		return 0, err
	}
	first, err := t.left(ctx)
	if err != nil {
		return 0, err
	}
	// From the first tenth to the last: the workers are there, and all have something.
	var began, ended time.Time
	var from, to int
	err = until(ctx, func() bool {
		left, err := t.left(ctx)
		switch {
		case err != nil:
		case began.IsZero() && left < first*9/10:
			began, from = time.Now(), left
		case !began.IsZero() && left > 0:
			ended, to = time.Now(), left
		}
		return err == nil && left == 0
	})
	if err != nil || !ended.After(began) {
		return 0, fmt.Errorf("%d facts were taken too fast to be measured, or not at all (%w)", n, err)
	}
	return float64(from-to) / ended.Sub(began).Seconds(), nil
}

// left is how many facts are not taken yet.
func (t *trial) left(ctx context.Context) (int, error) {
	st, err := t.js.Stream(ctx, "FACTS")
	if err != nil {
		return 0, err
	}
	n, consumers := 0, 0
	list := st.ListConsumers(ctx)
	for c := range list.Info() {
		n += int(c.NumPending) + c.NumAckPending
		consumers++
	}
	if err := list.Err(); err != nil || consumers == 0 {
		return int(st.CachedInfo().State.Msgs), err
	}
	return n, nil
}

// seeThrough is how many devices a second so many workers see through, when what
// they call is slow.
func (t *trial) seeThrough(ctx context.Context, workers int) (float64, error) {
	t.out.slow(slowCall)
	defer t.out.slow(0)
	n := 30 * workers * int(max(1, t.o.Measure/time.Second))
	entries := make([]journal.Entry, n)
	for i := range entries {
		entries[i] = journal.Entry{Key: device(fmt.Sprint("s", workers, "-"), i), Fact: events.Noticed{}}
	}
	start := time.Now()
	if err := t.load.j.AppendAll(ctx, entries); err != nil {
		return 0, err
	}
	for _, e := range entries {
		if err := until(ctx, func() bool { return !t.out.served(e.Key.String()).IsZero() }); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

// dismiss stops all workers, and hire has so many.
func (t *trial) dismiss() {
	for _, w := range t.workers {
		w.end(syscall.SIGTERM)
	}
}

func (t *trial) hire(n int) error {
	for i := range n {
		if i == len(t.workers) {
			if err := t.addWorker(); err != nil {
				return err
			}
		} else if err := t.workers[i].start(); err != nil {
			return err
		}
	}
	return nil
}
