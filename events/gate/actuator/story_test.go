package actuator_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/events/gate/actuator"
)

// TestAlertsAreReadAnew: of the alerts that a case brings nothing is believed, and
// one that Defender does not have on this device does not count.
func TestAlertsAreReadAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := events.Key{Tenant: tenant, Device: deviceID}
		d := w.devices[k]
		d.Threat = "secured"
		d.Alerts = []events.Alert{
			{ID: "elsewhere", Severity: "high", Status: "new"}, // is about another device: no evidence about this one
			{ID: "over", Severity: "high", Status: "resolved", DefenderDevice: "d1"},
		}
		w.devices[k] = d
		c, task := w.honest(scan, scans)
		c.Device.Alerts = []events.Alert{
			{ID: "made up", Severity: "high", Status: "new", Verdict: "malicious", DefenderDevice: "d1", ReadAt: time.Now().Add(time.Hour)},
			{ID: "elsewhere", Severity: "high", Status: "new", DefenderDevice: "d1"},
			{ID: "over", Severity: "high", Status: "new"},
		}
		w.mustHold(c, task, "not at risk")
		for _, a := range w.asked[0].Device.Alerts {
			if a != (events.Alert{ID: a.ID}) {
				t.Errorf("the look was given %+v", a)
			}
		}
		if w.asked[0].Device.DefenderID != "" || w.asked[0].Person != (events.Person{}) || w.asked[0].Told != (time.Time{}) {
			t.Errorf("the look was given %+v", w.asked[0])
		}
		d.Alerts = append(d.Alerts, events.Alert{ID: "real", Severity: "high", Status: "new", DefenderDevice: "d1"})
		w.devices[k] = d
		c.Device.Alerts = append(c.Device.Alerts, events.Alert{ID: "real"})
		w.mustDo(c, task)
	})
}

// TestOneApprovalOneCall: a watcher that stores an old case again gets nothing
// for it. What was not called, or not for sure, is another matter.
func TestOneApprovalOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c, task := w.honest(reset, resets)
		w.err = errors.New("graph: 503") // a promise that nothing happened
		if _, err := w.do(c, task); !errors.Is(err, w.err) {
			t.Fatal(err)
		}
		w.err, w.fact = nil, events.Held{Task: task.ID, Gate: "budget"}
		w.mustDo(c, task)
		w.fact = events.Seen{Task: task.ID}
		w.mustDo(c, task)
		w.fact = nil
		w.mustDo(c, task) // this time it was called
		w.mustHold(c, task, "0 of 1 approvals are signed for this task, this risk and now")

		time.Sleep(time.Hour)
		task.Approvals = nil
		sign(&task, "cto@contoso.example", time.Now())
		w.err = maybe{errors.New("no answer in time")} // and a person allows it once more
		if _, err := w.do(c, task); !errors.Is(err, w.err) {
			t.Fatal(err)
		}
		w.err = nil
		w.mustHold(c, task, "0 of 1")
	})
}

// TestOneApprovalOneCallAfterAll: not even a process that is started anew takes an
// approval twice, and one that cannot remember calls nothing.
func TestOneApprovalOneCallAfterAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		kept := &memory{}
		w.Memory = kept
		c, task := w.honest(reset, resets)
		w.mustDo(c, task)
		w.Actuator = &actuator.Actuator{Rules: rules(), Looker: w, Signed: signed, Memory: kept, Log: w.Log}
		w.mustHold(c, task, "0 of 1 approvals are signed")
		for _, full := range []func(){
			func() { kept.load, kept.save = errors.New("no such disk"), nil },
			func() { kept.load, kept.save = nil, errors.New("no space left") },
		} {
			full()
			w.Actuator = &actuator.Actuator{Rules: rules(), Looker: w, Signed: signed, Memory: kept, Log: w.Log}
			calls := len(w.called)
			task.Approvals = nil
			time.Sleep(time.Minute)
			sign(&task, "cto@contoso.example", time.Now())
			f, err := w.do(c, task)
			var u interface{ Unsure() bool }
			if f != nil || err == nil || !errors.As(err, &u) || u.Unsure() || len(w.called) != calls {
				t.Errorf("got %v, %v", f, err)
			}
		}
		kept.load, kept.save = nil, nil
		w.mustDo(c, task)
		kept.save = errors.New("no space left") // other actions need no memory
		w.mustDo(w.honest(scan, scans))
	})
}

