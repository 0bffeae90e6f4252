package neighbours_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/neighbours"
)

// A town is where devices live, beside a tenant that has them.
type town struct {
	*handlerstest.Tenant
	devices []events.Device
	leftOut []string
	err     error
	asked   []string // scopes
}

func (w *town) of(ctx context.Context, scope string) ([]events.Device, []string, error) {
	if _, err := w.Record(ctx, events.Device{}); err != nil { // it is a question like any other
		return nil, nil, err
	}
	w.asked = append(w.asked, scope)
	return slices.Clone(w.devices), w.leftOut, w.err
}

func (w *town) DevicesOfUser(ctx context.Context, _, user string) ([]events.Device, []string, error) {
	return w.of(ctx, "user "+user)
}

func (w *town) DevicesOfIncident(ctx context.Context, _, incident string) ([]events.Device, []string, error) {
	return w.of(ctx, "incident "+incident)
}

func (w *town) DevicesOfGroup(ctx context.Context, _, group string) ([]events.Device, []string, error) {
	return w.of(ctx, "group "+group)
}

// laptop is a case about LT-042, and its task.
func laptop(scope string) (events.Case, events.Task) {
	c := handlerstest.Laptop()
	c.Device.UserID = "anna-id"
	c.Device.Alerts[0].Incident = "77"
	return c, handlerstest.Task(c, events.Order{Action: events.Neighbours, Scope: scope, Kind: "quick"})
}

// near is a device that can be scanned.
func near(name string) events.Device {
	return events.Device{
		Key: events.Key{Tenant: "contoso", Device: "id-" + name}, IntuneID: "intune-" + name, Name: name, OS: "Windows", Agent: "mdm",
		LastSync: time.Now().Add(-time.Hour),
	}
}

func street(n int) (out []events.Device) {
	for i := range n {
		out = append(out, near(fmt.Sprintf("LT-%03d", i+1)))
	}
	return out
}

func TestKeepsThePromises(t *testing.T) {
	handlerstest.Run(t, func(testing.TB) handlerstest.World {
		c, task := laptop("group:Finance")
		w := &town{Tenant: &handlerstest.Tenant{Lag: 3 * time.Minute, Takes: 40 * time.Minute}, devices: []events.Device{c.Device, near("LT-1")}}
		find := func() *town { return &town{Tenant: w.Tenant, devices: w.devices} } // for handlers side by side
		return handlerstest.World{
			Do: func(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
				return neighbours.Handler{Devices: find(), Intune: w}.Do(ctx, c, t)
			},
			Case: c, Task: task, Effects: w.Effects, Calls: &w.Writes, Reads: &w.Reads,
		}
	})
}

// play does the task as the journal would, to its end, and returns what the case
// showed on the way, each with the time since the start.
func play(t *testing.T, h neighbours.Handler, c events.Case, task events.Task) (receipts []string, end events.Fact, err error) {
	t.Helper()
	began := time.Now().UTC()
	task.Begun = &events.Attempt{ID: "1", At: began}
	for range 2000 {
		fact, err := h.Do(t.Context(), c, task)
		if a, ok := fact.(events.Accepted); ok {
			at := began
			if task.Accepted != nil {
				at = task.Accepted.At
			}
			task.Accepted, task.Unsure = &events.Progress{At: at, Receipt: a.Receipt}, false
			receipts = append(receipts, time.Since(began).Truncate(time.Minute).String()+" "+a.Receipt)
			time.Sleep(time.Until(a.Again))
			continue
		}
		v := handlers.Read(err)
		if err == nil || v.GiveUp {
			return receipts, fact, err
		}
		task.Unsure = v.Unsure
		time.Sleep(max(v.After, time.Second))
	}
	t.Fatal("it does not end")
	return nil, nil, nil
}

func receipt(f events.Fact) string {
	if d, ok := f.(events.Done); ok {
		return d.Receipt
	}
	return fmt.Sprintf("%#v", f)
}

