package investigate_test

import (
	"testing"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/investigate"
)

func task(c events.Case) events.Task {
	return handlerstest.Task(c, events.Order{Action: events.Investigate})
}

func TestKeepsThePromises(t *testing.T) {
	handlerstest.Run(t, func(testing.TB) handlerstest.World {
		defender := &handlerstest.Defender{Takes: 24 * time.Hour}
		c := handlerstest.Laptop()
		return handlerstest.World{
			Do: investigate.Handler{Defender: defender}.Do, Case: c, Task: task(c),
			Effects: defender.Effects, Calls: &defender.Writes,
		}
	})
}

// What works on the device already is not started again, and not called ours.
func TestWhatRunsAlready(t *testing.T) {
	alert := func(state, status string) func(*events.Case, *events.Task, *handlerstest.Defender) {
		return func(c *events.Case, _ *events.Task, _ *handlerstest.Defender) {
			c.Device.Alerts = []events.Alert{{ID: "a", Status: status, Investigation: state}}
		}
	}
	runs := []handlerstest.MachineAction{{MachineAction: handlers.MachineAction{Type: "Investigation", Status: "Running"}}}
	const (
		started = "investigation action-1: Queued"
		others  = "an investigation of Defender's works on the device already"
	)
	for name, tt := range map[string]struct {
		given func(*events.Case, *events.Task, *handlerstest.Defender)
		want  events.Done
		asked int
	}{
		"nothing":                         {alert("", "new"), events.Done{Receipt: started}, 1},
		"one on an open alert":            {alert("running", "new"), events.Done{Receipt: others, Others: true}, 0},
		"one that waits to":               {alert("queued", "inProgress"), events.Done{Receipt: others, Others: true}, 0},
		"one that has ended":              {alert("failed", "new"), events.Done{Receipt: started}, 1},
		"one on an alert that is over":    {alert("running", "resolved"), events.Done{Receipt: started}, 1},
		"one that Defender alone knows":   {func(_ *events.Case, _ *events.Task, df *handlerstest.Defender) { df.Past = runs }, events.Done{Receipt: "an investigation of Defender's runs already", Others: true}, 0},
		"one that may be this task's own": {func(_ *events.Case, t *events.Task, df *handlerstest.Defender) { df.Past, t.Unsure = runs, true }, events.Done{Receipt: "an investigation runs, which this task may have started"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			defender, c := &handlerstest.Defender{}, handlerstest.Laptop()
			task := task(c)
			tt.given(&c, &task, defender)
			tt.want.Task = task.ID
			fact, err := investigate.Handler{Defender: defender}.Do(t.Context(), c, task)
			if n := len(defender.Actions()); fact != tt.want || err != nil || n != tt.asked {
				t.Errorf("got %#v, %v, asked %d times; want %#v, %d", fact, err, n, tt.want, tt.asked)
			}
		})
	}
}

func TestDryRunStartsNothing(t *testing.T) {
	defender, c := &handlerstest.Defender{}, handlerstest.Laptop()
	fact, err := investigate.Handler{Defender: defender, DryRun: true}.Do(t.Context(), c, task(c))
	if d, ok := fact.(events.Done); !ok || !d.Dry || err != nil || len(defender.Actions()) > 0 {
		t.Errorf("got %#v, %v, %q", fact, err, defender.Effects())
	}
}
