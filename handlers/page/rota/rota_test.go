package rota_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/handlers/page/rota"
)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// night hands over on Mondays at nine in Berlin, from 2026-01-05 on.
func night(t testing.TB, overrides ...rota.Override) rota.Rota {
	return rota.Rota{
		Rotations: map[string]rota.Rotation{"night": {
			Zone: berlin(t), Day: time.Monday, Time: 9 * time.Hour, Order: []string{"anna", "bo", "cy"}, Start: time.Date(2026, 1, 5, 0, 0, 0, 0, berlin(t)),
		}},
		Overrides: overrides,
	}
}

func at(t testing.TB, s string) time.Time {
	t.Helper()
	out, err := time.ParseInLocation("2006-01-02 15:04", s, berlin(t))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWhoIsOnCall(t *testing.T) {
	r := night(t,
		rota.Override{Rotation: "night", From: at(t, "2026-01-14 18:00"), Until: at(t, "2026-01-15 08:00"), Person: "anna"},
		rota.Override{Rotation: "night", From: at(t, "2026-02-02 06:00"), Until: at(t, "2026-02-02 12:00"), Person: "cy"},
	)
	for when, want := range map[string]string{
		"2026-01-05 08:59": "",
		"2026-01-05 09:00": "anna",
		"2026-01-12 08:59": "anna",
		"2026-01-12 09:00": "bo",
		"2026-01-14 17:59": "bo",
		"2026-01-14 18:00": "anna stands in",
		"2026-01-15 07:59": "anna stands in",
		"2026-01-15 08:00": "bo",
		"2026-01-26 09:00": "anna",
		"2026-02-02 11:59": "cy stands in", // over a hand-over
		"2026-02-02 12:00": "bo",
	} {
		s := r.At("night", at(t, when))
		got := s.Person
		if s.Override {
			got += " stands in"
		}
		if got != want {
			t.Errorf("at %s: %q, want %q", when, got, want)
		}
	}
}

// The hand-over stays at nine when the clock changes, so weeks have 167 or 169
// hours.
func TestTheClockChanges(t *testing.T) {
	r := night(t)
	for when, hours := range map[string]float64{"2026-03-25 12:00": 167, "2026-10-20 12:00": 169, "2026-06-03 12:00": 168} {
		s := r.At("night", at(t, when))
		if got := s.Until.Sub(s.From).Hours(); got != hours || s.Until.In(berlin(t)).Hour() != 9 || s.From.In(berlin(t)).Hour() != 9 {
			t.Errorf("the shift of %s: %v hours, from %v until %v", when, got, s.From, s.Until)
		}
	}
	// 2:30 is skipped on the last Sunday of March, and comes twice in October.
	sunday := r.Rotations["night"]
	sunday.Day, sunday.Time = time.Sunday, 150*time.Minute
	r.Rotations["night"] = sunday
	for moment := at(t, "2026-03-20 00:00"); moment.Before(at(t, "2026-11-10 00:00")); moment = moment.Add(30 * time.Minute) {
		if s := r.At("night", moment); s.Person == "" || moment.Before(s.From) || !moment.Before(s.Until) {
			t.Fatalf("at %v: %+v", moment, s)
		}
	}
}

// Shifts follow each other without a hole, whatever overrides there are.
func TestShiftsFollowEachOther(t *testing.T) {
	r := night(t,
		rota.Override{Rotation: "night", From: at(t, "2026-01-12 09:00"), Until: at(t, "2026-01-19 09:00"), Person: "cy"},
		rota.Override{Rotation: "night", From: at(t, "2026-01-19 09:00"), Until: at(t, "2026-01-20 09:00"), Person: "anna"},
		rota.Override{Rotation: "other", From: at(t, "2026-01-01 09:00"), Until: at(t, "2027-01-20 09:00"), Person: "bo"},
	)
	last := r.At("night", at(t, "2026-01-06 00:00"))
	var who []string
	for _, s := range r.Next("night", at(t, "2026-01-06 00:00"), 4) {
		if !s.From.Equal(last.Until) {
			t.Errorf("%+v does not follow %+v", s, last)
		}
		who, last = append(who, s.Person), s
	}
	if got := strings.Join(who, " "); got != "cy anna cy anna" {
		t.Errorf("got %s", got)
	}
}

func TestWhoIsNext(t *testing.T) {
	r := night(t, rota.Override{Rotation: "night", From: at(t, "2026-01-14 18:00"), Until: at(t, "2026-01-15 08:00"), Person: "anna"})
	for when, want := range map[string]string{
		"2026-01-06 12:00": "[anna bo cy]",
		"2026-01-13 12:00": "[bo cy anna]",
		"2026-01-14 20:00": "[anna cy bo]", // who is stood in for is the last to be woken
		"2026-01-01 12:00": "[anna bo cy]",
	} {
		if got := fmt.Sprint(r.People("night", at(t, when))); got != want {
			t.Errorf("at %s: %s, want %s", when, got, want)
		}
	}
}

func TestWhatIsWrong(t *testing.T) {
	now := at(t, "2026-01-01 12:00")
	known := func(p string) bool { return slices.Contains([]string{"anna", "bo", "cy"}, p) }
	over := func(person, from, until string) rota.Override {
		return rota.Override{Rotation: "night", Person: person, From: at(t, from), Until: at(t, until)}
	}
	for want, r := range map[string]rota.Rota{
		"nobody is on call from 2026-01-01 12:00 CET until 2026-01-05 09:00 CET": night(t),
		"nobody is on call from 2026-01-03 00:00 CET until 2026-01-05 09:00 CET": night(t, over("bo", "2026-01-01 00:00", "2026-01-03 00:00")),
		"overlaps with override 1, of bo":                                        night(t, over("bo", "2026-01-06 00:00", "2026-01-08 00:00"), over("cy", "2026-01-07 00:00", "2026-01-09 00:00")),
		"ends before it begins":                                                  night(t, over("bo", "2026-01-08 00:00", "2026-01-08 00:00")),
		`"dee" is none of the people`:                                            night(t, over("dee", "2026-01-06 00:00", "2026-01-08 00:00")),
		`"day" is none of the rotations`:                                         night(t, rota.Override{Rotation: "day", Person: "bo", From: now, Until: now.Add(time.Hour)}),
		"it has nobody in its order":                                             {Rotations: map[string]rota.Rotation{"night": {Zone: time.UTC, Start: now}}},
		"anna is in the order twice":                                             {Rotations: map[string]rota.Rotation{"night": {Zone: time.UTC, Start: now, Order: []string{"anna", "anna"}}}},
	} {
		found := r.Check(now, known)
		if len(found) != 1 || !strings.Contains(found[0].Error(), want) {
			t.Errorf("got %v, want %q", found, want)
		}
	}
	for name, r := range map[string]rota.Rota{
		"covered until it starts": night(t, over("bo", "2026-01-01 00:00", "2026-01-03 00:00"), over("cy", "2026-01-03 00:00", "2026-01-06 00:00")),
		"one after the other":     night(t, over("bo", "2025-01-01 00:00", "2026-01-08 00:00"), over("cy", "2026-01-08 00:00", "2026-01-09 00:00")),
	} {
		if found := r.Check(now, known); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
	if found := night(t).Check(at(t, "2026-07-01 12:00"), known); len(found) > 0 {
		t.Errorf("after it has started: %v", found)
	}
}
