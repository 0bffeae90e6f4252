package gate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/events"
)

// Breaker says when so much of a tenant turns bad at once that it must be the
// doing of a policy or an attack. The zero value has the defaults.
type Breaker struct {
	Share  float64       // more than this part of the tenant's devices; 0: 0.1
	Least  int           // and at least so many; 0: 5
	Window time.Duration // within so long; 0: an hour
}

func (b Breaker) filled() Breaker {
	return Breaker{cmp.Or(b.Share, 0.1), cmp.Or(b.Least, 5), cmp.Or(b.Window, time.Hour)}
}

// lookback is how far back cases are counted. What was never looked at for so
// long, because no worker ran, is history.
const lookback = 7 * 24 * time.Hour

// burst is the most devices that turned bad within any one window.
func burst(opened []time.Time, window time.Duration) int {
	slices.SortFunc(opened, time.Time.Compare)
	most, from := 0, 0
	for i, at := range opened {
		for at.Sub(opened[from]) > window {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// trips reports whether so many of the devices are too many. Where it is not
// known how many there are, nobody can tell, and doubtful is true.
func (b Breaker) trips(bad, devices int, known bool) (trips, doubtful bool) {
	b = b.filled()
	switch {
	case bad < b.Least:
		return false, false
	case !known:
		return false, true
	}
	return float64(bad) > b.Share*float64(devices), false
}

// A trip is the record of a tenant's breaker.
type trip struct {
	Tripped bool      `json:"tripped,omitempty"`
	At      time.Time `json:"at,omitzero"`
	Reason  string    `json:"reason,omitempty"`
	Shown   bool      `json:"shown,omitempty"` // the tenant's case had it, so that a person can have closed it
	Since   time.Time `json:"since,omitzero"`  // when it was last reset: what opened before does not count again
}

// Cases is what the guard reads of cases.
type Cases interface {
	Case(ctx context.Context, k events.Key) (events.Case, uint64, error)

	// Openings says of each device of a tenant whose case was opened by a policy
	// since then, open or closed now, when it last was: one time for each, in any order.
	Openings(ctx context.Context, tenant string, since time.Time) ([]time.Time, error)
}

// Edits knows which policies of a tenant were edited lately. Each is one line for
// people: when, who, what. The error says what could not be read, beside what was.
type Edits interface {
	Edits(ctx context.Context, tenant string, since time.Time) ([]string, error)
}

// What is said of edits: so far back, so many, and for no longer than so.
const (
	editedWithin = 48 * time.Hour
	mostEdits    = 5
	editsTake    = 20 * time.Second
)

// edits is what was edited before a breaker tripped, as the end of its reason. That
// it cannot be told keeps no breaker from tripping.
func (g *Guard) edits(ctx context.Context, tenant string, now time.Time) string {
	if g.Edits == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, editsTake)
	defer cancel()
	list, err := g.Edits.Edits(ctx, tenant, now.Add(-editedWithin))
	more := ""
	if len(list) > mostEdits {
		list, more = list[:mostEdits], fmt.Sprintf("; and %d more", len(list)-mostEdits)
	}
	switch {
	case len(list) > 0:
		return "; edited within " + spell(editedWithin) + ": " + strings.Join(list, "; ") + more
	case err != nil:
		return "; which policies were edited lately could not be read"
	}
	return "; no policy was edited within " + spell(editedWithin)
}

// Fleet knows how many devices a tenant has, as far as anybody has counted.
type Fleet interface {
	Devices(ctx context.Context, tenant string) (n int, known bool, err error)
}

// A Sink takes facts. A second one with the same id is the same fact.
type Sink interface {
	Append(ctx context.Context, k events.Key, f events.Fact, id string) error
}

func tripKey(tenant string) string { return "gate.trip." + tenant }

// tripped reads whether the breaker of a tenant has tripped, and nothing more.
func (g *Guard) tripped(ctx context.Context, tenant string) (trip, error) {
	tr, _, err := read[trip](ctx, g.Store, tripKey(tenant))
	return tr, err
}

// breaker reads a tenant's breaker after bringing it up to date: it trips if too
// many devices have turned bad, and is reset if a person closed the tenant's case.
func (g *Guard) breaker(ctx context.Context, tenant string) (tr trip, doubt string, err error) {
	leave, err := g.enter(ctx, tenant)
	if err != nil {
		return tr, "", err
	}
	defer leave()
	if tr, err = g.tripped(ctx, tenant); err != nil {
		return tr, "", err
	}
	if tr.Tripped {
		if tr, err = g.follow(ctx, tenant, tr); err != nil || tr.Tripped {
			return tr, "", err
		}
	}
	if last, ok := g.counted(tenant); ok {
		return tr, last, nil
	}
	return g.count(ctx, tenant, tr)
}

// follow keeps a tripped breaker and the tenant's case in step.
func (g *Guard) follow(ctx context.Context, tenant string, tr trip) (trip, error) {
	c, _, err := g.Cases.Case(ctx, events.TenantKey(tenant))
	if err != nil {
		return tr, fmt.Errorf("gate: the case of the tenant: %w", err)
	}
	shows := c.Open && slices.ContainsFunc(c.Attention, func(why string) bool { return why == GateBreaker+": "+tr.Reason })
	switch {
	case shows && tr.Shown:
		return tr, nil
	case shows:
		return g.store(ctx, tenant, tr, func(t *trip) { t.Shown = true })
	case tr.Shown && !c.Closed.IsZero():
		return g.store(ctx, tenant, tr, func(t *trip) { *t = trip{Since: c.Closed} })
	}
	return tr, g.tell(ctx, tenant, tr)
}

// count counts who has turned bad, and trips the breaker if they are too many.
func (g *Guard) count(ctx context.Context, tenant string, tr trip) (_ trip, doubt string, err error) {
	now := time.Now().UTC()
	since := now.Add(-lookback)
	if tr.Since.After(since) {
		since = tr.Since
	}
	opened, err := g.Cases.Openings(ctx, tenant, since)
	if err != nil {
		return tr, "", fmt.Errorf("gate: which devices have turned bad: %w", err)
	}
	devices, known, err := g.Fleet.Devices(ctx, tenant)
	if err != nil {
		return tr, "", fmt.Errorf("gate: how many devices the tenant has: %w", err)
	}
	times := slices.DeleteFunc(opened, func(at time.Time) bool { return !at.After(since) })
	b := g.Breaker.filled()
	bad := burst(times, b.Window)
	trips, doubtful := b.trips(bad, devices, known)
	if doubtful {
		doubt = fmt.Sprintf("%d devices turned bad within %s, and how many the tenant has is not known yet", bad, spell(b.Window))
	}
	if !trips {
		g.note(tenant, now, doubt)
		return tr, doubt, nil
	}
	reason := fmt.Sprintf("%d of %d devices turned bad within %s: look for a changed policy or an attack; everything destructive in the tenant is held until this case is closed%s",
		bad, devices, spell(b.Window), g.edits(ctx, tenant, now))
	tr, err = g.store(ctx, tenant, tr, func(t *trip) { *t = trip{Tripped: true, At: now, Reason: reason, Since: t.Since} })
	if err != nil || !tr.Tripped {
		return tr, doubt, err
	}
	return tr, "", g.tell(ctx, tenant, tr)
}

// store changes the record if it is still as it was read; whoever came first is right.
func (g *Guard) store(ctx context.Context, tenant string, was trip, f func(*trip)) (now trip, err error) {
	err = change(ctx, g.Store, tripKey(tenant), func(t *trip) (bool, error) {
		same := t.Tripped == was.Tripped && t.Shown == was.Shown && t.At.Equal(was.At) && t.Since.Equal(was.Since)
		if same {
			f(t)
		}
		now = *t
		return same, nil
	})
	return now, err
}

// tell opens the tenant's case, which takes the same reason once.
func (g *Guard) tell(ctx context.Context, tenant string, tr trip) error {
	id := fmt.Sprintf("gate/%s/breaker/%d", tenant, tr.At.UnixNano())
	return g.Sink.Append(ctx, events.TenantKey(tenant), events.Tripped{Gate: GateBreaker, Reason: tr.Reason}, id)
}
