package events

import (
	"slices"
	"strings"
)

// held puts a task back that a gate does not let through. It is not a failure,
// and what was begun had not been called.
func (t *turn) held(f Held) {
	i := t.index(f.Task)
	if i < 0 || !t.Pending[i].Out {
		return
	}
	task := &t.Pending[i]
	task.Out, task.Begun, task.Unsure = false, nil, false
	task.Next = t.within(f.Until)
	h := Holding{Gate: f.Gate, Reason: f.Reason, Since: t.now}
	if task.Held != nil && task.Held.Gate == f.Gate {
		h.Since = task.Held.Since
	}
	if task.Held == nil || task.Held.Gate != f.Gate || task.Held.Reason != f.Reason {
		t.say("%s held by %s: %s", describe(*task), f.Gate, f.Reason)
	}
	task.Held = &h
}

// released tries a held task again at once, with a person's word for its gate.
func (t *turn) released(f Released) {
	i := t.index(f.Task)
	if i < 0 || t.Pending[i].Held == nil || t.Pending[i].Released == t.Pending[i].Held.Gate+" by "+f.By {
		return
	}
	task := &t.Pending[i]
	task.Released, task.Next = task.Held.Gate+" by "+f.By, t.now
	t.say("%s releases %s, held by %s", f.By, describe(*task), task.Held.Gate)
}

// approved counts a person's consent, once.
func (t *turn) approved(f Approved) {
	i := t.index(f.Task)
	if i < 0 || f.By == "" {
		return
	}
	task := &t.Pending[i]
	same := func(a Approval) bool { return strings.EqualFold(a.By, f.By) }
	if len(task.Approvals) >= task.Needs || task.Begun != nil || slices.ContainsFunc(task.Approvals, same) {
		return
	}
	task.Approvals = append(slices.Clone(task.Approvals), Approval{By: f.By, At: t.now})
	task.Next = t.now
	t.say("%s approved by %s (%d of %d)", describe(*task), f.By, len(task.Approvals), task.Needs)
}

// forbidden gives a task up by a person's word, unless it has begun.
func (t *turn) forbidden(id, verb, by, reason string) {
	i := t.index(id)
	if i < 0 || t.Pending[i].Begun != nil || t.Pending[i].Action == Look {
		return
	}
	task := t.Pending[i]
	task.Out, task.After, task.Why = false, "", verb+" by "+by+prefixed(": ", reason)
	t.give(task)
	t.say("%s %s", describe(task), task.Why)
	t.report(task)
}

// weigh lets approvals run out, and voids those that were given for a device
// that is not as it was.
func (t *turn) weigh() {
	for i := range t.Pending {
		task := &t.Pending[i]
		if task.Needs == 0 || task.Begun != nil {
			continue
		}
		if risk := t.Device.Risk(); task.Seal != risk {
			if len(task.Approvals) > 0 {
				t.say("the approval of %s is void: the device has changed", describe(*task))
			}
			task.Seal, task.Approvals = risk, nil
		}
		still := slices.DeleteFunc(slices.Clone(task.Approvals), func(a Approval) bool { return !t.now.Before(a.At.Add(t.p.approval())) })
		if len(still) < len(task.Approvals) {
			t.say("an approval of %s has run out", describe(*task))
			task.Approvals = slim(still)
		}
	}
}
