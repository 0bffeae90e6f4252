package scan

import (
	"cmp"
	"context"
	"errors"

	"curfew/events"
	"curfew/handlers"
)

// Defender is what this handler needs of Defender for Endpoint.
type Defender interface {
	handlers.MachineRecorder

	// RunAntiVirusScan returns the action that was taken on, or the scan that is open
	// already, of either kind and whoever asked for it. The record shows task and why.
	// An error that is not Unsure says that nothing was taken on.
	RunAntiVirusScan(ctx context.Context, d events.Device, full bool, task, why string) (handlers.MachineAction, error)
}

func (h Handler) byDefender(ctx context.Context, c events.Case, t events.Task, f handlers.Follow, full bool) (events.Fact, error) {
	if h.Defender == nil {
		return nil, handlers.GiveUp(errors.New("Defender for Endpoint is not used here"))
	}
	if t.Accepted != nil || t.Unsure {
		return f.Machine(ctx, h.Defender, c, t)
	}
	a, err := h.Defender.RunAntiVirusScan(ctx, c.Device, full, t.ID, handlers.Summary(c))
	if err != nil {
		return nil, handlers.Effect(err)
	}
	whose := ""
	if !a.Mine {
		whose = " of a scan that is somebody else's"
	}
	return f.Accepted(t, "Defender says "+cmp.Or(a.Status, "nothing yet")+whose), nil
}
