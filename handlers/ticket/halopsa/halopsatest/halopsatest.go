// Package halopsatest is an instance of HaloPSA with tickets and actions, and verbs
// for what people do there. It is a handler; package fake serves it.
//
// It keeps the rules that matter to who writes tickets; each is cited where it is
// kept. Halo documents its API inside the product only; "HaloAPI" is the module for
// PowerShell (2026-02), "CIPP" the extension of CIPP (2026-08), and "D3" D3's guide
// to HaloPSA (2025-09), all of which speak with it.
package halopsatest

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

// Agents of the instance.
const (
	Nobody = 1 // unassigned, and the desk's own automation
	Us     = 17
	Ben    = 22
)

// An Instance is one of HaloPSA. It must not be copied once used.
type Instance struct {
	ClientID, ClientSecret string
	Tenant                 string        // empty: it is the only one
	Life                   time.Duration // of an access token; zero: an hour
	Lag                    time.Duration // until a search shows what was made
	Clients                []int         // those that the agent can see
	Strict                 bool          // closing a ticket asks for a field that nobody sends
	Lists                  bool          // what is written is answered with a list of one (Uptime Kuma's provider reads both)

	mu      sync.Mutex
	tickets []*Ticket
	tokens  map[string]time.Time // until when
	actions int                  // so many so far
}

// A Ticket is one of the instance.
type Ticket struct {
	ID, Client, Type, Priority, Status, Agent int
	Summary, Details                          string // the details are HTML
	Team                                      string
	User                                      int // -1: the general user
	Custom                                    map[string]any
	Created, Closed                           time.Time
	Actions                                   []Action
	Gone                                      bool
}

// An Action is one of a ticket.
type Action struct {
	ID, Agent, Type int
	Who, App        string
	HTML            string
	Hidden          bool
	At              time.Time
}

// Tickets are all that were ever made, oldest first.
func (s *Instance) Tickets() []Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Ticket
	for _, t := range s.tickets {
		out = append(out, *t)
	}
	return out
}

// Change lets an agent do something with a ticket, by its id. Everything that is
// done is an action.
func (s *Instance) Change(id string, agent int, app string, what func(*Ticket)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.byID(id)
	what(t)
	s.act(t, Action{Agent: agent, App: app, HTML: "<p>changed</p>", Hidden: true})
}

// Copy makes closed copies of a ticket by a person, summary and all.
func (s *Instance) Copy(id string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		c := *s.byID(id)
		c.Actions = nil
		t := s.insert(&c, Ben, "")
		t.Enter(9)
	}
}

// Revoke ends all access tokens before their time.
func (s *Instance) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// Enter puts the ticket into a status: 9 is closed, 8 pending closure (HaloAPI:
// Get-HaloStatus, ExcludeClosed and ExcludePending).
func (t *Ticket) Enter(status int) {
	t.Status, t.Closed = status, time.Time{}
	if status == 9 {
		t.Closed = time.Now()
	}
}

func (s *Instance) insert(t *Ticket, agent int, app string) *Ticket {
	t.ID, t.Created = 2001+len(s.tickets), time.Now()
	s.tickets = append(s.tickets, t)
	s.act(t, Action{Agent: agent, App: app, HTML: t.Details}) // what opened it is the first action
	return t
}

func (s *Instance) act(t *Ticket, a Action) Action {
	s.actions++
	a.ID, a.At = s.actions, time.Now()
	a.Type = 1
	a.Who = map[int]string{Us: "Curfew", Ben: "Ben", Nobody: "Unassigned"}[a.Agent]
	t.Actions = append(t.Actions, a)
	return a
}

func (s *Instance) byID(id string) *Ticket {
	if n := slices.IndexFunc(s.tickets, func(t *Ticket) bool { return strconv.Itoa(t.ID) == id && !t.Gone }); n >= 0 {
		return s.tickets[n]
	}
	return nil
}

// ServeHTTP answers a request.
func (s *Instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/api")
	id, single := strings.CutPrefix(path, "/Tickets/")
	switch {
	case r.URL.Path == "/auth/token" && r.Method == http.MethodPost:
		s.grant(w, r)
	case !s.knows(r):
		w.WriteHeader(http.StatusUnauthorized)
	case path == "/Agent/me" && r.Method == http.MethodGet:
		answer(w, http.StatusOK, map[string]any{"id": Us, "name": "Curfew"})
	case path == "/Tickets" && r.Method == http.MethodGet:
		s.search(w, r)
	case path == "/Tickets" && r.Method == http.MethodPost:
		s.write(w, r)
	case path == "/Actions" && r.Method == http.MethodGet:
		s.list(w, r)
	case path == "/Actions" && r.Method == http.MethodPost:
		s.say(w, r)
	case single && r.Method == http.MethodGet:
		if t := s.byID(id); t != nil {
			answer(w, http.StatusOK, t.show(r.FormValue("includedetails") == "true"))
			return
		}
		fallthrough
	default:
		refuse(w, http.StatusNotFound, "not found") // there is no PATCH, nor PUT
	}
}

// knows reports whether a request is ours.
func (s *Instance) knows(r *http.Request) bool {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	until, ok := s.tokens[token]
	return ok && time.Now().Before(until)
}

// grant gives an access token. The tenant must be in the query, not in the form
// (HaloAPI: Connect-HaloAPI).
func (s *Instance) grant(w http.ResponseWriter, r *http.Request) {
	form := func(name string) string { return r.PostFormValue(name) }
	if form("grant_type") != "client_credentials" || form("client_id") != s.ClientID || form("client_secret") != s.ClientSecret || form("scope") != "all" || r.URL.Query().Get("tenant") != s.Tenant {
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_client"})
		return
	}
	life := s.Life
	if life == 0 {
		life = time.Hour
	}
	if s.tokens == nil {
		s.tokens = map[string]time.Time{}
	}
	token := fmt.Sprintf("canary-of-an-access-token-%d", time.Now().UnixNano())
	s.tokens[token] = time.Now().Add(life)
	answer(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(life.Seconds())})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]string{"ClassName": "System.Exception", "Message": message})
}
