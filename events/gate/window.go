package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"curfew/events"
)

// A Window is a time of maintenance that comes again: nothing grave is done in it,
// for what a device shows then may be the maintenance's doing. With Silence nobody is
// told of devices either; at its end they are looked at, and what is still true is told.
type Window struct {
	Tenants []string // ids; empty: all of them
	Reason  string
	For     time.Duration // how long each one lasts
	Silence bool          // of notices, too

	starts *rrule.RRule
}

// longestWindow bounds a window; a longer one is a pause.
const longestWindow = 7 * 24 * time.Hour

// NewWindow reads the rule of a window, an RRULE of RFC 5545 without its DTSTART
// and UNTIL: "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2". Times are of the day in from's zone,
// through changes of its clock. Its errors say what to write instead.
func NewWindow(rule string, from, until time.Time, lasts time.Duration) (Window, error) {
	o, err := rrule.StrToROptionInLocation(rule, from.Location())
	switch {
	case err != nil:
		return Window{}, fmt.Errorf("this is not a rule such as FREQ=WEEKLY;BYDAY=SU;BYHOUR=2: %w", err)
	case !o.Until.IsZero() || !o.Dtstart.IsZero() || o.Count > 0:
		return Window{}, fmt.Errorf("when it begins and ends is said by from and until, not by the rule")
	case o.Freq >= rrule.HOURLY:
		return Window{}, fmt.Errorf("a window comes once a day at most: FREQ is DAILY, WEEKLY, MONTHLY or YEARLY")
	case lasts <= 0 || lasts > longestWindow:
		return Window{}, fmt.Errorf("a window lasts for a week at most, and not for %s: for longer, `curfew pause`", spell(lasts))
	case !until.After(from):
		return Window{}, fmt.Errorf("it ends before it begins")
	}
	o.Dtstart, o.Until = from, until
	if len(o.Byhour) > 0 { // a rule that names the hour means the full one
		if len(o.Byminute) == 0 {
			o.Byminute = []int{0}
		}
		if len(o.Bysecond) == 0 {
			o.Bysecond = []int{0}
		}
	}
	r, err := rrule.NewRRule(*o)
	if err != nil {
		return Window{}, fmt.Errorf("this rule cannot be used: %w", err)
	}
	return Window{For: lasts, starts: r}, nil
}

// Open reports whether it is in the window now, for a tenant, and until when.
func (w Window) Open(tenant string, now time.Time) (until time.Time, ok bool) {
	mine := func(t string) bool { return strings.EqualFold(t, tenant) }
	if w.starts == nil || len(w.Tenants) > 0 && !slices.ContainsFunc(w.Tenants, mine) {
		return time.Time{}, false
	}
	began := w.starts.Before(now, true)
	if began.IsZero() || !now.Before(began.Add(w.For)) {
		return time.Time{}, false
	}
	return began.Add(w.For), true
}

// Next is when the window begins next, after now; zero: never again.
func (w Window) Next(now time.Time) time.Time {
	if w.starts == nil {
		return time.Time{}
	}
	return w.starts.After(now, false)
}

// Notice reports whether a task tells people of a device: its user by the ladder, or
// those who see to it. What people are asked, and the end of things, is none.
func Notice(t events.Task) bool {
	return t.Action == events.Page || t.Action == events.Ticket || t.Action == events.Mail && t.Rung > 0
}

// maintained says whether a task waits for the end of a window. The case of the
// tenant itself waits for none: it is about people who have to do something.
func (g *Guard) maintained(c events.Case, t events.Task, now time.Time) *events.Held {
	if c.Key == events.TenantKey(c.Tenant) {
		return nil
	}
	for _, w := range g.Windows {
		if !t.Action.Grave() && !(w.Silence && Notice(t)) {
			continue
		}
		if until, ok := w.Open(c.Tenant, now); ok {
			return held(t, GateMaintenance, fmt.Sprintf("a maintenance window is open until %s: %s", until.Format("Mon 15:04 MST"), w.Reason), until)
		}
	}
	return nil
}
