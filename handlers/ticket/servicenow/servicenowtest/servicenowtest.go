// Package servicenowtest is an instance of ServiceNow with the tables incident and
// sys_journal_field, and verbs for what people do there. It is a handler; package
// fake serves it.
//
// It keeps the rules that matter to who writes incidents; each is cited where it
// is kept. "docs" are ServiceNow's product documentation of release Australia
// (2026-03).
package servicenowtest

import (
	"crypto/md5" //nolint:gosec // makes ids that look like sys_ids; nothing is protected by them
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// An Instance is one of ServiceNow. It must not be copied once used.
type Instance struct {
	User, Password         string // basic authentication
	ClientID, ClientSecret string // OAuth; empty: there is none

	// Life is that of an access token. Zero: 1,800 s (docs: OAuth).
	Life time.Duration
	// Asleep makes every answer a page that says the instance hibernates.
	Asleep bool
	// Hidden hides the notes from the account, as an ACL does.
	Hidden bool
	// ReadOnly are fields of incidents that the account may not write.
	ReadOnly []string

	mu     sync.Mutex
	rows   []*Incident
	tokens map[string]time.Time // until when
}

// An Incident is a row of the table.
type Incident struct {
	ID, Number string
	Fields     map[string]string // as stored
	Journal    []Entry
	Gone       bool
}

// An Entry is one of the journal.
type Entry struct {
	By, Field, Text string
	At              time.Time
}

// Incidents are all that were ever made, oldest first.
func (s *Instance) Incidents() []Incident {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Incident
	for _, i := range s.rows {
		out = append(out, *i)
	}
	return out
}

// Change lets somebody do something with an incident, by its id.
func (s *Instance) Change(id, by string, what func(*Incident)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.byID(id)
	what(i)
	i.touch(by)
}

// Copy makes resolved copies of an incident (docs: copy an incident).
func (s *Instance) Copy(id string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		i := s.insert("ben", maps.Clone(s.byID(id).Fields))
		i.Enter("6")
	}
}

// Revoke ends all access tokens before their time.
func (s *Instance) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// Say adds to the journal of the work notes.
func (i *Incident) Say(by, text string) {
	i.Journal = append(i.Journal, Entry{by, "work_notes", text, time.Now()})
}

// Enter puts the incident into a state, with what the platform notes of that.
func (i *Incident) Enter(state string) {
	f := i.Fields
	f["state"], f["active"] = state, "true"
	switch state {
	case "6": // still active (docs: resolve and close an incident)
		f["resolved_at"] = now()
	case "7", "8":
		f["active"], f["closed_at"] = "false", now()
	default:
		f["resolved_at"], f["close_code"], f["close_notes"] = "", "", ""
	}
}

func (i *Incident) touch(by string) {
	i.Fields["sys_updated_by"], i.Fields["sys_updated_on"] = by, now()
}

// now is a time as it is stored: UTC, whole seconds (docs: Table API).
func now() string { return time.Now().UTC().Format(time.DateTime) }

func (s *Instance) insert(by string, fields map[string]string) *Incident {
	n := len(s.rows) + 10001
	sum := md5.Sum(fmt.Append(nil, n)) //nolint:gosec // see the import
	i := &Incident{ID: hex.EncodeToString(sum[:]), Number: fmt.Sprintf("INC%07d", n), Fields: fields}
	fields["sys_id"], fields["number"] = i.ID, i.Number
	fields["sys_created_by"], fields["sys_created_on"] = by, now()
	i.touch(by)
	s.rows = append(s.rows, i)
	return i
}

func (s *Instance) byID(id string) *Incident {
	if n := slices.IndexFunc(s.rows, func(i *Incident) bool { return i.ID == id }); n >= 0 {
		return s.rows[n]
	}
	return nil
}

// ServeHTTP answers a request.
func (s *Instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch path, table := strings.CutPrefix(r.URL.EscapedPath(), "/api/now/v2/table/"); {
	case s.Asleep: // developer instances do so, with 200
		w.Header().Set("Content-Type", "text/html;charset=UTF-8")
		fmt.Fprint(w, "<html><title>Instance Hibernating page</title></html>")
	case r.URL.Path == "/oauth_token.do" && r.Method == http.MethodPost:
		s.grant(w, r)
	case !table:
		refuse(w, http.StatusBadRequest, "Requested URI does not represent any resource", "")
	case !s.knows(r):
		refuse(w, http.StatusUnauthorized, "User Not Authenticated", "Required to provide Auth information")
	case r.Header.Get("Accept") != "application/json" || r.Header.Get("Content-Type") != "application/json":
		refuse(w, http.StatusBadRequest, "Accept and Content-Type must be application/json", "") // docs: REST API headers
	case path == "sys_journal_field" && r.Method == http.MethodGet:
		s.journal(w, r)
	case path == "incident" && r.Method == http.MethodGet:
		var all []map[string]string
		for _, i := range s.rows {
			if !i.Gone {
				all = append(all, i.Fields)
			}
		}
		list(w, r, all, true)
	default:
		s.one(w, r, path)
	}
}

// knows reports whether a request is ours.
func (s *Instance) knows(r *http.Request) bool {
	if user, password, ok := r.BasicAuth(); ok {
		return s.Password != "" && user == s.User && password == s.Password
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	until, ok := s.tokens[token]
	return ok && time.Now().Before(until)
}

// grant gives an access token (docs: OAuth client credentials grant).
func (s *Instance) grant(w http.ResponseWriter, r *http.Request) {
	if r.PostFormValue("grant_type") != "client_credentials" || s.ClientID == "" || r.PostFormValue("client_id") != s.ClientID || r.PostFormValue("client_secret") != s.ClientSecret {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "access_denied", "error_description": "access_denied"})
		return
	}
	life := s.Life
	if life == 0 {
		life = 1800 * time.Second
	}
	if s.tokens == nil {
		s.tokens = map[string]time.Time{}
	}
	token := fmt.Sprintf("canary-of-an-access-token-%d", time.Now().UnixNano())
	s.tokens[token] = time.Now().Add(life)
	answer(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(life.Seconds()), "scope": "useraccount"})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// refuse answers with the Table API's form of an error (docs: REST API HTTP
// response codes).
func refuse(w http.ResponseWriter, status int, message, detail string) {
	answer(w, status, map[string]any{"error": map[string]string{"message": message, "detail": detail}, "status": "failure"})
}
