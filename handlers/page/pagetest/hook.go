package pagetest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Webhook is what a subscription posts (PagerDuty docs: webhooks v3) when a person
// does something with the incident of a key: event is one such as
// "incident.acknowledged". The incident itself stays as it is. An empty person is
// automation.
func (p *PagerDuty) Webhook(secret, event, key, person string) (header http.Header, body []byte) {
	p.mu.Lock()
	p.posted++
	n := p.posted
	p.mu.Unlock()
	incident := map[string]any{"id": "Q" + hex.EncodeToString([]byte(key))[:12], "type": "incident_reference"}
	data := map[string]any{"id": incident["id"], "type": "incident", "incident_key": key}
	if event == "incident.annotated" { // a note names its incident, not the key
		data = map[string]any{"id": fmt.Sprint("PNOTE", n), "type": "incident_note", "content": "on it", "incident": incident}
	}
	var agent any
	if person != "" {
		agent = map[string]any{"id": "PUSER01", "type": "user_reference", "summary": person}
	}
	body, _ = json.Marshal(map[string]any{"event": map[string]any{ // only strings and maps: it always works
		"id": fmt.Sprintf("01EVENT%019d", n), "event_type": event, "resource_type": "incident",
		"occurred_at": time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "agent": agent, "client": nil, "data": data,
	}})
	header = http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("X-Webhook-Id", fmt.Sprint("webhook-", n))
	header.Set("X-PagerDuty-Signature", Sign(secret, body))
	return header, body
}

// Sign is the signature of a webhook (PagerDuty docs: webhooks v3, verifying
// signatures).
func Sign(secret string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return "v1=" + hex.EncodeToString(m.Sum(nil))
}
