package events

import (
	"slices"
	"time"
)

// hold keeps the ladder back by a person's word, for a month at most.
func (t *turn) hold(h Hold, verb string) {
	h.Until = h.Until.UTC()
	switch far := t.now.Add(longest); {
	case !t.Open:
		return
	case !h.Until.After(t.now):
		if t.Hold != nil {
			t.say("%s lifts the hold by %s", h.By, t.Hold.By)
			t.unhold()
		}
		return
	case h.Until.After(far):
		h.Until = far
	}
	if h.Since = t.now; t.Hold != nil && t.Hold.By == h.By && t.Hold.Quiet == h.Quiet {
		h.Since = t.Hold.Since // the same person goes on
	}
	if t.Hold == nil || *t.Hold != h {
		t.Hold, t.Woken = &h, nil
		t.say("%s by %s until %s%s", verb, h.By, h.Until.Format(time.RFC3339), because(h.Reason))
	}
}

func (t *turn) retried(f Retried) {
	i := slices.IndexFunc(t.Given, func(x Task) bool { return x.ID == f.Task })
	if i < 0 || t.Given[i].Rung > 0 && !t.Open {
		return
	}
	task := t.Given[i]
	t.Given = slices.Delete(t.Given, i, i+1)
	if task.Action == Look {
		t.look()
		return
	}
	task.Begun, task.Accepted, task.Unsure, task.Tries, task.Refused, task.Next = nil, nil, false, 0, "", t.now
	task.Held, task.Approvals, task.Released, task.Request, task.Seal = nil, nil, "", "", t.Device.Risk()
	if task.Action.Destructive() {
		task.For = t.Device.IntuneID
	}
	t.Pending = append(t.Pending, task)
	t.say("%s tries again: %s", f.By, describe(task))
	if task.Needs > 0 {
		t.invite(task.ID)
	}
}
