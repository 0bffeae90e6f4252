package sync_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/sync"
)

func TestKeepsThePromises(t *testing.T) {
	handlerstest.Run(t, func(testing.TB) handlerstest.World {
		tenant := &handlerstest.Tenant{Lag: 2 * time.Minute}
		c := handlerstest.Laptop()
		return handlerstest.World{
			Do: sync.Handler{Intune: tenant}.Do, Case: c, Task: handlerstest.Task(c, events.Order{Action: events.Sync}),
			Effects: tenant.Effects, Calls: &tenant.Writes, Reads: &tenant.Reads,
		}
	})
}

// Intune's record may never show the action; that the device checked in is
// enough, and that it checked in before it was asked is not.
func TestACheckInIsTheProof(t *testing.T) {
	for name, tt := range map[string]struct {
		lastSync time.Duration // from the call
		done     bool
	}{
		"before the call": {-time.Second, false},
		"after the call":  {time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := time.Now()
				tenant := &handlerstest.Tenant{Change: func(d *events.Device) { d.LastSync = now.Add(tt.lastSync) }}
				c := handlerstest.Laptop()
				task := handlerstest.Task(c, events.Order{Action: events.Sync})
				task.Begun = &events.Attempt{ID: "1", At: now}
				task.Accepted = &events.Progress{At: now}
				time.Sleep(time.Minute)
				fact, err := sync.Handler{Intune: tenant}.Do(t.Context(), c, task)
				if _, done := fact.(events.Done); done != tt.done || err != nil {
					t.Errorf("got %#v, %v; done should be %v", fact, err, tt.done)
				}
			})
		})
	}
}

func TestADeviceThatIntuneDoesNotHaveIsGivenUp(t *testing.T) {
	for want, change := range map[string]func(*events.Device){
		"not known to Intune":  func(d *events.Device) { d.IntuneID = "" },
		"attached by Defender": func(d *events.Device) { d.Agent = "msSense" },
	} {
		c := handlerstest.Laptop()
		change(&c.Device)
		_, err := sync.Handler{Intune: &handlerstest.Tenant{}}.Do(t.Context(), c, handlerstest.Task(c, events.Order{Action: events.Sync}))
		if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want an error that gives up and says %q", err, want)
		}
	}
}
