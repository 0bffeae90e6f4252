// Package connectwisetest is a ConnectWise PSA with service tickets, boards and
// their statuses, and verbs for what people do there. It is a handler; package fake
// serves it.
//
// It keeps the rules that matter to who writes tickets; each is cited where it is
// kept. "docs" are developer.connectwise.com as of 2025-04, "the module" is
// ConnectWiseManageAPI for PowerShell (2025-08), made from the vendor's own
// description of the API.
package connectwisetest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A PSA is one of ConnectWise. It must not be copied once used.
type PSA struct {
	Company, PublicKey, PrivateKey, ClientID string

	// Strict makes closing ask for a field that nobody sends.
	Strict bool

	mu      sync.Mutex
	tickets []*Ticket
}

// Us is the API member.
const Us = "CurfewAPI"

// A Ticket is one of the PSA.
type Ticket struct {
	ID                               int
	Summary, Company, Board, Key     string
	Team, Priority, Severity, Impact string
	Owner                            string
	Status                           Status
	Source                           any
	Custom                           map[int64]any // custom fields by their ids
	Notes                            []Note
	Created, Updated, Closed         time.Time
	EnteredBy, UpdatedBy             string
	Gone                             bool
}

// A Note is one of a ticket.
type Note struct {
	Text, By string
	Internal bool // and nobody is told
	At       time.Time
}

// A Status is one of a board.
type Status struct {
	ID      int
	Name    string
	Sort    int
	Closed  bool
	Default bool
	Unused  bool // inactive
}

// boards are those of the PSA. Names of statuses are found on several boards, each
// with an id of its own, and many begin with a > to be sorted last.
func boards() map[string][]Status {
	return map[string][]Status{
		"Security": {
			{ID: 511, Name: "New", Sort: 1, Default: true}, {ID: 512, Name: "In Progress", Sort: 2},
			{ID: 513, Name: "Gone quiet", Sort: 3, Closed: true, Unused: true},
			{ID: 514, Name: ">Closed", Sort: 9, Closed: true}, {ID: 515, Name: ">Cancelled", Sort: 10, Closed: true},
		},
		"Triage":  {{ID: 601, Name: "New", Sort: 1, Default: true}, {ID: 604, Name: ">Closed", Sort: 9, Closed: true}},
		"Endless": {{ID: 701, Name: "New", Sort: 1, Default: true}},
	}
}

func boardIDs() []string { return []string{"Security", "Triage", "Endless"} }

// Tickets are all that were ever made, oldest first.
func (s *PSA) Tickets() []Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Ticket
	for _, t := range s.tickets {
		out = append(out, *t)
	}
	return out
}

// Change lets somebody do something with a ticket, by its id.
func (s *PSA) Change(id, by string, what func(*Ticket)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.byID(id)
	what(t)
	t.touch(by)
}

// Copy makes closed copies of a ticket, notes and all.
func (s *PSA) Copy(id string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		c := *s.byID(id)
		c.Enter(">Closed")
		s.insert(&c, "ben")
	}
}

// Enter puts the ticket into a status of its board, by its name.
func (t *Ticket) Enter(name string) {
	for _, status := range boards()[t.Board] {
		if status.Name == name {
			t.enter(status)
		}
	}
}

func (t *Ticket) enter(status Status) {
	t.Status, t.Closed = status, time.Time{}
	if status.Closed {
		t.Closed = time.Now()
	}
}

func (t *Ticket) touch(by string) { t.UpdatedBy, t.Updated = by, time.Now() }

func (s *PSA) insert(t *Ticket, by string) *Ticket {
	t.ID, t.EnteredBy, t.Created = 40001+len(s.tickets), by, time.Now()
	t.touch(by)
	s.tickets = append(s.tickets, t)
	return t
}

func (s *PSA) byID(id string) *Ticket {
	if n := slices.IndexFunc(s.tickets, func(t *Ticket) bool { return strconv.Itoa(t.ID) == id && !t.Gone }); n >= 0 {
		return s.tickets[n]
	}
	return nil
}

// ServeHTTP answers a request.
func (s *PSA) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, below := strings.CutPrefix(r.URL.EscapedPath(), "/v4_6_release/apis/3.0")
	ticket, one := strings.CutPrefix(path, "/service/tickets/")
	parent, notes := strings.CutSuffix(ticket, "/notes")
	board, statuses := strings.CutPrefix(path, "/service/boards/")
	user, password, _ := r.BasicAuth()
	switch {
	case !below:
		w.WriteHeader(http.StatusNotFound)
	case user != s.Company+"+"+s.PublicKey || password != s.PrivateKey:
		refuse(w, http.StatusUnauthorized, "Unauthorized", "Cannot route. Codebase/company is invalid")
	case r.Header.Get("clientId") != s.ClientID: // docs: ClientIds
		refuse(w, http.StatusUnauthorized, "Unauthorized", "A clientId is required")
	case !strings.HasPrefix(r.Header.Get("Accept"), "application/vnd.connectwise.com+json; version="):
		// Without a version the fields change with each release (docs: PSA API
		// Requests, versioning), which shows as a refusal here.
		refuse(w, http.StatusNotAcceptable, "NotAcceptable", "name the version")
	case path == "/service/tickets" && r.Method == http.MethodGet:
		s.search(w, r)
	case path == "/service/tickets" && r.Method == http.MethodPost:
		s.create(w, r)
	case statuses && r.Method == http.MethodGet:
		listStatuses(w, r, board)
	case one && notes:
		s.notes(w, r, s.byID(parent))
	case one:
		s.one(w, r, s.byID(ticket))
	default:
		refuse(w, http.StatusNotFound, "NotFound", "no such resource")
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// refuse answers with the vendor's form of an error (the module:
// Invoke-CWMWebRequest).
func refuse(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, map[string]any{"code": code, "message": message, "errors": nil})
}

// invalid refuses an object for one of its fields.
func invalid(w http.ResponseWriter, field, message string) {
	answer(w, http.StatusBadRequest, map[string]any{
		"code": "InvalidObject", "message": "ticket object is invalid",
		"errors": []any{map[string]string{"code": "InvalidField", "message": message, "resource": "ticket", "field": field}},
	})
}
