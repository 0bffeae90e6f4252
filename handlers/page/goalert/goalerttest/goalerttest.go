// Package goalerttest is a GoAlert that takes alerts by its generic API, with its
// rules. It is a handler; package fake serves it.
//
// Facts are from the source of target/goalert v0.34.1 (genericapi, auth, alert).
package goalerttest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// GoAlert is a server with one service. The zero value with a Key is ready; it
// must not be copied once used.
type GoAlert struct {
	Key   string // the service's integration key
	Limit int    // of alerts that nobody has acknowledged; 0: none

	mu     sync.Mutex
	alerts []Alert
}

// An Alert is one with all that a responder reads.
type Alert struct {
	Dedup   string
	Open    bool
	Count   int
	Summary string
	Details string
	Meta    map[string]string
}

// Alerts are all there ever were, oldest first.
func (g *GoAlert) Alerts() []Alert {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.alerts)
}

const maxRequest = 256 << 10 // by default (app/defaults.go)

// ServeHTTP is POST /api/v2/generic/incoming.
func (g *GoAlert) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/v2/generic/incoming" {
		http.NotFound(w, r)
		return
	}
	// A token in a JSON body is not read (auth/gettoken.go).
	if r.Header.Get("Authorization") != "Bearer "+g.Key && r.URL.Query().Get("token") != g.Key {
		http.Error(w, "unauthorized", http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil || len(body) > maxRequest {
		http.Error(w, "request body too large", http.StatusRequestEntityTooLarge)
		return
	}
	var in struct {
		Summary, Details, Action, Dedup string
		Meta                            map[string]string
	}
	if err := json.Unmarshal(body, &in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if strings.TrimSpace(in.Summary) == "" {
		http.Error(w, "invalid value for 'Summary': must not be empty", http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	open := slices.IndexFunc(g.alerts, func(a Alert) bool { return a.Open && a.Dedup == in.Dedup })
	id, isNew := 0, false
	switch {
	case in.Action == "close":
		if open >= 0 { // and it is no error if there is none
			g.alerts[open].Open = false
		}
	case open >= 0: // texts and meta stay as they were (alert/store.go)
		g.alerts[open].Count++
		id = open + 1
	case g.Limit > 0 && len(slices.DeleteFunc(slices.Clone(g.alerts), func(a Alert) bool { return !a.Open })) >= g.Limit:
		http.Error(w, "too many unacknowledged alerts for this service", http.StatusConflict)
		return
	default:
		g.alerts = append(g.alerts, Alert{
			Dedup: cut(in.Dedup, 512), Open: true, Count: 1,
			Summary: cut(strings.ReplaceAll(in.Summary, "\n", " "), 1024), Details: cut(in.Details, 6<<10), Meta: in.Meta,
		})
		id, isNew = len(g.alerts), true
	}
	if r.Header.Get("Accept") != "application/json" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"AlertID": id, "ServiceID": "00000000-0000-0000-0000-000000000001", "IsNew": isNew})
}

// cut shortens without a word.
func cut(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }
