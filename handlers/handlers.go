// Package handlers holds what the handlers share. Each handler lives in a
// package of its own, serves one kind of work and knows nothing of the queue, of
// Graph's SDK or of the other handlers: it is given a case and one of its tasks,
// and returns a fact.
//
// What every handler guarantees, and package handlerstest proves:
//
//   - The same task done twice has one effect. After a crash, a time-out or a
//     lost reply ([events.Task.Unsure]) it asks the other side's record, or
//     repeats under the same idempotency key; it never repeats blindly.
//   - It decides nothing. It may find that there is nothing to do, or that it
//     cannot be done; what follows from that is decided in [events.Step].
//   - Its errors say what to do, and hold no secret.
//
// What may not be assumed: that a task arrives once, that the device is still as
// the case shows it, that "accepted" means done.
package handlers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"curfew/events"
)

// A Func does a task of a case and returns what came of it: [events.Done],
// [events.Accepted] or [events.Seen]. It must return promptly when its context
// ends, may be called from several goroutines, and leaves the case as it is.
//
// An error makes the task come back later, as one that had no effect, unless it
// is marked by [GiveUp] (never again) or [Unsure] (it may have had one).
type Func func(context.Context, events.Case, events.Task) (events.Fact, error)

// GiveUp marks err as one that trying again will not cure. It outweighs every
// other mark.
func GiveUp(err error) error { return giveUp{err} }

// TimedOut marks err as [GiveUp] does, for what took longer than anybody waits.
func TimedOut(err error) error { return ended{giveUp{err}, events.TimedOut} }

// Unknown marks err as [GiveUp] does, where nobody can tell whether it was done.
func Unknown(err error) error { return ended{giveUp{err}, events.Unknown} }

type ended struct {
	giveUp
	stage events.Stage
}

func (e ended) Unwrap() error       { return e.giveUp }
func (e ended) Stage() events.Stage { return e.stage }

// Unsure marks err as one after which nobody knows whether the other side did
// what it was asked to. The task comes back with [events.Task.Unsure] set.
func Unsure(err error) error { return unsure{err, true} }

// Sure takes the mark of [Unsure] off: what failed was only a question, so
// nothing can have happened.
func Sure(err error) error { return unsure{err, false} }

// After marks err with the least time until the task comes back.
func After(err error, d time.Duration) error { return after{err, d} }

type giveUp struct{ error }

func (e giveUp) Unwrap() error { return e.error }
func (e giveUp) GiveUp() bool  { return true }

type unsure struct {
	error
	is bool
}

func (e unsure) Unwrap() error { return e.error }
func (e unsure) Unsure() bool  { return e.is }

type after struct {
	error
	d time.Duration
}

func (e after) Unwrap() error             { return e.error }
func (e after) RetryAfter() time.Duration { return e.d }

// A Verdict is what the marks of an error say.
type Verdict struct {
	GiveUp bool
	Unsure bool
	After  time.Duration // zero: whatever the queue thinks right
	Status int           // of the HTTP reply that [CheckStatus] did not like; zero: there was none
}

// Read returns the marks of an error, whoever made it: any error in the chain
// with a method GiveUp() bool, Unsure() bool or RetryAfter() time.Duration has
// marks. The outermost of each kind counts.
func Read(err error) Verdict {
	var v Verdict
	var g interface{ GiveUp() bool }
	if errors.As(err, &g) {
		v.GiveUp = g.GiveUp()
	}
	var u interface{ Unsure() bool }
	if errors.As(err, &u) {
		v.Unsure = u.Unsure()
	}
	var a interface{ RetryAfter() time.Duration }
	if errors.As(err, &a) {
		v.After = a.RetryAfter()
	}
	if s, ok := errors.AsType[status](err); ok {
		v.Status = int(s)
	}
	return v
}

// Effect marks the error of a call that has an effect. An end of the context
// that nobody classified leaves the effect open.
func Effect(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		var u interface{ Unsure() bool }
		if !errors.As(err, &u) {
			return Unsure(err)
		}
	}
	return err
}

// Destination returns the destination of that name, or the only one there is if
// the name is empty. Its error gives up, because there is none (it lists what
// there is), or because it cannot be used.
func Destination[D interface{ Check() error }](all map[string]D, name string) (D, error) {
	names := slices.Sorted(maps.Keys(all))
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	d, ok := all[name]
	if !ok {
		return d, GiveUp(fmt.Errorf("no destination is called %q; the configuration has: %s", name, strings.Join(names, ", ")))
	}
	if err := d.Check(); err != nil {
		return d, GiveUp(fmt.Errorf("destination %q cannot be used: %w", name, err))
	}
	return d, nil
}
