package main

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/events/gate"
	"curfew/graph"
	"curfew/graph/graphtest"
	"curfew/handlers"
	"curfew/handlers/mail"
	"curfew/handlers/page"
)

// hands are what a worker acts on devices with, wired as in the program, and a
// tenant of Microsoft's with Ana's infected laptop in it, in a bubble.
type hands struct {
	t      *testing.T
	tenant *graphtest.Tenant
	do     map[events.Action]handlers.Func
	laptop events.Case
	asked  int
}

func withHands(t *testing.T, dry bool, tell func(t *testing.T, h *hands)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := graphtest.NewCloud()
		defer cloud.Close()
		h := &hands{t: t, tenant: cloud.AddTenant("contoso", contoso)}
		h.tenant.AddApp(officeApp, officeSecret, append(graphtest.AllRoles(), graphtest.ActingRoles()...)...)
		tenants, err := graph.Open([]graph.Tenant{{
			ID: contoso, Name: "contoso", MailFrom: "it@contoso.example", TeamsApp: feedApp, Auth: graph.Auth{Client: officeApp, Secret: officeSecret},
			Defender: &graph.DefenderEndpoint{}, Transport: cloud.Transport(),
		}})
		check(t, err)
		defer tenants.Close()
		h.hire(tenants, dry)
		h.laptop = h.admit(graphtest.Device{Name: laptopName, User: "ana@contoso.example"})
		tell(t, h)
	})
}

// hire wires the handlers. Every action is a rung's.
func (h *hands) hire(tenants graph.Tenants, dry bool) {
	all := func(os ...events.Order) events.Rung { return events.Rung{Do: os} }
	conf := &config{Role: roleAll, DryRun: dry, Policies: events.Policies{List: []events.Policy{{
		Name: "threat", When: risky{}, Ladder: []events.Rung{all(
			events.Order{Action: events.Isolate}, events.Order{Action: events.Investigate}, events.Order{Action: events.Lock},
			events.Order{Action: events.Restart}, events.Order{Action: events.Scan, Via: "defender"},
			events.Order{Action: events.Neighbours, Scope: "user"}, events.Order{Action: events.Neighbours, Scope: "incident", Kind: "full"},
			events.Order{Action: events.Neighbours, Scope: "group:Finance"},
		)},
	}}}}
	o := &office{t: h.t}
	guard := &gate.Guard{Store: &drawer{map[string]sheet{}}, Cases: o, Fleet: o, Sink: o}
	templates, err := mail.NewTemplates(nil)
	check(h.t, err)
	by := clouds{watch: tenants, act: tenants}
	h.do = table(conf, by, templates, guard, actuatorOf(conf, by, quiet), &approvals{conf: conf}, desks(conf, nil, nil, quiet), &page.Handler{})
}

// admit makes a device, infects it, and opens its case.
func (h *hands) admit(spec graphtest.Device) events.Case {
	h.t.Helper()
	c := events.Case{Key: events.Key{Tenant: contoso, Device: h.tenant.AddDevice(spec).EntraID}}
	alert := h.tenant.Infect(spec.Name, graphtest.High)
	c.Device.Alerts = []events.Alert{{ID: alert.ID}}
	time.Sleep(time.Hour) // until Intune has heard of it
	return h.look(c)
}

func (h *hands) look(c events.Case) events.Case {
	h.t.Helper()
	fact, err := h.do[events.Look](h.t.Context(), c, events.Task{ID: c.Key.String() + "/1-look", Order: events.Order{Action: events.Look}})
	check(h.t, err)
	seen, ok := fact.(events.Seen)
	if !ok || seen.Device.Threat.Level() < events.Medium {
		h.t.Fatalf("a look saw %#v", fact)
	}
	c.Device, c.Open, c.Shown, c.Policy, c.Rung, c.Episode = seen.Device, true, true, "threat", 1, 1
	c.Person = events.Person{User: seen.Device.User, UserID: seen.Device.UserID}
	return c
}

