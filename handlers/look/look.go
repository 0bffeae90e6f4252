// Package look asks Graph how a device is now. It has no effect outside, so it
// may be done as often as it is asked for.
package look

import (
	"context"
	"fmt"

	"curfew/events"
	"curfew/handlers"
)

// Devices is what this handler needs of Graph.
type Devices interface {
	// Look reads the device of a case and the alerts that the case knows. It says
	// in [events.Device.Missing] what it could not read. Its error gives up when
	// no device, or more than one, is the one meant.
	Look(ctx context.Context, c events.Case) (events.Device, error)
}

// Handler looks at devices.
type Handler struct {
	Devices Devices
}

// Do returns the device as it is now.
func (h Handler) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	d, err := h.Devices.Look(ctx, c)
	if err != nil {
		return nil, handlers.Sure(fmt.Errorf("look: %w", err))
	}
	if d.Key != c.Key {
		return nil, handlers.GiveUp(fmt.Errorf("look: Graph was asked for %s and answered with %s", c.Key, d.Key))
	}
	return events.Seen{Device: d, Task: t.ID}, nil
}
