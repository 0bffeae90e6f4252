package events

import (
	"slices"
	"time"
)

// A Stage is how far something has come that is done to a device.
type Stage string

// The stages. A task goes from planned on; it may skip some, and be held before
// any of them. What is unknown never counts as success.
const (
	Planned      Stage = "planned"
	OnHold       Stage = "held"          // by a gate
	Consented    Stage = "approved"      // by all who have to, and not begun
	Underway     Stage = "begun"         // it may be called at any moment, or was
	TakenOn      Stage = "accepted"      // the other side will ask the device
	Running      Stage = "running"       // the device is at it
	ProviderDone Stage = "provider-done" // the other side says so, which proves nothing
	Verified     Stage = "verified"      // the device checked in after it, and the risk, read again, is gone
	GaveUp       Stage = "failed"
	TimedOut     Stage = "timed-out" // it took longer than anybody waits
	Unknown      Stage = "unknown"   // nobody can tell whether it was done
	CalledOff    Stage = "called-off"
	Pretended    Stage = "dry-run"
)

// An Act is something that was done to a device, or was to be, and how that ended.
type Act struct {
	Task string `json:"task"`
	Order
	Stage Stage     `json:"stage"`
	At    time.Time `json:"at"`
	Why   string    `json:"why,omitempty"`
}

// MaxActs bounds [Case.Acts].
const MaxActs = 20

// shown reports whether the stages of an action are kept.
func (a Action) shown() bool { return a.OnDevice() && a != Sync || a == Restore }

// Stage is how far a pending task has come.
func (t Task) Stage() Stage {
	switch {
	case t.Unsure:
		return Unknown
	case t.Accepted != nil && t.Accepted.Running:
		return Running
	case t.Accepted != nil:
		return TakenOn
	case t.Begun != nil:
		return Underway
	case t.Held != nil:
		return OnHold
	case t.Needs > 0 && len(t.Approvals) >= t.Needs:
		return Consented
	}
	return Planned
}

// Stages are what was done to the device in this episode, or is to be, in order.
func (c Case) Stages() []Act {
	out := slices.Clone(c.Acts)
	for _, t := range c.Pending {
		if t.Action.shown() {
			out = append(out, Act{Task: t.ID, Order: t.Order, Stage: t.Stage(), At: t.Asked, Why: t.Why})
		}
	}
	return out
}

// ended keeps how a task ended.
func (t *turn) ended(task Task, stage Stage, why string) {
	if !task.Action.shown() {
		return
	}
	t.Acts = slices.DeleteFunc(t.Acts, func(a Act) bool { return a.Task == task.ID })
	t.Acts = append(t.Acts, Act{Task: task.ID, Order: task.Order, Stage: stage, At: t.now, Why: why})
	t.Acts = t.Acts[max(0, len(t.Acts)-MaxActs):]
}

// verified says of what was done to the device that it helped.
func (t *turn) verified() {
	for i := range t.Acts {
		if a := &t.Acts[i]; a.Stage == ProviderDone && !a.Action.takesBack() && t.Device.LastSync.After(a.At) {
			a.Stage = Verified
			t.say("%s verified: the device checked in at %s and the risk is gone", a.Action, t.Device.LastSync.Format(time.RFC3339))
		}
	}
}
