package gate

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"
)

// A Weekly is done once a week, by one worker of all that share the store. What was
// missed because none ran is made up for by doing it once. The first one is done
// when a week's moment comes for the first time after the store has heard of it.
type Weekly struct {
	Store Store
	Key   string // of its record
	Day   time.Weekday
	Clock time.Duration // since midnight, by the clock on the wall
	Zone  *time.Location

	// Do does it for the week of a moment, which names it for ever. If it may have been
	// done before, by an attempt that nobody has heard of, again is true. Its errors are
	// those of a handler; whatever they say, it is tried again until the next week.
	Do  func(ctx context.Context, due time.Time, again bool) error
	Log *slog.Logger
}

// A week is the record of what is done weekly.
type week struct {
	Done   time.Time `json:"done"`            // the last moment for which it was done
	Due    time.Time `json:"due,omitzero"`    // the one that somebody is at
	By     string    `json:"by,omitempty"`    // which attempt
	Until  time.Time `json:"until,omitzero"`  // and for how long, or when it is tried again
	Called bool      `json:"called,omitzero"` // it may have been done already
	Tries  int       `json:"tries,omitempty"`
}

const (
	weeklyEvery = 30 * time.Second
	weeklyTakes = 2 * time.Minute
	weeklyLease = 5 * time.Minute
)

// Run does it when it is due, until ctx ends.
func (w *Weekly) Run(ctx context.Context) error {
	for {
		if err := w.turn(ctx); err != nil && ctx.Err() == nil {
			w.Log.Warn("what is done once a week was not done, and is tried again", "what", w.Key, "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(weeklyEvery):
		}
	}
}

// last is the latest moment, not after now, at which it is due.
func (w *Weekly) last(now time.Time) time.Time {
	y, m, d := now.In(w.Zone).Date()
	for days := range 9 {
		at := time.Date(y, m, d-days, int(w.Clock/time.Hour), int(w.Clock%time.Hour/time.Minute), 0, 0, w.Zone)
		if time.Date(y, m, d-days, 12, 0, 0, 0, w.Zone).Weekday() == w.Day && !at.After(now) {
			return at.UTC()
		}
	}
	return time.Time{}
}

// turn does it, if it is due and nobody is at it.
func (w *Weekly) turn(ctx context.Context) error {
	now := time.Now().UTC()
	due := w.last(now)
	rec, rev, err := read[week](ctx, w.Store, w.Key)
	if err != nil || rev > 0 && (!rec.Done.Before(due) || now.Before(rec.Until)) {
		return err
	}
	me, mine, again := rand.Text(), false, false
	err = change(ctx, w.Store, w.Key, func(v *week) (bool, error) {
		switch {
		case v.By == me: // the answer to the last try was lost
			mine = true
			return false, nil
		case v.Done.IsZero():
			v.Done = due // whoever sets it up today did not wait for last week's
			return true, nil
		case !v.Done.Before(due) || now.Before(v.Until):
			mine = false
			return false, nil
		}
		if !v.Due.Equal(due) {
			v.Called, v.Tries = false, 0
		}
		again, mine = v.Called, true
		v.Due, v.By, v.Until, v.Called = due, me, now.Add(weeklyLease), true
		return true, nil
	})
	if err != nil || !mine {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, weeklyTakes)
	defer cancel()
	failed := w.Do(limited, due, again)
	if failed != nil && ctx.Err() != nil {
		return failed // this worker stops; the next one takes it up
	}
	return errors.Join(failed, w.note(ctx, me, due, failed, again || failed != nil && (unsure(failed) || limited.Err() != nil)))
}

// note keeps what came of an attempt, if it is still this one's.
func (w *Weekly) note(ctx context.Context, me string, due time.Time, failed error, called bool) error {
	return change(ctx, w.Store, w.Key, func(v *week) (bool, error) {
		if v.By != me {
			return false, nil
		}
		if failed == nil {
			*v = week{Done: due}
			return true, nil
		}
		v.By, v.Called = "", called
		v.Tries++
		v.Until = time.Now().UTC().Add(min(time.Duration(v.Tries*v.Tries)*time.Minute, time.Hour))
		return true, nil
	})
}
