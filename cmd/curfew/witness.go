package main

import (
	"context"
	"slices"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/handlers"
	"curfew/handlers/reset"
)

// A witness reads Intune's record of a device, and where that shows nothing
// destructive, the audit of remote actions too: an attempt of which nobody heard
// the answer is settled by both.
type witness struct{ graph.Tenants }

// lookback is how far back the audit is read: longer than an action may take.
const lookback = 4 * 24 * time.Hour

// Record implements [handlers.Recorder].
func (w witness) Record(ctx context.Context, d events.Device) (events.Device, error) {
	d, err := w.Tenants.Record(ctx, d)
	since := time.Now().Add(-lookback)
	if err != nil || slices.ContainsFunc(d.Actions, func(a events.DeviceAction) bool { return reset.Recorded(a) && a.Updated.After(since) }) {
		return d, err
	}
	audits, err := w.Audited(ctx, d, since)
	switch {
	case err != nil && handlers.Read(err).GiveUp:
		return d, nil // this tenant does not show it: the record has to do
	case err != nil:
		return d, err
	}
	for _, a := range audits {
		if reset.Recorded(a) {
			d.Actions = append(d.Actions, a)
		}
	}
	return d, nil
}
