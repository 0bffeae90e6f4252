package events

import "time"

// An Action names a kind of work. Each is a queue of its own, served by one
// handler, so that a dead destination of one delays none of the others.
type Action string

// The actions.
const (
	Look        Action = "look"        // ask Graph how the device is now
	Sync        Action = "sync"        // ask the device to check in with Intune
	Mail        Action = "mail"        // tell the user, or who may approve
	Notify      Action = "notify"      // tell the user by Teams' activity feed
	Push        Action = "push"        // tell the user by Company Portal on a phone
	Ticket      Action = "ticket"      // open a ticket, or add to the open one
	Close       Action = "close"       // close the ticket
	Page        Action = "page"        // wake somebody
	Resolve     Action = "resolve"     // let them sleep again
	Scan        Action = "scan"        // start an antivirus scan
	Neighbours  Action = "neighbours"  // scan the devices that may have caught it too
	Investigate Action = "investigate" // have Defender investigate by itself
	Lock        Action = "lock"        // lock the screen
	Restart     Action = "restart"     // start the device anew
	Isolate     Action = "isolate"     // cut the device off the network, but for Defender
	Unisolate   Action = "unisolate"   // and let it back
	Reset       Action = "reset"       // Autopilot Reset: takes the user's files, apps and settings
	Restore     Action = "restore"     // give a device that was reset its primary user back
	Retire      Action = "retire"      // take the organisation's data and management off the device
	Wipe        Action = "wipe"        // factory wipe: takes everything, the enrolment too
)

// Actions are all of them.
func Actions() []Action {
	return []Action{
		Look, Sync, Mail, Notify, Push, Ticket, Close, Page, Resolve, Scan, Neighbours, Investigate,
		Lock, Restart, Isolate, Unisolate, Reset, Restore, Retire, Wipe,
	}
}

// Destructive reports whether the action takes something that cannot be given back.
func (a Action) Destructive() bool { return a == Reset || a == Retire || a == Wipe }

// Grave reports whether the action is one that people may have to approve: what
// is destructive, and what cuts a person off from their work.
func (a Action) Grave() bool { return a.Destructive() || a == Isolate }

// OnDevice reports whether something is asked of a device, by Intune or Defender:
// accepted is not done.
func (a Action) OnDevice() bool {
	switch a {
	case Sync, Scan, Neighbours, Investigate, Lock, Restart, Isolate, Unisolate:
		return true
	}
	return a.Destructive()
}

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
	case Isolate:
		return Unisolate
	case Reset:
		return Restore
	}
	return ""
}

// takesBack reports whether the action ends what another one began.
func (a Action) takesBack() bool {
	return a == Close || a == Resolve || a == Unisolate || a == Restore
}

// An Order is one thing a rung does, as the rule file has it.
type Order struct {
	Action      Action `json:"action"`
	Destination string `json:"destination,omitempty"` // of ticket and page: a name from the configuration; of mail: an address, or empty for the user
	Template    string `json:"template,omitempty"`    // of mail, ticket and page
	Kind        string `json:"kind,omitempty"`        // of scan and neighbours: "quick" or "full"
	Via         string `json:"via,omitempty"`         // of scan: "defender"; empty: Intune
	Repeat      int    `json:"repeat,omitempty"`      // of page: how often it comes again, after ever longer gaps, while nobody answers
	Scope       string `json:"scope,omitempty"`       // of neighbours: "user", "incident", or "group:" and a name or id
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
	Ref    string `json:"ref,omitempty"`    // what the other side calls the thing to take back; of an invitation to approve: the task
	For    string `json:"for,omitempty"`    // of what is destructive: the enrolment it was asked for, by its id in Intune
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
	Invited   time.Time  `json:"invited,omitzero"`    // when those who may approve were last asked to
	Links     []string   `json:"links,omitempty"`     // the invitations that were used
	Request   string     `json:"request,omitempty"`   // what Microsoft calls the request that an administrator has to approve there
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
	By    string    `json:"by"`
	At    time.Time `json:"at"`
	Given time.Time `json:"given,omitzero"` // see [Approved]
	Sig   string    `json:"sig,omitempty"`
}

// Progress is what the other side said when it took a task on.
type Progress struct {
	At      time.Time `json:"at"` // when it first said so
	Receipt string    `json:"receipt,omitempty"`
	Running bool      `json:"running,omitempty"` // the device is at it
}
