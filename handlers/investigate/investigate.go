// Package investigate has Defender investigate a device by itself, which may
// remediate what it finds. Where an investigation works on the device already,
// none is started: it is handled elsewhere.
//
// Defender keeps no record that could tell whether a call with an unclear end was
// taken on. It is asked again then, which does no harm: while one investigation
// runs, Defender starts no other (Defender docs: initiate-autoir-investigation).
//
// Done means that the investigation was started. What comes of it, the alerts
// show at a later look; rungs that wait for investigations wait for that.
package investigate

import (
	"cmp"
	"context"
	"fmt"

	"curfew/events"
	"curfew/handlers"
)

// Defender is what this handler needs of Defender for Endpoint.
type Defender interface {
	// StartInvestigation returns Defender's id of the investigation and its state;
	// without an id: one was running. task and why go into its comment.
	StartInvestigation(ctx context.Context, d events.Device, task, why string) (id, state string, err error)
}

// Handler starts investigations.
type Handler struct {
	Defender Defender
	DryRun   bool // start none, and say so
}

// Do starts an investigation.
func (h Handler) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	fact, err := h.do(ctx, c, t)
	if err != nil {
		return nil, fmt.Errorf("investigate: %w", err)
	}
	return fact, nil
}

func (h Handler) do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	switch {
	case c.Device.Investigating() && !t.Unsure:
		return events.Done{Task: t.ID, Others: true, Receipt: "an investigation of Defender's works on the device already"}, nil
	case h.DryRun && !t.Unsure:
		return events.Done{Task: t.ID, Dry: true, Receipt: "dry run: Defender would have been asked to investigate now; nothing was done"}, nil
	}
	id, state, err := h.Defender.StartInvestigation(ctx, c.Device, t.ID, handlers.Summary(c))
	switch {
	case err != nil:
		return nil, handlers.Effect(err)
	case id == "" && t.Unsure:
		return events.Done{Task: t.ID, Receipt: "an investigation runs, which this task may have started"}, nil
	case id == "":
		return events.Done{Task: t.ID, Others: true, Receipt: "an investigation of Defender's runs already"}, nil
	}
	return events.Done{Task: t.ID, Receipt: "investigation " + id + ": " + cmp.Or(state, "started")}, nil
}
