package autotask

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// refused says that Autotask has looked at a request and will not do it.
type refused struct{ text string }

func (r refused) Error() string { return r.text }

// limited gives an error of a limit the time that Autotask does not always say. Of
// the threads it looks at a moment; of the requests, at an hour that rolls.
func limited(err error) error {
	v := handlers.Read(err)
	switch {
	case v.Status != http.StatusTooManyRequests || v.After > 0:
		return err
	case strings.Contains(strings.ToLower(err.Error()), "thread"):
		return handlers.After(err, 10*time.Second)
	}
	return handlers.After(err, 5*time.Minute)
}

// verdict reads the errors in the text of a 500, which is also the answer to what
// can never be done. One without them, and one of those that pass, is left as it
// is: unsure. The refusal does not keep the status, so that it is not taken for a
// desk that is down.
func verdict(err error) error {
	_, said, list := strings.Cut(strings.ToLower(err.Error()), `errors\":[`)
	if handlers.Read(err).Status != http.StatusInternalServerError || !list {
		return err
	}
	for _, limit := range []string{"threshold", "too many requests"} {
		if strings.Contains(said, limit) { // it was counted, and not looked at
			return handlers.Sure(handlers.After(err, 5*time.Minute))
		}
	}
	for _, passes := range []string{"timeout", "timed out", "deadlock", "unexpected", "internal", "try again", "unavailable", "an error occurred"} {
		if strings.Contains(said, passes) {
			return err
		}
	}
	return handlers.GiveUp(refused{err.Error()})
}

// read reads an answer. Errors may be in one that says 200, too (go-autotask:
// parseResponse).
func read(answer json.RawMessage, into any) error {
	var e struct {
		Errors []json.RawMessage `json:"errors"`
		ID     int64             `json:"itemId"`
	}
	if json.Unmarshal(answer, &e) == nil && len(e.Errors) > 0 && e.ID == 0 {
		return handlers.GiveUp(refused{"autotask refused it: " + handlers.Line(string(e.Errors[0]), 200)})
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return handlers.Unsure(errors.New("autotask answered with something other than expected"))
	}
	return nil
}

// cannot is err as [ticket.ErrCannot], if Autotask refused a change.
func cannot(err error) error {
	if r, ok := errors.AsType[refused](err); ok {
		return fmt.Errorf("%w: %w", ticket.ErrCannot, r)
	}
	return ticket.Cannot(err)
}
