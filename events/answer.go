package events

import (
	"slices"
	"time"
)

// An Answer is what a person did about a ticket or a page.
type Answer string

// The answers.
const (
	Took      Answer = "took"      // it is theirs now: assigned, acknowledged
	Commented Answer = "commented" // they wrote to it
	Ended     Answer = "ended"     // they resolved or closed it
)

// mostRepeats bounds how often a page comes again.
const mostRepeats = 10

// answered takes in what a person did where the ticket or page is. Whoever takes
// or comments it has taken the case on, for a while; whoever ends it says that all
// is well, which a look has to confirm.
func (t *turn) answered(f Answered) {
	i := slices.IndexFunc(t.Effects, func(e Effect) bool {
		return e.Action == f.Action && e.Destination == f.Destination && (f.Ref == "" || e.Ref == "" || e.Ref == f.Ref)
	})
	if i < 0 || !t.Open || !f.At.After(t.Effects[i].Heard) {
		return
	}
	e := &t.Effects[i]
	e.Heard, e.Left, e.Next, e.Gap = f.At.UTC(), 0, time.Time{}, 0
	switch f.Did {
	case Took, Commented:
		if until := t.now.Add(t.p.answer()); t.Hold == nil || !t.Hold.Quiet && t.Hold.Until.Before(until) {
			t.hold(Hold{By: f.By, Until: until, Reason: string(f.Did) + " the " + string(f.Action)}, "acknowledged")
		}
	case Ended:
		e.Ended = f.By
		t.say("%s ended the %s at %s: looking whether the risk is gone", f.By, f.Action, f.Destination)
		t.look()
	}
}

// disprove tells those who ended a ticket or page that the device is still at
// risk, where they ended it.
func (t *turn) disprove() {
	for i := range t.Effects {
		if e := &t.Effects[i]; e.Ended != "" && !t.Device.SeenAt.Before(e.Heard) {
			o := e.Order
			o.Action, o.Destination, o.Template, o.Repeat = e.Action, e.Destination, StillAtRisk, 0
			t.say("%s ended the %s, and the device is still at risk", e.Ended, e.Action)
			e.Ended = ""
			t.ask(o, 0, e.Ref)
		}
	}
}

// unanswered reports whether pages of the case should come again: nobody has
// taken it on, and the risk is there.
func (t *turn) unanswered() bool {
	return t.Open && t.Hold == nil && t.Woken == nil && t.Clearing.IsZero()
}

// repeat pages again where nobody answers, and says so when that has an end.
func (t *turn) repeat() {
	for i := range t.Effects {
		e := &t.Effects[i]
		pending := func(task Task) bool { return task.Action == Page && task.Destination == e.Destination }
		if e.Action != Page || e.Left == 0 || !t.unanswered() || t.now.Before(e.Next) || slices.ContainsFunc(t.Pending, pending) {
			continue
		}
		e.Left, e.Gap = e.Left-1, 2*e.Gap
		e.Next = t.now.Add(e.Gap)
		o := e.Order
		o.Action, o.Destination, o.Repeat = Page, e.Destination, 0
		destination, over := e.Destination, e.Left == 0 // asking moves nothing of Effects, attending may
		t.ask(o, 0, e.Ref)
		t.say("nobody has answered the page to %s", destination)
		if over {
			t.attend("nobody has answered the pages to %s", destination)
		}
	}
}
