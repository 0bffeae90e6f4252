package events

import "time"

// An Action names a kind of work. Each is a queue of its own, served by one
// handler, so that a dead destination of one delays none of the others.
type Action string

// The actions. Reset is the only destructive one so far.
const (
	Look    Action = "look"    // ask Graph how the device is now
	Sync    Action = "sync"    // ask the device to check in with Intune
	Mail    Action = "mail"    // tell the user
	Ticket  Action = "ticket"  // open a ticket, or add to the open one
	Close   Action = "close"   // close the ticket
	Page    Action = "page"    // wake somebody
	Resolve Action = "resolve" // let them sleep again
	Scan    Action = "scan"    // start an antivirus scan
	Reset   Action = "reset"   // Autopilot Reset: takes the user's files, apps and settings
)

// Actions are all of them.
func Actions() []Action {
	return []Action{Look, Sync, Mail, Ticket, Close, Page, Resolve, Scan, Reset}
}

// Destructive reports whether the action takes something that cannot be given back.
func (a Action) Destructive() bool { return a == Reset }

// OnDevice reports whether the action is done by the device itself, which
// Intune only asks to: accepted is not done.
func (a Action) OnDevice() bool { return a == Sync || a == Scan || a == Reset }

// Effect reports whether the action does something outside, so that it must be
// [Begun] before it is called. Only looking does not.
func (a Action) Effect() bool { return a != Look }

// undo is the action that takes a back, or "".
func (a Action) undo() Action {
	switch a {
	case Ticket:
		return Close
	case Page:
		return Resolve
	}
	return ""
}

// takesBack reports whether the action ends what another one began.
func (a Action) takesBack() bool { return a == Close || a == Resolve }

// An Order is one thing a rung does, as the rule file has it.
type Order struct {
	Action      Action `json:"action"`
	Destination string `json:"destination,omitempty"` // of mail, ticket and page: a name from the configuration
	Template    string `json:"template,omitempty"`    // of mail, ticket and page
	Kind        string `json:"kind,omitempty"`        // of scan: "quick" or "full"
}

// A Task is one thing a case asks a handler to do.
//
// Its ID never changes, so a task that is delivered twice carries the same ID
// both times; handlers pass it on wherever the outside world takes an
// idempotency key. The rest says how far it has come.
type Task struct {
	ID string `json:"id"` // "tenant/device/n-action"
	N  int    `json:"n"`  // counts the tasks of the device, from 1
	Order
	Case   string `json:"case"`             // [Case.ID] when it was asked for: what the other side folds by
	Ref    string `json:"ref,omitempty"`    // of close and resolve: what the other side calls the thing to take back
	Rung   int    `json:"rung,omitempty"`   // the rung that asked, from 1; 0: none
	Policy string `json:"policy,omitempty"` // and the policy it is of

	Asked     time.Time  `json:"asked"`
	Sent      int        `json:"sent"`                // how often it was put into the queue
	Out       bool       `json:"out,omitempty"`       // it is in the queue, or a handler has it
	Next      time.Time  `json:"next,omitzero"`       // when the case asks again if it has heard nothing
	After     string     `json:"after,omitempty"`     // it waits for this other task
	Begun     *Attempt   `json:"begun,omitempty"`     // who is doing it; nil: it can still be called off
	Unsure    bool       `json:"unsure,omitempty"`    // it may have been done already: settle, do not repeat
	Refused   string     `json:"refused,omitempty"`   // the attempt that was last told not to begin
	Accepted  *Progress  `json:"accepted,omitempty"`  // the other side took it on
	Tries     int        `json:"tries,omitempty"`     // how often it came back
	Held      *Holding   `json:"held,omitempty"`      // a gate keeps it back
	Released  string     `json:"released,omitempty"`  // who let it through that gate
	Needs     int        `json:"needs,omitempty"`     // approvals, each by another person
	Approvals []Approval `json:"approvals,omitempty"` // those given and not run out
	Seal      string     `json:"seal,omitempty"`      // the risk they are given for; see [Device.Risk]
	Why       string     `json:"why,omitempty"`       // and why it did last
}

// An Attempt is one handler's go at a task.
type Attempt struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Before string    `json:"before,omitempty"` // what the other side's record showed then
}

// A Holding is a gate's word that a task must wait.
type Holding struct {
	Gate   string    `json:"gate"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// An Approval is one person's consent to a task.
type Approval struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Progress is what the other side said when it took a task on.
type Progress struct {
	At      time.Time `json:"at"` // first
	Receipt string    `json:"receipt,omitempty"`
}
