package events

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxAlerts bounds the alerts remembered of a device.
const maxAlerts = 20

// learn takes in what a fact says. It decides nothing about the ladder.
func (t *turn) learn(f Fact) {
	switch f := f.(type) {
	case Noticed:
		t.look()
	case Alerted:
		t.alerted(f.Alert)
	case Seen:
		t.seen(f)
	case Begun:
		t.begun(f)
	case Accepted:
		t.accepted(f)
	case Done:
		t.done(f)
	case Delayed:
		t.delayed(f)
	case Failed:
		t.failed(f)
	case Held:
		t.held(f)
	case Declined:
		t.declined(f)
	case Lifted:
		t.lifted(f)
	case Answered:
		t.answered(f)
	case Tripped:
		t.tripped(f)
	case Eased:
		t.eased(f)
	case Approved:
		t.approved(f)
	case Denied:
		t.refused(f.Task, f.Link, "denied", f.By, f.Reason)
	case Released:
		t.released(f)
	case Cancelled:
		t.refused(f.Task, "", "cancelled", f.By, f.Reason)
	case Acknowledged:
		t.hold(Hold{By: f.By, Until: f.Until}, "acknowledged")
	case Snoozed:
		t.hold(Hold{By: f.By, Until: f.Until, Reason: f.Reason, Quiet: true}, "snoozed")
	case Closed:
		if t.Open {
			t.close(fmt.Sprintf("by %s: %s", f.By, f.Reason), false)
			t.ClosedBy, t.ClosedFor, t.Waived = f.By, f.Reason, t.Device.Risk()
		}
	case Retried:
		t.retried(f)
	case Noted:
		if t.Said == nil || *t.Said != f {
			t.Said = &f
			t.say("%s notes: %s", f.By, f.Text)
		}
	case Rewound:
		t.rewound(f)
	case Rang:
	}
}

func (t *turn) alerted(a Alert) {
	t.Device.Key = t.Key
	if t.Device.DefenderID == "" {
		t.Device.DefenderID = a.DefenderDevice
	}
	known := func(b Alert) bool { return b.ID == a.ID && !b.Updated.Before(a.Updated) }
	if a.ID == "" || slices.ContainsFunc(t.Device.Alerts, known) {
		return
	}
	t.Device.Alerts = merge(t.Device.Alerts, []Alert{a})
	t.say("alert %q, %s, %s", a.Title, a.Severity, a.Status)
	t.look()
}

func (t *turn) seen(f Seen) {
	switch i := t.index(f.Task); {
	case i < 0:
	case t.Pending[i].Action == Look:
		// The look is answered; what was noticed while it was under way, it may
		// have missed.
		t.strike(f.Task)
		if t.Again {
			t.Again = false
			t.ask(Order{Action: Look}, 0, "")
		}
	case t.Pending[i].Out && t.Pending[i].Begun != nil && !t.newlyDoubted(t.Pending[i]):
		task := &t.Pending[i]
		task.Out, task.Begun, task.Unsure, task.Next = false, nil, false, t.now.Add(time.Second)
		t.say("%s was not done: it looked first", task.Action)
	}
	d := f.Device
	if d.SeenAt.Before(t.Device.SeenAt) || d.Key != t.Key {
		return
	}
	d.Alerts = merge(t.Device.Alerts, d.Alerts)
	if d.Risk() != t.Device.Risk() || t.Device.SeenAt.IsZero() {
		t.say("seen: %s", d.Risk())
		t.reweigh()
	}
	if d.TimeZone == "" && d.UserID == t.Person.UserID {
		d.TimeZone = t.Person.TimeZone // it was not told this time
	}
	t.Device, t.saw = d, true
	if d.User != "" {
		t.Person = Person{d.User, d.UserID, d.UserName, d.UserMail, d.Language, d.TimeZone}
	}
	t.Looked = later(t.Looked, t.now)
}

