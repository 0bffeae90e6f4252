package gate

import (
	"context"
	"errors"
	"time"

	"curfew/events"
)

// Func puts the gates in front of a function that does tasks. It may be put in
// front of every action: looking passes, notices can only be paused, pages are
// stopped by the breaker too, full scans have a budget, and what is destructive
// meets every gate.
//
// A task that may have been done, or was accepted, passes: do has to find out,
// and the gates were asked when it began. A page that has no token was not sent.
func (g *Guard) Func(do Func) Func {
	return func(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
		if !t.Action.Effect() {
			return do(ctx, c, t)
		}
		g.stir(c.Tenant)
		untried, err := g.untried(ctx, t)
		if err != nil {
			return nil, err
		}
		t.Unsure = t.Unsure && !untried
		if t.Unsure || t.Accepted != nil {
			f, err := do(ctx, c, t)
			if t.Unsure && t.Accepted == nil && startsOver(ctx, err) {
				g.quietlyGiveBack(ctx, t, c.Tenant)
			}
			return f, err
		}
		h, err := g.Admit(ctx, c, t)
		if err != nil {
			return nil, err
		}
		if h == nil {
			h, err = g.Still(ctx, c, t)
		}
		if h == nil && err == nil {
			return g.call(ctx, c, t, do)
		}
		if h != nil && h.Gate == GateBudget {
			return *h, nil // it has no slot
		}
		g.quietlyGiveBack(ctx, t, c.Tenant)
		if err != nil {
			return nil, err
		}
		return *h, nil
	}
}

// call calls do, and gives the slot back if nothing came of it.
func (g *Guard) call(ctx context.Context, c events.Case, t events.Task, do Func) (events.Fact, error) {
	f, err := do(ctx, c, t)
	if stop := (*Stop)(nil); errors.As(err, &stop) {
		h := stop.Held
		h.Task = t.ID
		f, err = h, nil
	}
	switch f.(type) {
	case events.Seen, events.Held, events.Declined: // it looked or asked first, and nothing was done
		g.quietlyGiveBack(ctx, t, c.Tenant)
	default:
		if err != nil && ctx.Err() == nil && !unsure(err) {
			g.quietlyGiveBack(ctx, t, c.Tenant)
		}
	}
	return f, err
}

// startsOver reports whether an error settles that an unsure task was not done.
func startsOver(ctx context.Context, err error) bool {
	var g interface{ GiveUp() bool }
	return err != nil && ctx.Err() == nil && !unsure(err) && !(errors.As(err, &g) && g.GiveUp())
}

func unsure(err error) bool {
	var u interface{ Unsure() bool }
	return errors.As(err, &u) && u.Unsure()
}

// quietlyGiveBack gives a slot back even while the worker stops. A slot that
// could not be given back only makes the budget smaller for a while.
func (g *Guard) quietlyGiveBack(ctx context.Context, t events.Task, tenant string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := g.giveBack(ctx, t, tenant); err != nil && g.Log != nil {
		g.Log.Warn("a slot of a budget was not given back; it is free again when its time is over", "task", t.ID, "err", err)
	}
}

// watchRest is how long nothing is counted, in times of what the last count took.
const watchRest = 9

// Watch keeps the breakers of these tenants up to date until ctx ends, so that one
// trips when devices turn bad and not only when something is to be done to one.
// Tenants in which nothing happens cost nothing, and all others a tenth of the time at
// most, up to a minute between two counts.
func (g *Guard) Watch(ctx context.Context, tenants []string) error {
	if err := g.whole(); err != nil {
		return err
	}
	for _, t := range tenants {
		g.stir(t)
	}
	for {
		began := time.Now()
		for _, t := range g.unstir() {
			tr, doubt, err := g.breaker(ctx, t)
			if err != nil || doubt != "" || tr.Tripped && !tr.Shown {
				g.stir(t)
			}
			if err != nil && ctx.Err() == nil && g.Log != nil {
				g.Log.Warn("the breaker of a tenant cannot be brought up to date; what is destructive waits", "tenant", t, "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(max(stale+time.Second, min(watchRest*time.Since(began), time.Minute))):
		}
	}
}
