package handlers

import (
	"strings"
	"testing"
	"time"

	"curfew/events"
)

// Each month and day has its name in every language, and a moment without one is
// not written.
func TestMoments(t *testing.T) {
	for _, w := range vocabulary() {
		c, told := w.calendar, Telling{Language: w.reference}
		if d, m := strings.Fields(c.days), strings.Fields(c.months); len(d) != 7 || len(m) != 12 {
			t.Fatalf("%s has %d days and %d months", w.reference, len(d), len(m))
		}
		for m := time.January; m <= time.December; m++ {
			at := time.Date(2026, m, 12, 9, 5, 0, 0, time.UTC)
			got := told.When(at, time.UTC)
			if !strings.Contains(got, strings.Fields(c.months)[m-1]) || !strings.Contains(got, "12") || !strings.Contains(strings.ReplaceAll(got, " h ", ":"), "09:05") || !strings.Contains(got, strings.Fields(c.days)[at.Weekday()]) || strings.ContainsAny(got, "{}") {
				t.Errorf("%s: %q", w.reference, got)
			}
		}
		if got := told.When(time.Time{}, time.UTC); got != "" {
			t.Errorf("%s: %q", w.reference, got)
		}
	}
}

// Whose time zone is known reads times in it.
func TestZoneOfAUser(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for zone, want := range map[string]string{"America/New_York": "America/New_York", "": "Europe/Berlin", "../etc": "Europe/Berlin", "No/Such": "Europe/Berlin", strings.Repeat("x", 100): "Europe/Berlin"} {
		if got := ZoneOf(events.Device{TimeZone: zone}, berlin); got.String() != want {
			t.Errorf("%q: %s", zone, got)
		}
	}
	if got := ZoneOf(events.Device{}, nil); got != time.UTC {
		t.Errorf("nobody knows: %s", got)
	}
}
