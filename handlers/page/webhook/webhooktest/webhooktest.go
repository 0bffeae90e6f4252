// Package webhooktest is a receiver of signed pages as package webhook describes
// it. It is a handler; package fake serves it.
package webhooktest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"curfew/handlers/page/webhook"
	"curfew/handlers/sign"
)

// Receiver is one with a secret. It must not be copied once used.
type Receiver struct {
	Secret string

	mu     sync.Mutex
	alerts []Alert
	done   map[string]bool // by Idempotency-Key
}

// An Alert is one with its events.
type Alert struct {
	Case   string
	Open   bool
	Pages  int
	Events []webhook.Event
}

// Alerts are all there ever were, oldest first.
func (r *Receiver) Alerts() []Alert {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.alerts)
}

// ServeHTTP takes an event.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	if err := sign.Verify(r.Secret, req.Header.Get(sign.Header), body, time.Now()); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	var e webhook.Event
	key := req.Header.Get("Idempotency-Key")
	if err := json.Unmarshal(body, &e); err != nil || e.Version != 1 || e.Case == "" || key == "" {
		http.Error(w, "this is no event of version 1 with a key", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done == nil {
		r.done = map[string]bool{}
	}
	if r.done[key] {
		return
	}
	r.done[key] = true
	i := slices.IndexFunc(r.alerts, func(a Alert) bool { return a.Open && a.Case == e.Case })
	switch {
	case e.Kind == "resolved" && i >= 0:
		r.alerts[i].Open = false
	case e.Kind == "resolved":
	case i >= 0:
		r.alerts[i].Pages++
		r.alerts[i].Events = append(r.alerts[i].Events, e)
	default:
		r.alerts = append(r.alerts, Alert{Case: e.Case, Open: true, Pages: 1, Events: []webhook.Event{e}})
	}
}
