package main

import (
	"time"

	"curfew/events"
)

// A story is a case as "curfew case --json" writes it. Fields are only ever added.
type story struct {
	caseLine
	Risk     string          `json:"risk,omitempty"` // as it was last seen, in Microsoft's words
	Seen     time.Time       `json:"seen,omitzero"`
	Unproven []string        `json:"unproven,omitempty"` // why health is not believed yet
	Hold     *events.Hold    `json:"hold,omitempty"`
	Pending  []events.Task   `json:"pending,omitempty"`
	Given    []events.Task   `json:"given,omitempty"`
	Acts     []events.Act    `json:"acts,omitempty"`
	Effects  []events.Effect `json:"effects,omitempty"`
	Said     *events.Noted   `json:"said,omitempty"`
	Timeline []record        `json:"timeline"`
}

// A record is one entry of a timeline.
type record struct {
	At    time.Time `json:"at"`
	State string    `json:"state"`
	Rung  int       `json:"rung"`
	Said  []string  `json:"said"`
}

func (h house) story(c events.Case, records []events.Case, now time.Time) story {
	s := story{
		caseLine: h.line(c, now), Seen: c.Device.SeenAt, Unproven: c.Unproven, Hold: c.Hold,
		Pending: c.Pending, Given: c.Given, Acts: c.Stages(), Effects: c.Effects, Said: c.Said, Timeline: []record{},
	}
	if !c.Device.SeenAt.IsZero() {
		s.Risk = c.Device.Risk()
	}
	for _, r := range records {
		if len(r.Trace) > 0 {
			s.Timeline = append(s.Timeline, record{r.At, r.State(), r.Rung, r.Trace})
		}
	}
	return s
}
