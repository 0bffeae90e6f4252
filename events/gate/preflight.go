package gate

import (
	"context"
	"fmt"
	"strings"
	"time"

	"curfew/events"
)

// A Checker knows whether a device is fit for something destructive. Its error
// says that it could not look at all.
type Checker interface {
	Check(ctx context.Context, c events.Case, t events.Task) ([]Reason, error)
}

// An Answer is what one check comes to.
type Answer string

// The answers. Anything else is unknown.
const (
	Yes     Answer = "yes" // fit
	No      Answer = "no"
	Unknown Answer = "unknown"
)

// A Reason is one check of a pre-flight.
type Reason struct {
	Check  string // its name: "joined", "escrowed" …
	Answer Answer
	Why    string    // in words
	Final  bool      // a no that waiting does not change: the task is given up
	Until  time.Time // when to ask again; zero: in a while
}

// A Treatment is what an unknown answer leads to.
type Treatment string

// The treatments; the zero one is Hold.
const (
	Hold   Treatment = "hold"   // until it is known, or a person releases the task
	Allow  Treatment = "allow"  // as if it were yes
	Refuse Treatment = "refuse" // as if it were a final no
)

// Preflight asks a checker before anything destructive.
type Preflight struct {
	Checker Checker // nil: nothing is asked
	Unknown map[string]Treatment
}

// A verdict of the pre-flight: at most one of the two is set.
type verdict struct {
	refused, held string
	until         time.Time // the latest that a check named; zero: none did
}

// decide makes one verdict of many answers. Refusals come before holds, and a
// person's release opens only what is unknown.
func (p Preflight) decide(reasons []Reason, released bool) verdict {
	var refused, hold []string
	var until time.Time
	for _, r := range reasons {
		text := r.Check + ": " + r.Why
		treat := p.Unknown[r.Check]
		switch {
		case r.Answer == Yes:
			continue
		case r.Answer == No && r.Final, r.Answer != No && treat == Refuse:
			refused = append(refused, text)
		case r.Answer != No && (treat == Allow || released):
			continue
		case r.Answer == No:
			hold = append(hold, text)
		default:
			hold = append(hold, text+" (not known)")
		}
		if r.Until.After(until) {
			until = r.Until
		}
	}
	if len(reasons) == 0 && !released {
		hold = append(hold, "nothing was checked")
	}
	switch {
	case len(refused) > 0:
		return verdict{refused: strings.Join(refused, "; ")}
	case len(hold) > 0:
		return verdict{held: strings.Join(hold, "; "), until: until}
	}
	return verdict{}
}

// A refusal ends a task for good.
type refusal struct{ error }

func (refusal) GiveUp() bool { return true }

// fly asks the pre-flight about a task.
func (g *Guard) fly(ctx context.Context, c events.Case, t events.Task) (*events.Held, error) {
	if g.Preflight.Checker == nil || !t.Action.Destructive() {
		return nil, nil
	}
	reasons, err := g.Preflight.Checker.Check(ctx, c, t)
	if err != nil {
		return nil, fmt.Errorf("gate: pre-flight: %w", err)
	}
	v := g.Preflight.decide(reasons, releasedBy(t, GatePreflight) != "")
	switch {
	case v.refused != "":
		return nil, refusal{fmt.Errorf("pre-flight refuses the %s: %s", t.Action, v.refused)}
	case v.held != "":
		if now := time.Now(); !v.until.After(now) {
			v.until = again(t, GatePreflight, now)
		}
		return held(t, GatePreflight, v.held, v.until), nil
	}
	return nil, nil
}
