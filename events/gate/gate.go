// Package gate decides what may hold back an effect that cannot be taken back:
//
//	protected    the device, or whoever it belongs to, is never to be touched
//	pause        somebody has said stop: to everything, a tenant, an action
//	maintenance  it is the time for it, which may be why the device is as it is
//	breaker      so much of a tenant turned bad at once that it is no device's doing
//	preflight    the device is not fit for it, or nobody can tell
//	approval     too few people have allowed it
//	budget       enough was done in a while
//	quiet_hours  people want to hear of nothing now but what is urgent
//	digest       they were told enough in a while, and hear of the rest in one message
//	rate         the same, of what is said on tickets: it comes later
//
// Each gate is a small decision about values with a reason for people; a [Guard]
// asks them all, in that order, before an attempt and again right before the
// call. What is held is not failed: the task waits in its case and tries again.
//
// What holds:
//
//   - Protection always wins; nobody's word opens that gate, or a pause, or the breaker.
//   - A gate that cannot be asked is shut: its error puts the task off.
//   - Budgets, pauses and breakers are kept in the [Store] by compare and set, so
//     that all workers share them. A task takes one slot of a budget, however
//     often it asks, and gives it back only if its call is known not to have been made.
//   - A pause that was stored before the last question is heeded.
//   - A task that may have been done already passes every gate, for its handler
//     has to find out, and must not repeat it.
//
// What may not be assumed: that a call that began before a pause is stopped by
// it; that workers' clocks agree to the second.
package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"curfew/events"
)

// The gates, as [events.Held] names them.
const (
	GatePause       = "pause"
	GateProtected   = "protected"
	GateMaintenance = events.GateMaintenance
	GateBreaker     = "breaker"
	GatePreflight   = "preflight"
	GateApproval    = "approval"
	GateBudget      = "budget"
	GateQuiet       = events.GateQuiet
	GateDigest      = events.GateDigest
	GateRate        = "rate"
)

// Opens reports whether a person's [events.Released] lets a task through a gate.
// The others have a way of their own, or none, and are only asked again at once.
func Opens(gate string) bool {
	switch gate {
	case GateBudget, GatePreflight, GateQuiet, GateDigest, GateRate:
		return true
	}
	return false
}

// A Func does one task and returns the fact that came of it.
type Func = func(context.Context, events.Case, events.Task) (events.Fact, error)

// A Store keeps values by key. Get of a key that is not there returns nil, 0 and
// nil; Create and Update fail if the key is not as it was.
type Store interface {
	Get(ctx context.Context, key string) ([]byte, uint64, error)
	Create(ctx context.Context, key string, value []byte) (uint64, error)
	Update(ctx context.Context, key string, value []byte, rev uint64) (uint64, error)

	// Confirm makes sure that a record is still at the revision that Get told, 0 for
	// none; what Get has read may be of yesterday where several servers keep it.
	Confirm(ctx context.Context, key string, rev uint64) error
}

// read reads a record; one that is not there is the zero value with revision 0.
func read[T any](ctx context.Context, s Store, key string) (v T, rev uint64, err error) {
	b, rev, err := s.Get(ctx, key)
	if err != nil {
		return v, 0, fmt.Errorf("gate: read %s: %w", key, err)
	}
	if rev == 0 {
		return v, 0, nil
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return v, rev, fmt.Errorf("gate: %s cannot be read, so nothing passes that asks it: %w", key, err)
	}
	return v, rev, nil
}

// change changes a record by compare and set: f gets it as it is now, as often as
// others come first, and says whether there is anything to store.
func change[T any](ctx context.Context, s Store, key string, f func(v *T) (bool, error)) error {
	const tries = 100
	for try := 1; ; try++ {
		v, rev, err := read[T](ctx, s, key)
		if err != nil {
			return err
		}
		if store, err := f(&v); err != nil || !store {
			return err
		}
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("gate: %s: %w", key, err)
		}
		if rev == 0 {
			_, err = s.Create(ctx, key, b)
		} else {
			_, err = s.Update(ctx, key, b, rev)
		}
		if err == nil {
			return nil
		}
		if try == tries {
			return fmt.Errorf("gate: store %s: %w", key, err)
		}
		select { // somebody else came first, or the answer was lost: look again
		case <-time.After(rand.N(time.Duration(min(try, 20)) * time.Millisecond)):
		case <-ctx.Done():
			return fmt.Errorf("gate: store %s: %w", key, context.Cause(ctx))
		}
	}
}
