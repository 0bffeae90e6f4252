package events

import (
	"slices"
	"strings"
)

// expire ends a hold whose time has come.
func (t *turn) expire() {
	if t.Hold != nil && !t.now.Before(t.Hold.Until) {
		t.say("the hold by %s has ended", t.Hold.By)
		t.unhold()
	}
}

// unhold ends the hold and asks how things stand. Until that is known nothing goes on.
func (t *turn) unhold() {
	ended := *t.Hold
	ended.Until = t.now
	t.Hold, t.Woken = nil, &ended
	t.look()
}

// wake lets a case go on whose hold has ended, once the device was looked at since,
// or cannot be. Of what was snoozed people are told again, if it is still true.
func (t *turn) wake() {
	if t.Woken == nil || !t.Clearing.IsZero() {
		return
	}
	// What was seen in the future was seen before the clock was put back.
	if seen := t.Device.SeenAt; (seen.Before(t.Woken.Until) || seen.After(t.now)) && t.sighted() {
		return
	}
	ended := *t.Woken
	t.Woken = nil
	if ended.Quiet {
		t.refire(ended)
	}
}

// sighted reports whether a look is under way that may still succeed.
func (t *turn) sighted() bool {
	i := t.find(Look)
	return i >= 0 && t.Pending[i].Tries < blind
}

// refire tells people again what they wanted to hear nothing of: that only a person
// can help, and by the pages and tickets of the case that the device is at risk.
func (t *turn) refire(ended Hold) {
	var told []string
	if len(t.Attention) > 0 {
		t.say("what %s snoozed still needs a person", ended.By)
		t.callPerson()
		for _, o := range t.p.Attention {
			told = append(told, place(o))
		}
	}
	if !t.Shown {
		return
	}
	for i := range t.Effects {
		e := &t.Effects[i]
		if e.Action != Page && e.Action != Ticket || e.Order.Action == "" || slices.Contains(told, e.Destination) {
			continue
		}
		o := e.Order
		if e.Action == Page {
			if n := min(o.Repeat, mostRepeats); n > 0 {
				e.Left, e.Gap, e.Next = n, t.p.gap(), t.now.Add(t.p.gap())
			}
		}
		o.Template, o.Repeat = StillAtRisk, 0
		t.say("still at risk after the snooze by %s: %s again", ended.By, o.Action)
		t.ask(o, 0, e.Ref)
	}
}

// StillAtRisk is the template of what says that nothing has changed.
const StillAtRisk = "still-at-risk"

// stale reports whether a task has to wait for a look: a gate that ends by the clock
// held it back, and nobody has looked since that ended.
func (t *turn) stale(task Task) bool {
	if h := task.Held; h == nil || h.Gate != GateMaintenance && h.Gate != GateQuiet || strings.HasPrefix(task.Released, h.Gate+" by ") {
		return false
	}
	if task.Out || !t.Open || t.Key == TenantKey(t.Tenant) || t.now.Before(task.Next) || !t.Looked.Before(task.Next) {
		return false
	}
	i := t.find(Look)
	return i < 0 || t.Pending[i].Tries < blind
}

// reweigh asks the gates again that hold back by how grave the risk is, for it has
// changed.
func (t *turn) reweigh() {
	for i := range t.Pending {
		if task := &t.Pending[i]; task.Held != nil && !task.Out && (task.Held.Gate == GateQuiet || task.Held.Gate == GateDigest) {
			task.Next = t.now
		}
	}
}