// A few are asked at a time, each once, and the case shows how far it is.
func TestSpreadsThemOverTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, task := laptop("incident")
		w := &town{Tenant: &handlerstest.Tenant{Lag: 5 * time.Minute, Takes: 17 * time.Minute}, devices: street(7)}
		w.devices[6].Threat = "highSeverity"
		receipts, end, err := play(t, neighbours.Handler{Devices: w, Intune: w}, c, task)
		if err != nil {
			t.Fatal(err)
		}
		want := "devices of incident 77: LT-001 done, LT-002 done, LT-003 done, LT-004 done, LT-005 done, LT-006 done, LT-007 done (at risk: high)"
		if got := receipt(end); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if n := w.Effects(); len(n) != 7 {
			t.Errorf("%d scans: %q", len(n), n)
		}
		if got := receipts[0]; !strings.HasPrefix(got, "0s 3 of 7 asked, 0 done: LT-001 asked after 1m; ") || !strings.HasSuffix(got, "LT-007 to come") {
			t.Error(got)
		}
		if got := receipts[1]; !strings.HasPrefix(got, "2m0s 6 of 7 asked") {
			t.Error(got)
		}
		if !strings.Contains(strings.Join(receipts, "\n"), "7 of 7 asked, 3 done: LT-001 done") {
			t.Errorf("no half-way in\n%s", strings.Join(receipts, "\n"))
		}
		if w.asked[0] != "incident 77" {
			t.Error(w.asked[0])
		}
	})
}

// What is not scanned is named, with the reason, and never asked.
func TestNamesWhatItSkips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, task := laptop("user")
		phone, gone, ghost, attached, twin, stranger := near("PH-1"), near("LT-9"), near("LT-8"), near("LT-7"), near("LT-1"), near("LT-5")
		phone.OS, ghost.IntuneID, attached.Agent, twin.Device = "iOS", "", "msSense", "id-twin"
		gone.LastSync = time.Now().Add(-31 * 24 * time.Hour)
		stranger.Tenant = "fabrikam"
		w := &town{
			Tenant: &handlerstest.Tenant{}, leftOut: []string{"LT-6: two devices have its id"},
			devices: []events.Device{phone, gone, ghost, attached, twin, near("LT-1"), near("LT-1"), near("LT: 2;(x)"), c.Device, stranger},
		}
		_, end, err := play(t, neighbours.Handler{Devices: w, Intune: w}, c, task)
		want := "devices of its user: LT-1~id-LT-1 done, LT-1~id-twin done, LT--2--x- done" +
			"; skipped: LT-6: two devices have its id, LT-7 (Intune cannot reach it), LT-8 (not in Intune), LT-9 (not seen since 1999-12-01), PH-1 (runs iOS)"
		if got := receipt(end); got != want || err != nil {
			t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
		}
		if got := strings.Join(w.Effects(), " "); len(w.Effects()) != 3 || strings.Contains(got, "LT-9") || strings.Contains(got, c.Key.Device) {
			t.Errorf("scanned: %s", got)
		}
	})
}

// However many there are, so many are asked, and a person can read the result.
func TestAtMost25(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, task := laptop("group:Everybody")
		tooMany := handlers.GiveUp(errors.New("more than 200"))
		w := &town{Tenant: &handlerstest.Tenant{}, devices: street(200), err: tooMany}
		receipts, end, err := play(t, neighbours.Handler{Devices: w, Intune: w}, c, task)
		got := receipt(end)
		if err != nil || len(w.Effects()) != 25 || len([]rune(got)) > 1000 || !strings.Contains(got, "LT-025 done; skipped: all beyond 200 found, LT-026 (beyond 25)") {
			t.Errorf("%v, %d scans, %d characters: %s", err, len(w.Effects()), len([]rune(got)), got)
		}
		for _, r := range receipts {
			if len([]rune(r)) > 1010 {
				t.Errorf("%d characters: %s", len([]rune(r)), r)
			}
		}
	})
}

// A budget that is used up is waited for; what it does not allow in time is not
// asked, and said not to be.
func TestHeedsTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, task := laptop("user")
		task.Kind = "full"
		w := &town{Tenant: &handlerstest.Tenant{}, devices: street(6)}
		slots, ids, began := 4, map[string]bool{}, time.Now()
		h := neighbours.Handler{Devices: w, Intune: w, Slot: func(_ context.Context, tenant, id string, full bool) (time.Duration, error) {
			if !full || tenant != "contoso" || !strings.HasPrefix(id, task.ID+"/") {
				t.Errorf("asked for a slot in %s for %s, full: %v", tenant, id, full)
			}
			if slots == 0 && time.Since(began) < 3*time.Hour {
				return 3*time.Hour - time.Since(began), nil
			} else if slots == 0 {
				slots = 1
				began = began.Add(48 * time.Hour)
			}
			if !ids[id] {
				slots--
			}
			ids[id] = true
			return 0, nil
		}}
		receipts, end, err := play(t, h, c, task)
		if got, want := receipt(end), "LT-005 done, LT-006 not asked (no time left)"; err != nil || !strings.HasSuffix(got, want) || len(w.Effects()) != 5 || len(ids) != 5 {
			t.Errorf("%v, %d scans, %d slots: %s", err, len(w.Effects()), len(ids), got)
		}
		if len(receipts) > 12 {
			t.Errorf("it came back %d times for nothing", len(receipts))
		}
	})
}

