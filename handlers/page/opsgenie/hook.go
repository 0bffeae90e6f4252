package opsgenie

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"curfew/events"
	"curfew/handlers/page/hook"
)

// A Hook reads what a webhook integration of Opsgenie or Jira Service Management
// posts. Those sign nothing, so the integration must send the token as a header,
// "Authorization: Bearer ...", or have it behind the path.
type Hook struct {
	Token string
}

// did are the actions that are a person's answer (Opsgenie docs: alert action
// data).
func did(action string) events.Answer {
	switch action {
	case "Acknowledge", "AssignOwnership", "TakeOwnership":
		return events.Took
	case "AddNote":
		return events.Commented
	case "Close":
		return events.Ended
	}
	return ""
}

// Read implements [hook.Reader].
func (h Hook) Read(r hook.Request) ([]hook.Said, error) {
	if !hook.Token(r, h.Token) {
		return nil, hook.ErrStranger
	}
	var in struct {
		Action string `json:"action"`
		Alert  struct {
			Alias     string `json:"alias"`
			Username  string `json:"username"`
			UpdatedAt int64  `json:"updatedAt"`
		} `json:"alert"`
	}
	if err := json.Unmarshal(r.Body, &in); err != nil {
		return nil, fmt.Errorf("it is no alert action data: %w", err)
	}
	if in.Action == "" {
		return nil, errors.New("it is no alert action data")
	}
	// What Curfew closes, it closes by this name.
	answer := did(in.Action)
	if answer == "" || in.Alert.Alias == "" || in.Alert.Username == "Curfew" {
		return nil, nil
	}
	return []hook.Said{{Case: Key(in.Alert.Alias), Did: answer, By: in.Alert.Username, At: moment(in.Alert.UpdatedAt)}}, nil
}

// moment reads updatedAt, which is in nanoseconds in some samples of the
// documentation and in milliseconds in others.
func moment(n int64) time.Time {
	switch {
	case n <= 0:
		return time.Time{}
	case n > 1e17:
		return time.Unix(0, n).UTC()
	case n > 1e11:
		return time.UnixMilli(n).UTC()
	}
	return time.Unix(n, 0).UTC()
}
