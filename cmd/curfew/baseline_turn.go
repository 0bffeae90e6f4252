package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"curfew/events/journal"
)

// A turn is somebody's time alone with a tenant's baseline. Who has it says so again
// and again; the turn of one that is not heard of any more is over.
type turn struct {
	By    string    `json:"by"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

func (t turn) record() []byte {
	v, _ := json.Marshal(t) // a text and two times always can be
	return v
}

const (
	turnKey   = "baseline.turn."
	turnLasts = 2 * time.Minute
)

var errTurnLost = errors.New("the record of who is at it was lost, so somebody else may be at it now")

// alone lets do change a tenant's baseline while nobody else does: two that write what
// they planned would make everything twice. The context that do gets ends when its
// turn does. Clocks may differ by a minute.
func (b *ground) alone(ctx context.Context, t tenantSpec, by string, do func(context.Context) error) error {
	s, key, now := b.journal.State(), turnKey+t.ID, time.Now().UTC()
	mine := turn{by, now, now.Add(turnLasts)}
	rev, err := takeTurn(ctx, s, key, mine)
	if err != nil {
		return err
	}
	during, end := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for tick := time.NewTicker(turnLasts / 4); ; {
			select {
			case <-during.Done():
				tick.Stop()
				return
			case <-tick.C:
			}
			next := mine
			next.Until = time.Now().UTC().Add(turnLasts)
			switch r, err := s.Update(during, key, next.record(), rev); {
			case err == nil:
				rev, mine = r, next
			case errors.Is(err, journal.ErrConflict):
				// It may be one's own that was stored, and not heard of.
				if now, at, err := readTurn(during, s, key); err == nil && now.By == mine.By && now.Since.Equal(mine.Since) {
					rev, mine = at, now
					continue
				}
				end(errTurnLost)
			case time.Now().After(mine.Until.Add(-turnLasts / 4)):
				end(errTurnLost)
			}
		}
	})
	err = do(during)
	if lost := context.Cause(during); errors.Is(lost, errTurnLost) {
		err = errors.Join(err, lost)
	}
	end(nil)
	wg.Wait()
	leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, _ = s.Update(leave, key, turn{}.record(), rev) // if it fails, the turn is over by itself
	return err
}

func readTurn(ctx context.Context, s *journal.State, key string) (now turn, rev uint64, err error) {
	v, rev, err := s.Get(ctx, key)
	if err != nil {
		return turn{}, 0, err
	}
	if err := json.Unmarshal(v, &now); err != nil {
		return turn{}, 0, fmt.Errorf("the record of who is at the baseline cannot be read: %w", err)
	}
	return now, rev, nil
}

// takeTurn begins a turn, if nobody has one.
func takeTurn(ctx context.Context, s *journal.State, key string, mine turn) (rev uint64, err error) {
	now, at, err := readTurn(ctx, s, key)
	switch {
	case errors.Is(err, journal.ErrNoKey):
		rev, err = s.Create(ctx, key, mine.record())
	case err != nil:
		return 0, err
	case mine.Since.Before(now.Until):
		return 0, fmt.Errorf("%s has been at it since %s: wait until that has ended; if it was killed, until %s",
			cmp.Or(clean(now.By), "somebody"), now.Since.Local().Format(time.TimeOnly), now.Until.Local().Format(time.TimeOnly))
	default:
		rev, err = s.Update(ctx, key, mine.record(), at)
	}
	if errors.Is(err, journal.ErrConflict) {
		err = errors.New("somebody else has just begun: wait until that has ended")
	}
	return rev, err
}
