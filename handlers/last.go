package handlers

import (
	"context"
	"fmt"
	"slices"

	"curfew/events"
)

// A Looker reads the device of a case afresh, and the alerts that the case knows.
type Looker interface {
	Look(ctx context.Context, c events.Case) (events.Device, error)
}

// LastLook reads the device of a case once more, right before something is done
// to it. If the case is not open any more, or anything it was decided on has
// eased, it returns the fact to end with: what it saw, for [events.Step] to decide
// on anew. Its errors say that nothing was done.
func LastLook(ctx context.Context, r Looker, c events.Case, t events.Task) (events.Device, events.Fact, error) {
	d, err := r.Look(ctx, c)
	switch {
	case err != nil:
		return d, nil, Sure(fmt.Errorf("the last look: %w", err))
	case d.Key != c.Key:
		return d, nil, GiveUp(fmt.Errorf("the last look was for %s and showed %s", c.Key, d.Key))
	case !c.Open || !c.Clearing.IsZero() || Eased(c.Device, d):
		return d, events.Seen{Device: d, Task: t.ID}, nil
	}
	return d, nil, nil
}

// Eased reports whether any of what the case was decided on is not as bad any
// more. Whether that is enough is for the case machine to say.
func Eased(was, is events.Device) bool {
	malware := func(m events.Malware) bool {
		return !slices.ContainsFunc(is.ActiveMalware(), func(x events.Malware) bool { return x.Name == m.Name })
	}
	alert := func(a events.Alert) bool {
		return slices.ContainsFunc(is.Alerts, func(x events.Alert) bool { return x.ID == a.ID && !x.Open() })
	}
	setting := func(s events.Setting) bool {
		return !slices.ContainsFunc(is.Settings, func(x events.Setting) bool { return x.Policy == s.Policy && x.Name == s.Name })
	}
	return is.Threat.Level() < was.Threat.Level() ||
		was.Compliance != "compliant" && is.Compliance != was.Compliance ||
		slices.ContainsFunc(was.ActiveMalware(), malware) ||
		slices.ContainsFunc(was.OpenAlerts(), alert) ||
		slices.ContainsFunc(was.Settings, setting)
}
