package main

import (
	"context"
	"errors"
	"time"

	"curfew/cmd/curfew/metrics"
	"curfew/events"
	"curfew/events/gate"
	"curfew/events/journal"
)

func (o *observer) pauses() gate.Pauses { return gate.Pauses{Store: state{o.journal.State()}} }

// A census is what a count of all cases has found. Tenants are by name.
type census struct {
	cases      map[[2]string]int // tenant, state
	overdue    map[string]int
	unreadable int
	held       map[[2]string]int // tenant, gate
	since      map[[2]string]time.Time
	given      map[string]int
	atDesk     map[[2]string]int // destination, state
}

// late is how far behind its alarm a case may be.
const late = 5 * time.Minute

// cases counts all cases.
func (o *observer) cases(ctx context.Context) error {
	c := census{
		cases: map[[2]string]int{}, overdue: map[string]int{}, held: map[[2]string]int{}, since: map[[2]string]time.Time{},
		given: map[string]int{}, atDesk: map[[2]string]int{},
	}
	for _, t := range o.conf.Tenants {
		c.overdue[t.Name], c.given[t.Name] = 0, 0
		for _, state := range []string{"open", "attention"} {
			c.cases[[2]string{t.Name, state}] = 0
		}
	}
	for name := range o.conf.Destinations {
		for _, state := range []string{"waiting", "failing", "given_up"} {
			c.atDesk[[2]string{name, state}] = 0
		}
	}
	now := time.Now()
	for kase, err := range o.journal.Cases(ctx, "") {
		switch {
		case errors.Is(err, journal.ErrUnreadable):
			c.unreadable++
		case err != nil:
			return err
		default:
			c.take(kase, o.tenant(kase.Tenant), now)
		}
	}
	o.showCensus(c, now)
	tidy()
	return nil
}

// take counts a case.
func (c *census) take(kase events.Case, tenant string, now time.Time) {
	if kase.Open {
		c.cases[[2]string{tenant, kase.State()}]++
		c.given[tenant] += len(kase.Given)
	}
	if stands(kase, now) {
		c.overdue[tenant]++
	}
	for _, t := range kase.Pending {
		if h := (heldTask{kase, t}); isHeld(t) {
			by, _ := h.why()
			k := [2]string{tenant, by}
			c.held[k]++
			if since, ok := c.since[k]; !ok || h.since().Before(since) {
				c.since[k] = h.since()
			}
		}
		c.desk(t.Destination, "waiting")
		if t.Tries > 0 {
			c.desk(t.Destination, "failing")
		}
	}
	for _, t := range kase.Given {
		if kase.Open {
			c.desk(t.Destination, "given_up")
		}
	}
}

// desk counts a task for a destination of the configuration.
func (c *census) desk(name, state string) {
	if _, ok := c.atDesk[[2]string{name, state}]; ok {
		c.atDesk[[2]string{name, state}]++
	}
}

// stands reports whether a case stands still: something is due and nobody has come,
// or it is open and nothing would ever move it again.
func stands(c events.Case, now time.Time) bool {
	if !c.WakeAt.IsZero() {
		return now.Sub(c.WakeAt) > late
	}
	return c.Open && len(c.Pending) == 0 && len(c.Attention) == 0 && c.Hold == nil
}

func (o *observer) showCensus(c census, now time.Time) {
	pairs := func(m map[[2]string]int) []metrics.Sample {
		var all []metrics.Sample
		for k, n := range m {
			all = append(all, metrics.Of(float64(n), k[0], k[1]))
		}
		return all
	}
	singles := func(m map[string]int) []metrics.Sample {
		var all []metrics.Sample
		for k, n := range m {
			all = append(all, metrics.Of(float64(n), k))
		}
		return all
	}
	var ages []metrics.Sample
	for k, since := range c.since {
		ages = append(ages, metrics.Of(ageOf(since, now), k[0], k[1]))
	}
	o.metrics.Show(metrics.Cases, pairs(c.cases)...)
	o.metrics.Show(metrics.Overdue, singles(c.overdue)...)
	o.metrics.Show(metrics.Unreadable, metrics.Of(float64(c.unreadable)))
	o.metrics.Show(metrics.Held, pairs(c.held)...)
	o.metrics.Show(metrics.HeldAge, ages...)
	o.metrics.Show(metrics.GivenUp, singles(c.given)...)
	o.metrics.Show(metrics.AtDesk, pairs(c.atDesk)...)
}
