package gate

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"curfew/events"
)

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

const hour = time.Hour

func everyDay() (days [7]bool) {
	for i := range days {
		days[i] = true
	}
	return days
}

// TestNightsAndWeekends: hours that join are one, and end by the clock on the wall,
// also in the nights in which it is moved.
func TestNightsAndWeekends(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	nights := Hours{Days: everyDay(), From: 20 * hour, Until: 7 * hour, Zone: berlin}
	weekend := Hours{Days: [7]bool{true, false, false, false, false, false, true}, From: 0, Until: 24 * hour, Zone: berlin}
	at := func(y int, m time.Month, d, h, minute int) time.Time {
		return time.Date(y, m, d, h, minute, 0, 0, berlin)
	}
	for _, tt := range []struct{ now, until time.Time }{
		{at(2026, 6, 3, 12, 0), time.Time{}}, // a Wednesday
		{at(2026, 6, 3, 19, 59), time.Time{}},
		{at(2026, 6, 3, 20, 0), at(2026, 6, 4, 7, 0)},
		{at(2026, 6, 4, 6, 59), at(2026, 6, 4, 7, 0)},
		{at(2026, 6, 4, 7, 0), time.Time{}},
		{at(2026, 6, 5, 21, 0), at(2026, 6, 8, 7, 0)},     // Friday night, the weekend, Sunday night
		{at(2026, 3, 28, 21, 0), at(2026, 3, 30, 7, 0)},   // the clock goes forward
		{at(2026, 10, 24, 21, 0), at(2026, 10, 26, 7, 0)}, // and back
	} {
		until, quiet := quietUntil([]Hours{nights, weekend}, tt.now)
		if quiet != !tt.until.IsZero() || quiet && !until.Equal(tt.until) {
			t.Errorf("%v: quiet %v until %v, want %v", tt.now, quiet, until, tt.until)
		}
	}
	// A night is eleven hours long, but for two in a year.
	for day, want := range map[int]time.Duration{27: 11 * hour, 28: 10 * hour} {
		if from, until, _ := nights.on(at(2026, 3, day, 12, 0), 0); until.Sub(from) != want {
			t.Errorf("the night of the %dth has %v", day, until.Sub(from))
		}
	}
	if Always([]Hours{nights, weekend}, at(2026, 6, 5, 21, 0)) {
		t.Error("they are not always on")
	}
	days := Hours{Days: everyDay(), From: 7 * hour, Until: 20 * hour, Zone: berlin}
	if !Always([]Hours{nights, days}, at(2026, 6, 5, 21, 0)) {
		t.Error("nobody would ever be told anything")
	}
}

// TestQuietByTheWall: whatever the hours and the moment, it is quiet exactly when the
// clock on the wall says so, until a moment at which it is not.
func TestQuietByTheWall(t *testing.T) {
	zones := []*time.Location{zone(t, "Europe/Berlin"), zone(t, "America/New_York"), zone(t, "Australia/Lord_Howe"), time.UTC}
	rapid.Check(t, func(t *rapid.T) {
		h := Hours{Zone: rapid.SampledFrom(zones).Draw(t, "zone")}
		for i := range h.Days {
			h.Days[i] = rapid.Bool().Draw(t, "day")
		}
		h.From = time.Duration(rapid.IntRange(0, 23*60).Draw(t, "from")) * time.Minute
		h.Until = time.Duration(rapid.IntRange(1, 24*60).Draw(t, "until")) * time.Minute
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, h.Zone).Add(time.Duration(rapid.IntRange(0, 365*24*60).Draw(t, "minute")) * time.Minute)
		until, quiet := quietUntil([]Hours{h}, now)
		if near(now) {
			return // the clock is moved just now: what an hour is called then is nobody's business
		}
		if want := byTheWall(h, now); quiet != want {
			t.Fatalf("%v at %v: quiet is %v", h, now, quiet)
		}
		if quiet && (!until.After(now) || until.Sub(now) < 7*24*hour && byTheWall(h, until) && !near(until)) {
			t.Fatalf("%v at %v: it is to end at %v", h, now, until)
		}
	})
}

func offset(t time.Time) int { _, n := t.Zone(); return n }

// near reports whether the clock is moved around a moment.
func near(t time.Time) bool { return offset(t.Add(-3*hour)) != offset(t.Add(3*hour)) }

func byTheWall(h Hours, now time.Time) bool {
	l := now.In(h.Zone)
	m, day := time.Duration(l.Hour())*hour+time.Duration(l.Minute())*time.Minute, l.Weekday()
	yesterday := (day + 6) % 7
	if h.Until > h.From {
		return h.Days[day] && m >= h.From && m < h.Until
	}
	return h.Days[day] && m >= h.From || h.Days[yesterday] && m < h.Until
}

// TestBuckets: in no stretch of time does more get through than the bucket holds and
// what has come back meanwhile; what is urgent is never kept by what is not; and who
// asks twice takes one token.
func TestBuckets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rate{Count: rapid.IntRange(1, 6).Draw(t, "count"), Urgent: rapid.IntRange(1, 6).Draw(t, "urgent"), Within: 10 * time.Minute, Every: 10 * time.Minute}
		var f flow
		now, passed := noon, map[string]time.Time{}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 240).Draw(t, "gap")) * time.Second)
			task, urgent := rapid.StringMatching("[a-z]").Draw(t, "task"), rapid.IntRange(0, 3).Draw(t, "kind") == 0
			if !f.Due.IsZero() && !now.Before(f.Due) {
				f.settle(r, now)
			}
			pass, _, again := f.admit(task, urgent, false, r, now)
			if at, had := passed[task]; pass && (!had || now.Sub(at) >= r.Within) {
				passed[task] = now
			} else if had && now.Sub(at) < r.Within && !pass {
				t.Fatalf("%s has a token and is held", task)
			}
			if !pass && (f.Due.IsZero() || !again.Equal(f.Due)) {
				t.Fatalf("it is held, and no digest is due: %v, %v", again, f.Due)
			}
			lately := 0
			for _, at := range passed {
				if now.Sub(at) < r.Within {
					lately++
				}
			}
			if most := 2*r.Count + 2*r.Urgent; lately > most || len(f.Took) > most {
				t.Fatalf("%d within %v, %d noted, of %d and %d", lately, r.Within, len(f.Took), r.Count, r.Urgent)
			}
		}
	})
}

// TestASecondBucketForWhatIsUrgent: the storm of small things has used the bucket up,
// and what is urgent still comes through, until its own is used up, too.
func TestASecondBucketForWhatIsUrgent(t *testing.T) {
	r := Rate{Count: 2, Urgent: 3, Within: time.Hour, Every: 10 * time.Minute}
	var f flow
	got := ""
	for i := range 12 {
		pass, _, _ := f.admit(string(rune('a'+i)), i >= 6, false, r, noon)
		got += map[bool]string{true: "+", false: "-"}[pass]
	}
	if got != "++----+++---" {
		t.Error(got)
	}
	if pass, changed, _ := f.admit("c", false, true, r, noon); !pass || !changed {
		t.Error("a person's word does not let it through")
	}
	f.Sending = &sending{Tasks: []string{"d"}}
	if pass, _, _ := f.admit("d", true, true, r, noon); pass {
		t.Error("it would be told by itself and in a digest")
	}
	if n := (Noise{}); n.urgent(events.Case{Device: events.Device{Threat: "mediumSeverity"}}) || !n.urgent(events.Case{Device: events.Device{Threat: "highSeverity"}}) {
		t.Error("high is urgent, and medium is not")
	}
}
