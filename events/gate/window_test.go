package gate_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/events/gate"
)

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	check(t, err)
	return zone
}

// TestWindowsThatAreNone: whatever cannot be meant is refused, and says what can.
func TestWindowsThatAreNone(t *testing.T) {
	from := time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC)
	until := from.AddDate(1, 0, 0)
	for rule, c := range map[string]struct {
		from, until time.Time
		lasts       time.Duration
		says        string
	}{
		"every Sunday at two":                 {from, until, time.Hour, "FREQ=WEEKLY"},
		"FREQ=SECONDLY":                       {from, until, time.Hour, "once a day at most"},
		"FREQ=HOURLY;INTERVAL=2":              {from, until, time.Hour, "once a day at most"},
		"FREQ=DAILY;COUNT=3":                  {from, until, time.Hour, "said by from and until"},
		"FREQ=DAILY;UNTIL=20300101T000000Z":   {from, until, time.Hour, "said by from and until"},
		"FREQ=WEEKLY":                         {until, from, time.Hour, "ends before it begins"},
		"FREQ=WEEKLY;BYDAY=SU":                {from, until, 0, "a week at most"},
		"FREQ=MONTHLY;BYDAY=1SU":              {from, until, 200 * time.Hour, "curfew pause"},
		"FREQ=WEEKLY;BYDAY=SU;BYHOUR=25":      {from, until, time.Hour, "BYHOUR"},
		"FREQ=WEEKLY;BYDAY=SU\nRRULE:x=y;z=1": {from, until, time.Hour, ""},
	} {
		if _, err := gate.NewWindow(rule, c.from, c.until, c.lasts); err == nil || !strings.Contains(strings.ToUpper(err.Error()), strings.ToUpper(c.says)) {
			t.Errorf("%q: %v", rule, err)
		}
	}
}

// TestWindowKeepsTheHour: two in the morning is two in the morning on both sides of
// the change to summer time, for as long as was said, and not after its end.
func TestWindowKeepsTheHour(t *testing.T) {
	zone := berlin(t)
	w, err := gate.NewWindow("FREQ=WEEKLY;BYDAY=SU;BYHOUR=4", time.Date(2026, 3, 1, 0, 0, 0, 0, zone), time.Date(2026, 5, 1, 0, 0, 0, 0, zone), 2*time.Hour)
	check(t, err)
	w.Tenants = []string{"CONTOSO"}
	for at, want := range map[time.Time]bool{
		time.Date(2026, 2, 22, 4, 30, 0, 0, zone): false, // before it began
		time.Date(2026, 3, 22, 3, 59, 0, 0, zone): false,
		time.Date(2026, 3, 22, 4, 0, 0, 0, zone):  true,
		time.Date(2026, 3, 22, 5, 59, 0, 0, zone): true,
		time.Date(2026, 3, 22, 6, 0, 0, 0, zone):  false,
		time.Date(2026, 3, 29, 4, 30, 0, 0, zone): true, // the clock went forward at two
		time.Date(2026, 3, 30, 4, 30, 0, 0, zone): false,
		time.Date(2026, 5, 3, 4, 30, 0, 0, zone):  false, // after its end
	} {
		until, open := w.Open(tenant, at)
		if open != want || open && (until.In(zone).Hour() != 6 || until.In(zone).Minute() != 0) {
			t.Errorf("%v: open %v until %v", at, open, until)
		}
	}
	if _, open := w.Open("fabrikam", time.Date(2026, 3, 22, 5, 0, 0, 0, zone)); open {
		t.Error("a window of one tenant is open in another")
	}
	if next := w.Next(time.Date(2026, 3, 22, 5, 0, 0, 0, zone)); !next.Equal(time.Date(2026, 3, 29, 4, 0, 0, 0, zone)) {
		t.Errorf("it comes next at %v", next)
	}
}

// TestNothingGraveInAWindow: resets and isolations wait for its end, notices and
// scans do not.
func TestNothingGraveInAWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().UTC()
		w, err := gate.NewWindow("FREQ=DAILY", now.Add(-time.Hour), now.AddDate(0, 0, 3), 3*time.Hour)
		check(t, err)
		w.Reason = "patch night"
		g := &gate.Guard{Store: blank{}, Cases: cases{}, Fleet: fleet(100), Sink: nowhere{}, Windows: []gate.Window{w}}
		for a, waits := range map[events.Action]bool{
			events.Reset: true, events.Wipe: true, events.Retire: true, events.Isolate: true,
			events.Unisolate: false, events.Scan: false, events.Mail: false, events.Restore: false,
		} {
			h, err := g.Still(t.Context(), events.Case{Key: key(1)}, events.Task{ID: "t", Order: events.Order{Action: a}})
			if err != nil || (h != nil) != waits {
				t.Fatalf("%s: %+v, %v", a, h, err)
			}
			if waits && (h.Gate != gate.GateMaintenance || !strings.Contains(h.Reason, "patch night") || h.Until.Before(now.Add(2*time.Hour))) {
				t.Errorf("%s: %+v", a, h)
			}
		}
		time.Sleep(2*time.Hour + time.Second)
		if h, err := g.Still(t.Context(), events.Case{Key: key(1)}, events.Task{Order: events.Order{Action: events.Reset}}); h != nil || err != nil {
			t.Errorf("after the window: %+v, %v", h, err)
		}
	})
}

// blank is an empty store; nowhere takes every fact.
type (
	blank   struct{}
	nowhere struct{}
)

func (blank) Get(context.Context, string) ([]byte, uint64, error) { return nil, 0, nil }

func (blank) Create(context.Context, string, []byte) (uint64, error) { return 1, nil }

func (blank) Update(context.Context, string, []byte, uint64) (uint64, error) { return 1, nil }

func (blank) Confirm(context.Context, string, uint64) error { return nil }

func (nowhere) Append(context.Context, events.Key, events.Fact, string) error { return nil }

// edited is what somebody says was edited.
type edited struct {
	list []string
	err  error
}

func (e edited) Edits(context.Context, string, time.Time) ([]string, error) { return e.list, e.err }

// TestTheBreakerNamesTheEdit: the tenant's case says who changed which policy just
// before; and if that cannot be read, the breaker trips all the same.
func TestTheBreakerNamesTheEdit(t *testing.T) {
	for name, c := range map[string]struct {
		edits gate.Edits
		says  string
	}{
		"named":      {edited{list: []string{"1 June 09:12, eve@contoso.example updated compliance policy Windows"}}, "eve@contoso.example updated compliance policy Windows"},
		"unreadable": {edited{err: errors.New("403")}, "could not be read"},
		"half":       {edited{list: []string{"one", "two", "three", "four", "five", "six"}, err: errors.New("403")}, "five; and 1 more"},
		"none":       {edited{}, "no policy was edited"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 20, func(g *gate.Guard) { g.Edits = c.edits }, func(w *world) {
				w.turn(0, 8)
				time.Sleep(20 * time.Second)
				tc := w.tenantCase()
				if len(tc.Attention) != 1 || !strings.Contains(tc.Attention[0], " of 20 devices turned bad") || !strings.Contains(tc.Attention[0], c.says) {
					t.Errorf("the tenant's case says %q", tc.Attention)
				}
			})
		})
	}
}
