package grafana

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers/page/hook"
)

// A Hook reads what an outgoing webhook of Grafana IRM posts for the triggers
// acknowledged and resolved, with the whole payload forwarded. Those sign nothing,
// so the webhook must send the token as its authorization header,
// "Bearer ...", or have it behind the path.
type Hook struct {
	Token string
}

// Read implements [hook.Reader]. What no user did is automation's (Grafana docs:
// outgoing webhooks).
func (h Hook) Read(r hook.Request) ([]hook.Said, error) {
	if !hook.Token(r, h.Token) {
		return nil, hook.ErrStranger
	}
	var in struct {
		Event struct {
			Type string `json:"type"`
			Time string `json:"time"`
		} `json:"event"`
		User *struct {
			Username string `json:"username"`
			Email    string `json:"email"`
		} `json:"user"`
		Payload struct {
			UID string `json:"alert_uid"`
		} `json:"alert_payload"` // of the group's first alert
	}
	if err := json.Unmarshal(r.Body, &in); err != nil {
		return nil, fmt.Errorf("it is no outgoing webhook with its whole payload: %w", err)
	}
	if in.Event.Type == "" {
		return nil, errors.New("it is no outgoing webhook with its whole payload")
	}
	if in.User == nil || in.Payload.UID == "" {
		return nil, nil
	}
	by := cmp.Or(in.User.Username, in.User.Email)
	at, err := time.Parse(time.RFC3339, in.Event.Time)
	if err != nil {
		at = time.Time{}
	}
	said := hook.Said{Case: in.Payload.UID, By: by, At: at}
	switch strings.ToLower(in.Event.Type) {
	case "acknowledge", "acknowledged":
		said.Did = events.Took
	case "resolve", "resolved":
		said.Did = events.Ended
	default:
		return nil, nil
	}
	if by == "" {
		return nil, nil
	}
	return []hook.Said{said}, nil
}
