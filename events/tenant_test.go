package events_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/events"
)

// A tenantCase is a case about a tenant, fact by fact.
type tenantCase struct {
	*testing.T
	events.Case
	at time.Time
}

func newTenantCase(t *testing.T) *tenantCase {
	return &tenantCase{T: t, Case: events.Case{Key: events.TenantKey("t")}, at: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}
}

// hears takes a fact in and returns the actions that follow.
func (c *tenantCase) hears(f events.Fact) (actions []events.Action) {
	c.at = c.at.Add(time.Hour)
	var tasks []events.Task
	c.Case, tasks = events.Step(c.Case, f, policies, c.at)
	for _, task := range tasks {
		actions = append(actions, task.Action)
	}
	return actions
}

func TestDriftIsToldOnceAndEndsItself(t *testing.T) {
	c := newTenantCase(t)
	drifted := events.Tripped{Gate: "drift", Reason: "one object", Anew: true}
	if got := c.hears(drifted); !slices.Equal(got, []events.Action{events.Ticket}) || !c.Open {
		t.Fatalf("open %v, asked for %v", c.Open, got)
	}
	c.hears(events.Done{Task: c.Pending[0].ID, Receipt: "INC-1"})
	before := c.Case
	if c.hears(drifted); !cmp.Equal(before.Attention, c.Attention) || len(c.Pending) > 0 {
		t.Errorf("the same drift was told again: %v", c.Pending)
	}
	drifted.Reason = "two objects"
	if got := c.hears(drifted); !slices.Equal(got, []events.Action{events.Ticket}) || !slices.Equal(c.Attention, []string{"drift: two objects"}) {
		t.Errorf("asked for %v, attention %v", got, c.Attention)
	}
	if got := c.hears(events.Eased{Gate: "drift", Reason: "as it should be"}); c.Open || !slices.Contains(got, events.Close) {
		t.Errorf("open %v, asked for %v", c.Open, got)
	}
	if c.hears(events.Eased{Gate: "drift", Reason: "as it should be"}); c.Open {
		t.Error("what is over opened a case")
	}
}

func TestDriftThatIsOverLeavesTheBreakerAlone(t *testing.T) {
	c := newTenantCase(t)
	c.hears(events.Tripped{Gate: "breaker", Reason: "40 % of the devices"})
	c.hears(events.Tripped{Gate: "drift", Reason: "one object", Anew: true})
	c.hears(events.Eased{Gate: "drift", Reason: "as it should be"})
	if !c.Open || !slices.Equal(c.Attention, []string{"breaker: 40 % of the devices"}) {
		t.Errorf("open %v, attention %v", c.Open, c.Attention)
	}
}

func TestWhatIsOverClosesNoCaseOfADevice(t *testing.T) {
	c := newTenantCase(t)
	c.Key = events.Key{Tenant: "t", Device: "d"}
	c.hears(events.Tripped{Gate: "drift", Reason: "one object", Anew: true})
	if c.hears(events.Eased{Gate: "drift", Reason: "as it should be"}); !c.Open {
		t.Error("it closed the case of a device without a look")
	}
}
