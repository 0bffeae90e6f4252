package main

import (
	"context"
	"slices"

	"curfew/events"
	"curfew/events/gate"
	"curfew/events/rules"
	"curfew/graph"
)

// preflightConfig is what is checked before a reset, besides all gates.
type preflightConfig struct {
	SeenWithin rules.Duration            `json:"seen_within"` // 0: a day
	Unknown    map[string]gate.Treatment `json:"unknown"`     // by check; left out: hold
}

// A preflight asks Microsoft whether a device is fit for what is destructive.
type preflight struct {
	tenants interface {
		Preflight(ctx context.Context, d events.Device) ([]graph.Check, error)
	}
}

// Check implements [gate.Checker]. A device of the wrong kind stays so; whatever
// else speaks against a reset may pass. A device that is retired or wiped is not to
// come back as it was, so what that would need does not count.
func (p preflight) Check(ctx context.Context, c events.Case, t events.Task) ([]gate.Reason, error) {
	checks, err := p.tenants.Preflight(ctx, c.Device)
	if err != nil {
		return nil, err
	}
	back := []string{graph.CheckWindows, graph.CheckJoin, graph.CheckAutopilot, graph.CheckKey, graph.CheckUser}
	var out []gate.Reason
	for _, check := range checks {
		if t.Action != events.Reset && slices.Contains(back, check.Name) {
			continue
		}
		out = append(out, gate.Reason{
			Check: check.Name, Answer: gate.Answer(check.Verdict), Why: check.Reason,
			Final: slices.Contains([]string{graph.CheckWindows, graph.CheckJoin}, check.Name),
		})
	}
	return out, nil
}
