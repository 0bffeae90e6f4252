// Package rota says who is on call: people take weekly turns, and sometimes one
// stands in for another. It is pure: it is told the time.
//
// A hand-over is at the same time on the clock of the rotation's zone all year,
// so a shift in which the clock changes is an hour shorter or longer. Where that
// time is skipped, the hand-over is as much later as the clock is put forward.
package rota

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// A Rota is all rotations and who stands in.
type Rota struct {
	Rotations map[string]Rotation
	Overrides []Override
}

// A Rotation is people who take weekly turns.
type Rotation struct {
	Zone  *time.Location
	Day   time.Weekday  // of the hand-over
	Time  time.Duration // on the clock, since midnight
	Order []string      // people, who is first first
	Start time.Time     // a day; the first shift begins with the first hand-over on it or later
}

// An Override has a person stand in, whoever's turn it is.
type Override struct {
	Rotation    string
	From, Until time.Time // Until is not part of it
	Person      string
}

// A Shift is a time in which one person is on call.
type Shift struct {
	Person   string // empty: nobody is
	From     time.Time
	Until    time.Time // zero: for good
	Override bool
}

const week = 7 * 24 * time.Hour

// handover is the n-th one; the first is 0.
func (r Rotation) handover(n int) time.Time {
	y, m, d := r.Start.Date()
	ahead := (int(r.Day) - int(r.Start.Weekday()) + 7) % 7
	hour, minute := int(r.Time/time.Hour), int(r.Time%time.Hour/time.Minute)
	return time.Date(y, m, d+ahead+7*n, hour, minute, 0, 0, r.Zone)
}

// turn counts the hand-overs up to a moment; below 0 nobody's turn has come yet.
func (r Rotation) turn(t time.Time) int {
	first := r.handover(0)
	if t.Before(first) {
		return -1
	}
	n := int(t.Sub(first) / week)
	for n > 0 && r.handover(n).After(t) {
		n--
	}
	for !r.handover(n + 1).After(t) {
		n++
	}
	return n
}

// base is the shift without overrides.
func (r Rotation) base(t time.Time) Shift {
	n := r.turn(t)
	if n < 0 || len(r.Order) == 0 {
		return Shift{Until: r.handover(0)}
	}
	return Shift{Person: r.Order[n%len(r.Order)], From: r.handover(n), Until: r.handover(n + 1)}
}

// At is the shift of a moment.
func (r Rota) At(rotation string, t time.Time) Shift {
	s := r.Rotations[rotation].base(t)
	for _, o := range r.Overrides {
		switch {
		case o.Rotation != rotation:
		case !t.Before(o.From) && t.Before(o.Until):
			return Shift{Person: o.Person, From: o.From, Until: o.Until, Override: true}
		case o.From.After(t) && o.From.Before(s.Until):
			s.Until = o.From
		case !o.Until.After(t) && o.Until.After(s.From):
			s.From = o.Until
		}
	}
	return s
}

// Next are the n shifts that follow the one of a moment.
func (r Rota) Next(rotation string, t time.Time, n int) []Shift {
	var out []Shift
	for s := r.At(rotation, t); len(out) < n; {
		s = r.At(rotation, s.Until)
		out = append(out, s)
	}
	return out
}

// People are who to wake at a moment: first who is on call, and then the others in
// the order of their next turns.
func (r Rota) People(rotation string, t time.Time) []string {
	rot, s := r.Rotations[rotation], r.At(rotation, t)
	var out []string
	if s.Person != "" {
		out = append(out, s.Person)
	}
	n := rot.turn(t)
	for i := range rot.Order {
		p := rot.Order[(n+1+i)%len(rot.Order)]
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// A Mistake is something wrong with a rota: in a rotation, or with an override,
// counted from 0.
type Mistake struct {
	Rotation string
	Override int // -1: it is about the rotation
	Text     string
}

func (m Mistake) Error() string { return m.Text }

// Check lists what is wrong, as far as it matters from now on. known reports
// whether there is such a person.
func (r Rota) Check(now time.Time, known func(person string) bool) []Mistake {
	var out []Mistake
	for _, name := range slices.Sorted(maps.Keys(r.Rotations)) {
		for _, err := range r.Rotations[name].check(known) {
			out = append(out, Mistake{name, -1, err.Error()})
		}
	}
	for i, o := range r.Overrides {
		if err := r.checkOverride(i, o, known); err != nil {
			out = append(out, Mistake{o.Rotation, i, err.Error()})
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, name := range slices.Sorted(maps.Keys(r.Rotations)) {
		if s, ok := r.gap(name, now); ok {
			out = append(out, Mistake{name, -1, fmt.Sprintf("nobody is on call from %s until %s: start earlier, or have somebody stand in by an override",
				later(s.From, now).In(r.Rotations[name].Zone).Format(layout), s.Until.In(r.Rotations[name].Zone).Format(layout))})
		}
	}
	return out
}

const layout = "2006-01-02 15:04 MST"

// gap is the first time from now on in which nobody is on call. Once the first
// hand-over has been, there is none.
func (r Rota) gap(rotation string, now time.Time) (Shift, bool) {
	start := r.Rotations[rotation].handover(0)
	for t := now; t.Before(start); {
		s := r.At(rotation, t)
		if s.Person == "" {
			return s, true
		}
		t = s.Until
	}
	return Shift{}, false
}

func (r Rotation) check(known func(string) bool) []error {
	var errs []error
	if len(r.Order) == 0 {
		errs = append(errs, errors.New("it has nobody in its order"))
	}
	if r.Zone == nil || r.Start.IsZero() {
		errs = append(errs, errors.New("it needs a time zone and a start"))
	}
	for i, p := range r.Order {
		switch {
		case !known(p):
			errs = append(errs, fmt.Errorf("%.64q is none of the people", p))
		case slices.Contains(r.Order[:i], p):
			errs = append(errs, fmt.Errorf("%s is in the order twice", p))
		}
	}
	return errs
}

func (r Rota) checkOverride(i int, o Override, known func(string) bool) error {
	if _, ok := r.Rotations[o.Rotation]; !ok {
		return fmt.Errorf("%.64q is none of the rotations", o.Rotation)
	}
	if !known(o.Person) {
		return fmt.Errorf("%.64q is none of the people", o.Person)
	}
	if !o.Until.After(o.From) {
		return errors.New("it ends before it begins")
	}
	for j, p := range r.Overrides[:i] {
		if p.Rotation == o.Rotation && p.From.Before(o.Until) && o.From.Before(p.Until) {
			return fmt.Errorf("it overlaps with override %d, of %s: nobody could tell which counts", j+1, p.Person)
		}
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if cmp.Compare(a.UnixNano(), b.UnixNano()) > 0 && !a.IsZero() {
		return a
	}
	return b
}
