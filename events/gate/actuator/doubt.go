package actuator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/events"
)

// A Sight is what a decision goes by besides the case.
type Sight struct {
	Device events.Device // as it is now
	Now    time.Time

	// Own says that the device was looked at by the actuator itself, and that the
	// case may be somebody's lie. Otherwise Device is the case's.
	Own bool

	// Signed reports whether an approval is proven to be the word of whom it names,
	// for this very task. With Own, only such approvals count; nil: there are none.
	Signed func(events.Task, events.Approval) bool

	// Used is when the task was last called, by this process; approvals given until
	// then do not count again. Zero: it was not.
	Used time.Time
}

// Doubts says all that speaks against doing a task of a case to a device, by
// one's own rules. Nothing: it may be done.
func Doubts(rules events.Policies, c events.Case, t events.Task, s Sight) []string {
	doubts := identity(c, t, s)
	if takesBack(t.Action) {
		return doubts
	}
	pol, rung, why := ordered(rules, c, t)
	if why != "" {
		return append(doubts, why)
	}
	doubts = append(doubts, atRisk(rules, pol, rung, t, s)...)
	if t.Action.Destructive() {
		doubts = append(doubts, warned(pol, c, s)...)
		doubts = append(doubts, unchanged(c, t, s)...)
	}
	return append(doubts, consent(rules, rung, t, s)...)
}

// takesBack reports whether the action needs no rung that orders it: it gives a
// device or its user back what they had, only asks it to check in, or tells the
// user something in words that are this process's own. The case machine asks for
// these by itself, with Rung 0.
func takesBack(a events.Action) bool {
	return a == events.Sync || a == events.Push || a == events.Unisolate || a == events.Restore
}

// identity says where the case is not about the device that is there.
func identity(c events.Case, t events.Task, s Sight) (doubts []string) {
	d := s.Device
	if !strings.HasPrefix(t.ID, c.Key.String()+"/") {
		doubts = append(doubts, "the task is another device's")
	}
	if d.Key != c.Key {
		doubts = append(doubts, fmt.Sprintf("the device is %s, not %s", d.Key, c.Key))
	}
	for _, id := range []struct{ what, claimed, real string }{
		{"Intune", c.Device.IntuneID, d.IntuneID},
		{"Entra's directory", c.Device.EntraID, d.EntraID},
	} {
		if id.claimed != "" && !strings.EqualFold(id.claimed, id.real) {
			doubts = append(doubts, fmt.Sprintf("the case has the device as %s in %s, which has it as %s", id.claimed, id.what, orNothing(id.real)))
		}
	}
	if t.For != "" && !strings.EqualFold(t.For, d.IntuneID) {
		doubts = append(doubts, "the task was asked for another enrolment, "+t.For)
	}
	return doubts
}

// ordered finds the rung that orders the task, or says that there is none.
func ordered(rules events.Policies, c events.Case, t events.Task) (events.Policy, events.Rung, string) {
	no := func(format string, args ...any) (events.Policy, events.Rung, string) {
		return events.Policy{}, events.Rung{}, fmt.Sprintf(format, args...)
	}
	i := slices.IndexFunc(rules.List, func(p events.Policy) bool { return p.Name == t.Policy })
	switch {
	case t.Rung == 0 || t.Policy == "":
		return no("no rung of a policy ordered it")
	case i < 0:
		return no("the rules here have no policy %.60q", t.Policy)
	case !c.Open || c.Policy != t.Policy:
		return no("the case is not open by policy %s", t.Policy)
	case t.Rung < 0 || t.Rung > len(rules.List[i].Ladder):
		return no("policy %s has no rung %d here", t.Policy, t.Rung)
	case t.Rung > c.Rung:
		return no("the case has not climbed to rung %d", t.Rung)
	}
	pol := rules.List[i]
	rung := pol.Ladder[t.Rung-1]
	if !slices.Contains(rung.Do, t.Order) {
		return no("rung %d of policy %s orders no such thing here: %s", t.Rung, t.Policy, order(t.Order))
	}
	return pol, rung, ""
}

