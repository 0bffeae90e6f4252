package hook

import (
	"encoding/json"
	"fmt"
	"time"

	"curfew/events"
	"curfew/handlers/sign"
)

// Signed is for what signs as Curfew does: package sign says how. The body is
// {"id", "case", "did", "by", "at"}: did is took, commented or ended; at may be
// left out.
type Signed struct {
	Secret string
}

// Read implements [Reader].
func (h Signed) Read(r Request) ([]Said, error) {
	if sign.Verify(h.Secret, r.Header.Get(sign.Header), r.Body, r.At) != nil {
		return nil, ErrStranger
	}
	var in struct {
		ID   string        `json:"id"`
		Case string        `json:"case"`
		Did  events.Answer `json:"did"`
		By   string        `json:"by"`
		At   time.Time     `json:"at"`
	}
	if err := json.Unmarshal(r.Body, &in); err != nil {
		return nil, fmt.Errorf("it is not JSON of an answer: %w", err)
	}
	switch in.Did {
	case events.Took, events.Commented, events.Ended:
		return []Said{{in.ID, in.Case, in.Did, in.By, in.At}}, nil
	}
	return nil, fmt.Errorf("did is %.40q, and must be took, commented or ended", in.Did)
}
