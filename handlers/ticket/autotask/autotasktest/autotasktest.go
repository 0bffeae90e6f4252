// Package autotasktest is an Autotask PSA with tickets, their notes and their
// history, and verbs for what people do there. It is a handler; package fake serves
// it.
//
// It keeps the rules that matter to who writes tickets; each is cited where it is
// kept. "docs" are Autotask's developer help as of 2026, "the client" is
// go-autotask v1.4.4 (2026-03).
package autotasktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A PSA is one of Autotask. It must not be copied once used.
type PSA struct {
	User, Secret, Integration string

	// Zone is where the zone is said to be; empty: here.
	Zone string
	// Strict makes completing ask for a resolution that nobody sends.
	Strict bool
	// Busy, if not empty, is the error that every request but that for the zone gets.
	Busy string

	mu      sync.Mutex
	tickets []*Ticket
}

// Resources of the PSA.
const (
	Administrator = 4 // rules act as it
	Us            = 29682885
	Ben           = 29682886
)

// A Ticket is one of the PSA.
type Ticket struct {
	ID                      int64
	Company, Queue          int64
	Title, Text, Key        string
	Status, Priority        int
	Assigned, Role, Creator int64
	Custom                  map[string]any
	Created, Completed      time.Time
	Notes                   []Note
	History                 []Change
	Gone                    bool
}

// A Note is one of a ticket.
type Note struct {
	Title, Text   string
	Type, Publish int
	By, Contact   int64
	At            time.Time
}

// A Change is one of a ticket's fields.
type Change struct {
	By     int64
	Action string
	At     time.Time
}

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

// Change lets a resource do something with a ticket, by its id.
func (s *PSA) Change(id string, by int64, what func(*Ticket)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.byID(id)
	what(t)
	t.History = append(t.History, Change{by, "Edited", time.Now()})
}

// Copy makes completed copies of a ticket.
func (s *PSA) Copy(id string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		c := *s.byID(id)
		c.History = nil
		c.Enter(5)
		s.insert(&c, Ben)
	}
}

// Enter puts the ticket into a status.
func (t *Ticket) Enter(status int) {
	t.Status, t.Completed = status, time.Time{}
	if status == 5 {
		t.Completed = time.Now()
	}
}

func (s *PSA) insert(t *Ticket, by int64) *Ticket {
	t.ID, t.Creator, t.Created = int64(7001+len(s.tickets)), by, time.Now()
	t.History = append(t.History, Change{by, "Created", time.Now()})
	s.tickets = append(s.tickets, t)
	return t
}

func (s *PSA) byID(id string) *Ticket {
	if n := slices.IndexFunc(s.tickets, func(t *Ticket) bool { return strconv.FormatInt(t.ID, 10) == id && !t.Gone }); n >= 0 {
		return s.tickets[n]
	}
	return nil
}

// ServeHTTP answers a request.
func (s *PSA) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, below := strings.CutPrefix(strings.ToLower(r.URL.EscapedPath()), "/atservicesrest/v1.0")
	ticket, one := strings.CutPrefix(path, "/tickets/")
	parent, notes := strings.CutSuffix(ticket, "/notes")
	switch {
	case !below:
		w.WriteHeader(http.StatusNotFound)
	case path == "/zoneinformation" && r.Method == http.MethodGet:
		s.where(w, r)
	case r.Header.Get("UserName") != s.User || r.Header.Get("Secret") != s.Secret || r.Header.Get("ApiIntegrationCode") != s.Integration:
		refuse(w, http.StatusUnauthorized, "The username or password is incorrect, or the zone is another.") // the client
	case s.Busy != "":
		refuse(w, http.StatusInternalServerError, "%s", s.Busy)
	case strings.HasSuffix(path, "/query") && r.Method == http.MethodPost:
		s.query(w, r, strings.TrimSuffix(path[1:], "/query"))
	case path == "/tickets" && r.Method == http.MethodPost:
		s.create(w, r)
	case path == "/tickets" && r.Method == http.MethodPatch:
		s.patch(w, r)
	case one && notes && r.Method == http.MethodPost: // and not at /TicketNotes (docs: TicketNotes entity, parent)
		s.say(w, r, s.byID(parent))
	case one && r.Method == http.MethodGet:
		if t := s.byID(ticket); t != nil {
			answer(w, http.StatusOK, map[string]any{"item": t.show()})
			return
		}
		answer(w, http.StatusOK, map[string]any{"item": nil}) // there is none (the client)
	default:
		refuse(w, http.StatusNotFound, "No HTTP resource was found that matches the request URI")
	}
}

// where tells the zone of a user (the client: zone.go).
func (s *PSA) where(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("user") != s.User {
		refuse(w, http.StatusInternalServerError, "Zone information could not be determined for the user")
		return
	}
	zone := s.Zone
	if zone == "" {
		zone = "https://" + r.Host + "/atservicesrest/"
	}
	answer(w, http.StatusOK, map[string]any{"zoneName": "America East", "url": zone, "webUrl": "https://ww5.autotask.example/", "ci": 1})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// refuse answers with the vendor's form of an error: a list of texts. What is wrong
// with a request is 500, too (the client: error.go).
func refuse(w http.ResponseWriter, status int, format string, args ...any) {
	answer(w, status, map[string]any{"errors": []string{fmt.Sprintf(format, args...)}})
}
