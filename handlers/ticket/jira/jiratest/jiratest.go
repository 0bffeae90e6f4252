// Package jiratest is a site of Jira, of Cloud (REST API v3) or Data Center (v2),
// with one project "SEC" and a triage project "TRIAGE", and verbs for what people
// do there. It is a handler; package fake serves it.
//
// It keeps the rules that matter to who writes issues; each is cited where it is
// kept. "Cloud docs" are developer.atlassian.com's pages on the Jira Cloud
// platform REST API v3 as of 2026-10, "DC docs" those on the Jira Data Center REST
// API v2.
package jiratest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Site is one of Jira. It must not be copied once used.
type Site struct {
	Email string        // of Cloud: whose token it is; empty: this is Data Center
	Token string        //
	Lag   time.Duration // how late the search index is

	// Strict makes transitions to the status Done demand a resolution.
	Strict bool

	mu     sync.Mutex
	issues []*Issue
}

// An Issue is one as its page shows it.
type Issue struct {
	ID       int
	Key      string
	Project  string
	Type     string
	Summary  string
	Text     any // the description as it was sent
	Labels   []string
	Priority string
	Status   string // To Do, In Progress, Done or Archived
	Fields   map[string]any
	Creator  string
	Assignee string // an account; empty: nobody
	Created  time.Time
	Changed  time.Time // of the status's category
	Resolved time.Time
	Comments []Comment
	Changes  []Change
	Gone     bool

	Resolution string
	index      []entry
}

// A Comment is one on an issue.
type Comment struct {
	By       string
	Body     any // as it was sent
	At       time.Time
	Internal bool // hidden from customers of Jira Service Management
}

// A Change is one in the history.
type Change struct {
	By string
	At time.Time
}

// An entry is how the search shows an issue, once it knows.
type entry struct {
	from  time.Time
	shown map[string]any
	label []string
	gone  bool
}

// Accounts: our own, and that of a person. The ids of Cloud are opaque.
const (
	Us  = "5b10ac8d82e05b22cc7d4ef5"
	Ben = "5b10a2844c20165700ede21g"
)

// Issues are all that were ever made, oldest first.
func (s *Site) Issues() []Issue {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Issue
	for _, i := range s.issues {
		out = append(out, *i)
	}
	return out
}

// Change lets somebody do something with an issue, by its id, and notes it in its
// history.
func (s *Site) Change(id, by string, what func(*Issue)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.byID(id)
	what(i)
	i.Changes = append(i.Changes, Change{by, time.Now()})
	s.indexed(i)
}

// Clone makes resolved copies of an issue: cloning keeps the labels (Cloud
// support docs: clone a work item).
func (s *Site) Clone(id string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		i := *s.byID(id)
		i.index, i.Comments, i.Creator = nil, nil, Ben
		s.add(&i)
		i.move("Done")
		s.indexed(&i)
	}
}

// Move puts the issue into a status, as its board does.
func (i *Issue) Move(status string) { i.move(status) }

func (i *Issue) move(status string) {
	was := category(i.Status)
	if i.Status = status; was != category(status) {
		i.Changed = time.Now()
	}
	if category(status) == "done" {
		i.Resolved = time.Now()
	} else {
		i.Resolved, i.Resolution = time.Time{}, ""
	}
}

func (s *Site) byID(id string) *Issue {
	for _, i := range s.issues {
		if strconv.Itoa(i.ID) == id || i.Key == id {
			return i
		}
	}
	return nil
}

func (s *Site) add(i *Issue) {
	i.ID, i.Created, i.Changed = 10000+len(s.issues), time.Now(), time.Now()
	i.Key = fmt.Sprintf("%s-%d", i.Project, len(s.issues)+1)
	s.issues = append(s.issues, i)
	s.indexed(i)
}

// indexed notes how the search will show the issue: it is behind by seconds, at
// times by minutes, in what it knows of statuses too (Cloud docs: search and
// reconcile).
func (s *Site) indexed(i *Issue) {
	i.index = append(i.index, entry{time.Now().Add(s.Lag), s.show(i), slices.Clone(i.Labels), i.Gone})
}

// category is what statuses have in common: new, indeterminate or done (Cloud
// docs: status category).
func category(status string) string {
	switch status {
	case "Done", "Archived":
		return "done"
	case "In Progress":
		return "indeterminate"
	}
	return "new"
}

// ServeHTTP answers a request.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	want := "Bearer " + s.Token // DC docs: personal access tokens
	if s.cloud() {
		want = "Basic " + base64.StdEncoding.EncodeToString([]byte(s.Email+":"+s.Token)) // Cloud docs: basic auth
	}
	if r.Header.Get("Authorization") != want {
		refuse(w, http.StatusUnauthorized, "Client must be authenticated to access this resource.")
		return
	}
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/rest/api/"+s.version())
	if !ok {
		refuse(w, http.StatusNotFound, "dead link")
		return
	}
	var in map[string]any
	if r.Method != http.MethodGet {
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil {
			refuse(w, http.StatusBadRequest, "There was an error parsing JSON. Check that your request body is valid.")
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	parts := strings.Split(strings.Trim(rest, "/"), "/")
	switch {
	case rest == "/myself":
		answer(w, http.StatusOK, s.user(Us))
	case strings.HasPrefix(rest, "/search"):
		s.search(w, r, rest, in)
	case rest == "/issue" && r.Method == http.MethodPost:
		s.create(w, in)
	case parts[0] == "issue" && len(parts) > 1:
		i := s.byID(parts[1])
		if i == nil || i.Gone {
			refuse(w, http.StatusNotFound, "Issue does not exist or you do not have permission to see it.")
			return
		}
		s.issue(w, r, i, strings.Join(parts[2:], "/"), in)
	default:
		refuse(w, http.StatusNotFound, "dead link")
	}
}

func (s *Site) cloud() bool { return s.Email != "" }

func (s *Site) version() string {
	if s.cloud() {
		return "3"
	}
	return "2"
}

// user is how the site names somebody: by an account id, or by a name and a key
// (DC docs: user).
func (s *Site) user(id string) map[string]any {
	name := map[string]string{Us: "curfew", Ben: "ben"}[id]
	if s.cloud() {
		return map[string]any{"accountId": id, "accountType": "atlassian", "displayName": strings.ToUpper(name)}
	}
	return map[string]any{"name": name, "key": "JIRAUSER-" + name, "displayName": strings.ToUpper(name)}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// refuse answers with Jira's form of an error (Cloud docs: status codes).
func refuse(w http.ResponseWriter, status int, messages ...string) {
	answer(w, status, map[string]any{"errorMessages": messages, "errors": map[string]string{}})
}

// refuseField answers that a field cannot be.
func refuseField(w http.ResponseWriter, field, why string) {
	answer(w, http.StatusBadRequest, map[string]any{"errorMessages": []string{}, "errors": map[string]string{field: why}})
}

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000-0700") // no colon in the zone, as Jira writes it
}
