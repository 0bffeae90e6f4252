// Package sync asks a device to check in with Intune, so that what Intune says
// of it is news. Doing it twice does no harm.
//
// Accepted is not done: a device that is off checks in when it is switched on.
// Done is when the device has checked in since, or Intune's record says so.
package sync

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// Intune is what this handler needs of Graph.
type Intune interface {
	handlers.Recorder

	// Sync asks the device to check in. Nil says that Intune took it on (204); an
	// error that is not Unsure says that it did not.
	Sync(ctx context.Context, d events.Device) error
}

// Handler asks devices to check in.
type Handler struct {
	Intune Intune
	First  time.Duration // from the call until the record is first read; zero: a minute
	Limit  time.Duration // how long the device has; zero: 24 hours
	Settle time.Duration // how long the record may lag; zero: 10 minutes
}

// Do asks, or reads what became of having asked.
func (h Handler) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	f := handlers.Follow{
		Names:  []string{"syncDevice"},
		First:  cmp.Or(h.First, time.Minute),
		Limit:  cmp.Or(h.Limit, 24*time.Hour),
		Settle: cmp.Or(h.Settle, 10*time.Minute),
	}
	fact, err := h.do(ctx, c, t, f)
	if err != nil {
		return nil, fmt.Errorf("sync: %w", err)
	}
	return fact, nil
}

func (h Handler) do(ctx context.Context, c events.Case, t events.Task, f handlers.Follow) (events.Fact, error) {
	if t.Accepted != nil || t.Unsure {
		return f.Up(ctx, h.Intune, c, t, func(d events.Device) (events.DeviceAction, bool) {
			since := f.From(t)
			return events.DeviceAction{Name: "check-in", State: "done", Updated: d.LastSync}, !since.IsZero() && d.LastSync.After(since)
		})
	}
	if err := handlers.Reachable(c.Device); err != nil {
		return nil, err
	}
	if err := h.Intune.Sync(ctx, c.Device); err != nil {
		return nil, handlers.Effect(err)
	}
	return f.Accepted(t, "Intune will ask the device to check in"), nil
}
