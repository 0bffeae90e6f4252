package main

import (
	"cmp"
	"strings"
	"time"

	"curfew/events/rules"
	"curfew/handlers/ticket"
	"curfew/handlers/ticket/autotask"
	"curfew/handlers/ticket/connectwise"
	"curfew/handlers/ticket/freshservice"
	"curfew/handlers/ticket/halopsa"
	"curfew/handlers/ticket/jira"
	"curfew/handlers/ticket/maildesk"
	"curfew/handlers/ticket/servicenow"
	"curfew/handlers/ticket/zendesk"
)

// A deskKind is a vendor's desk, as the file configures it.
type deskKind struct {
	vendor  string
	example string      // an address
	secrets []secretKey // the keys that end in _file and _env
	section func() deskSection
	folds   bool // it keeps its tickets by itself, and is only told
}

type secretKey struct {
	key      string
	required bool
}

// deskKinds are the vendors, by the kind that a destination names. One that is
// new needs a line here, its section below, and its part of the schema.
func deskKinds() map[string]deskKind {
	token, key, oauth := secretKey{"token", false}, secretKey{"api_key", true}, secretKey{"client_secret", false}
	return map[string]deskKind{
		"mail":         {"a desk that is reached by mail", "", nil, func() deskSection { return &mailSection{} }, true},
		"jira":         {"Jira", "https://contoso.atlassian.net", []secretKey{{"token", true}}, func() deskSection { return &jiraSection{} }, false},
		"servicenow":   {"ServiceNow", "https://contoso.service-now.com", []secretKey{{"password", false}, oauth}, func() deskSection { return &servicenowSection{} }, false},
		"zendesk":      {"Zendesk", "https://contoso.zendesk.com", []secretKey{token, oauth}, func() deskSection { return &zendeskSection{} }, false},
		"freshservice": {"Freshservice", "https://contoso.freshservice.com", []secretKey{key}, func() deskSection { return &freshserviceSection{} }, false},
		"halopsa":      {"HaloPSA", "https://contoso.halopsa.com", []secretKey{{"client_secret", true}}, func() deskSection { return &halopsaSection{} }, false},
		"autotask":     {"Autotask PSA", "", []secretKey{{"secret", true}}, func() deskSection { return &autotaskSection{} }, false},
		"connectwise":  {"ConnectWise PSA", "https://api-eu.myconnectwise.net", []secretKey{{"private_key", true}}, func() deskSection { return &connectwiseSection{} }, false},
	}
}

type jiraSection struct {
	deskBase[jira.Route, string]

	User       string          `json:"user"` // an address, of Cloud; empty: Data Center
	Browse     string          `json:"browse"`
	Labels     []string        `json:"labels"`
	ResolveBy  string          `json:"resolve_by"`
	ReopenBy   string          `json:"reopen_by"`
	Resolution string          `json:"resolution"`
	SearchLag  *rules.Duration `json:"search_lag"` // nil: that of Cloud, or of Data Center
}

