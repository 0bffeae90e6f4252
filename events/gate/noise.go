package gate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"curfew/events"
)

// Noise is how much of it the people at one destination are given.
type Noise struct {
	Rate   Rate
	Quiet  []Hours
	Urgent events.Level // a case this bad, or worse, is urgent; [events.Nothing]: [events.High]

	// PerTenant is for a destination whose messages leave by way of a tenant: each
	// of its digests is about one tenant, so that none reads of another.
	PerTenant bool
}

// Rate is a token bucket: so many messages in one go, and as many again within so
// long. What is over it is told together, in a digest. A desk's remarks wait
// instead, for there is no ticket that a digest would belong to.
type Rate struct {
	Count  int           // messages; 0: any number
	Urgent int           // those about urgent cases have a bucket of their own
	Within time.Duration // in which an empty bucket is full again
	Every  time.Duration // from one digest to the next
}

// DefaultRate is what only a storm exceeds.
func DefaultRate() Rate {
	return Rate{Count: 20, Urgent: 60, Within: 10 * time.Minute, Every: 10 * time.Minute}
}

// urgent reports whether a case is. That of a tenant itself always is.
func (n Noise) urgent(c events.Case) bool {
	from := n.Urgent
	if from <= events.Nothing {
		from = events.High
	}
	return c.Key == events.TenantKey(c.Tenant) || c.Device.Worst() >= from
}

// remarks reports whether a task adds to a ticket that its case has already, and
// nobody has ended.
func remarks(c events.Case, t events.Task) bool {
	if t.Action != events.Ticket || t.Template == events.StillAtRisk {
		return false
	}
	for _, e := range c.Effects {
		if e.Action == events.Ticket && e.Destination == t.Destination && e.Ref != "" {
			return true
		}
	}
	return false
}

// hush keeps from becoming noise what tells people: pages and tickets. The end of
// a page or ticket is never kept.
func (g *Guard) hush(ctx context.Context, c events.Case, t events.Task) (*events.Held, error) {
	n, ok := g.Noise[t.Destination]
	if !ok || t.Action != events.Page && t.Action != events.Ticket {
		return nil, nil
	}
	now, urgent := time.Now().UTC(), n.urgent(c)
	if until, quiet := quietUntil(n.Quiet, now); quiet && !urgent && releasedBy(t, GateQuiet) == "" {
		return held(t, GateQuiet, fmt.Sprintf("%s has quiet hours until %s, and this is not urgent", t.Destination, until.Format("Mon 15:04 MST")), until), nil
	}
	comment, released := remarks(c, t), releasedBy(t, GateDigest) != ""
	if n.Rate.Count <= 0 || t.Action == events.Ticket && !comment || releasedBy(t, GateRate) != "" {
		return nil, nil
	}
	var pass bool
	var again time.Time
	err := change(ctx, g.Store, noiseKey(t.Destination), func(f *flow) (changed bool, _ error) {
		if comment {
			pass, changed, again = f.space(t.ID, urgent, n.Rate, now)
		} else {
			pass, changed, again = f.admit(t.ID, urgent, released, n.Rate, now)
		}
		return changed, nil
	})
	if err != nil || pass {
		return nil, err
	}
	limit := fmt.Sprintf("%s is told no more than %d things within %s", t.Destination, n.Rate.Count, spell(n.Rate.Within))
	if comment {
		return held(t, GateRate, limit+", and the ticket has the rest", patiently(t, GateRate, again, now)), nil
	}
	return held(t, GateDigest, limit+": this comes in a digest", patiently(t, GateDigest, again, now)), nil
}

// untried reports whether an unsure page is known not to have been sent after all: a
// call is made with a token only, and it would still be in the record.
func (g *Guard) untried(ctx context.Context, t events.Task) (bool, error) {
	n := g.Noise[t.Destination]
	if !t.Unsure || t.Accepted != nil || t.Action != events.Page || n.Rate.Count <= 0 || t.Begun == nil || time.Since(t.Begun.At) > n.Rate.Within/2 {
		return false, nil
	}
	f, _, err := read[flow](ctx, g.Store, noiseKey(t.Destination))
	if err != nil {
		return false, unsettled{err} // it is no surer now
	}
	return !f.has(t.ID, n.Rate, time.Now()), nil
}

// unsettled is an error after which a task is as unsure as before.
type unsettled struct{ error }

func (u unsettled) Unwrap() error { return u.error }
func (u unsettled) Unsure() bool  { return true }

// late is how long a digest may take before a task that waits for it asks again.
const late = 2 * time.Minute

// patiently is when a task asks again that waits for its turn. The longer it has
// waited the rarer, for every time is another record of its case.
func patiently(t events.Task, gate string, at, now time.Time) time.Time {
	if at.Before(now) {
		at = now
	}
	at = at.Add(late + rand.N(late/4))
	if t.Held != nil && t.Held.Gate == gate {
		if wait := now.Add(min(now.Sub(t.Held.Since)/2, time.Hour)); wait.After(at) {
			return wait
		}
	}
	return at
}

// noiseKey is where the record of a destination is. Names may have dots in any
// place, keys may not.
func noiseKey(destination string) string {
	return "noise." + strings.ReplaceAll(destination, ".", "=")
}