// play does a task to its end, as the journal would.
func (h *hands) play(c events.Case, o events.Order, ref string) events.Fact {
	h.t.Helper()
	h.asked++
	t := events.Task{ID: c.Key.String() + "/" + strings.Repeat("1", h.asked) + "-" + string(o.Action), Order: o, Ref: ref, Rung: 1, Policy: "threat", Asked: time.Now(), Out: true}
	for range 1000 {
		if t.Begun == nil {
			t.Begun = &events.Attempt{ID: "attempt", At: time.Now()}
		}
		ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
		fact, err := h.do[o.Action](ctx, c, t)
		cancel()
		switch v := handlers.Read(err); f := fact.(type) {
		case events.Accepted:
			if t.Accepted == nil {
				t.Accepted = &events.Progress{At: time.Now()}
			}
			t.Accepted.Receipt, t.Unsure = f.Receipt, false
			time.Sleep(time.Until(f.Again))
		case nil:
			if v.GiveUp {
				return events.Failed{Task: t.ID, Reason: err.Error()}
			}
			if t.Unsure = v.Unsure; !v.Unsure {
				t.Begun = nil
			}
			time.Sleep(max(v.After, time.Second))
		default:
			return fact
		}
	}
	h.t.Fatalf("%s does not end: %+v", o.Action, t)
	return nil
}

// done plays a task that must be done, and returns what came of it.
func (h *hands) done(c events.Case, o events.Order, ref string) events.Done {
	h.t.Helper()
	f := h.play(c, o, ref)
	d, ok := f.(events.Done)
	if !ok {
		h.t.Fatalf("%s ended with %#v", o.Action, f)
	}
	return d
}

// TestIsolatesOnceAndLetsBack, whatever becomes of the answer to the call.
func TestIsolatesOnceAndLetsBack(t *testing.T) {
	for name, fault := range map[string]graphtest.Kind{"answered": "", "cut off": graphtest.CutOff, "cut off, but done": graphtest.CutOffButDone, "504, but done": graphtest.TimedOutButDone} {
		t.Run(name, func(t *testing.T) {
			withHands(t, false, func(t *testing.T, h *hands) {
				if fault != "" {
					h.tenant.Inject(graphtest.Fault{Kind: fault, Path: "machines/*/isolate", Times: 1})
				}
				began := time.Now()
				d := h.done(h.laptop, events.Order{Action: events.Isolate}, "")
				if settled := time.Since(began) > 9*time.Minute; settled != (fault == graphtest.CutOff) {
					t.Errorf("it took %v", time.Since(began))
				}
				all := h.tenant.MachineActions(laptopName)
				if len(all) != 1 || all[0].ID != d.Receipt || d.Others || !h.tenant.Isolated(laptopName) {
					t.Fatalf("%#v, %+v", d, all)
				}
				for _, want := range []string{d.Task, laptopName, "Wacatac"} {
					if !strings.Contains(all[0].Comment, want) {
						t.Errorf("the comment does not say %q: %q", want, all[0].Comment)
					}
				}
				h.laptop.Effects = []events.Effect{{Action: events.Isolate, Ref: d.Receipt}}
				if again := h.done(h.laptop, events.Order{Action: events.Isolate}, ""); again.Receipt != d.Receipt || again.Others {
					t.Errorf("asked again: %#v", again)
				}
				if fault != "" {
					h.tenant.Inject(graphtest.Fault{Kind: fault, Path: "machines/*/unisolate", Times: 1})
				}
				h.done(h.laptop, events.Order{Action: events.Unisolate}, d.Receipt)
				if all := h.tenant.MachineActions(laptopName); len(all) != 2 || h.tenant.Isolated(laptopName) {
					t.Errorf("%+v", all)
				}
			})
		})
	}
}

// TestWhatOthersIsolated is theirs.
func TestWhatOthersIsolated(t *testing.T) {
	withHands(t, false, func(t *testing.T, h *hands) {
		h.tenant.IsolateByHand(laptopName, "attack disruption")
		time.Sleep(time.Hour)
		d := h.done(h.laptop, events.Order{Action: events.Isolate}, "")
		if all := h.tenant.MachineActions(laptopName); !d.Others || !strings.HasPrefix(d.Receipt, "isolated by ") || len(all) != 1 || !h.tenant.Isolated(laptopName) {
			t.Errorf("%#v, %+v", d, all)
		}
	})
}

// TestDefenderDoes what else it is asked for.
func TestDefenderDoes(t *testing.T) {
	withHands(t, false, func(t *testing.T, h *hands) {
		d := h.done(h.laptop, events.Order{Action: events.Scan, Via: "defender"}, "")
		if all := h.tenant.MachineActions(laptopName); len(all) != 1 || all[0].Type != "RunAntiVirusScan" || all[0].Scope != "Quick" || all[0].ID != d.Receipt {
			t.Errorf("%#v, %+v", d, all)
		}
		h.laptop.Device.Alerts = nil // none of them shows an investigation
		d = h.done(h.laptop, events.Order{Action: events.Investigate}, "")
		if all := h.tenant.Investigations(laptopName); len(all) != 1 || d.Others || !strings.Contains(d.Receipt, "Running") || !strings.Contains(all[0], d.Task) {
			t.Errorf("%#v, %q", d, all)
		}
	})
}

