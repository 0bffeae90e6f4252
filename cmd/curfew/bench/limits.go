package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"curfew/events/broker"
	"curfew/graph/graphtest"
)

// A limit names what the machine can do at best, measured with the bare parts
// that Curfew is made of.
type limit string

const (
	syncPublish      limit = "synchronous publish by 16, each write synced"
	pipelinedPublish limit = "pipelined publish, each write synced"
	onePublish       limit = "one publish after another, each write synced"
	bareAnswer       limit = "bare HTTPS on loopback, 99 % of answers at 500 POSTs a second"
	bareRequest      limit = "bare HTTPS on loopback, one POST after another"
)

const (
	publishers = 16  // as many as a journal has partitions, and the webhook connections
	inFlight   = 512 // as many as the journal has
	payload    = 300 // bytes of a message: a fact with its headers has no more
)

// inMillis reports whether it is a time that should be short, and not a rate.
func (l limit) inMillis() bool { return l == onePublish || l == bareAnswer || l == bareRequest }

// Limits measure them, in a queue and behind a socket of their own.
type limits struct {
	b    *broker.Broker
	js   jetstream.JetStream
	took time.Duration // for each measurement
	met  map[limit][]float64
}

func openLimits(ctx context.Context, dir string, took time.Duration) (*limits, error) {
	b, err := broker.Embed(ctx, broker.Embedded{Dir: dir, DontListen: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	l := &limits{b: b, took: took, met: map[limit][]float64{}}
	if l.js, err = jetstream.New(b.Conn(), jetstream.WithPublishAsyncMaxPending(inFlight)); err == nil {
		_, err = l.js.CreateStream(ctx, jetstream.StreamConfig{
			Name: "RAW", Subjects: []string{"raw.>"}, Storage: jetstream.FileStorage, Discard: jetstream.DiscardOld, MaxBytes: 256 << 20,
		})
	}
	if err != nil {
		return nil, errors.Join(err, l.close(ctx))
	}
	return l, nil
}

func (l *limits) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return l.b.Stop(ctx)
}

// measure measures a limit once.
func (r *Rig) measure(ctx context.Context, what limit) (float64, error) {
	l := r.limits
	var v float64
	var err error
	switch what {
	case syncPublish:
		v, err = l.publish(ctx, publishers)
	case pipelinedPublish:
		v, err = l.pipeline(ctx)
	case onePublish:
		v, err = l.publish(ctx, 1)
	case bareRequest:
		v, err = r.bare(ctx, func(t target) (float64, error) { return t.flat(ctx, 1, l.took, nothing) })
	case bareAnswer:
		v, err = r.bare(ctx, func(t target) (float64, error) {
			all, err := t.offered(ctx, publishers, offeredRate, l.took, nothing)
			return 1000 / ms(quantile(all, 0.99)), err
		})
	}
	if err == nil && v <= 0 {
		err = errors.New("nothing came of it")
	}
	if err != nil {
		return 0, fmt.Errorf("measure the limit, %s: %w", what, err)
	}
	if what.inMillis() {
		v = 1000 / v
	}
	l.met[what] = append(l.met[what], v)
	return v, nil
}

// bare measures something of a server on loopback that reads what is posted, and
// does nothing.
func (r *Rig) bare(ctx context.Context, measure func(target) (float64, error)) (v float64, err error) {
	cloud := graphtest.NewCloud()
	defer cloud.Close()
	h := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.Copy(io.Discard, q.Body) // it is there or it is not
		w.WriteHeader(http.StatusAccepted)
	})
	err = r.serve(ctx, cloud, h, "/", http.StatusAccepted, func(t target) (err error) {
		v, err = measure(t)
		return err
	})
	return v, err
}

// nothing is a body as long as that of one notification.
func nothing(int) []byte { return make([]byte, 600) }

// publish is how many messages a second some publishers get acknowledged who each
// wait for that before the next.
func (l *limits) publish(ctx context.Context, by int) (float64, error) {
	start := time.Now()
	counts := make([]int, by)
	g, ctx := errgroup.WithContext(ctx)
	for p := range by {
		g.Go(func() error {
			for data := make([]byte, payload); time.Since(start) < l.took; counts[p]++ {
				if _, err := l.js.Publish(ctx, fmt.Sprintf("raw.%d.%d", p, counts[p]), data); err != nil {
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

// pipeline is how many messages a second are acknowledged to one who goes on
// publishing meanwhile.
func (l *limits) pipeline(ctx context.Context) (float64, error) {
	start, n, data := time.Now(), 0, make([]byte, payload)
	var acks []jetstream.PubAckFuture
	for time.Since(start) < l.took || len(acks) > 0 {
		if time.Since(start) < l.took {
			ack, err := l.js.PublishAsync(fmt.Sprintf("raw.0.%d", n), data)
			if err != nil {
				return 0, err
			}
			acks, n = append(acks, ack), n+1
			if len(acks) < inFlight {
				continue
			}
		}
		if err := acknowledged(ctx, acks[0]); err != nil {
			return 0, err
		}
		acks = acks[1:]
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

func acknowledged(ctx context.Context, ack jetstream.PubAckFuture) error {
	select {
	case <-ack.Ok():
		return nil
	case err := <-ack.Err():
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// figures are the means of what was measured, as figures of their own.
func (l *limits) figures() []Figure {
	var all []Figure
	for _, what := range []limit{syncPublish, pipelinedPublish, onePublish, bareAnswer, bareRequest} {
		if met := l.met[what]; len(met) > 0 {
			f := newFigure("limit: "+string(what), mean(met), "/s", mean(met))
			if what.inMillis() {
				f.Unit = "ms"
			}
			f.Reached = true
			all = append(all, f)
		}
	}
	return all
}

func mean(of []float64) float64 {
	sum := 0.0
	for _, v := range slices.All(of) {
		sum += v
	}
	return sum / float64(max(len(of), 1))
}
