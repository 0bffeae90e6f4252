package look_test

import (
	"testing"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/look"
)

func TestKeepsThePromises(t *testing.T) {
	handlerstest.Run(t, func(testing.TB) handlerstest.World {
		tenant := &handlerstest.Tenant{}
		c := handlerstest.Laptop()
		return handlerstest.World{
			Do: look.Handler{Devices: tenant}.Do, Case: c, Task: handlerstest.Task(c, events.Order{Action: events.Look}),
			Effects: tenant.Effects, Calls: &tenant.Reads, Reads: &tenant.Reads,
		}
	})
}

// Graph answering about another device must never become a fact about this one.
func TestAnotherDeviceIsNoAnswer(t *testing.T) {
	tenant := &handlerstest.Tenant{Change: func(d *events.Device) { d.Key.Device = "another" }}
	c := handlerstest.Laptop()
	fact, err := look.Handler{Devices: tenant}.Do(t.Context(), c, handlerstest.Task(c, events.Order{Action: events.Look}))
	if err == nil || !handlers.Read(err).GiveUp {
		t.Errorf("got %v, %v; want an error that gives up", fact, err)
	}
}
