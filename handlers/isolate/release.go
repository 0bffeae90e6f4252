package isolate

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers"
)

const week = 7 * 24 * time.Hour

// release lets a device back, as far as it goes now. It goes by the record alone,
// so that it may be called at any time and after any end.
func (h Handler) release(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	f := h.follow(handlers.MachineUnisolate, cmp.Or(h.Patience, week))
	late := time.Since(t.Asked) >= f.Limit
	all, err := h.Defender.MachineActions(ctx, c.Device, t.ID)
	switch {
	case err != nil && t.Accepted == nil && !t.Unsure:
		return nil, byHand(c, late, handlers.Sure(fmt.Errorf("read whether the device is isolated: %w", err)))
	case err != nil:
		return nil, byHand(c, late, handlers.Unsure(fmt.Errorf("read whether the device is isolated: %w", err)))
	}
	a := last(all)
	switch {
	case a.Type == "":
		return events.Done{Task: t.ID, Receipt: "Defender's record shows no isolation of the machine"}, nil
	case a.Type == handlers.MachineUnisolate && a.Succeeded():
		return events.Done{Task: t.ID, Receipt: cmp.Or(a.ID, "let back") + " " + a.Done()}, nil
	case late:
		return nil, byHand(c, late, handlers.TimedOut(fmt.Errorf("it is not let back after %v; Defender's record says: %s %s", f.Limit, a.Type, a.Status)))
	case a.Open(): // also an isolation, which can be taken back only once it is there
		return f.Accepted(t, says(a)), nil
	case a.Succeeded() && t.Ref != "" && !strings.EqualFold(a.ID, t.Ref) && knows(all, t.Ref):
		return events.Done{Task: t.ID, Receipt: "it was isolated again " + a.Done() + ", which is theirs to lift"}, nil
	case t.Unsure && t.Accepted == nil && time.Since(f.From(t)) < f.Settle:
		return nil, f.Unsettled(t, "Defender")
	}
	asked, err := h.Defender.Unisolate(ctx, c.Device, t.ID, handlers.Summary(c))
	if err != nil {
		return nil, byHand(c, false, handlers.Effect(err))
	}
	return f.Accepted(t, says(asked)), nil
}

// knows reports whether the record has the action that is to be taken back.
func knows(all []handlers.MachineAction, id string) bool {
	for _, a := range all {
		if strings.EqualFold(a.ID, id) {
			return true
		}
	}
	return false
}

// byHand says what a person has to do, where Curfew gives up on a device that may
// still be cut off.
func byHand(c events.Case, late bool, err error) error {
	if !late && !handlers.Read(err).GiveUp {
		return err
	}
	name := cmp.Or(handlers.Line(c.Device.Name, 80), c.Key.Device)
	return handlers.GiveUp(fmt.Errorf("the device may still be cut off; a person has to let it back: security.microsoft.com > Assets > Devices > %s > Release from isolation: %w", name, err))
}
