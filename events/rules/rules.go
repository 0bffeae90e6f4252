// Package rules is the language in which people say what counts as being at
// risk and what follows: policies, their ladders, and conditions on devices in
// CEL (the Common Expression Language).
//
// [Rules] is the rule section of the configuration as it was written.
// [Rules.Compile] makes [events.Policies] of it, or says everything that is
// wrong with it, each mistake with its place. The package does no I/O and knows
// nothing of files.
//
// # Conditions
//
// A condition is an expression about `device` that is true or false:
//
//	device.os == "Windows" && (device.threat >= medium || device.malware.exists(m, m.active))
//
//	device:  id, tenant, name, serial, os, os_version, owner, user, language, groups,
//	         compliance, settings, threat, alerts, malware, investigating, join,
//	         management, agent, registration, hours_since_sync
//	setting: policy, name, state, detail
//	alert:   id, incident, title, severity, status, classification, open, remediated,
//	         investigation, remediation, verdict, threat, source
//	malware: name, severity, state, active
//
// threat and severity are levels, compared with nothing, clear, informational,
// low, medium, high and compromised, without quotes; neither numbers nor texts
// fit. version("10.0.22631") compares versions. has(device.user) asks whether
// there is one. There is no clock: hours_since_sync counts up to when the device
// was seen.
//
// What is guaranteed:
//
//   - A condition gives the same answer for the same device, always, in bounded
//     time.
//   - Reading a value that Microsoft added after this version was made is an
//     error, in whatever comparison: such a value is neither equal nor unequal,
//     neither above nor below anything, and so matches no policy by negation
//     either. The error makes the answer unclear, unless the rest of the
//     condition settles it: true || unclear is true, false && unclear is false.
//   - Only a threat reaches a reset: a policy that could match a device without
//     any alert, malware or reported threat may not have one; see [Rules.Compile].
//
// What may not be assumed: that an empty list means there is nothing. It may
// not have been read; [events.Device.Missing] says so, conditions do not.
package rules

import (
	"encoding/json"
	"fmt"

	"curfew/events"
)

// Rules is the rule section of the configuration.
type Rules struct {
	Relook    Duration `json:"relook,omitempty"`           // zero: DefaultRelook
	Answered  Duration `json:"answered_for,omitempty"`     // how long a case is somebody's who answered; zero: DefaultAnswered
	PageAgain Duration `json:"page_again_after,omitempty"` // the first gap between pages nobody answers; zero: DefaultPageAgain
	Attention []Order  `json:"attention,omitempty"`        // once, when only a person can help
	Policies  []Policy `json:"policies,omitempty"`         // the gravest first
}

// Defaults of what a policy leaves out.
const (
	DefaultRelook           = "1h"
	DefaultAnswered         = "4h"
	DefaultPageAgain        = "15m"
	DefaultRepeat           = 3
	DefaultClearFor         = "30m"
	DefaultReopenWithin     = "7d"
	DefaultInvestigationCap = "4h" // where a rung waits for the investigation
	DefaultScan             = "quick"
	DefaultCleared          = "cleared" // the template of the closing mail
)

// A Policy says which devices it is about, and what to do about them.
type Policy struct {
	Name    string   `json:"name"`
	Tenants []string `json:"tenants,omitempty"` // names or ids; empty: all
	When    string   `json:"when"`

	Grace            Duration  `json:"grace,omitempty"`
	ClearFor         *Duration `json:"clear_for,omitempty"`              // nil: DefaultClearFor
	ReopenWithin     *Duration `json:"reopen_within,omitempty"`          // nil: DefaultReopenWithin
	InvestigationCap *Duration `json:"wait_for_investigation,omitempty"` // nil: DefaultInvestigationCap

	Ladder  []Rung  `json:"ladder"`
	Closing []Order `json:"closing"`           // nil: a mail, if the ladder sends one
	Details string  `json:"details,omitempty"` // what the user is told of a threat: full or plain; empty: full
}

// A Rung is one step of a ladder.
type Rung struct {
	After              Duration `json:"after,omitempty"`
	If                 string   `json:"if,omitempty"`
	WaitsInvestigation bool     `json:"waits_for_investigation,omitempty"`
	Approval           string   `json:"approval,omitempty"` // before what is grave: one or two people; empty: none
	Do                 []Order  `json:"do"`
}

// An Order is one thing to do. As JSON it is the action's name alone, or an
// object with that one key: "reset", {"mail": {"template": "found"}}.
type Order events.Order

type orderParams struct {
	Destination string `json:"destination,omitempty"`
	Template    string `json:"template,omitempty"`
	Kind        string `json:"kind,omitempty"`
	Via         string `json:"via,omitempty"`
	Scope       string `json:"scope,omitempty"`
	Repeat      *int   `json:"repeat,omitempty"` // nil: DefaultRepeat, of a page
}

// UnmarshalJSON implements [json.Unmarshaler]. Null is an order without an action.
func (o *Order) UnmarshalJSON(b []byte) error {
	var bare string
	if err := json.Unmarshal(b, &bare); err == nil {
		*o = Order{Action: events.Action(bare)}
		return nil
	}
	var m map[events.Action]orderParams
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	if len(m) > 1 {
		return fmt.Errorf("an order names %d actions; it must name one", len(m))
	}
	for action, p := range m {
		*o = Order{Action: action, Destination: p.Destination, Template: p.Template, Kind: p.Kind, Via: p.Via, Scope: p.Scope}
		switch {
		case p.Repeat != nil:
			o.Repeat = *p.Repeat
		case action == events.Page:
			o.Repeat = DefaultRepeat
		}
	}
	return nil
}

// MarshalJSON implements [json.Marshaler].
func (o Order) MarshalJSON() ([]byte, error) {
	p := orderParams{Destination: o.Destination, Template: o.Template, Kind: o.Kind, Via: o.Via, Scope: o.Scope}
	if o.Action == events.Page {
		p.Repeat = &o.Repeat
	}
	return json.Marshal(map[events.Action]orderParams{o.Action: p})
}

// Known is what the rules may refer to.
type Known struct {
	Tenants      map[string]string        // id by name
	Destinations map[string]events.Action // the action each takes, ticket or page; "": not clear, do not complain
	Templates    []string                 // of mails; nil: not checked
}

// A Problem is something wrong with the rules, or to think about.
type Problem struct {
	Path    string // JSON pointer from the rule section: /policies/0/ladder/2/if
	At      int    // characters into the text there
	Text    string
	Warning bool // the rules work all the same
}

func (p Problem) String() string {
	s := p.Text
	if p.Warning {
		s = "warning: " + s
	}
	if p.At > 0 {
		return fmt.Sprintf("%s (character %d): %s", p.Path, p.At+1, s)
	}
	return p.Path + ": " + s
}