// merge adds the alerts of b to those of a. Of two copies the one that was
// updated later counts, or was read later; the newest come first.
func merge(a, b []Alert) []Alert {
	out := slices.Clone(a)
	for _, x := range b {
		i := slices.IndexFunc(out, func(y Alert) bool { return y.ID == x.ID })
		switch {
		case i < 0:
			out = append(out, x)
		case cmp.Or(x.Updated.Compare(out[i].Updated), x.ReadAt.Compare(out[i].ReadAt)) > 0:
			out[i] = x
		}
	}
	slices.SortStableFunc(out, func(x, y Alert) int {
		return cmp.Or(y.Updated.Compare(x.Updated), cmp.Compare(x.ID, y.ID))
	})
	return out[:min(len(out), maxAlerts)]
}

// begun lets an attempt begin, or refuses it, so that either shows in the case.
func (t *turn) begun(f Begun) {
	i := t.index(f.Task)
	if i < 0 || f.Attempt == "" || !t.Pending[i].Action.Effect() {
		return
	}
	task := &t.Pending[i]
	if task.Refused == f.Attempt || task.Begun != nil && task.Begun.ID == f.Attempt {
		return
	}
	if task.Begun != nil || !task.Out {
		task.Refused = f.Attempt
		return
	}
	if why := t.barred(*task); why != "" {
		task.Refused, task.Out, task.Next = f.Attempt, false, t.now
		t.say("%s may not begin: %s", task.Action, why)
		return
	}
	task.Begun = &Attempt{ID: f.Attempt, At: t.now, Before: f.Before}
}

// barred says why a task must not begin now, or "". It is asked when a task is
// sent and again when it is about to be called, however long the queue was.
func (t *turn) barred(task Task) string {
	if why := t.forbidden(task); why != "" || !t.wants(task) {
		return why
	}
	return "the device is isolated, and Intune does not reach it"
}

// forbidden says why a task must not begin, but for what can be had out of the way.
func (t *turn) forbidden(task Task) string {
	if task.Rung == 0 {
		return ""
	}
	pol := t.policy()
	switch {
	case pol == nil:
		return "the case is not open by a policy"
	case !t.Clearing.IsZero():
		return "the device was seen healthy"
	case t.Hold != nil:
		return "held by " + t.Hold.By
	case t.Woken != nil:
		return "nobody has looked since the hold by " + t.Woken.By + " ended"
	case task.Action.OnDevice() && !t.Shown:
		return "the last look did not show the risk"
	case len(task.Approvals) < task.Needs:
		return fmt.Sprintf("%d of %d approvals", len(task.Approvals), task.Needs)
	case !task.Action.Destructive():
		return ""
	case t.Told.IsZero():
		return "the user was never told"
	case t.now.Before(t.Told.Add(pol.Grace)):
		return "the user's grace has not passed"
	}
	return ""
}

func (t *turn) accepted(f Accepted) {
	i := t.index(f.Task)
	if i < 0 || !t.Pending[i].Out {
		return
	}
	task := &t.Pending[i]
	if task.Action == Isolate && task.Accepted == nil {
		t.effect(*task, Done{}) // from now on it has to be taken back
		task = &t.Pending[i]
	}
	if !t.Open && task.Action.OnDevice() && !task.Action.takesBack() {
		t.say("%s was accepted after the case had closed", task.Action)
		t.strike(f.Task)
		return
	}
	if task.Accepted == nil {
		task.Accepted = &Progress{At: t.now, Receipt: f.Receipt, Running: f.Running}
		t.say("%s accepted", task.Action)
	} else if f.Receipt != "" {
		task.Accepted = &Progress{At: task.Accepted.At, Receipt: f.Receipt, Running: f.Running || task.Accepted.Running}
	}
	task.Out, task.Unsure, task.Tries, task.Why, task.Held = false, false, 0, "", nil
	task.Next = t.within(f.Again)
}

