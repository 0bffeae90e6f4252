package events_test

import (
	"testing"
	"time"

	"curfew/events"
)

// An open case with a history, of the size that cases have.
func benchCase() (events.Case, time.Time) {
	s := newScene()
	s.d.Threat, s.d.SeenAt = "highSeverity", s.now
	for _, id := range []string{"a1", "a2", "a3", "a4", "a5"} {
		s.d.Alerts = append(s.d.Alerts, alert(id+":high:new:failed", s.now))
	}
	c, _ := events.Step(s.c, events.Seen{Device: s.d}, policies, s.now)
	c, _ = events.Step(c, events.Done{Task: c.Pending[0].ID}, policies, s.now.Add(time.Minute))
	return c, s.now.Add(2 * time.Minute)
}

func BenchmarkStepNothing(b *testing.B) {
	c, now := benchCase()
	for b.Loop() {
		events.Step(c, events.Rang{}, policies, now)
	}
}

func BenchmarkStepSeen(b *testing.B) {
	c, now := benchCase()
	d := c.Device
	d.SeenAt = now
	for b.Loop() {
		events.Step(c, events.Seen{Device: d}, policies, now)
	}
}
