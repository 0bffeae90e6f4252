package actuator_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/events/gate/actuator"
)

const (
	tenant   = "11111111-1111-4111-8111-111111111111"
	deviceID = "aaaaaaaa-0000-4000-8000-000000000001"
	intuneID = "bbbbbbbb-0000-4000-8000-000000000001"
)

// cond is a condition.
type cond func(events.Device) bool

func (c cond) Holds(d events.Device) (bool, error) {
	if d.OS == "" {
		return false, errors.New("the operating system is not known")
	}
	return c(d), nil
}

func threat(least events.Level) cond {
	return func(d events.Device) bool { return d.Threat.Level() >= least }
}

var (
	scan     = events.Order{Action: events.Scan, Kind: "quick"}
	isolate  = events.Order{Action: events.Isolate}
	reset    = events.Order{Action: events.Reset}
	noRung   = 0
	scans    = 1
	isolates = 2
	resets   = 3
	unasked  = 4
)

// rules are those of the actuator.
func rules() events.Policies {
	return events.Policies{List: []events.Policy{
		{
			Name: "lab", When: cond(func(d events.Device) bool { return strings.HasPrefix(d.Name, "LAB-") }),
			Ladder: []events.Rung{{Do: []events.Order{{Action: events.Ticket, Destination: "desk"}}}},
		},
		{
			Name: "threat", When: cond(func(d events.Device) bool {
				for _, a := range d.OpenAlerts() {
					if events.Severity(a.Severity) >= events.High {
						return true
					}
				}
				return d.Threat.Level() >= events.Medium
			}), Grace: 24 * time.Hour,
			Ladder: []events.Rung{
				{Do: []events.Order{{Action: events.Mail}, scan}},
				{Do: []events.Order{isolate}, Approvals: 1},
				{Do: []events.Order{reset}, Approvals: 1, If: threat(events.High)},
				{Do: []events.Order{{Action: events.Retire}}},
			},
		},
	}}
}

// A world is an actuator, Microsoft as it looks at it, and what is called.
type world struct {
	*actuator.Actuator
	t       *testing.T
	devices map[events.Key]events.Device // as they are
	asked   []events.Case                // what it looked for
	called  []events.Task
	sees    []events.Device // what those after it were given
	fact    events.Fact
	err     error
	log     bytes.Buffer
}

func (w *world) Look(_ context.Context, c events.Case) (events.Device, error) {
	w.asked = append(w.asked, c)
	d, ok := w.devices[c.Key]
	if !ok {
		return events.Device{}, lost{errors.New("no device of this id")}
	}
	d.SeenAt = time.Now()
	alerts := d.Alerts
	d.Alerts = nil
	for _, a := range c.Device.Alerts {
		for _, there := range alerts { // as graph does: an alert is read by its id, whomever it is about
			if there.ID == a.ID {
				there.ReadAt = time.Now()
				a = there
			}
		}
		d.Alerts = append(d.Alerts, a)
	}
	return d, nil
}

type lost struct{ error }

func (lost) GiveUp() bool { return true }

// signed believes what ends in the key that only people have.
func signed(t events.Task, a events.Approval) bool {
	return a.Sig == t.ID+"|"+t.Seal+"|"+a.By+"|"+a.Given.UTC().Format(time.RFC3339)
}

func sign(t *events.Task, by string, given time.Time) {
	a := events.Approval{By: by, At: given, Given: given}
	a.Sig = t.ID + "|" + t.Seal + "|" + by + "|" + given.UTC().Format(time.RFC3339)
	t.Approvals = append(t.Approvals, a)
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, devices: map[events.Key]events.Device{}}
	k := events.Key{Tenant: tenant, Device: deviceID}
	w.devices[k] = events.Device{Key: k, IntuneID: intuneID, Name: "LT-001", OS: "Windows", User: "ana@contoso.example", Threat: "highSeverity", Compliance: "noncompliant"}
	w.Actuator = &actuator.Actuator{Rules: rules(), Looker: w, Signed: signed, Log: slog.New(slog.NewTextHandler(&w.log, nil))}
	return w
}