// TestIntuneDoes what its user feels.
func TestIntuneDoes(t *testing.T) {
	withHands(t, false, func(t *testing.T, h *hands) {
		h.done(h.laptop, events.Order{Action: events.Restart}, "")
		if f, ok := h.play(h.laptop, events.Order{Action: events.Lock}, "").(events.Failed); !ok || !strings.Contains(f.Reason, "cannot lock") {
			t.Errorf("%#v", f)
		}
		var names []string
		for _, a := range h.tenant.Actions(laptopName) {
			names = append(names, a.Name)
		}
		if got := strings.Join(names, " "); got != "rebootNow" {
			t.Errorf("Intune was asked for %q", got)
		}
	})
}

// TestADryRunTouchesNothing.
func TestADryRunTouchesNothing(t *testing.T) {
	withHands(t, true, func(t *testing.T, h *hands) {
		h.laptop.Device.Alerts = nil
		for _, a := range []events.Action{events.Investigate, events.Restart} {
			if d := h.done(h.laptop, events.Order{Action: a}, ""); !d.Dry {
				t.Errorf("%s: %#v", a, d)
			}
		}
		if d := h.done(h.look(h.laptop), events.Order{Action: events.Isolate}, ""); !d.Dry {
			t.Errorf("isolate: %#v", d)
		}
		if n := len(h.tenant.MachineActions(laptopName)) + len(h.tenant.Actions(laptopName)) + len(h.tenant.Investigations(laptopName)); n > 0 {
			t.Errorf("%d things were done", n)
		}
	})
}

// TestRestores the primary user of a device that has none.
func TestRestores(t *testing.T) {
	withHands(t, false, func(t *testing.T, h *hands) {
		ben := h.tenant.AddUser(graphtest.User{UPN: "ben@contoso.example"})
		gone := h.tenant.AddUser(graphtest.User{UPN: "gone@contoso.example", Disabled: true})
		shared := h.admit(graphtest.Device{Name: "LT-050"})
		restore := events.Order{Action: events.Restore}
		if f, ok := h.play(shared, restore, gone).(events.Failed); !ok || !strings.Contains(f.Reason, "is blocked") {
			t.Errorf("%#v", f)
		}
		if d := h.done(shared, restore, ben); d.Others || h.tenant.Device("LT-050").User != "ben@contoso.example" {
			t.Errorf("%#v, %+v", d, h.tenant.Device("LT-050"))
		}
		if d := h.done(shared, restore, h.laptop.Person.UserID); !d.Others || h.tenant.Device("LT-050").User != "ben@contoso.example" {
			t.Errorf("%#v", d)
		}
	})
}

// TestScansTheNeighbours of each scope, and nobody else.
func TestScansTheNeighbours(t *testing.T) {
	withHands(t, false, func(t *testing.T, h *hands) {
		h.tenant.AddUser(graphtest.User{UPN: "ana@contoso.example", Groups: []string{"Finance"}})
		for _, d := range []graphtest.Device{
			{Name: "LT-043", User: "ana@contoso.example"}, {Name: "PH-044", User: "ana@contoso.example", OS: "iOS"}, {Name: "LT-045", User: "ben@contoso.example"},
		} {
			h.tenant.AddDevice(d)
		}
		time.Sleep(time.Hour)
		d := h.done(h.laptop, events.Order{Action: events.Neighbours, Scope: "user"}, "")
		if want := "devices of its user: LT-043 done; skipped: PH-044 (runs iOS)"; d.Receipt != want {
			t.Errorf("got  %s\nwant %s", d.Receipt, want)
		}
		d = h.done(h.laptop, events.Order{Action: events.Neighbours, Scope: "group:Finance"}, "")
		if want := "devices of group Finance: LT-043 done; skipped: PH-044 (runs iOS)"; d.Receipt != want {
			t.Errorf("got  %s\nwant %s", d.Receipt, want)
		}
		d = h.done(h.laptop, events.Order{Action: events.Neighbours, Scope: "incident", Kind: "full"}, "")
		if !strings.HasPrefix(d.Receipt, "devices of incident ") || !strings.HasSuffix(d.Receipt, ": no other to scan") {
			t.Errorf("%s", d.Receipt)
		}
		for name, want := range map[string]int{laptopName: 0, "LT-043": 2, "PH-044": 0, "LT-045": 0} {
			if all := h.tenant.Actions(name); len(all) != want {
				t.Errorf("%s: %+v", name, all)
			}
		}
	})
}
