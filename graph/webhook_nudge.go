package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Nudges remember which tenants' sweeps are to run out of turn: something
// changed, or notifications were lost, and nobody can say about which device.
//
// A nudge is on the disk when [Nudges.Ask] returns, under nudge.<tenant>, and
// stays pending until a sweep that began after it has gone through everything. So
// it survives the process; the worker that was asked runs the sweep at once, and
// any other takes it over when that one seems to be gone.
type Nudges struct {
	State State
	// Rest is the least time between two sweeps out of turn; 0: a minute. Busy
	// tenants change all the time.
	Rest time.Duration
	Log  *slog.Logger // nil: silent

	mu    sync.Mutex
	bells map[string]chan struct{}
}

// A nudge is what State has of a tenant's: how many there ever were, and how many
// of these a sweep has answered. What comes during a sweep is for the next one.
type nudge struct {
	Asked  uint64    `json:"asked"`
	Served uint64    `json:"served"`
	At     time.Time `json:"at"`              // of the last one
	Trace  string    `json:"trace,omitempty"` // and the trace that it is of
}

func (n nudge) pending() bool { return n.Asked > n.Served }

const (
	nudgeRest = time.Minute
	// takeOver is how old a nudge must be for a worker that was not rung to see to
	// it, and how often it looks.
	takeOver = 10 * time.Minute
)

func nudgeKey(tenant string) string { return "nudge." + tenant }

// Ask asks for a sweep of the tenant.
func (n *Nudges) Ask(ctx context.Context, tenant string) error {
	_, err := changeState(ctx, n.State, nudgeKey(tenant), func(v *nudge) bool {
		v.Asked, v.At, v.Trace = v.Asked+1, time.Now().UTC(), traceOf(ctx)
		return true
	})
	if err != nil {
		return fmt.Errorf("graph: ask for a sweep: %w", err)
	}
	select {
	case n.bell(tenant) <- struct{}{}:
	default: // it has been rung and not heard yet
	}
	return nil
}

// Serve runs sweep, such as [Sweep.Once], whenever the tenant was nudged, until
// ctx ends. A sweep that fails is run again, each time after a longer rest.
func (n *Nudges) Serve(ctx context.Context, tenant string, sweep func(context.Context) error) error {
	if n.State == nil {
		return errors.New("graph: nudges need a state")
	}
	log := n.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	bell, least := n.bell(tenant), n.Rest
	if least == 0 {
		least = nudgeRest
	}
	wait, failed, rung := time.Duration(0), 0, true // what an earlier process left
	for ctx.Err() == nil && pause(ctx, wait) {
		done, err := n.serve(ctx, tenant, rung, sweep)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil
		case err != nil:
			failed++
			wait, rung = min(least<<min(failed, 8), takeOver), true
			log.Warn("a sweep out of turn failed, and will be run again", "tenant", tenant, "again", wait, "err", err)
			continue
		}
		failed = 0
		if done && !pause(ctx, least) {
			return nil
		}
		timer := time.NewTimer(takeOver)
		select {
		case <-bell:
			wait, rung = 0, true
		case <-timer.C:
			wait, rung = 0, false
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return nil
}

// serve runs the sweep if there is a nudge. done reports whether it ran.
func (n *Nudges) serve(ctx context.Context, tenant string, rung bool, sweep func(context.Context) error) (done bool, err error) {
	at, _, err := readState[nudge](ctx, n.State, nudgeKey(tenant))
	switch {
	case errors.Is(err, errUnreadable): // who knows: sweep, and write it anew
	case err != nil:
		return false, err
	case !at.pending(), !rung && time.Since(at.At) < takeOver:
		return false, nil
	}
	if err := sweep(inTrace(ctx, at.Trace)); err != nil {
		return true, err
	}
	_, err = changeState(ctx, n.State, nudgeKey(tenant), func(v *nudge) bool {
		v.Served = max(v.Served, at.Asked)
		return true
	})
	return true, err
}

// bell is what rings for a tenant in this process.
func (n *Nudges) bell(tenant string) chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.bells == nil {
		n.bells = map[string]chan struct{}{}
	}
	if n.bells[tenant] == nil {
		n.bells[tenant] = make(chan struct{}, 1)
	}
	return n.bells[tenant]
}