// honest is a case as a watcher that nobody has taken over keeps it, and its task
// of that rung.
func (w *world) honest(o events.Order, rung int) (events.Case, events.Task) {
	k := events.Key{Tenant: tenant, Device: deviceID}
	c := events.Case{
		Key: k, Device: w.devices[k], Open: true, Policy: "threat", Rung: max(rung, 1), Shown: true,
		Opened: time.Now().Add(-48 * time.Hour), Told: time.Now().Add(-47 * time.Hour),
	}
	t := events.Task{ID: k.String() + "/7-" + string(o.Action), N: 7, Order: o, Rung: rung, Out: true, Asked: time.Now().Add(-time.Hour)}
	if rung != noRung {
		t.Policy = "threat"
	}
	if o.Action.Destructive() {
		t.For = intuneID
	}
	if rung == isolates || rung == resets {
		t.Needs, t.Seal = 1, c.Device.Risk()
		sign(&t, "mallory.cto@contoso.example", time.Now().Add(-time.Minute))
	}
	return c, t
}

// do hands a task over, as the journal does.
func (w *world) do(c events.Case, t events.Task) (events.Fact, error) {
	return w.Func(func(_ context.Context, c events.Case, t events.Task) (events.Fact, error) {
		w.called, w.sees = append(w.called, t), append(w.sees, c.Device)
		if w.fact != nil || w.err != nil {
			return w.fact, w.err
		}
		return events.Accepted{Task: t.ID}, nil
	})(w.t.Context(), c, t)
}

// mustHold checks that a task is held for a reason, and nothing was called.
func (w *world) mustHold(c events.Case, t events.Task, why string) {
	w.t.Helper()
	calls := len(w.called)
	f, err := w.do(c, t)
	h, ok := f.(events.Held)
	switch {
	case err != nil || !ok:
		w.t.Errorf("got %#v, %v; it must be held", f, err)
	case h.Gate != actuator.Gate || h.Task != t.ID || !strings.Contains(h.Reason, why):
		w.t.Errorf("held as %+v; the reason must say %q", h, why)
	case time.Until(h.Until) < 59*time.Minute:
		w.t.Errorf("it is asked again at %v already", h.Until)
	case !strings.Contains(w.log.String(), "does not agree"):
		w.t.Error("nobody can read in the log of this process that it held something")
	}
	if len(w.called) != calls {
		w.t.Error("it was called")
	}
}

func (w *world) mustDo(c events.Case, t events.Task) {
	w.t.Helper()
	calls := len(w.called)
	if f, err := w.do(c, t); err != nil || len(w.called) != calls+1 {
		w.t.Errorf("got %#v, %v; it must be done", f, err)
	}
}

