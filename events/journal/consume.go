package journal

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// consume hands the messages of a durable consumer to take, one after the other,
// until ctx ends and take has returned. A message that was on its way then comes
// back to another worker by itself.
func (j *Journal) consume(ctx context.Context, st jetstream.Stream, cfg jetstream.ConsumerConfig, batch int, take func(jetstream.Msg)) {
	for tries := 0; ctx.Err() == nil; tries++ {
		err := j.consumeOnce(ctx, st, cfg, batch, take)
		if ctx.Err() != nil {
			break
		}
		j.stuck.set("reading "+cfg.Durable, err)
		if tries&(tries-1) == 0 {
			j.log.Warn("cannot read from the journal, trying again", "consumer", cfg.Durable, "err", err)
		}
		sleep(ctx, backoff(tries, 100*time.Millisecond, 2*time.Second))
	}
	j.stuck.set("reading "+cfg.Durable, nil)
}

func (j *Journal) consumeOnce(ctx context.Context, st jetstream.Stream, cfg jetstream.ConsumerConfig, batch int, take func(jetstream.Msg)) error {
	cons, err := consumer(ctx, st, cfg)
	if err != nil {
		return err
	}
	ended := errors.New("the consumer has ended")
	failed := make(chan error, 1)
	cc, err := cons.Consume(take,
		jetstream.PullMaxMessages(batch),
		jetstream.PullExpiry(10*time.Minute),
		jetstream.PullHeartbeat(j.pulse),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
			if !errors.Is(err, jetstream.ErrNoHeartbeat) {
				select {
				case failed <- err:
				default:
				}
			}
		}))
	if err != nil {
		return err
	}
	j.stuck.set("reading "+cfg.Durable, nil)
	select {
	case <-cc.Closed():
	case <-ctx.Done():
		// The broker hears of it before it hears of any further acknowledgement, so
		// that no message follows one that is being taken now.
		cc.Stop()
		<-cc.Closed()
	}
	select {
	case err := <-failed:
		return err
	default:
		return ended
	}
}

// consumer finds a durable consumer, makes it, or changes one that is not as it
// should be. One that is is left alone: an update writes to the disk several times,
// even if it changes nothing.
func consumer(ctx context.Context, st jetstream.Stream, cfg jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	c, err := st.Consumer(ctx, cfg.Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return st.CreateOrUpdateConsumer(ctx, cfg)
	} else if err != nil {
		return nil, err
	}
	is := c.CachedInfo().Config
	if is.FilterSubject == cfg.FilterSubject && is.AckPolicy == cfg.AckPolicy && is.AckWait == cfg.AckWait && is.MaxAckPending == cfg.MaxAckPending {
		return c, nil
	}
	return st.CreateOrUpdateConsumer(ctx, cfg)
}

// sleep waits, and reports whether the time has passed without ctx ending.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// backoff is least at first, twice as long with every try, and at most most.
func backoff(tries int, least, most time.Duration) time.Duration {
	return min(most, least<<min(tries, 20))
}

// outlive returns a context that ends some time after ctx does, so that what is
// in flight can be finished.
func outlive(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return out, func() { stop(); cancel() }
}
