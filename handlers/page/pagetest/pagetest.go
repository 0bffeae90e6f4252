// Package pagetest is a PagerDuty that takes events: what Curfew needs of the
// Events API v2, with its rules, and verbs to see what people would have been
// woken by. It is a handler; package fake serves it.
//
// Facts are from PagerDuty's developer documentation of the Events API v2
// (2026-08) unless a comment says otherwise.
package pagetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// PagerDuty is an account. The zero value with some Keys is ready; it must not be
// copied once used.
type PagerDuty struct {
	Keys []string // integration keys of its services

	mu        sync.Mutex
	incidents []Incident
	heard     map[string][]time.Time // events of the last minute, by integration key
	posted    int                    // webhooks
}

// An Incident is an alert of a service and whom it woke.
type Incident struct {
	Key      string // dedup_key
	Service  string // the integration key it came by
	Status   string // triggered, acknowledged or resolved
	Summary  string
	Source   string
	Severity string
	Details  json.RawMessage
	Links    []string
	Triggers int // how often it was triggered
	Woken    int // how often somebody was: a folded trigger wakes nobody
}

// Incidents are all there ever were, oldest first.
func (p *PagerDuty) Incidents() []Incident {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.incidents)
}

// Open are the incidents that are not resolved.
func (p *PagerDuty) Open() []Incident {
	return slices.DeleteFunc(p.Incidents(), func(i Incident) bool { return i.Status == "resolved" })
}

// Count says how many incidents a key has opened; a second one after a resolve
// counts.
func (p *PagerDuty) Count(key string) int {
	return len(slices.DeleteFunc(p.Incidents(), func(i Incident) bool { return i.Key != key }))
}

// Acknowledge lets a person take the open incident of a key on.
func (p *PagerDuty) Acknowledge(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.incidents {
		if p.incidents[i].Key == key && p.incidents[i].Status == "triggered" {
			p.incidents[i].Status = "acknowledged"
		}
	}
}

const (
	maxRequest = 512 << 10 // "512 KB" for a whole request
	perMinute  = 120       // events for one integration key, in a sliding minute
)

type event struct {
	RoutingKey string `json:"routing_key"`
	Action     string `json:"event_action"`
	DedupKey   string `json:"dedup_key"`
	Links      []struct {
		Href string `json:"href"`
	} `json:"links"`
	Payload *struct {
		Summary  string          `json:"summary"`
		Source   string          `json:"source"`
		Severity string          `json:"severity"`
		Details  json.RawMessage `json:"custom_details"`
	} `json:"payload"`
}

// ServeHTTP is POST /v2/enqueue.
func (p *PagerDuty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/v2/enqueue" || r.Method != http.MethodPost {
		answer(w, http.StatusNotFound, "not found", "there is only POST /v2/enqueue")
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil || len(body) > maxRequest {
		answer(w, http.StatusRequestEntityTooLarge, "invalid event", "Event is larger than 512 KB")
		return
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		answer(w, http.StatusBadRequest, "invalid event", "Event object is invalid", "body is not JSON")
		return
	}
	if wrong := p.wrong(e); len(wrong) > 0 {
		answer(w, http.StatusBadRequest, "invalid event", "Event object is invalid", wrong...)
		return
	}
	if !p.take(e) {
		// No Retry-After: none is documented for the Events API.
		answer(w, http.StatusTooManyRequests, "throttle exceeded", "Requests for this service are arriving too quickly. Please retry later.")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted) // queued; nobody is paged yet
	json.NewEncoder(w).Encode(map[string]string{"status": "success", "message": "Event processed", "dedup_key": e.DedupKey})
}

// wrong lists what makes an event invalid: 400, not to be sent again.
func (p *PagerDuty) wrong(e event) []string {
	var out []string
	no := func(bad bool, format string, args ...any) {
		if bad {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	no(e.RoutingKey == "", "'routing_key' is missing or blank")
	no(!slices.Contains(p.Keys, e.RoutingKey), "'routing_key' is not of this account")
	no(len(e.DedupKey) > 255, "'dedup_key' is longer than 255 characters")
	switch e.Action {
	case "trigger":
		if e.Payload == nil {
			return append(out, "'payload' is missing or blank")
		}
		no(e.Payload.Summary == "", "'payload.summary' is missing or blank")
		no(len([]rune(e.Payload.Summary)) > 1024, "'payload.summary' is longer than 1024 characters")
		no(e.Payload.Source == "", "'payload.source' is missing or blank")
		no(!slices.Contains([]string{"critical", "error", "warning", "info"}, e.Payload.Severity), "'payload.severity' is invalid")
	case "acknowledge", "resolve":
		no(e.DedupKey == "", "'dedup_key' is missing or blank")
	default:
		no(true, "'event_action' is invalid (must be one of trigger, acknowledge, resolve)")
	}
	return out
}

// take does what the event says, if the service has not heard too much.
func (p *PagerDuty) take(e event) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	recent := slices.DeleteFunc(p.heard[e.RoutingKey], func(at time.Time) bool { return now.Sub(at) >= time.Minute })
	if len(recent) >= perMinute {
		return false
	}
	if p.heard == nil {
		p.heard = map[string][]time.Time{}
	}
	p.heard[e.RoutingKey] = append(recent, now)

	// The same key through the same integration is the same alert, while it is open.
	open := slices.IndexFunc(p.incidents, func(i Incident) bool {
		return i.Key == e.DedupKey && i.Key != "" && i.Service == e.RoutingKey && i.Status != "resolved"
	})
	switch {
	case e.Action == "trigger" && open >= 0:
		p.incidents[open].Triggers++ // wakes nobody again
	case e.Action == "trigger":
		i := Incident{
			Key: e.DedupKey, Service: e.RoutingKey, Status: "triggered", Triggers: 1, Woken: 1,
			Summary: e.Payload.Summary, Source: e.Payload.Source, Severity: e.Payload.Severity, Details: e.Payload.Details,
		}
		for _, l := range e.Links {
			i.Links = append(i.Links, l.Href)
		}
		p.incidents = append(p.incidents, i)
	case open < 0: // dropped without a word
	case e.Action == "acknowledge":
		p.incidents[open].Status = "acknowledged"
	default:
		p.incidents[open].Status = "resolved"
	}
	return true
}

// answer is PagerDuty's form of an error (PagerDuty/go-pagerduty, event_v2.go:
// EventsAPIV2ErrorObject).
func answer(w http.ResponseWriter, status int, short, message string, errs ...string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"status": short, "message": message, "errors": errs})
}

// String is the incident in one line.
func (i Incident) String() string {
	return strings.Join([]string{i.Key, i.Severity, i.Status, i.Summary}, " | ")
}
