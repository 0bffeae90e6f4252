// Package freshservicetest is an account of Freshservice with the API v2, and verbs
// for what people do there. It is a handler; package fake serves it.
//
// It keeps the rules that matter to who writes tickets; each is cited where it is
// kept. "docs" are the sections of api.freshservice.com as of 2026-10.
package freshservicetest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// An Account is one of Freshservice. It must not be copied once used.
type Account struct {
	Key string        // the API key of our agent
	Lag time.Duration // how late the filter is

	Plan    Plan // its limits; zero: none
	Demands bool // the form demands a resolution of a ticket that is resolved
	Deaf    bool // the filter finds everything, whatever it is asked for

	mu      sync.Mutex
	tickets []*Ticket
	used    map[string][]time.Time // credits, by operation; "": all
}

// A Plan is what an account may do in a minute (docs: rate limit).
type Plan struct{ All, List, Ticket int }

// Starter has the least (docs: rate limit).
func Starter() Plan { return Plan{100, 40, 50} }

// Enterprise has the most (docs: rate limit).
func Enterprise() Plan { return Plan{500, 140, 160} }

// A Ticket is one as agents see it.
type Ticket struct {
	ID          int64
	Subject     string
	Description string // HTML
	Status      int    // 2 open, 3 pending, 4 resolved, 5 closed, 8 one of the account's own
	Responder   int64
	Workspace   int64
	Tags        []string
	Fields      map[string]any // all that was sent
	Created     time.Time
	Resolved    time.Time
	Closed      time.Time
	Notes       []Note
	Activities  []Activity
	Gone        bool

	index []entry
}

// A Note is one on a ticket, as HTML.
type Note struct {
	By      int64
	HTML    string
	At      time.Time
	Private bool
}

// An Activity is one in a ticket's history; nobody's are those of workflows.
type Activity struct {
	By int64
	At time.Time
}

// An entry is how the filter knows a ticket.
type entry struct {
	from   time.Time
	tags   []string
	status int
	gone   bool
}

// Who there is: our own agent, another one, and workflows.
const (
	Us       = 14000230
	Ben      = 14000231
	Workflow = 0
)

// The workspaces: the primary one and a customer's.
const (
	Primary  = 2
	Customer = 7
)

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
	what(t)
	t.did(by)
}

// Copy makes resolved copies of a ticket, tags and all.
func (s *Account) Copy(id string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		t := *s.byID(id)
		t.index, t.Activities, t.Notes = nil, nil, nil
		t.Enter(4)
		s.add(&t, Ben)
		t.Notes = nil
	}
}

// Enter puts the ticket into a state.
func (t *Ticket) Enter(status int) {
	t.Status = status
	switch status {
	case 4:
		t.Resolved = now()
	case 5:
		t.Closed = now()
	default:
		t.Resolved, t.Closed = time.Time{}, time.Time{}
	}
}

func (t *Ticket) did(by int64) {
	t.Activities = append(t.Activities, Activity{by, now()})
	t.index = append(t.index, entry{time.Now(), slices.Clone(t.Tags), t.Status, t.Gone})
}

// now is a time as it is stored: whole seconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

func (s *Account) add(t *Ticket, by int64) {
	t.ID, t.Created = int64(len(s.tickets)+1), now()
	t.did(by)
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
	s.mu.Lock()
	defer s.mu.Unlock()
	path, below := strings.CutPrefix(r.URL.EscapedPath(), "/api/v2/")
	parts := strings.Split(path, "/")
	var in map[string]any
	switch key, password, ok := r.BasicAuth(); {
	case !below: // docs: errors, a wrong domain or path
		w.WriteHeader(http.StatusNotFound)
		return
	case !s.allows(w, r, parts): // invalid calls count, too (docs: rate limit)
		return
	case !ok || key != s.Key || password != "X":
		answer(w, http.StatusUnauthorized, map[string]string{"code": "invalid_credentials", "message": "You have to be logged in to perform this action."})
		return
	}
	if r.Method != http.MethodGet {
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil || r.Header.Get("Content-Type") != "application/json" {
			answer(w, http.StatusBadRequest, map[string]string{"code": "invalid_json", "message": "Request body has invalid json format"})
			return
		}
	}
	switch {
	case path == "agents/me":
		answer(w, http.StatusOK, map[string]any{"agent": map[string]any{"id": Us, "email": "curfew@example.com"}})
	case path == "tickets/filter" && r.Method == http.MethodGet:
		s.filter(w, r)
	case path == "tickets" && r.Method == http.MethodPost:
		s.create(w, in)
	case parts[0] == "tickets" && len(parts) > 1:
		t := s.byID(parts[1])
		if t == nil || t.Gone && r.Method != http.MethodGet {
			w.WriteHeader(http.StatusNotFound) // without a body (docs: errors)
			return
		}
		s.one(w, r, t, strings.Join(parts[2:], "/"), in)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// allows counts the credits of a request, one and one more for each thing that is
// included (docs: rate limit, embedding).
func (s *Account) allows(w http.ResponseWriter, r *http.Request, parts []string) bool {
	if s.Plan == (Plan{}) {
		return true
	}
	operation, limit := "other", s.Plan.All
	switch {
	case strings.Contains(r.URL.Path, "/filter"):
		operation, limit = "list", s.Plan.List
	case parts[0] == "tickets" && len(parts) <= 2:
		operation, limit = "ticket "+r.Method, s.Plan.Ticket
	}
	cost := 1
	if include := r.FormValue("include"); r.Method == http.MethodGet && include != "" {
		cost += len(strings.Split(include, ","))
	}
	if s.used == nil {
		s.used = map[string][]time.Time{}
	}
	for of, most := range map[string]int{"": s.Plan.All, operation: limit} {
		s.used[of] = slices.DeleteFunc(s.used[of], func(at time.Time) bool { return time.Since(at) >= time.Minute })
		if len(s.used[of])+cost > most {
			wait := time.Minute - time.Since(s.used[of][0])
			w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
			answer(w, http.StatusTooManyRequests, map[string]string{"message": "You have exceeded the limit of requests per minute"})
			return false
		}
	}
	for range cost {
		s.used[""] = append(s.used[""], time.Now())
		s.used[operation] = append(s.used[operation], time.Now())
	}
	return true
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// refuse answers that a field cannot be so (docs: errors).
func refuse(w http.ResponseWriter, field, why, code string) {
	answer(w, http.StatusBadRequest, map[string]any{
		"description": "Validation failed",
		"errors":      []any{map[string]string{"field": field, "message": why, "code": code}},
	})
}
