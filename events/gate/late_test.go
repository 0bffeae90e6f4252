package gate_test

import (
	"context"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/gate"
)

// late answers as of before anything was written, as a server does that was cut off.
type late struct{ *memory }

func (late) Get(context.Context, string) ([]byte, uint64, error) { return nil, 0, nil }

// A pause that the one server that answers has not heard of holds what is destructive
// all the same: the last question before the call is confirmed by the others.
func TestAPauseThatAServerHasMissed(t *testing.T) {
	kept := newMemory()
	x := &life{memory: kept}
	now := gate.Guard{Store: kept, Cases: x, Fleet: x, Sink: x}
	yesterday := gate.Guard{Store: late{kept}, Cases: x, Fleet: x, Sink: x}
	c := events.Case{Key: events.Key{Tenant: tenant, Device: "d1"}, Open: true}
	still := func(g *gate.Guard, a events.Action) string {
		h, err := g.Still(t.Context(), c, events.Task{ID: "t", Order: events.Order{Action: a}})
		switch {
		case err != nil:
			return "cannot tell"
		case h != nil:
			return h.Gate
		}
		return "goes on"
	}
	for _, a := range []events.Action{events.Reset, events.Mail} {
		if got := still(&yesterday, a); got != "goes on" {
			t.Errorf("without a pause %s %s", a, got)
		}
		check(t, gate.Pauses{Store: kept}.Set(t.Context(), gate.Pause{Action: a, By: "kim", Reason: "x", At: time.Now()}))
		if got := still(&now, a); got != gate.GatePause {
			t.Errorf("%s: %s", a, got)
		}
	}
	if got := still(&yesterday, events.Reset); got != "cannot tell" {
		t.Errorf("a reset %s, though it is paused", got)
	}
	if got := still(&yesterday, events.Mail); got != "goes on" { // it is not worth a write to each mail
		t.Errorf("a mail: %s", got)
	}
}
