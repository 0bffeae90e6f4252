package main

import (
	"context"
	"errors"
	"testing"

	"curfew/events"
	"curfew/events/gate"
	"curfew/graph"
)

type checks func() ([]graph.Check, error)

func (c checks) Preflight(context.Context, events.Device) ([]graph.Check, error) { return c() }

// A device of the wrong kind ends the task; what may pass, or is not known, only
// holds it; and where Microsoft could not be asked nothing is decided.
func TestPreflightForTheGate(t *testing.T) {
	p := preflight{checks(func() ([]graph.Check, error) {
		return []graph.Check{
			{Name: graph.CheckJoin, Verdict: graph.No, Reason: "hybrid joined"},
			{Name: graph.CheckSeen, Verdict: graph.No, Reason: "two days ago"},
			{Name: graph.CheckKey, Verdict: graph.Unknown, Reason: "BitlockerKey.ReadBasic.All is missing"},
			{Name: graph.CheckWindows, Verdict: graph.Yes},
		}, nil
	})}
	task := events.Task{Order: events.Order{Action: events.Reset}}
	reasons, err := p.Check(t.Context(), events.Case{}, task)
	if err != nil || len(reasons) != 4 {
		t.Fatal(reasons, err)
	}
	for i, want := range []gate.Reason{
		{Check: "entra-joined", Answer: gate.No, Why: "hybrid joined", Final: true},
		{Check: "seen", Answer: gate.No, Why: "two days ago"},
		{Check: "recovery-key", Answer: gate.Unknown, Why: "BitlockerKey.ReadBasic.All is missing"},
		{Check: "windows", Answer: gate.Yes, Final: true},
	} {
		if reasons[i] != want {
			t.Errorf("%+v\nwant %+v", reasons[i], want)
		}
	}
	for _, a := range []events.Action{events.Retire, events.Wipe} { // not only for Windows, and for good
		task.Action = a
		if reasons, err := p.Check(t.Context(), events.Case{}, task); err != nil || len(reasons) != 1 || reasons[0].Check != "seen" {
			t.Errorf("%s: %+v %v", a, reasons, err)
		}
	}
	down := errors.New("503")
	p = preflight{checks(func() ([]graph.Check, error) { return nil, down })}
	if reasons, err := p.Check(t.Context(), events.Case{}, task); !errors.Is(err, down) || reasons != nil {
		t.Error(reasons, err)
	}
}
