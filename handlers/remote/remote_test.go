package remote_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/remote"
)

func phone() events.Case {
	c := handlerstest.Laptop()
	c.Device.OS = "iOS"
	return c
}

func task(c events.Case, a events.Action) events.Task {
	return handlerstest.Task(c, events.Order{Action: a})
}

func TestKeepsThePromises(t *testing.T) {
	for action, c := range map[events.Action]events.Case{events.Lock: phone(), events.Restart: handlerstest.Laptop()} {
		t.Run(string(action), func(t *testing.T) {
			handlerstest.Run(t, func(testing.TB) handlerstest.World {
				tenant := &handlerstest.Tenant{Lag: 3 * time.Minute, Takes: 40 * time.Minute}
				return handlerstest.World{
					Do: remote.Handler{Intune: tenant}.Do, Case: c, Task: handlerstest.Task(c, events.Order{Action: action}),
					Effects: tenant.Effects, Calls: &tenant.Writes, Reads: &tenant.Reads,
				}
			})
		})
	}
}

func TestAsksForWhatIsMeant(t *testing.T) {
	for action, want := range map[events.Action]string{events.Lock: "remoteLock", events.Restart: "rebootNow"} {
		synctest.Test(t, func(t *testing.T) {
			tenant, c := &handlerstest.Tenant{}, phone()
			h := remote.Handler{Intune: tenant}
			task := task(c, action)
			fact, err := h.Do(t.Context(), c, task)
			a, ok := fact.(events.Accepted)
			if got := tenant.Effects(); !ok || err != nil || len(got) != 1 || !strings.HasPrefix(got[0], want+" on ") {
				t.Fatalf("%s: got %#v, %v, %q", action, fact, err, got)
			}
			task.Accepted = &events.Progress{At: time.Now().UTC(), Receipt: a.Receipt}
			time.Sleep(2 * time.Minute)
			fact, err = h.Do(t.Context(), c, task)
			if d, ok := fact.(events.Done); !ok || err != nil || !strings.HasPrefix(d.Receipt, want+": Intune says done") {
				t.Errorf("%s: got %#v, %v", action, fact, err)
			}
		})
	}
}

func TestWhatCannotBeDoneIsGivenUp(t *testing.T) {
	for want, tt := range map[string]struct {
		action events.Action
		change func(*events.Device)
	}{
		"runs Windows, which Intune cannot lock": {events.Lock, func(d *events.Device) { d.OS = "Windows" }},
		"not known to Intune":                    {events.Restart, func(d *events.Device) { d.IntuneID = "" }},
		"attached by Defender only":              {events.Lock, func(d *events.Device) { d.Agent = "msSense" }},
	} {
		tenant, c := &handlerstest.Tenant{}, phone()
		tt.change(&c.Device)
		_, err := remote.Handler{Intune: tenant}.Do(t.Context(), c, task(c, tt.action))
		if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), want) || len(tenant.Effects()) > 0 {
			t.Errorf("got %v, %q; want an error that gives up and says %q", err, tenant.Effects(), want)
		}
	}
}

// A dry run finds what could not be done, and does nothing.
func TestDryRun(t *testing.T) {
	tenant, c := &handlerstest.Tenant{}, phone()
	h := remote.Handler{Intune: tenant, DryRun: true}
	for action, want := range map[events.Action]string{events.Lock: "would have been locked", events.Restart: "would have been restarted"} {
		fact, err := h.Do(t.Context(), c, task(c, action))
		if d, ok := fact.(events.Done); !ok || !d.Dry || err != nil || !strings.Contains(d.Receipt, want) || len(tenant.Effects()) > 0 {
			t.Errorf("got %#v, %v, %q", fact, err, tenant.Effects())
		}
	}
	if _, err := h.Do(t.Context(), handlerstest.Laptop(), task(c, events.Lock)); err == nil {
		t.Error("a dry run did not notice that the device cannot be locked")
	}
}
