package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/events"
)

// A Pause is a person's word that something must not be done.
type Pause struct {
	Tenant string        `json:"tenant,omitempty"` // its id; empty: all of them
	Action events.Action `json:"action,omitempty"` // empty: everything that does something outside
	By     string        `json:"by"`
	Reason string        `json:"reason"`
	At     time.Time     `json:"at"`
	Lift   *Asked        `json:"lift,omitempty"` // somebody wants it lifted, and a second person must agree
}

// Asked is one person's wish to lift a pause.
type Asked struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Covers reports whether the pause is about an action in a tenant. Looking is
// never paused: it changes nothing, and a case must be able to close.
func (p Pause) Covers(tenant string, a events.Action) bool {
	return a.Effect() && (p.Tenant == "" || strings.EqualFold(p.Tenant, tenant)) && (p.Action == "" || p.Action == a)
}

// Grave reports whether lifting it lets destructive things happen, which takes
// two people.
func (p Pause) Grave() bool { return p.Action == "" || p.Action.Destructive() }

// Why is the pause as a reason for holding a task.
func (p Pause) Why() string {
	what := "everything is"
	if p.Action != "" {
		what = string(p.Action) + " is"
	}
	if p.Tenant != "" {
		what += ", in this tenant,"
	}
	return fmt.Sprintf("%s paused by %s: %s", what, p.By, p.Reason)
}

// What goes wrong with lifting.
var (
	ErrNoPause    = errors.New("there is no such pause")
	ErrSamePerson = errors.New("a second person has to agree: lifting a pause that lets destructive things happen takes two, and you have asked for it already")
)

// pauses are all there are. They are one record, so that one read tells.
type pauses struct {
	List []Pause `json:"list,omitempty"`
}

const (
	pausesKey  = "gate.pauses"
	mostPauses = 1000
)

func (ps pauses) find(tenant string, a events.Action) int {
	return slices.IndexFunc(ps.List, func(p Pause) bool { return strings.EqualFold(p.Tenant, tenant) && p.Action == a })
}

// covering returns the first pause that covers an action in a tenant.
func (ps pauses) covering(tenant string, a events.Action) (Pause, bool) {
	i := slices.IndexFunc(ps.List, func(p Pause) bool { return p.Covers(tenant, a) })
	if i < 0 {
		return Pause{}, false
	}
	return ps.List[i], true
}

// set adds a pause. One that is there stays whoever's it is, but a wish to lift
// it is over: somebody has just said otherwise.
func (ps *pauses) set(p Pause) error {
	p.Lift = nil
	if i := ps.find(p.Tenant, p.Action); i >= 0 {
		ps.List[i] = p
		return nil
	}
	if len(ps.List) >= mostPauses {
		return fmt.Errorf("gate: there are %d pauses already; pause a whole tenant, or everything", mostPauses)
	}
	ps.List = append(ps.List, p)
	return nil
}

// lift takes a pause away, or notes that one person wants it. Two are needed
// where destructive things would be let happen; who set the pause may be one of them.
func (ps *pauses) lift(tenant string, a events.Action, by string, now time.Time) (p Pause, lifted bool, err error) {
	i := ps.find(tenant, a)
	if i < 0 {
		return p, false, ErrNoPause
	}
	p = ps.List[i]
	switch {
	case p.Grave() && p.Lift == nil:
		ps.List[i].Lift = &Asked{By: by, At: now}
		return ps.List[i], false, nil
	case p.Grave() && strings.EqualFold(p.Lift.By, by):
		return p, false, ErrSamePerson
	}
	ps.List = slices.Delete(ps.List, i, i+1)
	return p, true, nil
}

// Pauses are the pauses in a store.
type Pauses struct{ Store Store }

// List returns all pauses, the oldest first.
func (s Pauses) List(ctx context.Context) ([]Pause, error) {
	ps, _, err := read[pauses](ctx, s.Store, pausesKey)
	return ps.List, err
}

// Set pauses something. When it returns nil, no call is made any more that has
// not passed its last question.
func (s Pauses) Set(ctx context.Context, p Pause) error {
	if strings.TrimSpace(p.By) == "" || strings.TrimSpace(p.Reason) == "" {
		return errors.New("gate: a pause needs somebody who sets it, and a reason")
	}
	if p.Tenant != "" && !events.ValidID(p.Tenant) {
		return fmt.Errorf("gate: %.80q names no tenant", p.Tenant)
	}
	return change(ctx, s.Store, pausesKey, func(ps *pauses) (bool, error) { return true, ps.set(p) })
}

// Lift lifts the pause of exactly this tenant and action, or notes that somebody
// wants that and reports false: then another person has to say it too. Its errors
// are [ErrNoPause], [ErrSamePerson] and those of the store.
func (s Pauses) Lift(ctx context.Context, tenant string, a events.Action, by string, now time.Time) (p Pause, lifted bool, err error) {
	if strings.TrimSpace(by) == "" {
		return p, false, errors.New("gate: lifting a pause needs somebody who does it")
	}
	err = change(ctx, s.Store, pausesKey, func(ps *pauses) (bool, error) {
		var err error
		p, lifted, err = ps.lift(tenant, a, by, now)
		return err == nil, err
	})
	return p, lifted, err
}