// TestTakenOverWatcher: whoever owns the watcher writes what they like into the
// journal. For each such lie nothing is called, and the lie is named.
func TestTakenOverWatcher(t *testing.T) {
	other := events.Key{Tenant: "22222222-2222-4222-8222-222222222222", Device: deviceID}
	elsewhere := "cccccccc-0000-4000-8000-000000000009"
	for _, lie := range []struct {
		name string
		o    events.Order
		rung int
		tell func(w *world, c *events.Case, t *events.Task)
		why  string
	}{
		{"a reset of a healthy device, in a case made up from nothing", reset, resets, func(w *world, c *events.Case, _ *events.Task) {
			d := w.devices[c.Key]
			d.Threat, d.Compliance = "secured", "compliant"
			w.devices[c.Key] = d
		}, "the device is not at risk by policy threat"},
		{"a scan of a healthy device", scan, scans, func(w *world, c *events.Case, _ *events.Task) {
			d := w.devices[c.Key]
			d.Threat = "secured"
			w.devices[c.Key] = d
		}, "not at risk"},
		{"a policy that does not exist here", reset, resets, func(_ *world, c *events.Case, t *events.Task) {
			c.Policy, t.Policy = "reset-all", "reset-all"
		}, `no policy "reset-all"`},
		{"a policy that is not the case's", reset, resets, func(_ *world, c *events.Case, _ *events.Task) { c.Policy = "lab" }, "not open by policy threat"},
		{"a case that is closed", reset, resets, func(_ *world, c *events.Case, _ *events.Task) { c.Open = false }, "not open"},
		{"a reset on the rung of the scan", reset, scans, func(*world, *events.Case, *events.Task) {}, "orders no such thing here: reset"},
		{"a wipe instead of the reset", events.Order{Action: events.Wipe}, resets, func(*world, *events.Case, *events.Task) {}, "orders no such thing here: wipe"},
		{"a full scan instead of a quick one", events.Order{Action: events.Scan, Kind: "full"}, scans, func(*world, *events.Case, *events.Task) {}, `scan "full"`},
		{"a rung above the ladder", reset, 9, func(_ *world, c *events.Case, _ *events.Task) { c.Rung = 9 }, "no rung 9"},
		{"a rung below it", reset, -1, func(*world, *events.Case, *events.Task) {}, "no rung -1"},
		{"a rung that the case has not climbed to", reset, resets, func(_ *world, c *events.Case, _ *events.Task) { c.Rung = 1 }, "has not climbed"},
		{"a reset that no rung ordered", reset, noRung, func(*world, *events.Case, *events.Task) {}, "no rung of a policy ordered it"},
		{"a scan that no rung ordered", scan, noRung, func(*world, *events.Case, *events.Task) {}, "no rung of a policy ordered it"},
		{"fewer approvals than the rung needs", reset, resets, func(_ *world, _ *events.Case, t *events.Task) { t.Needs, t.Approvals = 0, nil }, "needs 1 approvals, and the task says 0"},
		{"an approval without a signature", reset, resets, func(_ *world, _ *events.Case, t *events.Task) { t.Approvals[0].Sig = "" }, "0 of 1 approvals are signed"},
		{"the signature of somebody else", reset, resets, func(_ *world, _ *events.Case, t *events.Task) { t.Approvals[0].By = "ceo@contoso.example" }, "0 of 1"},
		{"the signature of another task", reset, resets, func(_ *world, c *events.Case, t *events.Task) { t.ID = c.Key.String() + "/8-reset" }, "0 of 1"},
		{"an approval of long ago with a new date", reset, resets, func(_ *world, _ *events.Case, t *events.Task) {
			t.Approvals = nil
			sign(t, "cto@contoso.example", time.Now().Add(-25*time.Hour))
			t.Approvals[0].At = time.Now()
		}, "0 of 1"},
		{"an approval from the future", reset, resets, func(_ *world, _ *events.Case, t *events.Task) {
			t.Approvals = nil
			sign(t, "cto@contoso.example", time.Now().Add(time.Hour))
		}, "0 of 1"},
		{"an isolation without a signature", isolate, isolates, func(_ *world, _ *events.Case, t *events.Task) { t.Approvals[0].Sig = "forged" }, "0 of 1"},
		{"a retire on a rung that asks nobody", events.Order{Action: events.Retire}, unasked, func(*world, *events.Case, *events.Task) {}, "asks nobody"},
		{"a retire there, with an approval that nobody asked for", events.Order{Action: events.Retire}, unasked, func(_ *world, c *events.Case, t *events.Task) {
			t.Needs, t.Seal = 1, c.Device.Risk()
			sign(t, "cto@contoso.example", time.Now())
		}, "write approval: one"},
		{"a user who was not told", reset, resets, func(_ *world, c *events.Case, _ *events.Task) { c.Told = time.Time{} }, "was not told"},
		{"a user who has no grace left because the clock was turned", reset, resets, func(_ *world, c *events.Case, _ *events.Task) { c.Told = time.Now().Add(time.Hour) }, "was not told"},
		{"a grace that has not passed", reset, resets, func(_ *world, c *events.Case, _ *events.Task) { c.Told = time.Now().Add(-time.Hour) }, "grace has not passed"},
		{"a case that a person holds", reset, resets, func(_ *world, c *events.Case, _ *events.Task) {
			c.Hold = &events.Hold{By: "jo", Until: time.Now().Add(time.Hour)}
		}, "held by jo"},
		{"a case that clears", reset, resets, func(_ *world, c *events.Case, _ *events.Task) { c.Clearing = time.Now() }, "seen healthy"},
		{"a risk that the approver was shown and that is not there", reset, resets, func(_ *world, c *events.Case, t *events.Task) {
			c.Device.Malware = []events.Malware{{Name: "Worm:Made/Up", State: "active"}}
			t.Seal, t.Approvals = c.Device.Risk(), nil
			sign(t, "cto@contoso.example", time.Now())
		}, "the case goes by"},
		{"another tenant's device", reset, resets, func(_ *world, c *events.Case, t *events.Task) {
			c.Key, t.ID = other, other.String()+"/7-reset"
		}, "no such device"},
		{"another device's Intune id", reset, resets, func(_ *world, c *events.Case, t *events.Task) {
			c.Device.IntuneID, t.For = elsewhere, elsewhere
		}, "which has it as " + intuneID},
		{"another device's Intune id, for a scan", scan, scans, func(_ *world, c *events.Case, _ *events.Task) { c.Device.IntuneID = elsewhere }, elsewhere},
		{"another device's Intune id, to let it out of its isolation", events.Order{Action: events.Unisolate}, noRung, func(_ *world, c *events.Case, _ *events.Task) { c.Device.IntuneID = elsewhere }, elsewhere},
		{"another device's Intune id, to give it a user", events.Order{Action: events.Restore}, noRung, func(_ *world, c *events.Case, _ *events.Task) { c.Device.IntuneID = elsewhere }, elsewhere},
		{"an enrolment that is gone", reset, resets, func(_ *world, _ *events.Case, t *events.Task) { t.For = elsewhere }, "another enrolment"},
		{"no enrolment", reset, resets, func(_ *world, _ *events.Case, t *events.Task) { t.For = "" }, "does not say for which enrolment"},
		{"the task of another device", reset, resets, func(_ *world, _ *events.Case, t *events.Task) { t.ID = tenant + "/" + elsewhere + "/7-reset" }, "another device's"},
		{"a device that an exception covers", scan, scans, func(w *world, c *events.Case, _ *events.Task) {
			d := w.devices[c.Key]
			d.Name = "LAB-001"
			w.devices[c.Key] = d
		}, "by policy lab, which comes before threat"},
		{"a device that the rung is not for", reset, resets, func(w *world, c *events.Case, t *events.Task) {
			d := w.devices[c.Key]
			d.Threat = "mediumSeverity"
			w.devices[c.Key] = d
		}, "rung 3 of policy threat is not for"},
		{"a device of which too little can be read", scan, scans, func(w *world, c *events.Case, _ *events.Task) {
			d := w.devices[c.Key]
			d.OS = ""
			w.devices[c.Key] = d
		}, "no clear answer"},
		{"a reset on half a picture", reset, resets, func(w *world, c *events.Case, _ *events.Task) {
			d := w.devices[c.Key]
			d.Missing = []string{"compliance policy states: Forbidden"}
			w.devices[c.Key] = d
			c.Device.Missing = d.Missing
		}, "could not read compliance policy states"},
		{"a name that would make a line of its own in a terminal", scan, scans, func(_ *world, c *events.Case, t *events.Task) {
			t.Policy = "threat\r\n\x1b[2Jall is well" + strings.Repeat("!", 5000)
			c.Policy = t.Policy
		}, "no policy"},
	} {
		t.Run(lie.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				c, task := w.honest(lie.o, lie.rung)
				lie.tell(w, &c, &task)
				w.mustHold(c, task, lie.why)
				if strings.ContainsAny(w.log.String(), "\x1b\r") || w.log.Len() > 3000 {
					t.Errorf("the log is %d bytes: %q", w.log.Len(), w.log.String())
				}
			})
		})
	}
}

// TestHonestWatcher: what agrees is done, with the device as the own look has it.
func TestHonestWatcher(t *testing.T) {
	for _, o := range []struct {
		order events.Order
		rung  int
	}{
		{scan, scans}, {isolate, isolates}, {reset, resets},
		{events.Order{Action: events.Sync}, noRung}, {events.Order{Action: events.Unisolate}, noRung}, {events.Order{Action: events.Restore}, noRung},
	} {
		t.Run(string(o.order.Action), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				c, task := w.honest(o.order, o.rung)
				c.Device.Name, c.Device.Groups, c.Device.DefenderID = "", []string{"nobody"}, "forged" // which gates and handlers would go by
				w.mustDo(c, task)
				if d := w.sees[0]; d.Name != "LT-001" || d.Groups != nil || d.DefenderID != "" || d.IntuneID != intuneID {
					t.Errorf("those after it were given %+v", d)
				}
				if w.log.Len() > 0 {
					t.Error(w.log.String())
				}
			})
		})
	}
}
