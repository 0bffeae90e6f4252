package events

import (
	"slices"
	"time"
)

// Policies are the rules in force: what counts as being at risk, and what
// follows. The first policy that matches a device is the one that counts, so the
// gravest comes first. The rule file is read by package rules.
type Policies struct {
	List      []Policy
	Attention []Order       // what to do once when only a person can help
	Approval  time.Duration // how long an approval counts; 0: a day
	Relook    time.Duration // how long an open case goes without a look; 0: an hour
	Isolation time.Duration // how long a device is isolated before a person is asked whether it should stay so; 0: a day
	Approvers Approvers     // who is asked by mail to approve
	Answer    time.Duration // how long a case is somebody's who answered its ticket or page; 0: four hours
	Reach     Reach         // how users can be told besides by mail
	Gap       time.Duration // from a page that nobody answers to the next; later gaps are twice as long each; 0: 15 minutes
	Version   string        // names the rules, for the record
}

// Approvers are the mail addresses of those who may approve, by tenant; under ""
// those for the tenants that are not named.
type Approvers map[string][]string

// Of are those of a tenant.
func (a Approvers) Of(tenant string) []string {
	if list, ok := a[tenant]; ok {
		return list
	}
	return a[""]
}

// Reach is how the users of a tenant can be told besides by mail: [Notify], [Push],
// both or neither, by tenant.
type Reach map[string][]Action

// A Policy says which devices it is about, and what to do about them.
type Policy struct {
	Name   string
	When   Condition     // at risk; never nil
	About  []Signal      // what When asks about, and what must be seen good again; empty: every signal
	Grace  time.Duration // least time between the notice and anything destructive
	Ladder []Rung        // climbed in order while the device stays at risk

	ClearFor         time.Duration // how long health must last before the case closes
	ReopenWithin     time.Duration // a risk that comes back so soon is the same case
	InvestigationCap time.Duration // the longest a rung waits for Defender's own investigation
	Closing          []Order       // besides taking back what was done
	Plain            bool          // the user is not told what was found is called, only that it is harmful
}

// Plain reports whether the user of the case's device is not told what was found
// is called: by the policy of the case, or, if there is none of that name any
// more, by any.
func (p Policies) Plain(c Case) bool {
	if i := p.named(c.Policy); i < len(p.List) {
		return p.List[i].Plain
	}
	return slices.ContainsFunc(p.List, func(p Policy) bool { return p.Plain })
}

// A Rung is one step of the ladder.
type Rung struct {
	After              time.Duration // counted from when the rung below was done, not from when it was due
	If                 Condition     // nil: always; where it does not hold the rung is passed over
	WaitsInvestigation bool
	Approvals          int // how many people must allow what is grave, each another one
	Do                 []Order
}

// Destructive reports whether the rung does anything that cannot be taken back.
func (r Rung) Destructive() bool {
	for _, o := range r.Do {
		if o.Action.Destructive() {
			return true
		}
	}
	return false
}

// needsSight reports whether the rung does anything to the device, for which it
// must have been seen.
func (r Rung) needsSight() bool {
	for _, o := range r.Do {
		if o.Action.OnDevice() {
			return true
		}
	}
	return false
}

// A Signal is one of the kinds of evidence that a device is at risk.
type Signal string

// The signals.
const (
	ThreatState Signal = "threat"     // partnerReportedThreatState
	Compliance  Signal = "compliance" // complianceState
	MalwareLeft Signal = "malware"    // active malware
	AlertsOpen  Signal = "alerts"     // open alerts
)

// A Condition is a yes-or-no question about a device. It must give the same
// answer for the same device, always.
type Condition interface {
	Holds(Device) (bool, error)
}

// approval is how long an approval counts.
func (p Policies) approval() time.Duration {
	if p.Approval > 0 {
		return p.Approval
	}
	return 24 * time.Hour
}

// relook is how long an open case goes without a look.
func (p Policies) relook() time.Duration {
	if p.Relook > 0 {
		return p.Relook
	}
	return time.Hour
}

// isolation is how long a device is isolated without a person being asked.
func (p Policies) isolation() time.Duration {
	if p.Isolation > 0 {
		return p.Isolation
	}
	return 24 * time.Hour
}

// answer is how long an answer acknowledges a case.
func (p Policies) answer() time.Duration {
	if p.Answer > 0 {
		return p.Answer
	}
	return 4 * time.Hour
}

// gap is how long a page waits for an answer before it comes again.
func (p Policies) gap() time.Duration {
	if p.Gap > 0 {
		return p.Gap
	}
	return 15 * time.Minute
}

// named returns the place of a policy in the list, or len(p.List) if it is not
// there (any more): every policy outranks that.
func (p Policies) named(name string) int {
	for i := range p.List {
		if p.List[i].Name == name {
			return i
		}
	}
	return len(p.List)
}

// match returns the place of the policy the device is at risk by, or
// len(p.List), and the questions that could not be answered.
func (p Policies) match(d Device) (int, []string) {
	var unclear []string
	for i := range p.List {
		ok, err := p.List[i].When.Holds(d)
		if err != nil {
			unclear = append(unclear, "policy "+p.List[i].Name+": "+err.Error())
		}
		if ok {
			return i, unclear
		}
	}
	return len(p.List), unclear
}
