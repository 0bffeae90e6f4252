package events

import (
	"slices"
	"strings"
)

// Gates that Step knows: they end by the clock, and what they hold back is a
// notice that may not be true any more when they do.
const (
	GateMaintenance = "maintenance" // a window of maintenance
	GateQuiet       = "quiet_hours" // of its destination
	GateDigest      = "digest"      // its destination is told of many together, soon
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
	if f.Gate == GateMicrosoft && t.Open {
		t.awaits(task, f.Request)
	}
	if t.now.Sub(h.Since) >= tooLong && f.Gate != GateQuiet {
		t.attend("%s has been held by %s for a week", describe(*task), f.Gate)
	}
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
	if f.Seal != "" && f.Seal != task.Seal || f.Link != "" && slices.Contains(task.Links, f.Link) {
		return
	}
	if f.Link != "" {
		task.Links = append(slices.Clone(task.Links), f.Link)
	}
	task.Approvals = append(slices.Clone(task.Approvals), Approval{By: f.By, At: t.now, Given: f.Given.UTC(), Sig: f.Sig})
	task.Next = t.now
	t.say("%s approved by %s (%d of %d)", describe(*task), f.By, len(task.Approvals), task.Needs)
}

// refused gives a task up by a person's word, unless it has begun.
func (t *turn) refused(id, link, verb, by, reason string) {
	i := t.index(id)
	if i < 0 || t.Pending[i].Begun != nil || t.Pending[i].Action == Look {
		return
	}
	if link != "" {
		t.Pending[i].Links = append(slices.Clone(t.Pending[i].Links), link)
	}
	t.drop(t.Pending[i], verb+" by "+by+because(reason))
}