// memory is one that may fail.
type memory struct {
	called     map[string]time.Time
	load, save error
}

func (m *memory) Load() (map[string]time.Time, error) { return m.called, m.load }

func (m *memory) Save(called map[string]time.Time) error {
	if m.save == nil {
		m.called = called
	}
	return m.save
}

type maybe struct{ error }

func (maybe) Unsure() bool { return true }

// TestTwoPeople: two approvals are of two people, each signed.
func TestTwoPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Rules.List[1].Ladder[resets-1].Approvals = 2
		c, task := w.honest(reset, resets)
		w.mustHold(c, task, "needs 2 approvals, and the task says 1")
		task.Needs = 2
		w.mustHold(c, task, "1 of 2")
		sign(&task, "Mallory.CTO@contoso.example ", time.Now()) // the same one
		w.mustHold(c, task, "1 of 2")
		sign(&task, "ben@contoso.example", time.Now())
		w.mustDo(c, task)
		w.Signed = nil // without the key nothing is proven
		w.mustHold(c, task, "0 of 2")
	})
}

// TestSettled: a task that may have been done is never held, for that would start
// it over; its handler reads what became of it, whatever the case says.
func TestSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c, task := w.honest(reset, noRung)
		for _, change := range []func(*events.Task){
			func(t *events.Task) { t.Unsure = true },
			func(t *events.Task) { t.Unsure, t.Accepted = false, &events.Progress{At: time.Now()} },
		} {
			change(&task)
			w.mustDo(c, task)
		}
		if len(w.asked) > 0 {
			t.Error("it looked at the device for nothing")
		}
		near, task := w.honest(events.Order{Action: events.Neighbours, Kind: "quick", Scope: "user"}, scans)
		task.Accepted = &events.Progress{At: time.Now()} // goes on to the next ones
		w.mustHold(near, task, "orders no such thing")
	})
}

// TestInOneProcess: where the cases are one's own, no second look is taken and
// approvals need no proof; rules and grace are checked all the same.
func TestInOneProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Looker, w.Signed = nil, nil
		c, task := w.honest(reset, resets)
		task.Approvals = []events.Approval{{By: "jo", At: time.Now()}}
		w.mustDo(c, task)
		w.mustDo(c, task) // the case machine and the journal see to it that it comes once
		c2, retire := w.honest(events.Order{Action: events.Retire}, unasked)
		w.mustDo(c2, retire)
		if len(w.asked) > 0 {
			t.Error("it looked")
		}
		unseen, sync := w.honest(events.Order{Action: events.Sync}, noRung)
		unseen.Device = events.Device{}
		w.mustDo(unseen, sync)

		task.Approvals = nil
		w.mustHold(c, task, "0 of 1 approvals")
		c3, early := w.honest(reset, resets)
		c3.Told = time.Now()
		w.mustHold(c3, early, "grace has not passed")
		c4, high := w.honest(reset, resets)
		c4.Device.Threat = "mediumSeverity"
		w.mustHold(c4, high, "is not for a device that is so")
	})
}

// TestLookFails: a look that fails by chance puts the task off, and says that
// nothing was called.
func TestLookFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c, task := w.honest(reset, resets)
		w.Looker = failing{}
		f, err := w.do(c, task)
		var u interface{ Unsure() bool }
		if f != nil || err == nil || !errors.As(err, &u) || u.Unsure() || len(w.called) > 0 {
			t.Errorf("got %v, %v", f, err)
		}
	})
}

// TestPatience: what is held long is asked about ever more rarely.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c, task := w.honest(reset, noRung)
		for _, stage := range []struct{ since, wait time.Duration }{{0, time.Hour}, {time.Hour, time.Hour}, {8 * time.Hour, 4 * time.Hour}, {99 * time.Hour, 6 * time.Hour}} {
			task.Held = &events.Holding{Gate: actuator.Gate, Since: time.Now().Add(-stage.since)}
			f, err := w.do(c, task)
			if h, ok := f.(events.Held); err != nil || !ok || time.Until(h.Until) != stage.wait {
				t.Errorf("held for %v: again in %v, not %v (%v)", stage.since, time.Until(h.Until), stage.wait, err)
			}
		}
	})
}

type failing struct{}

func (failing) Look(context.Context, events.Case) (events.Device, error) {
	return events.Device{}, context.DeadlineExceeded
}
