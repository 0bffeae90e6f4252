package events_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"curfew/events"
)

// anyPolicies draws rules of one to three policies, some of which reset.
func anyPolicies(t *rapid.T) events.Policies {
	hours := func(name string) time.Duration {
		return time.Duration(rapid.SampledFrom([]int{0, 0, 1, 5, 24, 72}).Draw(t, name)) * time.Hour
	}
	p := events.Policies{Relook: 6 * time.Hour, Isolation: hours("isolation"), Approvers: events.Approvers{"": {"ana@contoso.example"}}}
	if rapid.Bool().Draw(t, "attention") {
		p.Attention = []events.Order{{Action: events.Ticket, Destination: "desk"}}
	}
	conditions := []events.Condition{
		when(func(d events.Device) bool { return d.Threat.Level() >= events.High }),
		when(func(d events.Device) bool { return d.Threat.Level() >= events.Low || highAlert(d) }),
		when(func(d events.Device) bool { return d.Compliance == "noncompliant" }),
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "policies") {
		pol := events.Policy{
			Name: fmt.Sprint("p", i), When: conditions[i],
			Grace: hours("grace"), ClearFor: hours("clear"), ReopenWithin: hours("reopen"), InvestigationCap: hours("cap"),
			Closing: []events.Order{{Action: events.Mail, Template: "cleared"}},
		}
		for range rapid.IntRange(0, 4).Draw(t, "rungs") {
			r := events.Rung{After: hours("after"), WaitsInvestigation: rapid.Bool().Draw(t, "waits"), Approvals: rapid.IntRange(0, 2).Draw(t, "approvals")}
			switch rapid.IntRange(0, 5).Draw(t, "if") {
			case 0:
				r.If = when(func(d events.Device) bool { return d.Threat.Level() >= events.High })
			case 1:
				r.If = never{}
			}
			for range rapid.IntRange(1, 3).Draw(t, "orders") {
				r.Do = append(r.Do, rapid.SampledFrom([]events.Order{
					{Action: events.Mail, Template: "notice"}, {Action: events.Ticket, Destination: "desk"},
					{Action: events.Page, Destination: "oncall", Repeat: 2}, {Action: events.Scan, Kind: "full"}, {Action: events.Reset},
					{Action: events.Isolate}, {Action: events.Neighbours, Scope: "user"}, {Action: events.Retire},
				}).Draw(t, "order"))
			}
			pol.Ladder = append(pol.Ladder, r)
		}
		p.List = append(p.List, pol)
	}
	return p
}
