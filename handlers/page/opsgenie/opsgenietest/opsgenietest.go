// Package opsgenietest is an Opsgenie that takes alerts: what Curfew needs of the
// Alert API, with its rules. Jira Service Management's integration events are the
// same. It is a handler; package fake serves it.
//
// Facts are from Opsgenie's documentation (API overview; Alert API; alerts and
// alert fields) unless a comment says otherwise.
package opsgenietest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Opsgenie is an account with one API integration. The zero value with a Key is
// ready; it must not be copied once used.
type Opsgenie struct {
	Key      string        // of the integration
	Lag      time.Duration // from "will be processed" to processed
	Disabled bool          // the integration: it takes requests and does nothing

	mu       sync.Mutex
	alerts   []Alert
	requests map[string]request
}

// An Alert is one with all that a responder reads.
type Alert struct {
	Alias       string
	Open        bool
	Count       int // how often it was created while it was open
	Message     string
	Description string
	Priority    string
	Entity      string
	Details     map[string]string
}

type request struct {
	at     time.Time // when it is processed
	ok     bool
	status string
}

// Alerts are all there ever were, oldest first.
func (o *Opsgenie) Alerts() []Alert {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.alerts)
}

// Limits in characters, tags in number.
const (
	maxMessage     = 130
	maxAlias       = 512
	maxDescription = 15_000
	maxTags        = 20
	maxTag         = 50
)

// ServeHTTP is the part of the API that writes, and the status of requests.
func (o *Opsgenie) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// "GenieKey" and nothing else; OAuth and API tokens are refused (Atlassian
	// docs: integration events API).
	if r.Header.Get("Authorization") != "GenieKey "+o.Key {
		say(w, http.StatusUnauthorized, map[string]any{"message": "Could not authenticate"})
		return
	}
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/v2/alerts")
	if id, ok := strings.CutPrefix(path, "/requests/"); ok && r.Method == http.MethodGet {
		o.status(w, id)
		return
	}
	body, err := io.ReadAll(r.Body)
	var in input
	if err != nil || json.Unmarshal(body, &in) != nil {
		say(w, http.StatusBadRequest, map[string]any{"message": "Could not parse JSON"})
		return
	}
	switch parts := strings.Split(strings.Trim(path, "/"), "/"); {
	case r.Method == http.MethodPost && path == "":
		if wrong := in.wrong(); wrong != "" {
			say(w, http.StatusUnprocessableEntity, map[string]any{"message": "Request body is not processable. " + wrong})
			return
		}
		o.take(w, o.create(in))
	case len(parts) == 2:
		id, _ := url.PathUnescape(parts[0])
		// Without identifierType the identifier is an id, which an alias never is.
		o.take(w, o.change(id, parts[1], r.URL.Query().Get("identifierType") == "alias", in))
	default:
		say(w, http.StatusNotFound, map[string]any{"message": "no such path"})
	}
}

type input struct {
	Message     string            `json:"message"`
	Alias       string            `json:"alias"`
	Description string            `json:"description"`
	Priority    string            `json:"priority"`
	Entity      string            `json:"entity"`
	Tags        []string          `json:"tags"`
	Details     map[string]string `json:"details"`
}

// wrong says what is wrong with an alert: 422.
func (in input) wrong() string {
	long := func(s string, n int) bool { return utf8.RuneCountInString(s) > n }
	switch {
	case in.Message == "":
		return "message is missing"
	case long(in.Message, maxMessage), long(in.Alias, maxAlias), long(in.Description, maxDescription):
		return "a field is too long"
	case len(in.Tags) > maxTags, slices.ContainsFunc(in.Tags, func(t string) bool { return long(t, maxTag) }):
		return "too many or too long tags"
	case !slices.Contains([]string{"", "P1", "P2", "P3", "P4", "P5"}, in.Priority):
		return "priority is invalid"
	}
	return ""
}

// create folds into the open alert of the alias, of which it changes nothing but
// the count (Opsgenie docs: alert de-duplication).
func (o *Opsgenie) create(in input) func() (bool, string) {
	return func() (bool, string) {
		if i := o.open(in.Alias); i >= 0 {
			o.alerts[i].Count++
			return true, "Alert created"
		}
		o.alerts = append(o.alerts, Alert{
			Alias: in.Alias, Open: true, Count: 1, Message: in.Message, Description: in.Description, Priority: in.Priority, Entity: in.Entity, Details: in.Details,
		})
		return true, "Alert created"
	}
}

func (o *Opsgenie) change(alias, what string, byAlias bool, in input) func() (bool, string) {
	return func() (bool, string) {
		i := o.open(alias)
		if i < 0 || !byAlias {
			return false, "Alert does not exist"
		}
		switch what {
		case "close":
			o.alerts[i].Open = false
		case "message":
			o.alerts[i].Message = in.Message
		case "description":
			o.alerts[i].Description = in.Description
		default:
			return false, "unknown action"
		}
		return true, "done"
	}
}

func (o *Opsgenie) open(alias string) int {
	return slices.IndexFunc(o.alerts, func(a Alert) bool { return a.Open && a.Alias == alias })
}

// take answers that a request will be processed, which its status tells of later.
func (o *Opsgenie) take(w http.ResponseWriter, do func() (bool, string)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	id := fmt.Sprintf("request-%d", len(o.requests)+1)
	r := request{at: time.Now().Add(o.Lag), status: "Integration is disabled"}
	if !o.Disabled {
		r.ok, r.status = do()
	}
	if o.requests == nil {
		o.requests = map[string]request{}
	}
	o.requests[id] = r
	say(w, http.StatusAccepted, map[string]any{"result": "Request will be processed", "took": 0.1, "requestId": id})
}

// status is 404 until the request was processed.
func (o *Opsgenie) status(w http.ResponseWriter, id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r, ok := o.requests[id]
	if !ok || time.Now().Before(r.at) {
		say(w, http.StatusNotFound, map[string]any{"message": "Request not found. It might not be processed, yet."})
		return
	}
	say(w, http.StatusOK, map[string]any{"data": map[string]any{"isSuccess": r.ok, "status": r.status}})
}

func say(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}
