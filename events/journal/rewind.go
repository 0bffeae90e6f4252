package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
)

// rewoundKey holds the last fact that tells a case of a restore, until all of them
// are taken.
const rewoundKey = own + "rewound"

// Rewind tells every case that waits for anything, and every device of which there
// are facts that no case has taken yet, that the journal is as old as a backup. It
// returns how many there are. From then on no worker hands out a task before all of
// them know, so that nothing is done that was done since.
func (j *Journal) Rewind(ctx context.Context, since time.Time) (int, error) {
	keys, err := j.unsettled(ctx)
	if err != nil {
		return 0, err
	}
	var all []Entry
	for k := range keys {
		all = append(all, Entry{k, events.Rewound{Since: since}, "rewound/" + since.Format(time.RFC3339Nano)})
	}
	if err := j.AppendAll(ctx, all); err != nil {
		return 0, err
	}
	info, err := j.facts.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("journal: rewind: %w", err)
	}
	through, err := json.Marshal(info.State.LastSeq)
	if err == nil {
		_, err = j.state.kv.Put(ctx, rewoundKey, through)
	}
	if err != nil {
		return 0, fmt.Errorf("journal: rewind: %w", err)
	}
	return len(all), nil
}

// unsettled are the devices about which anything is under way.
func (j *Journal) unsettled(ctx context.Context) (map[events.Key]bool, error) {
	keys := map[events.Key]bool{}
	for c, err := range j.Cases(ctx, "") {
		switch {
		case errors.Is(err, ErrUnreadable): // its facts go to the dead letters
		case err != nil:
			return nil, err
		case c.Open || len(c.Pending) > 0:
			keys[c.Key] = true
		}
	}
	for p := range j.parts {
		from := uint64(1)
		c, err := j.facts.Consumer(ctx, keeperName(p))
		if err == nil {
			from = c.CachedInfo().AckFloor.Stream + 1
		} else if !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return nil, fmt.Errorf("journal: where %s stands: %w", keeperName(p), err)
		}
		for m, err := range j.readFrom(ctx, j.facts, factsOf(p), jetstream.DeliverByStartSequencePolicy, from) {
			if err != nil {
				return nil, err
			}
			if k, err := j.keyOf(m.Subject()); err == nil {
				keys[k] = true
			}
		}
	}
	return keys, nil
}

// rewound waits until every case knows of a restore.
func (j *Journal) rewound(ctx context.Context) {
	for tries := 0; ctx.Err() == nil; tries++ {
		done, err := j.allRewound(ctx)
		if err == nil && done {
			break
		}
		if err != nil {
			j.log.Warn("cannot tell whether every case knows that the journal was restored; no task is handed out before", "err", err)
		}
		sleep(ctx, backoff(tries, 50*time.Millisecond, time.Second))
	}
}

func (j *Journal) allRewound(ctx context.Context) (bool, error) {
	data, _, err := j.state.Get(ctx, rewoundKey)
	if errors.Is(err, ErrNoKey) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	var through uint64
	if err := json.Unmarshal(data, &through); err != nil {
		return false, fmt.Errorf("journal: %s: %w", rewoundKey, err)
	}
	for p := range j.parts {
		c, err := j.facts.Consumer(ctx, keeperName(p))
		switch {
		case errors.Is(err, jetstream.ErrConsumerNotFound): // nobody has taken anything yet
			return false, nil
		case err != nil:
			return false, err
		}
		is := c.CachedInfo()
		if is.AckFloor.Stream < through && is.NumPending+uint64(max(is.NumAckPending, 0)) > 0 {
			return false, nil
		}
	}
	return true, j.state.st.Purge(ctx, jetstream.WithPurgeSubject(stateSubject+rewoundKey))
}
