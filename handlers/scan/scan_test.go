package scan_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/scan"
)

func TestKeepsThePromises(t *testing.T) {
	handlerstest.Run(t, func(testing.TB) handlerstest.World {
		tenant := &handlerstest.Tenant{Lag: 3 * time.Minute, Takes: 40 * time.Minute}
		c := handlerstest.Laptop()
		return handlerstest.World{
			Do: scan.Handler{Intune: tenant}.Do, Case: c, Task: handlerstest.Task(c, events.Order{Action: events.Scan, Kind: "full"}),
			Effects: tenant.Effects, Calls: &tenant.Writes, Reads: &tenant.Reads,
		}
	})
}

// What Intune's record may say of a scan that it took on, and what that means.
func TestProgress(t *testing.T) {
	for name, tt := range map[string]struct {
		actions []events.DeviceAction // Started and Updated are filled in, from the call
		age     time.Duration         // since the call
		want    string                // in the fact or the error
		giveUp  bool
		again   time.Duration // when the task is asked again; zero: it has ended
	}{
		"nothing yet":           {age: time.Minute, want: "asked", again: time.Minute},
		"pending":               {entry("pending", 0), 8 * time.Minute, "pending", false, 8 * time.Minute},
		"pending for long":      {entry("pending", 0), 8 * time.Hour, "pending", false, 30 * time.Minute},
		"nearly at the limit":   {entry("active", 0), 24*time.Hour - time.Minute, "active", false, time.Minute},
		"past the limit":        {entry("active", 0), 24 * time.Hour, "not done after 24h", true, 0},
		"never recorded":        {nil, 24 * time.Hour, "record says: nothing", true, 0},
		"done":                  {entry("done", 0), time.Hour, "done", false, 0},
		"failed":                {entry("failed", 0), time.Hour, "failed", true, 0},
		"not supported":         {entry("notSupported", 0), time.Hour, "notSupported", true, 0},
		"cancelled by a person": {entry("canceled", 0), time.Hour, "canceled", true, 0},
		"a state added since":   {entry("paused", 0), time.Hour, "paused", false, 30 * time.Minute},
		"only an older scan":    {entry("done", -time.Hour), time.Minute, "asked", false, time.Minute},
		"an older and a newer":  {append(entry("failed", -time.Minute), entry("done", time.Second)...), time.Minute, "done", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				call := time.Now().UTC()
				tenant := &handlerstest.Tenant{Change: func(d *events.Device) {
					for _, a := range tt.actions {
						a.Started, a.Updated = call.Add(a.Started.Sub(time.Time{})), call
						d.Actions = append(d.Actions, a)
					}
				}}
				c := handlerstest.Laptop()
				task := handlerstest.Task(c, events.Order{Action: events.Scan})
				task.Begun = &events.Attempt{ID: "1", At: call}
				task.Accepted = &events.Progress{At: call.Add(time.Second), Receipt: "Intune was asked"}
				time.Sleep(tt.age)
				fact, err := scan.Handler{Intune: tenant}.Do(t.Context(), c, task)
				text := ""
				switch f := fact.(type) {
				case events.Done:
					text = f.Receipt
				case events.Accepted:
					text = f.Receipt
					if got := time.Until(f.Again).Round(time.Second); got != tt.again {
						t.Errorf("asked again in %v, want %v", got, tt.again)
					}
				case nil:
					text = err.Error()
				}
				if handlers.Read(err).GiveUp != tt.giveUp || !strings.Contains(text, tt.want) {
					t.Errorf("got %#v, %v; want %q", fact, err, tt.want)
				}
			})
		})
	}
}

// entry is one of the record, started so long after the call.
func entry(state string, started time.Duration) []events.DeviceAction {
	return []events.DeviceAction{{Name: "WindowsDefenderScan", State: state, Started: time.Time{}.Add(started)}}
}

// Nothing is repeated before Intune's record has had its time.
func TestUnsureWaitsForTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := &handlerstest.Tenant{}
		c := handlerstest.Laptop()
		task := handlerstest.Task(c, events.Order{Action: events.Scan})
		task.Begun, task.Unsure = &events.Attempt{ID: "1", At: time.Now()}, true
		h := scan.Handler{Intune: tenant}
		time.Sleep(9 * time.Minute)
		_, err := h.Do(t.Context(), c, task)
		if v := handlers.Read(err); !v.Unsure || v.After != time.Minute {
			t.Errorf("after 9 minutes: %v (%+v); want unsure, and again in one", err, v)
		}
		time.Sleep(time.Minute)
		if _, err = h.Do(t.Context(), c, task); err == nil || handlers.Read(err) != (handlers.Verdict{}) {
			t.Errorf("after 10 minutes: %v; want a plain error, since nothing was started", err)
		}
		if n := tenant.Effects(); len(n) > 0 {
			t.Errorf("settling scanned: %q", n)
		}
	})
}

func TestWhatCannotBeScannedIsGivenUp(t *testing.T) {
	for want, change := range map[string]func(*events.Case, *events.Task){
		"Windows only":       func(c *events.Case, _ *events.Task) { c.Device.OS = "macOS" },
		`"quick" or "full"`:  func(_ *events.Case, t *events.Task) { t.Kind = "thorough" },
		"not known to Intun": func(c *events.Case, _ *events.Task) { c.Device.IntuneID = "" },
	} {
		c := handlerstest.Laptop()
		task := handlerstest.Task(c, events.Order{Action: events.Scan})
		change(&c, &task)
		tenant := &handlerstest.Tenant{}
		_, err := scan.Handler{Intune: tenant}.Do(t.Context(), c, task)
		if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), want) || len(tenant.Effects()) > 0 {
			t.Errorf("got %v, %q; want an error that gives up and says %q", err, tenant.Effects(), want)
		}
	}
}
