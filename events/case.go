package events

import (
	"fmt"
	"slices"
	"time"
)

// A Case is everything Curfew remembers about one device. A device never heard
// of has the zero Case, but for its Key.
//
// A Case is a value: Step returns a new one and leaves its argument alone.
type Case struct {
	Key
	Device Device `json:"seen"`
	Person Person `json:"person,omitzero"` // whose device it is, or last was

	Open      bool      `json:"open"`
	Policy    string    `json:"policy,omitempty"`  // the policy it was opened by; empty while open: only a person can help
	Episode   int       `json:"episode,omitempty"` // counts the times it opened as another case
	Opened    time.Time `json:"opened,omitzero"`
	Closed    time.Time `json:"closed,omitzero"`
	ClosedBy  string    `json:"closedBy,omitempty"`  // a person; empty: proof
	ClosedFor string    `json:"closedFor,omitempty"` // why that person says
	Waived    string    `json:"waived,omitempty"`    // the risk that person saw; see [Device.Risk]
	Rung      int       `json:"rung"`                // rungs climbed so far
	Since     time.Time `json:"since,omitzero"`      // when the rung below was done, or the case opened
	Told      time.Time `json:"told,omitzero"`       // when the user was first told in this episode; zero: not yet
	Mailed    time.Time `json:"mailed,omitzero"`     // when the user was last mailed by a rung of this episode
	Reached   time.Time `json:"reached,omitzero"`    // when the user was last told by another way too, see reach
	Shown     bool      `json:"shown,omitempty"`     // the last look showed the risk
	Clearing  time.Time `json:"clearing,omitzero"`   // when the device was first seen healthy; zero: it is not
	Bad       []Signal  `json:"bad,omitempty"`       // the signals that were bad in this episode and must be seen good
	Unproven  []string  `json:"unproven,omitempty"`  // why health is not believed yet
	Attention []string  `json:"attention,omitempty"`
	Hold      *Hold     `json:"hold,omitempty"`
	Woken     *Hold     `json:"woken,omitempty"` // a hold that has ended: nothing climbs before a look has shown how things stand since

	Pending []Task    `json:"pending,omitempty"` // asked for and not reported yet
	Given   []Task    `json:"given,omitempty"`   // given up: at most [MaxGiven], newest last
	Acts    []Act     `json:"acts,omitempty"`    // what was done to the device: at most [MaxActs], newest last
	Effects []Effect  `json:"effects,omitempty"` // what was done and can be taken back
	Asked   int       `json:"asked"`             // tasks asked for, ever
	Again   bool      `json:"again,omitempty"`   // something changed while a look was under way
	Looked  time.Time `json:"looked,omitzero"`   // when a look last ended, well or badly
	Synced  time.Time `json:"synced,omitzero"`   // when the device was last asked to check in
	Said    *Noted    `json:"said,omitempty"`    // the last remark of a person
	Doubt   time.Time `json:"doubt,omitzero"`    // restored from a backup: what was done after this is not known; zero: it was not, or has been at rest since

	WakeAt time.Time `json:"wakeAt,omitzero"` // when something is due next; zero: nothing is
	At     time.Time `json:"at,omitzero"`     // when this record was made
	Rules  string    `json:"rules,omitempty"` // by which [Policies.Version]
	Trace  []string  `json:"trace,omitempty"` // what this record changed, in plain words
	Taken  uint64    `json:"taken,omitempty"` // the last fact taken; the journal's own
}

// MaxGiven bounds [Case.Given]; the dead letters keep the rest.
const MaxGiven = 20

// A Person is the user of a device. A reset takes the primary user from the
// device (Intune docs: Autopilot Reset); the case remembers whom it is about.
type Person struct {
	User     string `json:"user,omitempty"` // principal name
	UserID   string `json:"userId,omitempty"`
	Name     string `json:"name,omitempty"`
	Mail     string `json:"mail,omitempty"`
	Language string `json:"language,omitempty"`
	TimeZone string `json:"timeZone,omitempty"`
}