// One device that is refused, or gone, stops none of the others; all of them do.
func TestOneRefusalIsNotAll(t *testing.T) {
	for refused, want := range map[int]string{
		2: "done LT-001 not asked (403 Forbidden), LT-002 not asked (403 Forbidden), LT-003 done",
		3: "give up LT-001 not asked (403 Forbidden), LT-002 not asked (403 Forbidden), LT-003 not asked (403 Forbidden)",
	} {
		synctest.Test(t, func(t *testing.T) {
			c, task := laptop("user")
			w := &town{Tenant: &handlerstest.Tenant{}, devices: street(3)}
			w.Writes.Fail(refused, fake.Fault{Status: 403})
			_, end, err := play(t, neighbours.Handler{Devices: w, Intune: w}, c, task)
			got := "done " + receipt(end)
			if err != nil {
				got = "give up " + err.Error()
			}
			got = strings.NewReplacer("graph: ", "", "neighbours: ", "", "devices of its user: ", "").Replace(got)
			if got != want || len(w.Effects()) != 3-refused {
				t.Errorf("%d scans\ngot  %s\nwant %s", len(w.Effects()), got, want)
			}
		})
	}
}

// A reply that is lost in the middle is settled by the record of that device.
func TestALostReplyInTheMiddle(t *testing.T) {
	for _, done := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c, task := laptop("user")
			w := &town{Tenant: &handlerstest.Tenant{Lag: 4 * time.Minute}, devices: street(5)}
			n := 0
			h := neighbours.Handler{Devices: w, Intune: w, Slot: func(context.Context, string, string, bool) (time.Duration, error) {
				if n++; n == 2 {
					w.Writes.Fail(1, fake.Fault{Drop: true, Done: done})
				}
				return 0, nil
			}}
			receipts, end, err := play(t, h, c, task)
			if err != nil || len(w.Effects()) != 5 || strings.Count(receipt(end), " done") != 5 {
				t.Errorf("executed %v: %v, %q: %s", done, err, w.Effects(), receipt(end))
			}
			if !strings.Contains(receipts[0], "1 of 5 asked, 0 done: LT-001 asked after 1m; LT-002 perhaps asked after 1m; LT-003 to come") {
				t.Error(receipts[0])
			}
		})
	}
}

// What Intune never writes about is not called done.
func TestNotHeardOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, task := laptop("user")
		w := &town{Tenant: &handlerstest.Tenant{Lag: 1000 * time.Hour}, devices: street(1)}
		_, end, err := play(t, neighbours.Handler{Devices: w, Intune: w}, c, task)
		if got := receipt(end); got != "devices of its user: LT-001 not heard of" || err != nil || len(w.Effects()) != 1 {
			t.Errorf("%v, %q: %s", err, w.Effects(), got)
		}
	})
}

func TestWhereThereIsNobody(t *testing.T) {
	for want, tt := range map[string]struct {
		scope  string
		change func(*events.Case, *events.Task)
	}{
		"done devices of its user, who is not known: no other to scan": {"user", func(c *events.Case, _ *events.Task) {
			c.Device.UserID, c.Device.User, c.Person = "", "", events.Person{}
		}},
		"done devices of its incident, for no alert of it belongs to one: no other to scan":             {"incident", func(c *events.Case, _ *events.Task) { c.Device.Alerts = nil }},
		"done devices of its user: no other to scan":                                                    {"user", func(*events.Case, *events.Task) {}},
		`give up neighbours: the scope "floor" is none of "user", "incident" and "group:" with a name`:  {"floor", func(*events.Case, *events.Task) {}},
		`give up neighbours: the scope "group:" is none of "user", "incident" and "group:" with a name`: {"group:", func(*events.Case, *events.Task) {}},
		`give up neighbours: the kind of a scan is "quick" or "full"`:                                   {"user", func(_ *events.Case, t *events.Task) { t.Kind = "deep" }},
	} {
		c, task := laptop(tt.scope)
		tt.change(&c, &task)
		w := &town{Tenant: &handlerstest.Tenant{}, devices: []events.Device{c.Device}}
		fact, err := neighbours.Handler{Devices: w, Intune: w}.Do(t.Context(), c, task)
		got := "done " + receipt(fact)
		if v := handlers.Read(err); err != nil && v.GiveUp {
			got = "give up " + err.Error()
		}
		if got != want || len(w.Effects()) > 0 {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
