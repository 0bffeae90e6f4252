package main

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"curfew/events"
	"curfew/events/journal"
	"curfew/handlers/ticket"
	"curfew/handlers/ticket/jira"
	"curfew/handlers/ticket/servicenow"
)

// desks are those of the configuration.
func desks(conf *config, log *slog.Logger) *ticket.Handler {
	h := &ticket.Handler{Desks: map[string]ticket.Desk{}, Reopen: map[string]time.Duration{}, Log: log}
	for name, d := range conf.Destinations {
		if desk := deskOf(conf, d, client(d.CA)); desk != nil {
			h.Desks[name] = desk
		}
		if d.Desk != nil {
			h.Reopen[name] = d.Desk.reopenWithin()
		}
	}
	return h
}

// answersOf reads back what people do with tickets.
func answersOf(desks *ticket.Handler, j *journal.Journal, log *slog.Logger) *ticket.Answers {
	return &ticket.Answers{
		Handler: desks, Tell: j.Append, Log: log,
		Cases: func(ctx context.Context) iter.Seq2[events.Case, error] { return j.Cases(ctx, "") },
	}
}

// A deskKind is a vendor's desk, as the file configures it.
type deskKind struct {
	vendor  string
	example string      // an address
	secrets []secretKey // the keys that end in _file and _env
	section func() deskSection
}

type secretKey struct {
	key      string
	required bool
}

// deskKinds are the vendors, by the kind that a destination names. One that is
// new needs a line here, its section below, and its part of the schema.
func deskKinds() map[string]deskKind {
	return map[string]deskKind{
		"jira":       {"Jira", "https://contoso.atlassian.net", []secretKey{{"token", true}}, func() deskSection { return &jiraSection{} }},
		"servicenow": {"ServiceNow", "https://contoso.service-now.com", []secretKey{{"password", false}, {"client_secret", false}}, func() deskSection { return &servicenowSection{} }},
	}
}

type jiraSection struct {
	deskBase[jira.Route, string]

	User       string   `json:"user"` // an address, of Cloud; empty: Data Center
	Browse     string   `json:"browse"`
	Labels     []string `json:"labels"`
	ResolveBy  string   `json:"resolve_by"`
	ReopenBy   string   `json:"reopen_by"`
	Resolution string   `json:"resolution"`
}

func (s *jiraSection) desk(p deskParts) ticket.Desk {
	return &jira.Desk{
		URL: p.url, Browse: s.Browse, Email: s.User, Token: p.secret("token"), Client: p.client,
		Customers: s.places(p.ids), Labels: s.Labels, Fields: s.Fields, Priorities: s.Priority,
		ResolveBy: s.ResolveBy, ReopenBy: s.ReopenBy, Resolution: s.Resolution,
	}
}

type servicenowSection struct {
	deskBase[servicenow.Route, servicenow.Weight]

	User       string   `json:"user"`
	ClientID   string   `json:"client_id"`
	CloseCode  string   `json:"close_code"`
	TwinCode   string   `json:"duplicate_code"`
	Automation []string `json:"automation"`
}

func (s *servicenowSection) desk(p deskParts) ticket.Desk {
	return &servicenow.Desk{
		URL: p.url, User: s.User, Password: p.secret("password"), ClientID: s.ClientID, ClientSecret: p.secret("client_secret"), Client: p.client,
		Customers: s.places(p.ids), Fields: s.Fields, Weights: s.Priority,
		CloseCode: s.CloseCode, TwinCode: s.TwinCode, Automation: s.Automation,
	}
}
