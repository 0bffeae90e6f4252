package events

import (
	"fmt"
	"slices"
	"time"
)

// climb asks for the next rung if it is due, and else says when it will be.
func (t *turn) climb() {
	t.due = time.Time{}
	pol := t.policy()
	if pol == nil || t.Hold != nil || t.Woken != nil || !t.Clearing.IsZero() || t.busy() {
		return
	}
	for ; t.Rung < len(pol.Ladder); t.Rung++ {
		rung := pol.Ladder[t.Rung]
		if !t.isDue(pol, rung) || !t.inSight(rung) {
			return
		}
		if !t.applies(rung) {
			continue
		}
		t.Rung++
		for _, o := range rung.Do {
			t.ask(o, t.Rung, "")
			if last := &t.Pending[len(t.Pending)-1]; o.Action.Grave() && rung.Approvals > 0 {
				last.Needs, last.Seal = rung.Approvals, t.Device.Risk()
				t.attend("%s needs approval by %d: %s", describe(*last), rung.Approvals, last.ID)
				t.invite(last.ID)
			}
		}
		return
	}
	t.due = t.Since.Add(ending)
	if !t.now.Before(t.due) {
		t.attend("the ladder has ended and the device is still at risk")
	}
}

// isDue reports whether the rung's time has come, and notes when it will.
func (t *turn) isDue(pol *Policy, rung Rung) bool {
	t.due = t.Since.Add(rung.After)
	if rung.Destructive() {
		if t.Told.IsZero() {
			t.due = time.Time{}
			t.attend("the user could not be told, so the ladder stops before the reset")
			return false
		}
		t.due = later(t.due, t.Told.Add(pol.Grace))
		if t.Device.AwaitsActionCenter() {
			return false // a person decides there first
		}
	}
	if rung.WaitsInvestigation && (t.Device.Investigating() || t.Device.AwaitsActionCenter()) {
		t.due = t.due.Add(pol.InvestigationCap)
	}
	return !t.now.Before(t.due)
}

// inSight reports whether the device was seen since the rung became due, and
// asks for a look otherwise. If looking keeps failing, or the risk was lost from
// sight without being proven gone, people are told all the same, but nothing is
// done to the device.
func (t *turn) inSight(rung Rung) bool {
	seen := t.Rung == 0 && rung.After == 0 || !t.Device.SeenAt.Before(t.due)
	switch i := t.find(Look); {
	case !seen && i < 0:
		t.look()
		return false
	case !seen && (t.Pending[i].Tries < blind || rung.Destructive()):
		return false
	case !seen:
		t.Shown = false // what the rung does to the device waits for the next look
	}
	if rung.needsSight() && !t.Shown {
		t.attend("the risk is out of sight, but health is not proven")
		return !rung.Destructive()
	}
	return true
}

// applies reports whether the rung's condition holds. One that cannot be
// answered lets people be told, but nothing be done to the device.
func (t *turn) applies(rung Rung) bool {
	if rung.If == nil {
		return true
	}
	ok, err := rung.If.Holds(t.Device)
	if err != nil {
		t.attend("rung %d: %v", t.Rung+1, err)
		return !rung.needsSight()
	}
	return ok
}

// ask makes a task. It goes into the queue at once, unless another one to the
// same place is pending: what is said of a case arrives in the order it was said.
func (t *turn) ask(o Order, rung int, ref string) {
	t.Asked++
	task := Task{
		ID:    fmt.Sprintf("%s/%d-%s", t.Key, t.Asked, o.Action),
		N:     t.Asked,
		Order: o,
		Case:  t.ID(),
		Ref:   ref,
		Rung:  rung,
		Asked: t.now,
		Next:  t.now,
	}
	if rung > 0 {
		task.Policy = t.Policy
	}
	if o.Action.Destructive() {
		task.For = t.Device.IntuneID
	}
	for _, other := range slices.Backward(t.Pending) {
		if place(other.Order) != "" && place(other.Order) == place(o) {
			task.After = other.ID
			break
		}
	}
	if rung > 0 { // what is asked for without one may be done again, and has to be
		t.doubt(&task)
	}
	t.Pending = append(t.Pending, task)
}

// place is where an order is heard.
func place(o Order) string {
	switch o.Action {
	case Mail:
		return "mail:" + o.Destination
	case Isolate, Unisolate:
		return "network"
	}
	return o.Destination
}

// send puts into the queue what is due there: new tasks, those whose delay has
// passed, and those nothing was heard of for long.
func (t *turn) send() {
	for i := range t.Pending {
		task := &t.Pending[i]
		if task.After != "" || t.now.Before(task.Next) || (!task.Out && task.Begun == nil && (t.barred(*task) != "" || t.stale(*task))) {
			continue
		}
		if !task.Out && task.Sent == 0 && task.Action != Look {
			t.say("%s", describe(*task))
		}
		task.Out, task.Next = true, t.now.Add(recheck)
		task.Sent++
		t.sent = append(t.sent, task.ID)
	}
}

// strike takes a task off the list, and lets go those that waited for it.
func (t *turn) strike(id string) {
	t.Pending = slices.DeleteFunc(t.Pending, func(task Task) bool { return task.ID == id })
	for i := range t.Pending {
		if t.Pending[i].After == id {
			t.Pending[i].After, t.Pending[i].Next = "", t.now
		}
	}
}