// A Hold is a person's word that the ladder must wait.
type Hold struct {
	By     string    `json:"by"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty"`
	Quiet  bool      `json:"quiet,omitempty"` // snoozed, not only acknowledged
	Since  time.Time `json:"since,omitzero"`
}

// An Effect is something done outside that must be taken back at the end.
type Effect struct {
	Action      Action    `json:"action"`
	Destination string    `json:"destination,omitempty"`
	Ref         string    `json:"ref,omitempty"`
	Link        string    `json:"link,omitempty"`
	At          time.Time `json:"at"`
	Asked       time.Time `json:"asked,omitzero"` // of an isolation: when a person was last asked about it
	Back        bool      `json:"back,omitempty"` // it was asked to be taken back

	Digest bool `json:"digest,omitempty"` // of a page: only digests have told of it, so there is nothing to resolve

	Order Order         `json:"order,omitzero"`  // of a ticket or page: how it was asked for
	Heard time.Time     `json:"heard,omitzero"`  // the last answer of a person that was taken
	Ended string        `json:"ended,omitempty"` // the person who ended it there, until it is known whether the risk is gone
	Left  int           `json:"left,omitempty"`  // of a page: how often it is repeated yet, if nobody answers
	Gap   time.Duration `json:"gap,omitempty"`   // and after how long
	Next  time.Time     `json:"next,omitzero"`   // and when
}

// ID names the case outside, the same for as long as it is the same case: what
// tickets and pages are folded by. It is at most 140 characters of letters,
// digits, - _ and /.
func (c Case) ID() string { return fmt.Sprintf("%s/%d", c.Key, c.Episode) }

// Inhabited is the device with the person it belongs to, or last belonged to.
func (c Case) Inhabited() Device {
	d := c.Device
	if d.User == "" {
		d.User, d.UserID, d.UserName, d.UserMail, d.Language = c.Person.User, c.Person.UserID, c.Person.Name, c.Person.Mail, c.Person.Language
		d.TimeZone = c.Person.TimeZone
	}
	return d
}

// State is the case in one word for people.
func (c Case) State() string {
	switch {
	case !c.Open && len(c.Pending) > 0:
		return "busy"
	case !c.Open:
		return "rest"
	case c.Hold != nil && c.Hold.Quiet:
		return "snoozed"
	case c.Hold != nil:
		return "acknowledged"
	case !c.Clearing.IsZero():
		return "clearing"
	case slices.ContainsFunc(c.Pending, Task.awaitsMicrosoft):
		return "awaiting_microsoft_approval"
	case len(c.Attention) > 0:
		return "attention"
	}
	return "open"
}

// Wants returns the pending task with this id as the case has it, and whether it
// is to be done now. A handler asks before it does anything.
func (c Case) Wants(id string) (Task, bool) {
	i := c.index(id)
	if i < 0 {
		return Task{}, false
	}
	return c.Pending[i], c.Pending[i].Out
}

// Ready are the pending tasks that belong in the queue.
func (c Case) Ready() []Task {
	var out []Task
	for _, t := range c.Pending {
		if t.Out {
			out = append(out, t)
		}
	}
	return out
}

// ResetDue estimates when the next destructive rung is due, for telling the
// user. Zero: none is in sight.
func (c Case) ResetDue(p Policies) time.Time {
	i := p.named(c.Policy)
	if !c.Open || i == len(p.List) {
		return time.Time{}
	}
	pol, at := p.List[i], c.Since
	for n, r := range pol.Ladder {
		if n < c.Rung {
			continue
		}
		at = at.Add(r.After)
		if r.Destructive() {
			return later(at, later(c.Told, c.Opened).Add(pol.Grace))
		}
	}
	return time.Time{}
}

func (c Case) index(id string) int {
	return slices.IndexFunc(c.Pending, func(t Task) bool { return t.ID == id })
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
