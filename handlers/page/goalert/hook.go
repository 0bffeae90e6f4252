package goalert

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"curfew/events"
	"curfew/handlers/page/hook"
)

// A Hook reads what a webhook of GoAlert posts when the status of an alert
// changes. There is nothing to check who has sent it by but the token behind its
// path, and it is sent once: when it is lost, the page repeats.
type Hook struct {
	Token string
}

// Read implements [hook.Reader].
func (h Hook) Read(r hook.Request) ([]hook.Said, error) {
	if !hook.Token(r, h.Token) {
		return nil, hook.ErrStranger
	}
	var in struct {
		Type     string
		LogEntry string
		Meta     map[string]string
	}
	if err := json.Unmarshal(r.Body, &in); err != nil {
		return nil, fmt.Errorf("it is no notification of GoAlert: %w", err)
	}
	if in.Type == "" {
		return nil, errors.New("it is no notification of GoAlert")
	}
	answer, by := read(in.LogEntry)
	if in.Type != "AlertStatus" || answer == "" || in.Meta[MetaKey] == "" {
		return nil, nil
	}
	return []hook.Said{{Case: in.Meta[MetaKey], Did: answer, By: by}}, nil
}

// read takes an entry such as "Acknowledged by Bob (via web)" apart. One that
// names nobody, such as "Closed via Curfew", was no person's doing
// (target/goalert, alert/alertlog/entry.go).
func read(entry string) (answer events.Answer, by string) {
	what, by, _ := strings.Cut(entry, " by ")
	switch what {
	case "Acknowledged":
		answer = events.Took
	case "Closed":
		answer = events.Ended
	default:
		return "", ""
	}
	by, _, _ = strings.Cut(by, " via ")
	by, _, _ = strings.Cut(by, " (")
	if by == "" {
		return "", ""
	}
	return answer, by
}
