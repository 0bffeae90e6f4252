package gate

import (
	"context"
	"fmt"
	"time"

	"curfew/events"
)

// ScanSlot asks the gates about one of the scans that a task starts on several
// devices, each under an id of its own: whether scans of neighbours are paused,
// and for a full scan whether the budget has a slot. An id takes one slot, however
// often it asks. A wait above zero says how long there is none; the task has
// passed the gates before and goes on by itself.
func (g *Guard) ScanSlot(ctx context.Context, tenant, id string, full bool) (wait time.Duration, err error) {
	if err := g.whole(); err != nil {
		return 0, err
	}
	t := events.Task{ID: id, Order: events.Order{Action: events.Scan}}
	ps, _, err := read[pauses](ctx, g.Store, pausesKey)
	if err != nil {
		return 0, err
	}
	for _, a := range []events.Action{events.Neighbours, events.Scan} {
		if _, ok := ps.covering(tenant, a); ok {
			return time.Until(again(t, GatePause, time.Now())), nil
		}
	}
	if !full {
		return 0, nil
	}
	t.Kind = "full"
	h, err := g.spend(ctx, t, tenant)
	if err != nil {
		return 0, fmt.Errorf("a slot for the scan %s: %w", id, err)
	}
	if h == nil {
		return 0, nil
	}
	return max(time.Until(h.Until), time.Second), nil
}
