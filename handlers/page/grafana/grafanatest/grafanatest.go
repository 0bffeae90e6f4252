// Package grafanatest is a formatted webhook of Grafana OnCall and IRM, with its
// rules. It is a handler; package fake serves it.
//
// Facts are from the source of grafana/oncall, January 2026
// (engine/config_integrations/formatted_webhook.py, engine/apps/integrations/views.py,
// engine/apps/alerts/models/alert_group.py) and from Grafana Cloud's page on IRM's
// rate limits.
package grafanatest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Grafana is an integration. The zero value with a Key is ready; it must not be
// copied once used.
type Grafana struct {
	Key string // the last part of its path, which is the credential

	mu     sync.Mutex
	groups []Group
	heard  []time.Time // alerts of the last five minutes
}

// A Group is an alert group with what a responder reads of its first alert.
type Group struct {
	UID     string
	Open    bool
	Alerts  int // that were firing
	Title   string
	Message string
	Link    string
}

// Groups are all there ever were, oldest first.
func (g *Grafana) Groups() []Group {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.groups)
}

// Path is where the integration is below the server's address.
func (g *Grafana) Path() string { return "/integrations/v1/formatted_webhook/" + g.Key + "/" }

const (
	most   = 300 // alerts of an integration
	within = 5 * time.Minute
)

// ServeHTTP takes alerts.
func (g *Grafana) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != g.Path() || r.Method != http.MethodPost { // without the slash at its end it is another path
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	var in struct {
		UID     string `json:"alert_uid"`
		Title   string `json:"title"`
		State   string `json:"state"`
		Message string `json:"message"`
		Link    string `json:"link_to_upstream_details"`
	}
	if err != nil || len(body) == 0 || json.Unmarshal(body, &in) != nil {
		http.Error(w, "empty or unreadable payload", http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.heard = slices.DeleteFunc(g.heard, func(at time.Time) bool { return now.Sub(at) >= within })
	if len(g.heard) >= most { // neither queued nor replayed
		http.Error(w, "too many alerts", http.StatusTooManyRequests)
		return
	}
	g.heard = append(g.heard, now)
	open := slices.IndexFunc(g.groups, func(x Group) bool { return x.Open && x.UID == in.UID })
	switch resolved := strings.EqualFold(in.State, "ok"); {
	case resolved && open >= 0:
		g.groups[open].Open = false
	case resolved: // joins the last one that is over, if there is one
	case open >= 0:
		g.groups[open].Alerts++
	default:
		g.groups = append(g.groups, Group{UID: in.UID, Open: true, Alerts: 1, Title: in.Title, Message: in.Message, Link: in.Link})
	}
	io.WriteString(w, "Ok.")
}
