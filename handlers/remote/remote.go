// Package remote locks a device's screen and restarts it, by way of Intune
// (remoteLock, rebootNow). Doing either twice costs the user a moment, or what is
// not saved; so when it is open whether it was asked for, Intune's record is asked
// first.
//
// Accepted is not done: a device that is off hears of it when it is switched on.
package remote

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

	// RemoteLock and Restart ask for it. Nil says that Intune took it on (204); an
	// error that is not Unsure says that it did not.
	RemoteLock(ctx context.Context, d events.Device) error
	Restart(ctx context.Context, d events.Device) error
}

// Handler locks and restarts devices.
type Handler struct {
	Intune Intune
	DryRun bool          // do neither, and say so
	First  time.Duration // from the call until the record is first read; zero: a minute
	Limit  time.Duration // how long the device has; zero: 24 hours
	Settle time.Duration // how long the record may lag; zero: 30 minutes
}

// Do asks, or reads what became of having asked.
func (h Handler) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	fact, err := h.do(ctx, c, t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Action, err)
	}
	return fact, nil
}

func (h Handler) do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	name, call, been := "remoteLock", h.Intune.RemoteLock, "locked"
	if t.Action == events.Restart {
		name, call, been = "rebootNow", h.Intune.Restart, "restarted"
	}
	f := handlers.Follow{
		Names:  []string{name},
		First:  cmp.Or(h.First, time.Minute),
		Limit:  cmp.Or(h.Limit, 24*time.Hour),
		Settle: cmp.Or(h.Settle, 30*time.Minute),
	}
	if t.Accepted != nil || t.Unsure {
		return f.Up(ctx, h.Intune, c, t, nil)
	}
	if err := handlers.Reachable(c.Device); err != nil {
		return nil, err
	}
	switch windows := handlers.Windows(c.Device); {
	case windows && t.Action == events.Lock: // Intune docs: device-remote-lock
		return nil, handlers.GiveUp(fmt.Errorf("the device runs %s, which Intune cannot lock", c.Device.OS))
	case h.DryRun:
		return events.Done{Task: t.ID, Dry: true, Receipt: "dry run: the device would have been " + been + " now; nothing was done"}, nil
	}
	if err := call(ctx, c.Device); err != nil {
		return nil, handlers.Effect(err)
	}
	return f.Accepted(t, "the device will be "+been+" when it hears of it"), nil
}
