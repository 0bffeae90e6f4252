package events_test

import (
	"fmt"
	"time"

	"curfew/events"
)

// when is a condition written in Go; the rule file's are written in CEL.
type when func(events.Device) bool

func (w when) Holds(d events.Device) (bool, error) { return w(d), nil }

// never is a condition that cannot be answered.
type never struct{}

func (never) Holds(events.Device) (bool, error) { return false, fmt.Errorf("no such field") }

// policies are those every story is told under: a threat climbs to a reset, a
// device that is only not compliant never gets further than a ticket.
var policies = events.Policies{
	Version:   "stories",
	Relook:    6 * time.Hour,
	Attention: []events.Order{{Action: events.Ticket, Destination: "desk", Template: "attention"}},
	List: []events.Policy{
		{
			Name: "threat",
			When: when(func(d events.Device) bool {
				return d.Threat.Level() >= events.Medium || len(d.ActiveMalware()) > 0 || highAlert(d)
			}),
			About:            []events.Signal{events.ThreatState, events.MalwareLeft, events.AlertsOpen},
			Grace:            24 * time.Hour,
			ClearFor:         30 * time.Minute,
			ReopenWithin:     7 * 24 * time.Hour,
			InvestigationCap: 4 * time.Hour,
			Ladder: []events.Rung{
				{Do: []events.Order{{Action: events.Mail, Template: "threat-found"}}},
				{After: 2 * time.Hour, WaitsInvestigation: true, Do: []events.Order{
					{Action: events.Ticket, Destination: "desk"}, {Action: events.Scan, Kind: "quick"}}},
				{After: 4 * time.Hour, If: when(func(d events.Device) bool { return d.Threat.Level() >= events.High }), Do: []events.Order{
					{Action: events.Page, Destination: "oncall"}}},
				{After: 12 * time.Hour, WaitsInvestigation: true, Do: []events.Order{{Action: events.Reset}}},
			},
			Closing: []events.Order{{Action: events.Mail, Template: "cleared"}},
		},
		{
			Name:         "compliance",
			When:         when(func(d events.Device) bool { return d.Compliance == "noncompliant" }),
			About:        []events.Signal{events.Compliance},
			ReopenWithin: 24 * time.Hour,
			Ladder: []events.Rung{
				{Do: []events.Order{{Action: events.Mail, Template: "noncompliant"}}},
				{After: 48 * time.Hour, Do: []events.Order{{Action: events.Ticket, Destination: "desk"}}},
			},
			Closing: []events.Order{{Action: events.Mail, Template: "cleared"}},
		},
	},
}

// twoPeople is a short ladder whose reset two people must allow.
var twoPeople = events.Policies{
	Attention: []events.Order{{Action: events.Ticket, Destination: "desk", Template: "attention"}},
	List: []events.Policy{{
		Name:  "two",
		When:  when(func(d events.Device) bool { return d.Threat.Level() >= events.Medium }),
		Grace: 24 * time.Hour,
		Ladder: []events.Rung{
			{Do: []events.Order{{Action: events.Mail, Template: "threat-found"}}},
			{Do: []events.Order{{Action: events.Reset}}, Approvals: 2},
		},
	}},
}

// contained is a policy that isolates first, and asks by mail before it resets.
var contained = events.Policies{
	Attention: []events.Order{{Action: events.Page, Destination: "oncall", Template: "attention"}},
	Approvers: events.Approvers{"contoso": {"ana@contoso.example", "user@contoso.example"}},
	List: []events.Policy{{
		Name:  "contained",
		When:  when(func(d events.Device) bool { return d.Threat.Level() >= events.Medium }),
		About: []events.Signal{events.ThreatState, events.Compliance, events.MalwareLeft},
		Grace: 24 * time.Hour,
		Ladder: []events.Rung{
			{Do: []events.Order{{Action: events.Mail, Template: "threat-found"}, {Action: events.Isolate}}},
			{After: 30 * time.Hour, Do: []events.Order{{Action: events.Reset}}, Approvals: 1},
		},
		Closing: []events.Order{{Action: events.Mail, Template: "cleared"}},
	}},
}

// answeredFor is a policy that opens a ticket and pages until somebody answers.
var answeredFor = events.Policies{
	Attention: []events.Order{{Action: events.Ticket, Destination: "desk", Template: "attention"}},
	List: []events.Policy{{
		Name: "answered",
		When: when(func(d events.Device) bool { return d.Threat.Level() >= events.Medium }),
		Ladder: []events.Rung{
			{Do: []events.Order{{Action: events.Ticket, Destination: "desk"}, {Action: events.Page, Destination: "oncall", Repeat: 3}}},
			{After: 6 * time.Hour, Do: []events.Order{{Action: events.Mail, Template: "threat-found"}}},
		},
	}},
}

// reached are the policies of every story in a tenant that can tell users besides by
// mail.
func reached() events.Policies {
	p := policies
	p.Reach = events.Reach{"contoso": {events.Notify, events.Push}}
	return p
}

func highAlert(d events.Device) bool {
	for _, a := range d.OpenAlerts() {
		if events.Severity(a.Severity) >= events.High {
			return true
		}
	}
	return false
}
