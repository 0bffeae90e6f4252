package journal

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
)

const (
	keepGrace = 5 * time.Second // a fact that was begun is finished within it when the worker stops
)

// Keep takes facts into their cases until ctx ends: of each device in order, of
// as many devices at once as there are partitions. Any number of workers may
// keep the same journal. What cannot be stored is tried until it can.
//
// When ctx ends it goes on, for moments, until no task that [Journal.Serve] has
// in hand waits to be let begin.
//
// Policies is asked for every fact anew.
func (j *Journal) Keep(ctx context.Context, policies func() events.Policies) error {
	ctx, leave := j.linger(ctx, keepGrace)
	defer leave()
	alive, cancel := outlive(ctx, keepGrace)
	defer cancel()
	var wg sync.WaitGroup
	for p := range j.parts {
		name := keeperName(p)
		k := &keeper{j, policies, name}
		wg.Go(func() {
			j.consume(ctx, j.facts, jetstream.ConsumerConfig{
				Durable:       name,
				FilterSubject: factsOf(p),
				AckPolicy:     jetstream.AckExplicitPolicy,
				AckWait:       j.lease * 4 / 5, // a fact that is not acknowledged in time is given to another worker
				MaxAckPending: 1,               // in order
			}, 256, func(m jetstream.Msg) { k.take(ctx, alive, m) })
		})
	}
	wg.Wait()
	return nil
}

// factsOf are the facts of a partition.
func factsOf(p int) string { return fmt.Sprintf("fact.%d.*.*", p) }

// keeperName is the durable consumer of a partition.
func keeperName(p int) string { return "keep-" + strconv.Itoa(p) }

// A keeper takes the facts of one partition.
type keeper struct {
	*Journal
	policies func() events.Policies
	name     string
}

// take takes a fact, however often it must be tried: the next one of the device
// must not come before it.
func (k *keeper) take(ctx, alive context.Context, m jetstream.Msg) {
	for tries := 0; ; tries++ {
		if ctx.Err() != nil {
			k.handBack(m)
			return
		}
		err := k.takeOnce(alive, m)
		if err == nil {
			k.stuck.set(k.name, nil)
			return
		}
		k.stuck.set(k.name, err)
		if tries&(tries-1) == 0 {
			k.log.Warn("a fact cannot be taken, trying again", "subject", m.Subject(), "tries", tries+1, "err", err)
		}
		sleep(ctx, backoff(tries, 50*time.Millisecond, time.Second/2))
		_ = m.InProgress() // if it does not arrive, another worker gets the fact
	}
}

// handBack gives a message back that was not begun. If that does not arrive it
// comes back by itself, only later.
func (j *Journal) handBack(m jetstream.Msg) {
	if err := m.Nak(); err != nil {
		j.log.Debug("a message was not handed back", "subject", m.Subject(), "err", err)
	}
}

func (k *keeper) takeOnce(ctx context.Context, m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	key, err := k.keyOf(m.Subject())
	if err != nil {
		return k.bury(ctx, m, err.Error())
	}
	f, err := unpackFact(m.Headers(), m.Data())
	if err != nil {
		return k.bury(ctx, m, err.Error())
	}
	_, rang := f.(events.Rang)
	ctx, span := k.resume(ctx, "take "+kindOf(f), m.Headers(), rang, key)
	defer func() { end(span, err) }()
	for range 3 {
		err = k.decide(ctx, m, meta, key, f)
		if !errors.Is(err, errConflict) {
			return err
		}
	}
	return err
}

// decide takes a fact into the case as it is now, and acknowledges it.
func (k *keeper) decide(ctx context.Context, m jetstream.Msg, meta *jetstream.MsgMetadata, key events.Key, f events.Fact) error {
	was, err := k.last(ctx, key)
	c, rev := was.Case, was.rev
	if errors.Is(err, ErrUnreadable) {
		k.log.Error("the case of a device cannot be read; its facts go to the dead letters", "device", key, "err", err)
		return k.bury(ctx, m, err.Error())
	} else if err != nil {
		return err
	}
	if taken(c, meta) {
		if err := k.confirm(ctx, key, rev); err != nil {
			return err
		}
		if err := k.follow(ctx, c, rev, c.Ready(), true); err != nil {
			return err
		}
		return k.ack(m)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	next, tasks, err := k.try(c, f, now)
	if err != nil {
		k.log.Error("a fact cannot be taken and goes to the dead letters", "device", key, "fact", kindOf(f), "err", firstLine(err.Error()))
		return k.bury(ctx, m, err.Error())
	}
	_, rang := f.(events.Rang)
	if reflect.DeepEqual(c, next) {
		if err := k.confirm(ctx, key, rev); err != nil {
			return err
		}
		if rang && !c.WakeAt.IsZero() { // the alarm is spent
			if err := k.follow(ctx, c, rev, nil, true); err != nil {
				return err
			}
		}
		k.tell(f, c, c, false, meta.Timestamp, now)
		return k.ack(m)
	}
	next.Taken, next.At = meta.Sequence.Stream, now
	if rev, err = k.store(ctx, was.chain(next, m), rev); errors.Is(err, errTooBig) {
		k.log.Error("a case has grown too big; the fact goes to the dead letters", "device", key, "fact", kindOf(f), "err", err)
		return k.bury(ctx, m, err.Error())
	} else if err != nil {
		return err
	}
	k.bell.ring(key)
	k.tell(f, c, next, true, meta.Timestamp, now)
	k.log.Debug("case", "device", key, "fact", kindOf(f), "state", next.State(), "rung", next.Rung, "tasks", len(tasks), "wake", next.WakeAt, "trace", next.Trace)
	_, anew := f.(events.Rewound) // the alarm may be of another time
	if err := k.follow(ctx, next, rev, tasks, rang || anew || !next.WakeAt.Equal(c.WakeAt)); err != nil {
		return err
	}
	return k.ack(m)
}

func (k *keeper) ack(m jetstream.Msg) error {
	if err := k.crashed("fact: acknowledge"); err != nil {
		return err
	}
	return m.Ack()
}

// taken reports whether a case has taken a fact already. Sequences that start
// anew, in a stream restored or copied, give themselves away by the time.
func taken(c events.Case, meta *jetstream.MsgMetadata) bool {
	return meta.Sequence.Stream <= c.Taken && !meta.Timestamp.After(c.At.Add(time.Minute))
}

// try is Step; one that panics is an error with the stack.
func (k *keeper) try(c events.Case, f events.Fact, now time.Time) (next events.Case, tasks []events.Task, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	next, tasks = k.step(c, f, k.policies(), now)
	return next, tasks, nil
}
