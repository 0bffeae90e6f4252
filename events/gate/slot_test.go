package gate_test

import (
	"fmt"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/gate"
)

// Full scans that one task starts on many devices share the budget with all
// others, by whichever worker; the same device costs one slot however often it is
// asked about. Quick ones cost nothing.
func TestScansOfNeighboursTakeSlots(t *testing.T) {
	limits := func(g *gate.Guard) {
		g.Limits = map[string]gate.Limit{gate.BudgetFullScan: {Count: 3, Window: time.Hour}}
	}
	inWorld(t, 20, limits, func(w *world) {
		t := w.t
		slot := func(worker, device int, full bool) time.Duration {
			t.Helper()
			wait, err := w.guards[worker].ScanSlot(t.Context(), tenant, fmt.Sprintf("contoso/d1/7-neighbours/d%d", device), full)
			check(t, err)
			return wait
		}
		for i := range 100 {
			if wait := slot(i%2, i, false); wait != 0 {
				t.Fatalf("quick scan %d has to wait for %v", i, wait)
			}
		}
		for i := range 9 {
			if wait := slot(i%2, i/3, true); wait != 0 {
				t.Errorf("device %d has to wait for %v", i/3, wait)
			}
		}
		if wait := slot(0, 4, true); wait < 59*time.Minute || wait > time.Hour+time.Second {
			t.Errorf("the fourth device has to wait for %v", wait)
		}
		time.Sleep(time.Hour + time.Second)
		if wait := slot(1, 4, true); wait != 0 {
			t.Errorf("an hour later it still has to wait for %v", wait)
		}
	})
}

// A pause stops what a task has begun, between two devices.
func TestAPauseStopsScansOfNeighbours(t *testing.T) {
	inWorld(t, 20, nil, func(w *world) {
		t := w.t
		ps := gate.Pauses{Store: store{w.j.State()}}
		for _, a := range []events.Action{events.Scan, events.Neighbours, ""} {
			check(t, ps.Set(t.Context(), gate.Pause{Tenant: tenant, Action: a, By: "jo", Reason: "lunch", At: time.Now()}))
			for _, full := range []bool{true, false} {
				if wait, err := w.guards[0].ScanSlot(t.Context(), tenant, "x", full); wait < time.Minute || err != nil {
					t.Errorf("%q is paused, and a scan may go on (%v, %v)", a, wait, err)
				}
				if wait, err := w.guards[0].ScanSlot(t.Context(), "fabrikam", "x", full); wait != 0 || err != nil {
					t.Errorf("another tenant waits for %v, %v", wait, err)
				}
			}
			for _, by := range []string{"kim", "ben"} { // the second one where it takes two
				if _, lifted, err := ps.Lift(t.Context(), tenant, a, by, time.Now()); lifted || err != nil {
					check(t, err)
					break
				}
			}
		}
		if wait, err := w.guards[0].ScanSlot(t.Context(), tenant, "x", true); wait != 0 || err != nil {
			t.Errorf("nothing is paused, and it waits for %v, %v", wait, err)
		}
	})
}

// A budget that nobody can read allows nothing.
func TestASlotOfAGuardThatIsNotWhole(t *testing.T) {
	if _, err := (&gate.Guard{}).ScanSlot(t.Context(), tenant, "x", false); err == nil {
		t.Error("a guard without a store let a scan through")
	}
}