func (s *jiraSection) desk(p deskParts) ticket.Desk {
	var behind time.Duration
	if s.SearchLag != nil {
		behind = cmp.Or(time.Duration(*s.SearchLag), -1)
	}
	return &jira.Desk{
		URL: p.url, Browse: s.Browse, Email: s.User, Token: p.secret("token"), Client: p.client,
		Customers: s.places(p.ids), Labels: s.Labels, Fields: s.Fields, Priorities: s.Priority,
		ResolveBy: s.ResolveBy, ReopenBy: s.ReopenBy, Resolution: s.Resolution, Behind: behind,
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

type zendeskSection struct {
	deskBase[zendesk.Place, string]

	User     string   `json:"user"`
	ClientID string   `json:"client_id"`
	Tags     []string `json:"tags"`
}

func (s *zendeskSection) desk(p deskParts) ticket.Desk {
	return &zendesk.Desk{
		URL: p.url, ClientID: s.ClientID, ClientSecret: p.secret("client_secret"), Email: s.User, Token: p.secret("token"), Client: p.client,
		Customers: s.places(p.ids), Fields: s.Fields, Priorities: s.Priority, Tags: s.Tags,
	}
}

type freshserviceSection struct {
	deskBase[freshservice.Place, int]

	Resolved ticket.Fields `json:"resolved_fields"`
	Tags     []string      `json:"tags"`
	Ended    []int         `json:"ended"`
}

func (s *freshserviceSection) desk(p deskParts) ticket.Desk {
	return &freshservice.Desk{
		URL: p.url, Key: p.secret("api_key"), Client: p.client,
		Customers: s.places(p.ids), Fields: s.Fields, Priorities: s.Priority, Resolution: s.Resolved, Tags: s.Tags, Ended: s.Ended,
	}
}

type halopsaSection struct {
	deskBase[halopsa.Place, int]

	Auth       string   `json:"auth_url"`
	Tenant     string   `json:"hosted_tenant"`
	ClientID   string   `json:"client_id"`
	Outcome    int      `json:"outcome"`
	Resolve    int      `json:"resolve_status"`
	Reopened   int      `json:"reopen_status"`
	Ended      []int    `json:"ended"`
	Automation []string `json:"automation"`
}

func (s *halopsaSection) desk(p deskParts) ticket.Desk {
	return &halopsa.Desk{
		URL: p.url, Auth: s.Auth, Tenant: s.Tenant, ClientID: s.ClientID, ClientSecret: p.secret("client_secret"), Client: p.client,
		Customers: s.places(p.ids), Fields: s.Fields, Priorities: s.Priority,
		Outcome: s.Outcome, Resolved: s.Resolve, Reopened: s.Reopened, Ended: s.Ended, Automation: s.Automation,
	}
}

type connectwiseSection struct {
	deskBase[connectwise.Place, string]

	Browse     string               `json:"browse"`
	KeyField   connectwise.KeyField `json:"key_field"`
	Company    string               `json:"company"`
	PublicKey  string               `json:"public_key"`
	ClientID   string               `json:"client_id"`
	User       string               `json:"user"`
	ResolveBy  string               `json:"resolve_by"`
	ReopenBy   string               `json:"reopen_by"`
	Automation []string             `json:"automation"`
}

func (s *connectwiseSection) desk(p deskParts) ticket.Desk {
	return &connectwise.Desk{
		URL: p.url, Browse: s.Browse, Company: s.Company, PublicKey: s.PublicKey, PrivateKey: p.secret("private_key"), ClientID: s.ClientID, Member: s.User, KeyField: s.KeyField,
		Client: p.client, Customers: s.places(p.ids), Fields: s.Fields, Priorities: s.Priority,
		Resolved: s.ResolveBy, Reopened: s.ReopenBy, Automation: s.Automation,
	}
}

type autotaskSection struct {
	deskBase[autotask.Place, int]

	User        string  `json:"user"`
	Integration string  `json:"integration_code"`
	Resource    int64   `json:"resource"`
	New         int     `json:"new_status"`
	Resolve     int     `json:"resolve_status"`
	Reopened    int     `json:"reopen_status"`
	Ended       []int   `json:"ended"`
	NoteType    int     `json:"note_type"`
	Publish     int     `json:"publish"`
	Automation  []int64 `json:"automation"`
}

func (s *autotaskSection) desk(p deskParts) ticket.Desk {
	return &autotask.Desk{
		URL: p.url, User: s.User, Secret: p.secret("secret"), Integration: s.Integration, Resource: s.Resource, Client: p.client,
		Customers: s.places(p.ids), Fields: s.Fields, Priorities: s.Priority,
		New: s.New, Complete: s.Resolve, Reopened: s.Reopened, Ended: s.Ended, NoteType: s.NoteType, Publish: s.Publish, Automation: s.Automation,
	}
}

type mailSection struct {
	deskBase[maildesk.Place, string]
}

func (s *mailSection) desk(p deskParts) ticket.Desk {
	d := &maildesk.Desk{Mailer: p.mailer, Customers: s.places(p.ids)}
	from := func(place maildesk.Place) maildesk.Place {
		if place.From != "" {
			place.From = p.ids[strings.ToLower(place.From)]
		}
		return place
	}
	for id, place := range d.Customers.Routes {
		d.Customers.Routes[id] = from(place)
	}
	if s.Triage != nil {
		place := from(*s.Triage)
		d.Customers.Triage = &place
	}
	return d
}
