package events

import (
	"slices"
	"strings"
	"time"
)

// bid asks for what a policy says at the end; its mails only if the user had
// one before.
func (t *turn) bid(policy string, told bool) {
	i := t.p.named(policy)
	if i == len(t.p.List) {
		return
	}
	for _, o := range t.p.List[i].Closing {
		if o.Action != Mail || told {
			t.ask(o, 0, "")
		}
	}
}

// undo asks for an effect to be taken back, once.
func (t *turn) undo(e Effect) {
	asked := slices.ContainsFunc(t.Pending, func(task Task) bool { return takesBack(task, e) })
	switch undo := e.Action.undo(); {
	case undo == "" || asked || e.Digest || undo == Unisolate && e.Back:
	case undo != Restore:
		t.ask(Order{Action: undo, Destination: e.Destination}, 0, e.Ref)
	case !e.Back && t.Device.User == "" && t.Person.UserID != "":
		t.ask(Order{Action: Restore}, 0, t.Person.UserID)
	}
}

// takesBack reports whether a task takes an effect back.
func takesBack(task Task, e Effect) bool {
	return task.Action == e.Action.undo() && task.Destination == e.Destination && task.Action != ""
}

// stuck keeps an isolation whose lifting was given up: the case stays open for a
// person, whatever the device shows.
func (t *turn) stuck(task Task) {
	if task.Action != Unisolate {
		return
	}
	t.forget(task)
	t.Effects = append(t.Effects, Effect{Action: Isolate, Ref: task.Ref, At: t.now, Back: true})
}

// spare drops the effect that an accepted isolation had, when it turns out not to
// be one of ours, or not to be at all.
func (t *turn) spare(task Task) {
	if task.Action == Isolate {
		t.Effects = slices.DeleteFunc(t.Effects, func(e Effect) bool { return e.Action == Isolate && e.Ref == "" })
	}
}

// forget drops the effect that a task has taken back.
func (t *turn) forget(task Task) {
	t.Effects = slices.DeleteFunc(t.Effects, func(e Effect) bool { return takesBack(task, e) })
}

// restore gives a device that was reset its primary user back, once it has shown
// that it has none: a reset takes them away (Intune docs: Autopilot Reset).
func (t *turn) restore() {
	for i, e := range t.Effects {
		if e.Action == Reset && !e.Back && t.Device.LastSync.After(e.At) && t.Device.User == "" && t.Person.UserID != "" {
			t.undo(e)
			t.Effects[i].Back = true
		}
	}
}

// hasten asks for what may end the doubts about a device's health: a check-in,
// and that it be let out of its isolation, under which it cannot check in.
func (t *turn) hasten() {
	i := t.isolation()
	for _, why := range t.Unproven {
		stale := i >= 0 && why == infected && t.Device.LastSync.Before(t.Effects[i].At)
		if why != silent && !strings.HasPrefix(why, notCompliant) && !stale {
			return
		}
	}
	if i >= 0 {
		t.undo(t.Effects[i])
	} else {
		t.sync()
	}
}

// keepIn calls off the lifting of an isolation that has not begun, for the risk is
// back; but not if the isolation is in the way of a reset.
func (t *turn) keepIn() {
	if t.isolation() < 0 || slices.ContainsFunc(t.Pending, t.wants) {
		return // it is of a case before, or has to make way
	}
	for _, task := range slices.Clone(t.Pending) {
		if task.Action == Unisolate && task.Begun == nil {
			t.strike(task.ID)
			t.say("%s called off", describe(task))
		}
	}
}

// isolation is the place of the isolation in force, or -1.
func (t *turn) isolation() int {
	return slices.IndexFunc(t.Effects, func(e Effect) bool { return e.Action == Isolate })
}

// wants reports whether a task could go ahead, but for an isolation: Intune does
// not reach a device that only Defender reaches.
func (t *turn) wants(task Task) bool {
	return task.Action.Destructive() && task.Begun == nil && t.isolation() >= 0 && t.forbidden(task) == ""
}

// makeWay lets a device out of its isolation when that is all that is in the way
// of a reset.
func (t *turn) makeWay() {
	if slices.ContainsFunc(t.Pending, t.wants) {
		t.undo(t.Effects[t.isolation()])
	}
}

// confine asks a person, now and then, whether a device should stay isolated.
func (t *turn) confine() {
	for i := range t.Effects {
		e := &t.Effects[i]
		if e.Action != Isolate || !t.Open || t.now.Before(t.confinedUntil(*e)) {
			continue
		}
		e.Asked = t.now
		since := e.At.Format(time.RFC3339)
		t.Attention = slices.DeleteFunc(t.Attention, func(s string) bool { return strings.HasPrefix(s, confined) })
		first := len(t.Attention) == 0
		t.attend("%s since %s: let it back with `curfew lift`, or leave it", confined, since)
		if !first && (t.Hold == nil || !t.Hold.Quiet) {
			t.callPerson()
		}
	}
}

const confined = "the device has been isolated"

func (t *turn) confinedUntil(e Effect) time.Time {
	return later(e.At, e.Asked).Add(t.p.isolation())
}

// lifted ends an isolation by a person's word.
func (t *turn) lifted(f Lifted) {
	for _, e := range slices.Clone(t.Effects) {
		if e.Action == Isolate && !slices.ContainsFunc(t.Pending, func(task Task) bool { return takesBack(task, e) }) {
			t.say("%s lifts the isolation%s", f.By, because(f.Reason))
			e.Back = false
			t.undo(e)
		}
	}
}

// lapse calls off what had begun when the case closed and came back undone: there
// is nothing any more for which it could begin again.
func (t *turn) lapse() {
	if !t.Open {
		t.callOff(func(task Task) bool { return task.Rung > 0 && task.Begun == nil && !task.Out })
	}
}

// callOff strikes those tasks that have not begun, and device actions that were
// accepted: nobody waits for them any more.
func (t *turn) callOff(which func(Task) bool) {
	for _, task := range slices.Clone(t.Pending) {
		over := task.Begun == nil && !task.Action.takesBack() || task.Accepted != nil && task.Action.OnDevice()
		if which(task) && over {
			t.strike(task.ID)
			switch {
			case task.Accepted != nil:
				t.ended(task, Unknown, "the case was over before it was heard of")
			case task.Sent > 0 || task.Held != nil || task.Needs > 0:
				t.ended(task, CalledOff, "")
			}
			if task.Action != Look {
				t.say("%s called off", describe(task))
			}
		}
	}
}
