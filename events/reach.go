package events

import "slices"

// ShutOut reports whether Conditional Access keeps the device out, where a policy
// asks for a compliant one: by what Entra has, which is what it goes by, or else by
// what Intune says.
func (d Device) ShutOut() bool {
	return d.Access == AccessRescinded || d.Access == "" && d.Compliance == "noncompliant"
}

// reach tells the user by other ways too when the device is shut out: then a mail
// may not be read where it is most needed. Each mail of a rung is accompanied so,
// once, by those ways that the tenant has and the policy does not order itself.
//
// It is no notice that counts. Neither Teams nor Company Portal says whether
// anybody was shown anything, and neither has the room to say what to do and by
// when; so what is destructive waits for the grace after a mail, as ever. Nor does
// it hold the ladder up.
func (t *turn) reach() {
	pol := t.policy()
	if pol == nil || t.Hold != nil || t.Woken != nil || !t.Clearing.IsZero() || !t.Reached.Before(t.Mailed) || !t.Device.ShutOut() {
		return
	}
	for _, a := range t.p.Reach[t.Tenant] {
		if t.find(a) < 0 && !slices.ContainsFunc(pol.Ladder, func(r Rung) bool { return r.orders(a) }) {
			t.ask(Order{Action: a}, 0, "")
			t.Reached = t.now
		}
	}
}

// recall tells who was told by other ways that all is well.
func (t *turn) recall() {
	if t.Reached.IsZero() {
		return
	}
	for _, a := range t.p.Reach[t.Tenant] {
		if t.find(a) < 0 {
			t.ask(Order{Action: a}, 0, "")
		}
	}
}

// orders reports whether the rung orders an action.
func (r Rung) orders(a Action) bool {
	return slices.ContainsFunc(r.Do, func(o Order) bool { return o.Action == a })
}