// within bounds a moment a handler names: at least a second and at most a day away.
func (t *turn) within(at time.Time) time.Time {
	at = later(at.UTC(), t.now.Add(time.Second))
	if far := t.now.Add(24 * time.Hour); at.After(far) {
		return far
	}
	return at
}

func (t *turn) done(f Done) {
	var task Task
	if i := t.index(f.Task); i >= 0 {
		task = t.Pending[i]
	} else if i := slices.IndexFunc(t.Given, func(x Task) bool { return x.ID == f.Task }); i >= 0 {
		task = t.Given[i] // it had been given up, and was done all the same
		t.Given = slices.Delete(t.Given, i, i+1)
	} else {
		return
	}
	t.say("%s %s%s", describe(task), how(f), because(f.Receipt))
	if f.Dry {
		t.ended(task, Pretended, f.Receipt)
	} else {
		t.ended(task, ProviderDone, f.Receipt)
	}
	switch {
	case f.Dry:
	case f.Others:
		t.spare(task)
	default:
		t.effect(task, f)
	}
	t.report(task)
	switch {
	case task.Action.OnDevice() && t.Open && !f.Dry:
		t.look()
	case task.Action == Look && t.Woken != nil:
		t.look() // one that showed nothing is none, and a case that woke waits for one
	}
}

func (t *turn) delayed(f Delayed) {
	i := t.index(f.Task)
	if i < 0 || !t.Pending[i].Out {
		return
	}
	task := &t.Pending[i]
	task.Out, task.Unsure, task.Why = false, f.Unsure, f.Reason
	if !f.Unsure {
		task.Begun = nil
	}
	task.Tries++
	task.Next = t.within(f.Until)
	action, tries := task.Action, task.Tries
	t.say("%s put off until %s: %s", action, task.Next.Format(time.RFC3339), f.Reason)
	if action == Look && tries >= lost && t.Open {
		t.attend("the device cannot be looked at: %s", f.Reason)
	}
}

func (t *turn) failed(f Failed) {
	i := t.index(f.Task)
	if i < 0 {
		return
	}
	task := t.Pending[i]
	task.Out, task.Why, task.After = false, f.Reason, ""
	t.give(task)
	switch f.Stage {
	case TimedOut, Unknown:
		t.ended(task, f.Stage, f.Reason)
	default:
		t.ended(task, GaveUp, f.Reason)
		t.spare(task)
	}
	t.say("%s given up: %s", describe(task), f.Reason)
	t.report(task)
	if task.Action == Look {
		t.Looked, t.Again = t.now, false
		t.attend("%s", f.Reason)
	} else if t.Open || task.Action == Unisolate || task.Action == Restore { // without them somebody cannot work
		t.attend("%s failed: %s", describe(task), f.Reason)
		t.stuck(task)
	}
}

// give keeps a task that was given up, so that it can be tried again.
func (t *turn) give(task Task) {
	t.Given = append(t.Given, task)
	t.Given = t.Given[max(0, len(t.Given)-MaxGiven):]
}

// report strikes a task off. When it was the last one of its rung, the wait for
// the next rung starts.
func (t *turn) report(task Task) {
	t.strike(task.ID)
	if t.Open && task.Rung == t.Rung && task.Policy == t.Policy && !t.busy() {
		t.Since = t.now
	}
}

// busy reports whether a task of the ladder is pending.
func (t *turn) busy() bool {
	return slices.ContainsFunc(t.Pending, func(task Task) bool { return task.Rung > 0 })
}

// because is a reason after a colon, or nothing.
func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

func describe(t Task) string {
	s := string(t.Action)
	switch {
	case t.Destination != "":
		s += " to " + t.Destination
	case t.Template != "":
		s += " " + t.Template
	case t.Kind != "":
		s = t.Kind + " " + s
	}
	switch {
	case t.Via != "":
		s += " by " + t.Via
	case t.Scope != "":
		s += " of the " + strings.Replace(t.Scope, ":", " ", 1)
	}
	return s
}
