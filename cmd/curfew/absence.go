package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"curfew/events"
	"curfew/events/gate/actuator"
	"curfew/events/journal"
)

// An absence is what a process that only watches notices when no other one acts:
// the tasks of devices wait in the queue, and their cases could not tell.
type absence struct {
	journal *journal.Journal
	log     *slog.Logger

	since  time.Time           // when tasks were first seen waiting for nobody
	called map[string]struct{} // the tenants whose people know
}

// How often it looks, and how long the other process may be away: it is started
// anew now and then.
const (
	absenceEvery = time.Minute
	absenceFor   = 5 * time.Minute
)

// watch looks until ctx ends.
func (a *absence) watch(ctx context.Context) error {
	acts := slices.DeleteFunc(events.Actions(), func(x events.Action) bool { return !actuator.Do(x) })
	for {
		waiting, err := a.journal.Unserved(ctx, acts...)
		if err == nil {
			err = a.notice(ctx, waiting, time.Now())
		}
		if err != nil && ctx.Err() == nil {
			a.log.Warn("whether anybody acts on devices is not known", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(absenceEvery):
		}
	}
}

// notice calls for a person in each tenant where tasks wait, once until somebody
// acts again.
func (a *absence) notice(ctx context.Context, waiting map[string]int, now time.Time) error {
	if len(waiting) == 0 {
		a.since, a.called = time.Time{}, nil
		return nil
	}
	if a.since.IsZero() {
		a.since = now
	}
	if now.Sub(a.since) < absenceFor {
		return nil
	}
	if a.called == nil {
		a.called = map[string]struct{}{}
	}
	for tenant, n := range waiting {
		if _, ok := a.called[tenant]; ok {
			continue
		}
		reason := fmt.Sprintf("%s on devices, and no process acts: start `curfew run --role act`", map[bool]string{true: "a task waits", false: "tasks wait"}[n == 1])
		a.log.Warn("nobody acts on devices", "tenant", tenant, "tasks", n, "since", a.since)
		if err := a.journal.Append(ctx, events.TenantKey(tenant), events.Tripped{Gate: actuator.Gate, Reason: reason}, ""); err != nil {
			return err
		}
		a.called[tenant] = struct{}{}
	}
	return nil
}
