package main

import (
	"strings"
	"testing"

	"curfew/events"
)

// TestLift lets back what Curfew has isolated, once, and nothing else.
func TestLift(t *testing.T) {
	inWard(t, func(w *ward) {
		p := w.rules.List[0]
		p.Ladder = []events.Rung{{Do: []events.Order{{Action: events.Isolate}}}}
		w.rules.List, w.rules.Attention = []events.Policy{p}, nil
		laptop := w.admit(contoso, "d42", "LT-042", "anna@contoso.example")
		laptop.d.Threat = "highSeverity"
		laptop.look()
		const notOurs = "LT-042: it is not isolated by Curfew; what others isolated is lifted in Defender's portal"
		w.fails(exitFailed, notOurs, "lift", "LT-042")
		laptop.done(events.Isolate, "action-1", "")

		w.fails(exitWrong, "at most 1000", "lift", "LT-042", "--reason", strings.Repeat("a", 1001))
		w.fails(exitNotFound, `no device is called "LT-777"`, "lift", "LT-042", "LT-777")
		w.expect(w.must("lift", "LT-042", "--reason", "needs its updates"),
			"LT-042: it is being let back onto the network; `curfew case` shows when it is\n")
		if got := w.said("d42"); !strings.Contains(got, "jo lifts the isolation: needs its updates") {
			t.Error(got)
		}
		if task := laptop.task(events.Unisolate); task.Ref != "action-1" {
			t.Errorf("%+v", task)
		}
		w.fails(exitFailed, "LT-042: it is being let back already", "lift", "LT-042")
		laptop.done(events.Unisolate, "action-2", "")
		w.fails(exitFailed, notOurs, "lift", "LT-042")
	})
}
