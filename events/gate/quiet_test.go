package gate_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/events/gate"
)

// night is from eight to seven, on every day. Bubbles begin at midnight.
func night() gate.Hours {
	h := gate.Hours{From: 20 * time.Hour, Until: 7 * time.Hour, Zone: time.UTC}
	for i := range h.Days {
		h.Days[i] = true
	}
	return h
}

// notices is a ladder of the three notices.
func (w *world) notices() {
	w.rules.Attention = []events.Order{{Action: events.Page, Destination: "oncall", Template: "attention"}}
	w.rules.Relook = time.Hour
	w.rules.List[0].Ladder = []events.Rung{{Do: []events.Order{{Action: events.Mail}, {Action: events.Ticket, Destination: "desk"}, {Action: events.Page, Destination: "oncall"}}}}
}

func (w *world) set(i int, threat events.Threat) {
	w.mu.Lock()
	w.threat[key(i)] = threat
	w.mu.Unlock()
	w.turn(i, i+1)
}

func (w *world) heal(i int) {
	w.mu.Lock()
	w.bad[key(i)] = false
	w.mu.Unlock()
	w.say(key(i), events.Noticed{})
}

// when says when somebody was told of a device by an action.
func (w *world) when(a events.Action, i int) (at []time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls[a] {
		if c.about == key(i) {
			at = append(at, c.at)
		}
	}
	return at
}

// TestQuietNight: at night somebody is woken only for what is urgent, or becomes it.
// In the morning what has healed is nobody's business, and the rest is told.
func TestQuietNight(t *testing.T) {
	inWorld(t, 20_000, noisy(gate.Noise{Rate: gate.DefaultRate(), Quiet: []gate.Hours{night()}}), func(w *world) {
		w.notices()
		midnight := time.Now()
		time.Sleep(2 * time.Hour)
		w.set(0, "mediumSeverity") // stays so
		w.set(1, "mediumSeverity") // heals
		w.set(2, "highSeverity")   // is urgent
		w.set(3, "mediumSeverity") // becomes it
		time.Sleep(time.Hour)
		w.expect("pages at night", w.count(events.Page, false), 1)
		w.expect("mails and tickets", w.count(events.Mail, false)+w.count(events.Ticket, false), 8)
		w.expect("held", w.held(events.Page, gate.GateQuiet), 3)
		w.set(3, "compromised")
		w.heal(1)
		time.Sleep(time.Minute)
		w.expect("pages of what has become urgent", len(w.when(events.Page, 3)), 1)
		time.Sleep(time.Until(midnight.Add(8 * time.Hour)))
		if at := w.when(events.Page, 0); len(at) != 1 || at[0].Before(midnight.Add(7*time.Hour)) || at[0].After(midnight.Add(7*time.Hour+5*time.Minute)) {
			w.t.Errorf("in the morning it was told at %v", at)
		}
		w.expect("pages of what has healed", len(w.when(events.Page, 1)), 0)
		w.expect("the tenant's case", w.tenantCase().Open, false)
	})
}

// TestNobodyIsToldInASilentWindow: mails, tickets and pages wait for its end, and so
// does the call for a person. Then every device is looked at, and what is still true
// is told; resets go by rules of their own.
func TestNobodyIsToldInASilentWindow(t *testing.T) {
	set := func(g *gate.Guard) {
		now := time.Now().UTC()
		w, err := gate.NewWindow("FREQ=DAILY;BYHOUR=1", now, now.AddDate(0, 0, 3), 4*time.Hour)
		if err != nil {
			panic(err)
		}
		w.Reason, w.Silence = "patch night", true
		g.Windows = []gate.Window{w}
	}
	inWorld(t, 20_000, set, func(w *world) {
		w.notices()
		midnight := time.Now()
		time.Sleep(90 * time.Minute)
		w.set(0, "mediumSeverity")
		w.set(1, "compromised")
		w.set(2, "tomorrow's") // only a person can help
		time.Sleep(2 * time.Hour)
		w.heal(0)
		time.Sleep(time.Hour)
		w.expect("told in the window", w.count(events.Page, false)+w.count(events.Ticket, false)+w.count(events.Mail, false), 0)
		time.Sleep(time.Until(midnight.Add(5*time.Hour + 10*time.Minute)))
		w.expect("told of what has healed", len(w.when(events.Mail, 0))+len(w.when(events.Page, 0)), 0)
		for _, a := range []events.Action{events.Mail, events.Ticket, events.Page} {
			if at := w.when(a, 1); len(at) != 1 || at[0].Before(midnight.Add(5*time.Hour)) {
				w.t.Errorf("%s at %v", a, at)
			}
		}
		w.expect("calls for a person", len(w.when(events.Page, 2)), 1)
	})
}

// TestASilentWindowOverTheChangeOfTheClock: it lasts for as long as was said, and
// holds what tells people, in its tenants, but neither questions nor ends.
func TestASilentWindowOverTheChangeOfTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := berlin(t)
		w, err := gate.NewWindow("FREQ=WEEKLY;BYDAY=SU;BYHOUR=1", time.Date(2000, 1, 1, 0, 0, 0, 0, zone), time.Date(2001, 1, 1, 0, 0, 0, 0, zone), 4*time.Hour)
		check(t, err)
		w.Reason, w.Silence, w.Tenants = "patch night", true, []string{tenant}
		g := &gate.Guard{Store: blank{}, Cases: cases{}, Fleet: fleet(100), Sink: nowhere{}, Windows: []gate.Window{w}}
		began := time.Date(2000, 3, 26, 1, 0, 0, 0, zone) // an hour before the clock goes forward
		for _, step := range []struct {
			at    time.Duration
			waits bool
		}{{-time.Minute, false}, {time.Minute, true}, {239 * time.Minute, true}, {241 * time.Minute, false}} {
			time.Sleep(time.Until(began.Add(step.at)))
			for _, task := range []events.Task{
				{ID: "1", Order: events.Order{Action: events.Page}},
				{ID: "2", Order: events.Order{Action: events.Ticket}},
				{ID: "3", Order: events.Order{Action: events.Mail}, Rung: 1},
				{ID: "4", Order: events.Order{Action: events.Reset}},
			} {
				h, err := g.Still(t.Context(), events.Case{Key: key(1)}, task)
				if err != nil || (h != nil) != step.waits {
					t.Errorf("%s after %v: %+v, %v", task.Action, step.at, h, err)
				}
				if h != nil && (!strings.Contains(h.Reason, "until Sun 06:00 CEST") || h.Until.Before(began.Add(4*time.Hour))) {
					t.Errorf("%+v", h)
				}
			}
			for _, c := range []struct {
				c events.Case
				t events.Task
			}{
				{events.Case{Key: key(1)}, events.Task{Order: events.Order{Action: events.Resolve}}},
				{events.Case{Key: key(1)}, events.Task{Order: events.Order{Action: events.Mail, Template: "approve"}}},
				{events.Case{Key: events.TenantKey(tenant)}, events.Task{Order: events.Order{Action: events.Page}}},
				{events.Case{Key: events.Key{Tenant: "fabrikam", Device: "d"}}, events.Task{Order: events.Order{Action: events.Page}}},
			} {
				if h, err := g.Still(t.Context(), c.c, c.t); h != nil || err != nil {
					t.Errorf("%s of %s after %v: %+v, %v", c.t.Action, c.c.Key, step.at, h, err)
				}
			}
		}
	})
}
