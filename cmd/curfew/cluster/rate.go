package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
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
	Bare    float64 `json:"bare"`    // what the bare cluster does of the same, without a journal; see [trial.bare]
	Devices float64 `json:"devices"` // seen through, where each call outside takes [slowCall]
	Most    float64 `json:"most"`    // devices, if all that the workers may call at once were called all the time
	Raw     float64 `json:"raw"`     // what the bare cluster stores, in three copies, synced, at the same time of the run
}

const (
	slowCall   = 300 * time.Millisecond
	atOnce     = 8 // tasks of one action and tenant in one worker; see [journal.ServeOptions]
	publishers = 16
	payload    = 300
	sick       = 1600 // devices that the facts are about: so many are spread evenly over the partitions
)

// measure measures one worker, two and three.
func (t *trial) measure(ctx context.Context) error {
	for name, subject := range map[string]string{"RAW": "raw.>", "REC": "rec.>"} {
		if _, err := t.js.CreateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{subject}, Replicas: servers, MaxBytes: 256 << 20}); err != nil {
			return err
		}
	}
	for n := 1; n <= 3; n++ {
		r := Rate{Workers: n, Most: float64(n*atOnce) / slowCall.Seconds()}
		var err error
		if r.Raw, err = t.raw(ctx); err != nil {
			return err
		}
		if r.Bare, err = t.bare(ctx); err != nil {
			return err
		}
		if r.Facts, err = t.drain(ctx, n, int(r.Bare*t.o.Measure.Seconds())); err != nil {
			return err
		}
		if r.Devices, err = t.seeThrough(ctx, n); err != nil {
			return err
		}
		t.Rates = append(t.Rates, r)
		t.say("%d workers: %.0f facts/s and %.1f devices/s, and the bare cluster takes %.0f/s and stores %.0f/s", n, r.Facts, r.Devices, r.Bare, r.Raw)
	}
	return errors.Join(t.js.DeleteStream(ctx, "RAW"), t.js.DeleteStream(ctx, "REC"))
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

// bare is how many messages a second a client takes from the cluster as a journal
// takes facts: of each of as many subjects as there are partitions one after the
// other, and for each the last record of something is read, the next one stored, and
// the message acknowledged. What a journal takes beside it cannot be more.
func (t *trial) bare(ctx context.Context) (float64, error) {
	parts := t.load.j.Partitions()
	rec, err := t.js.Stream(ctx, "REC")
	if err != nil {
		return 0, err
	}
	all := make([]jetstream.Consumer, parts)
	for p := range parts {
		if all[p], err = t.js.CreateConsumer(ctx, "RAW", jetstream.ConsumerConfig{
			Durable: fmt.Sprint("take-", p), FilterSubject: fmt.Sprintf("raw.%d", p%publishers),
			AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 1,
		}); err != nil {
			return 0, err
		}
	}
	var n atomic.Int64
	start := time.Now()
	g, running := errgroup.WithContext(ctx)
	for p, cons := range all {
		g.Go(func() error {
			msgs, err := cons.Messages()
			if err != nil {
				return err
			}
			defer msgs.Stop()
			for subject, data := fmt.Sprintf("rec.%d", p), make([]byte, payload); time.Since(start) < t.o.Measure; n.Add(1) {
				m, err := msgs.Next(jetstream.NextContext(running))
				if err != nil {
					return err
				}
				if _, err := rec.GetLastMsgForSubject(running, subject); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
					return err
				}
				if _, err := t.js.Publish(running, subject, data); err != nil {
					return err
				}
				if err := m.Ack(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = g.Wait()
	rate := float64(n.Load()) / time.Since(start).Seconds()
	for p := range parts {
		err = errors.Join(err, t.js.DeleteConsumer(ctx, "RAW", fmt.Sprint("take-", p)))
	}
	return rate, err
}

// drain is how many facts a second so many workers take from a backlog of n.
func (t *trial) drain(ctx context.Context, workers, n int) (float64, error) {
	t.dismiss()
	entries := make([]journal.Entry, n)
	for i := range entries {
		entries[i] = journal.Entry{Key: device(fmt.Sprint("r", workers, "-"), i%sick), Fact: events.Noted{By: "kim", Text: fmt.Sprint(i)}}
	}
	if err := t.load.j.AppendAll(ctx, entries); err != nil {
		return 0, err
	}
	before, err := t.records(ctx)
	if err != nil {
		return 0, err
	}
	if err := t.hire(workers); err != nil {
		return 0, err
	}
	// From the first tenth to the last: the workers are there, and all have something.
	var began, ended time.Time
	var from, to int
	err = untilAt(ctx, 100*time.Millisecond, func() bool {
		is, err := t.records(ctx)
		taken := is - before
		switch {
		case err != nil || taken < n/10:
		case began.IsZero():
			began, from = time.Now(), taken
		case taken <= n*9/10:
			ended, to = time.Now(), taken
		}
		return err == nil && taken >= n
	})
	if err == nil && !ended.After(began) {
		err = errors.New("too fast to be measured")
	}
	if err != nil {
		return 0, fmt.Errorf("%d facts: %w", n, err)
	}
	return float64(to-from) / ended.Sub(began).Seconds(), nil
}

// records is how many records of cases were ever stored: one for each fact that
// changed a case.
func (t *trial) records(ctx context.Context) (int, error) {
	st, err := t.js.Stream(ctx, "CASES")
	if err != nil {
		return 0, err
	}
	return int(st.CachedInfo().State.LastSeq), nil
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
