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

func byDefender(c events.Case, kind string) events.Task {
	return handlerstest.Task(c, events.Order{Action: events.Scan, Kind: kind, Via: "defender"})
}

func TestByDefenderKeepsThePromises(t *testing.T) {
	handlerstest.Run(t, func(testing.TB) handlerstest.World {
		defender := &handlerstest.Defender{Lag: 3 * time.Minute, Takes: 40 * time.Minute}
		c := handlerstest.Laptop()
		return handlerstest.World{
			Do: scan.Handler{Defender: defender}.Do, Case: c, Task: byDefender(c, "full"),
			Effects: defender.Effects, Calls: &defender.Writes, Reads: &defender.Reads,
		}
	})
}

// A scan that somebody else has under way is as good, if it succeeds.
func TestSomebodyElsesScan(t *testing.T) {
	for ends, want := range map[string]string{"Succeeded": "others", "Failed": "give up"} {
		t.Run(ends, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at := time.Now().Add(-time.Hour)
				defender := &handlerstest.Defender{Past: []handlerstest.MachineAction{{MachineAction: handlers.MachineAction{
					ID: "theirs", Type: "RunAntiVirusScan", Status: "InProgress", By: "jo", Created: at, Updated: at,
				}}}}
				c := handlerstest.Laptop()
				h, task := scan.Handler{Defender: defender}, byDefender(c, "quick")
				task.Begun = &events.Attempt{ID: "1", At: time.Now()}
				fact, err := h.Do(t.Context(), c, task)
				a, ok := fact.(events.Accepted)
				if !ok || err != nil || !strings.Contains(a.Receipt, "somebody else's") || len(defender.Actions()) > 0 {
					t.Fatalf("got %#v, %v, %q", fact, err, defender.Effects())
				}
				task.Accepted = &events.Progress{At: time.Now(), Receipt: a.Receipt}
				time.Sleep(time.Minute)
				defender.Past[0].Status, defender.Past[0].Updated = ends, time.Now()
				fact, err = h.Do(t.Context(), c, task)
				got := map[bool]string{true: "give up", false: "neither"}[handlers.Read(err).GiveUp && strings.Contains(err.Error(), "came to nothing")]
				if d, ok := fact.(events.Done); ok && d.Others && strings.Contains(d.Receipt, "by jo") {
					got = "others"
				}
				if got != want || len(defender.Actions()) > 0 {
					t.Errorf("got %s (%#v, %v), want %s", got, fact, err, want)
				}
			})
		})
	}
}

func TestAsksDefenderForWhatIsMeant(t *testing.T) {
	for kind, full := range map[string]bool{"": false, "quick": false, "full": true} {
		defender, intune, c := &handlerstest.Defender{}, &handlerstest.Tenant{}, handlerstest.Laptop()
		task := byDefender(c, kind)
		_, err := scan.Handler{Intune: intune, Defender: defender}.Do(t.Context(), c, task)
		asked := defender.Actions()
		if err != nil || len(asked) != 1 || asked[0].Full != full || asked[0].Task != task.ID || !strings.Contains(asked[0].Why, "LT-042") || len(intune.Effects()) > 0 {
			t.Errorf("%q: %v, %+v, %q", kind, err, asked, intune.Effects())
		}
	}
}

func TestAScanByAnythingElseIsGivenUp(t *testing.T) {
	c := handlerstest.Laptop()
	for via, want := range map[string]string{"defender": "not used here", "pigeon": `"intune" or "defender"`} {
		task := byDefender(c, "")
		task.Via = via
		_, err := scan.Handler{Intune: &handlerstest.Tenant{}}.Do(t.Context(), c, task)
		if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", via, err)
		}
	}
}
