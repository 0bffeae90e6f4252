package pagerduty

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"curfew/events"
	"curfew/handlers/page/hook"
)

// SignatureHeader carries the signatures of a webhook: "v1=" and the HMAC-SHA256
// of the body in hex, several divided by commas while the secret changes
// (PagerDuty docs: webhooks v3, verifying signatures).
const SignatureHeader = "X-PagerDuty-Signature"

// A Hook reads webhooks v3 of a subscription. It must not be copied once used.
//
// What people do counts; what automation does, such as a resolve by an event, has
// another agent or none. Notes name their incident by PagerDuty's own id, so they
// count if something else was heard of that incident since the start.
type Hook struct {
	Secret string // of the subscription

	mu    sync.Mutex
	known map[string]string // cases by incident
}

// mostKnown bounds the incidents that are remembered; then it begins anew.
const mostKnown = 10_000

// did are the events that a person's answer is (PagerDuty docs: webhooks v3,
// event types). Who reassigns an incident has looked at it, and somebody else is
// asked next; it counts as a remark.
func did(event string) events.Answer {
	switch event {
	case "incident.acknowledged":
		return events.Took
	case "incident.annotated", "incident.reassigned":
		return events.Commented
	case "incident.resolved":
		return events.Ended
	}
	return ""
}

// Read implements [hook.Reader].
func (h *Hook) Read(r hook.Request) ([]hook.Said, error) {
	if !h.signed(strings.Join(r.Header.Values(SignatureHeader), ","), r.Body) {
		return nil, hook.ErrStranger
	}
	var in struct {
		Event struct {
			ID         string    `json:"id"`
			Type       string    `json:"event_type"`
			OccurredAt time.Time `json:"occurred_at"`
			Agent      *struct {
				Type    string `json:"type"`
				Summary string `json:"summary"`
			} `json:"agent"`
			Data struct {
				ID       string `json:"id"`
				Key      string `json:"incident_key"`
				Incident struct {
					ID string `json:"id"`
				} `json:"incident"` // of a note
			} `json:"data"`
		} `json:"event"`
	}
	if err := json.Unmarshal(r.Body, &in); err != nil {
		return nil, fmt.Errorf("it is no webhook v3: %w", err)
	}
	e := in.Event
	if e.ID == "" || e.Type == "" {
		return nil, fmt.Errorf("it is no webhook v3: it has no event")
	}
	key := h.caseOf(e.Data.ID, e.Data.Key, e.Data.Incident.ID)
	if answer := did(e.Type); answer != "" && key != "" && e.Agent != nil && e.Agent.Type == "user_reference" {
		return []hook.Said{{ID: e.ID, Case: key, Did: answer, By: e.Agent.Summary, At: e.OccurredAt}}, nil
	}
	return nil, nil
}

// caseOf is the case of an incident, or of the incident that a note is on.
func (h *Hook) caseOf(id, key, noted string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if key == "" {
		return h.known[noted]
	}
	if h.known == nil || len(h.known) >= mostKnown {
		h.known = map[string]string{}
	}
	if id != "" && len(id) <= 64 && len(key) <= maxDedup {
		h.known[id] = key
	}
	return key
}

// signed reports whether one of the signatures is of the secret and the body.
func (h *Hook) signed(signatures string, body []byte) bool {
	if h.Secret == "" || len(signatures) > 4096 {
		return false
	}
	m := hmac.New(sha256.New, []byte(h.Secret))
	m.Write(body)
	want, good := m.Sum(nil), false
	for s := range strings.SplitSeq(signatures, ",") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(s), "v1="); ok {
			got, err := hex.DecodeString(value)
			good = hmac.Equal(got, want) && err == nil || good
		}
	}
	return good
}
