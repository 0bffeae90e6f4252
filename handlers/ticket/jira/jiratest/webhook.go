package jiratest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Webhook is what the site posts when somebody has changed an issue, by its id or
// key, signed with a secret: X-Hub-Signature (Cloud docs: webhooks, secure admin
// webhooks; Jira Data Center 10 docs: managing webhooks, securing your webhook).
func (s *Site) Webhook(secret, id, by string) (header http.Header, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.byID(id)
	body, _ = json.Marshal(map[string]any{ // only texts, numbers and maps: it always works
		"timestamp": time.Now().UnixMilli(), "webhookEvent": "jira:issue_updated", "issue_event_type_name": "issue_generic",
		"user": s.user(by), "issue": s.show(i),
		"changelog": map[string]any{"id": strconv.Itoa(len(i.Changes)), "items": []any{map[string]string{"field": "status", "toString": i.Status}}},
	})
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body) // never fails
	header = http.Header{}
	header.Set("Content-Type", "application/json; charset=UTF-8")
	header.Set("X-Atlassian-Webhook-Identifier", fmt.Sprint(i.Key, "-", len(i.Changes)))
	header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return header, body
}