// atRisk says why the device is not one that the rung is for. The first policy
// that a device matches is the one that counts: one above may be an exception.
func atRisk(rules events.Policies, pol events.Policy, rung events.Rung, t events.Task, s Sight) []string {
	for _, p := range rules.List {
		ok, err := p.When.Holds(s.Device)
		switch {
		case p.Name == pol.Name && err != nil:
			return []string{fmt.Sprintf("whether policy %s is about the device has no clear answer: %v", pol.Name, err)}
		case p.Name == pol.Name && !ok:
			return []string{"the device is not at risk by policy " + pol.Name}
		case p.Name == pol.Name:
			if rung.If == nil || !s.Own && !t.Action.Grave() {
				return nil // the case machine has asked when it climbed
			}
			if ok, err := rung.If.Holds(s.Device); err != nil || !ok {
				return []string{fmt.Sprintf("rung %d of policy %s is not for a device that is so", t.Rung, pol.Name)}
			}
			return nil
		case ok:
			return []string{fmt.Sprintf("the device is at risk by policy %s, which comes before %s", p.Name, pol.Name)}
		}
	}
	return nil
}

// warned says what is left of the notice and the grace.
func warned(pol events.Policy, c events.Case, s Sight) []string {
	switch {
	case !c.Clearing.IsZero():
		return []string{"the device was seen healthy"}
	case c.Hold != nil:
		return []string{"the case is held by " + c.Hold.By}
	case c.Told.IsZero() || c.Told.After(s.Now):
		return []string{"the user was not told"}
	case s.Now.Before(c.Told.Add(pol.Grace)):
		return []string{"the user's grace has not passed"}
	}
	return nil
}

// unchanged says where an own look shows something else than the case was
// decided on.
func unchanged(c events.Case, t events.Task, s Sight) (doubts []string) {
	if !s.Own {
		return nil
	}
	for _, m := range s.Device.Missing {
		doubts = append(doubts, "could not read "+m)
	}
	if t.For == "" {
		doubts = append(doubts, "the task does not say for which enrolment it was asked")
	}
	claimed := c.Device
	claimed.Alerts = asked(c.Device) // no more of them are read at one look
	if claimed.Risk() != s.Device.Risk() {
		doubts = append(doubts, fmt.Sprintf("the case goes by %q, and the device shows %q", claimed.Risk(), s.Device.Risk()))
	}
	return doubts
}

// consent says which approvals are missing.
func consent(rules events.Policies, rung events.Rung, t events.Task, s Sight) []string {
	need := 0
	if t.Action.Grave() {
		need = rung.Approvals
	}
	if need > t.Needs {
		return []string{fmt.Sprintf("the rung needs %d approvals, and the task says %d", need, t.Needs)}
	}
	if s.Own && t.Action.Destructive() && need == 0 {
		return []string{fmt.Sprintf("rung %d of policy %s asks nobody, and what is destructive is done here only with an approval that is signed: write approval: one, or two, on the rung", t.Rung, t.Policy)}
	}
	var by []string
	for _, a := range t.Approvals {
		who := strings.ToLower(strings.TrimSpace(a.By))
		if who != "" && !slices.Contains(by, who) && s.counts(rules, t, a) {
			by = append(by, who)
		}
	}
	switch {
	case len(by) >= need:
		return nil
	case s.Own:
		return []string{fmt.Sprintf("%d of %d approvals are signed for this task, this risk and now", len(by), need)}
	}
	return []string{fmt.Sprintf("%d of %d approvals", len(by), need)}
}

// counts reports whether an approval counts for the task. One's own process
// believes no date but the one that is signed.
func (s Sight) counts(rules events.Policies, t events.Task, a events.Approval) bool {
	if !s.Own {
		return true // the case machine has counted it
	}
	valid := rules.Approval
	if valid <= 0 {
		valid = 24 * time.Hour
	}
	return s.Signed != nil && s.Signed(t, a) &&
		!a.Given.IsZero() && a.Given.After(s.Used) && !a.Given.After(s.Now.Add(clockSlack)) && s.Now.Before(a.Given.Add(valid))
}

// clockSlack is how far clocks of the processes may differ.
const clockSlack = 2 * time.Minute

func order(o events.Order) string {
	parts := []string{string(o.Action)}
	for _, p := range []string{o.Kind, o.Via, o.Scope, o.Destination, o.Template} {
		if p != "" {
			parts = append(parts, fmt.Sprintf("%.60q", p))
		}
	}
	return strings.Join(parts, " ")
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
