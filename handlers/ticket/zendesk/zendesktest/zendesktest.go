// Package zendesktest is an account of Zendesk Support with the Ticketing API v2,
// and verbs for what people do there. It is a handler; package fake serves it.
//
// It keeps the rules that matter to who writes tickets; each is cited where it is
// kept. "docs" are developer.zendesk.com's pages, "support docs" those of
// support.zendesk.com, as of 2026-10.
package zendesktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// An Account is one of Zendesk. It must not be copied once used.
type Account struct {
	Email, Token           string // an API token; empty: there is none
	ClientID, ClientSecret string // an OAuth client; empty: there is none

	Life     time.Duration // of an access token; zero: it has no end (docs: OAuth tokens, clients made before 2026-04-30)
	Lag      time.Duration // how late the list of tickets is; nobody promises that it is not
	Demands  bool          // a field is required to solve a ticket
	Outsider bool          // our account is in none of the groups

	mu      sync.Mutex
	tickets []*Ticket
	made    map[string]answered // by idempotency key
	tokens  map[string]time.Time
}

// A Ticket is one as agents see it.
type Ticket struct {
	ID         int64
	ExternalID string
	Status     string // new, open, pending, hold, solved or closed
	Subject    string
	Assignee   int64
	Fields     map[string]any // the rest, as it was sent
	Created    time.Time
	Audits     []Audit
	Gone       bool

	updates []time.Time // by our account
}

// An Audit is one update.
type Audit struct {
	By      int64
	At      time.Time
	Status  string // what the status became; empty: it stayed
	Comment *Comment
}

// A Comment is one on a ticket, as HTML.
type Comment struct {
	HTML   string
	Public bool
}

// Who there is: our own account, an agent, and Zendesk itself (docs: activity
// stream, actor_id).
const (
	Us     = 35436
	Ben    = 20978392
	System = -1
)

// answered is the first answer under an idempotency key.
type answered struct {
	until         time.Time
	request, body string
}

// Tickets are all that were ever made, oldest first.
func (s *Account) Tickets() []Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Ticket
	for _, t := range s.tickets {
		out = append(out, *t)
	}
	return out
}

// Change lets somebody do something with a ticket, by its id.
func (s *Account) Change(id string, by int64, what func(*Ticket)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.byID(id)
	before := t.Status
	what(t)
	a := Audit{By: by, At: now()}
	if t.Status != before {
		a.Status = t.Status
	}
	t.Audits = append(t.Audits, a)
}

// Copy makes solved copies of a ticket, key and all: external ids need not be
// unique (docs: list tickets).
func (s *Account) Copy(id string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		t := *s.byID(id)
		t.Audits, t.updates, t.Status = nil, nil, "solved"
		s.add(&t, Audit{By: Ben, Status: "solved"})
	}
}

// Merge merges a ticket into another: it is closed, with a remark, and keeps its
// external id (docs: merge tickets).
func (s *Account) Merge(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.byID(id)
	t.Status = "closed"
	t.Audits = append(t.Audits, Audit{By: Ben, At: now(), Status: "closed", Comment: &Comment{HTML: "<p>This request was closed and merged into another.</p>"}})
}

// Revoke ends all access tokens before their time.
func (s *Account) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// now is a time as it is stored: whole seconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

func (s *Account) add(t *Ticket, first Audit) {
	t.ID, t.Created = int64(len(s.tickets)+1), now()
	first.At = t.Created
	t.Audits = append(t.Audits, first)
	s.tickets = append(s.tickets, t)
}

func (s *Account) byID(id string) *Ticket {
	n, err := strconv.Atoi(id)
	if err != nil || n < 1 || n > len(s.tickets) {
		return nil
	}
	return s.tickets[n-1]
}

// ServeHTTP answers a request.
func (s *Account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in map[string]any
	if r.Method != http.MethodGet {
		if r.Header.Get("Content-Type") != "application/json" { // docs: requests
			refuse(w, http.StatusUnsupportedMediaType, "UnsupportedMediaType", "", nil)
			return
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil {
			refuse(w, http.StatusUnprocessableEntity, "Unprocessable Entity", "Server could not parse JSON", nil)
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	path, below := strings.CutPrefix(r.URL.EscapedPath(), "/api/v2/")
	parts := strings.Split(path, "/")
	switch {
	case r.URL.Path == "/oauth/tokens" && r.Method == http.MethodPost:
		s.grant(w, in)
	case !below:
		refuse(w, http.StatusNotFound, "InvalidEndpoint", "Not found", nil)
	case path == "users/me" && !s.knows(r): // docs: show self: an anonymous user, and no error
		answer(w, http.StatusOK, map[string]any{"user": map[string]any{"id": nil, "name": "Anonymous user"}})
	case !s.knows(r):
		answer(w, http.StatusUnauthorized, map[string]string{"error": "Couldn't authenticate you"})
	case path == "users/me":
		answer(w, http.StatusOK, map[string]any{"user": person(Us)})
	case path == "tickets" && r.Method == http.MethodGet:
		s.list(w, r)
	case path == "tickets" && r.Method == http.MethodPost:
		s.create(w, r, in)
	case parts[0] == "tickets" && len(parts) > 1:
		t := s.byID(parts[1])
		if t == nil || t.Gone {
			refuse(w, http.StatusNotFound, "RecordNotFound", "Not found", nil)
			return
		}
		s.one(w, r, t, strings.Join(parts[2:], "/"), in)
	default:
		refuse(w, http.StatusNotFound, "InvalidEndpoint", "Not found", nil)
	}
}

// knows reports whether a request is ours (docs: security and authentication).
func (s *Account) knows(r *http.Request) bool {
	if user, password, ok := r.BasicAuth(); ok {
		return s.Token != "" && user == s.Email+"/token" && password == s.Token
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	until, ok := s.tokens[token]
	return ok && (until.IsZero() || time.Now().Before(until))
}

// grant gives an access token for client credentials (docs: OAuth tokens for
// grant types).
func (s *Account) grant(w http.ResponseWriter, in map[string]any) {
	if in["grant_type"] != "client_credentials" || s.ClientID == "" || in["client_id"] != s.ClientID || in["client_secret"] != s.ClientSecret {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client", "error_description": "Client authentication failed"})
		return
	}
	if in["scope"] != "read write" { // docs: ticket audits: tickets:read is not enough
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_scope"})
		return
	}
	if s.tokens == nil {
		s.tokens = map[string]time.Time{}
	}
	token := fmt.Sprintf("canary-of-an-access-token-%d", time.Now().UnixNano())
	out := map[string]any{"access_token": token, "token_type": "bearer", "scope": "read write"}
	s.tokens[token] = time.Time{}
	if s.Life > 0 {
		s.tokens[token] = time.Now().Add(s.Life)
		out["expires_in"] = int(s.Life.Seconds())
	}
	answer(w, http.StatusOK, out)
}

func person(id int64) map[string]any {
	return map[string]any{"id": id, "name": map[int64]string{Us: "Curfew", Ben: "Ben Example"}[id]}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// refuse answers with one of Zendesk's forms of an error (docs: responses).
func refuse(w http.ResponseWriter, status int, name, why string, details any) {
	answer(w, status, map[string]any{"error": name, "description": why, "details": details})
}

// invalid answers that a ticket cannot be so.
func invalid(w http.ResponseWriter, field, why string) {
	refuse(w, http.StatusUnprocessableEntity, "RecordInvalid", "Record validation errors", map[string]any{field: []any{map[string]string{"description": why}}})
}
