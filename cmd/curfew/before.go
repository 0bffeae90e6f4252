package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// before is what Intune's record shows right before something destructive is asked
// for, for whoever has to tell later what came of it. It is kept with the attempt.
func before(r handlers.Recorder) func(context.Context, events.Case, events.Task) (string, error) {
	return func(ctx context.Context, c events.Case, t events.Task) (string, error) {
		if !t.Action.Destructive() || c.Device.IntuneID == "" {
			return "", nil
		}
		d, err := r.Record(ctx, c.Device)
		if err != nil {
			return "", fmt.Errorf("what Intune's record shows before the %s: %w", t.Action, err)
		}
		return recorded(d), nil
	}
}

// recorded is a record in one line: the state, the last check-in and the newest
// action on it.
func recorded(d events.Device) string {
	at := func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return t.UTC().Format(time.RFC3339)
	}
	text := fmt.Sprintf("managementState %s, last check-in %s", cmp.Or(d.Management, "not said"), at(d.LastSync))
	if len(d.Actions) == 0 {
		return text + ", no actions"
	}
	newest := slices.MaxFunc(d.Actions, func(a, b events.DeviceAction) int { return a.Started.Compare(b.Started) })
	return handlers.Line(fmt.Sprintf("%s, %d actions, the newest: %s %s, started %s", text, len(d.Actions), newest.Name, newest.State, at(newest.Started)), 300)
}
