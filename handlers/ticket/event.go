package ticket

import (
	"cmp"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// An Event is the body of a request. Texts about the device come from outside:
// they are one line each and free of control characters, but a receiver that
// shows them as HTML or Markdown must escape them.
type Event struct {
	Version   int             `json:"version"`            // 1; fields are added without a new one
	Kind      string          `json:"event"`              // opened, updated or closed
	Case      string          `json:"case"`               // the same for as long as it is the same case; fold by it
	Ref       string          `json:"ref,omitempty"`      // the id the desk gave the ticket, of updated and closed
	Asked     time.Time       `json:"asked"`              // when the case asked for this
	Summary   string          `json:"summary"`            // one line
	Severity  string          `json:"severity"`           // clear, informational, low, medium, high or compromised
	Policy    string          `json:"policy,omitempty"`   // the rule the case was opened by
	Template  string          `json:"template,omitempty"` // what the rule names, for the desk's own use
	Device    Device          `json:"device"`
	Findings  []string        `json:"findings,omitempty"`  // what is wrong, the gravest first
	Attention []string        `json:"attention,omitempty"` // what only a person can help with
	Links     []handlers.Link `json:"links,omitempty"`

	Telling handlers.Telling `json:"-"` // in which language all of this is, and what else is said
}

// A Device is the device that an [Event] is about.
type Device struct {
	Tenant   string `json:"tenant"`
	ID       string `json:"id"` // its Entra device id
	IntuneID string `json:"intuneId,omitempty"`
	Name     string `json:"name,omitempty"`
	Serial   string `json:"serial,omitempty"`
	OS       string `json:"os,omitempty"`
	Version  string `json:"osVersion,omitempty"`
	User     string `json:"user,omitempty"`
	UserName string `json:"userName,omitempty"`
}

func event(c events.Case, t events.Task, telling handlers.Telling) Event {
	d := c.Inhabited()
	e := Event{
		Version:  1,
		Telling:  telling,
		Kind:     "opened",
		Case:     cmp.Or(t.Case, c.ID()),
		Ref:      t.Ref,
		Asked:    t.Asked,
		Summary:  telling.Summary(c),
		Severity: max(handlers.Worst(d), events.Clear).String(),
		Policy:   handlers.Line(c.Policy, 200),
		Template: handlers.Line(t.Template, 200),
		Device: Device{
			Tenant: c.Tenant, ID: c.Key.Device, IntuneID: handlers.Line(d.IntuneID, 100),
			Name: handlers.Line(d.Name, 100), Serial: handlers.Line(d.Serial, 100),
			OS: handlers.Line(d.OS, 50), Version: handlers.Line(d.OSVersion, 50),
			User: handlers.Line(d.User, 200), UserName: handlers.Line(d.UserName, 200),
		},
		Links: handlers.Links(c),
	}
	e.Findings, e.Attention = telling.Sentences(c)
	switch known, ok := known(c, t); {
	case t.Action == events.Close:
		e.Kind = "closed"
	case ok:
		e.Kind, e.Ref = "updated", known
	}
	return e
}

// known is the receipt of the ticket that the case has at the task's desk.
func known(c events.Case, t events.Task) (receipt string, ok bool) {
	for _, x := range c.Effects {
		if x.Action == events.Ticket && x.Destination == t.Destination {
			receipt, ok = x.Ref, true
		}
	}
	return receipt, ok
}
