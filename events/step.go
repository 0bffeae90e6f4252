package events

import (
	"fmt"
	"reflect"
	"slices"
	"time"
)

// How long the core waits where no policy says.
const (
	recheck = time.Hour           // a task in the queue that nothing is heard of is put there again
	longest = 30 * 24 * time.Hour // the end a hold always has
	ending  = 24 * time.Hour      // a ladder that has ended and helped nothing becomes a person's business
	blind   = 3                   // looks that may fail before notices go out unseen
	lost    = 8                   // looks that may fail before a person must help
)

// Step takes a fact into a case. It returns the case as it is afterwards and
// the tasks to be put into the queue now.
//
// Step is total, deterministic and idempotent: a fact taken a second time at
// the same moment changes nothing and asks for nothing. A fact that changes
// nothing returns the case as it was given.
func Step(c Case, f Fact, p Policies, now time.Time) (Case, []Task) {
	t := turn{Case: c.clone(), p: p, now: now.UTC()}
	t.Trace = nil
	t.advance() // first to this moment, then the fact: so a fact taken twice finds what it found
	t.learn(f)
	t.judge()
	t.advance()
	if !t.Open && len(t.Pending) == 0 {
		t.Doubt = time.Time{}
	}
	t.WakeAt = t.next()
	t.tidy()
	if same(c, t.Case) {
		return c, nil
	}
	t.At, t.Rules = t.now, p.Version
	var out []Task
	for _, task := range t.Pending {
		if task.Out && slices.Contains(t.sent, task.ID) {
			out = append(out, task)
		}
	}
	return t.Case, out
}

// A turn is one Step under way.
type turn struct {
	Case
	p    Policies
	now  time.Time
	saw  bool      // the device was seen in this turn
	due  time.Time // when the next rung is; zero: not by time alone
	sent []string  // tasks put into the queue in this turn
}

func (t *turn) say(format string, args ...any) {
	t.Trace = append(t.Trace, fmt.Sprintf(format, args...))
}

// policy is the one in force, or nil: the case waits for a person, or the rules
// have changed.
func (t *turn) policy() *Policy {
	if i := t.p.named(t.Policy); t.Open && i < len(t.p.List) {
		return &t.p.List[i]
	}
	return nil
}

// advance does what is due by time alone.
func (t *turn) advance() {
	t.expire()
	t.wake()
	t.weigh()
	t.confine()
	t.repeat()
	t.tend()
	t.climb()
	t.reach()
	t.makeWay()
	t.lapse()
	t.send()
}

// tend asks for a look where one is due: at the end of the hold-down, and now
// and then while the case is open.
func (t *turn) tend() {
	if !t.Open || t.find(Look) >= 0 {
		return
	}
	if slices.ContainsFunc(t.Pending, t.stale) {
		t.look()
		return
	}
	if end := t.cleared(); !end.IsZero() && !t.now.Before(end) && t.Device.SeenAt.Before(end) {
		t.look()
	} else if at := t.relookAt(); !t.now.Before(at) {
		t.look()
	}
}

// cleared is the end of the hold-down, or zero.
func (t *turn) cleared() time.Time {
	if t.Clearing.IsZero() {
		return time.Time{}
	}
	if pol := t.policy(); pol != nil {
		return t.Clearing.Add(pol.ClearFor)
	}
	return t.Clearing
}

// relookAt is when an open case is looked at again whatever happens. One that
// could not be looked at for good is a person's, and asks once a day.
func (t *turn) relookAt() time.Time {
	every := t.p.relook()
	if t.Looked.After(t.Device.SeenAt.Add(every)) {
		every = 24 * time.Hour
	}
	return later(t.Looked, t.Opened).Add(every)
}

// look asks for a look, one at a time. What is noticed while one is under way
// may have been missed by it, so another follows.
func (t *turn) look() {
	if t.Key == TenantKey(t.Tenant) {
		return // a tenant is no device
	}
	switch i := t.find(Look); {
	case i < 0:
		t.ask(Order{Action: Look}, 0, "")
	case t.Pending[i].Out && t.Pending[i].Asked.Before(t.now):
		t.Again = true
	}
}

// sync asks the device to check in, now and then.
func (t *turn) sync() {
	if t.find(Sync) < 0 && !t.now.Before(t.Synced.Add(t.p.relook())) {
		t.Synced = t.now
		t.ask(Order{Action: Sync}, 0, "")
	}
}

// find returns the place of a pending task of an action, or -1.
func (t *turn) find(a Action) int {
	return slices.IndexFunc(t.Pending, func(task Task) bool { return task.Action == a })
}

// attend calls for a person, once for each reason, and once by the means the
// rules name for it.
func (t *turn) attend(format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	if slices.Contains(t.Attention, reason) || len(t.Attention) >= 10 {
		return
	}
	if !t.Open {
		t.open(len(t.p.List))
	}
	t.Attention = append(t.Attention, reason)
	t.say("a person must help: %s", reason)
	if len(t.Attention) == 1 && (t.Hold == nil || !t.Hold.Quiet) {
		t.callPerson()
	}
}

func (t *turn) callPerson() {
	for _, o := range t.p.Attention {
		t.ask(o, 0, "")
	}
}

// next is the moment the case must hear that time has passed, or zero.
func (t *turn) next() time.Time {
	var at time.Time
	soon := func(x time.Time) {
		if x.After(t.now) && (at.IsZero() || x.Before(at)) {
			at = x
		}
	}
	for _, task := range t.Pending {
		if task.After == "" {
			soon(task.Next)
		}
		for _, a := range task.Approvals {
			soon(a.At.Add(t.p.approval()))
		}
		if len(task.Approvals) < task.Needs && !task.Invited.IsZero() {
			soon(task.Invited.Add(t.p.approval()))
		}
	}
	if t.Open {
		for _, e := range t.Effects {
			if e.Action == Isolate {
				soon(t.confinedUntil(e))
			}
			if e.Left > 0 && t.unanswered() {
				soon(e.Next)
			}
		}
		soon(t.due)
		soon(t.cleared())
		soon(t.relookAt())
		if t.Hold != nil {
			soon(t.Hold.Until)
		}
	}
	if at.IsZero() && (t.Open || len(t.Pending) > 0) {
		at = t.now.Add(t.p.relook())
	}
	return at
}

func (c Case) clone() Case {
	c.Bad = slices.Clone(c.Bad)
	c.Unproven = slices.Clone(c.Unproven)
	c.Attention = slices.Clone(c.Attention)
	c.Pending = slices.Clone(c.Pending)
	c.Given = slices.Clone(c.Given)
	c.Acts = slices.Clone(c.Acts)
	c.Effects = slices.Clone(c.Effects)
	c.Device.Alerts = slices.Clone(c.Device.Alerts)
	return c
}

// tidy makes empty lists nil, as they come back from the journal.
func (t *turn) tidy() {
	t.Bad = slim(t.Bad)
	t.Unproven = slim(t.Unproven)
	t.Attention = slim(t.Attention)
	t.Pending = slim(t.Pending)
	t.Given = slim(t.Given)
	t.Acts = slim(t.Acts)
	t.Effects = slim(t.Effects)
	t.Device.Alerts = slim(t.Device.Alerts)
}

func slim[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return s
}

// same reports whether two cases differ in nothing but the record's own marks.
func same(a, b Case) bool {
	a.Trace, b.Trace = nil, nil
	a.At, b.At = time.Time{}, time.Time{}
	a.Rules, b.Rules = "", ""
	return reflect.DeepEqual(a, b)
}
