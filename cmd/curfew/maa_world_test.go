package main

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
	"curfew/events/gate"
	"curfew/graph"
	"curfew/graph/graphtest"
	"curfew/handlers"
	"curfew/handlers/look"
	"curfew/handlers/reset"
	"curfew/handlers/sync"
)

const (
	laptopName   = "LT-042"
	officeApp    = "b5a0c9d2-4a9e-4c55-9a3b-0d8a7f2f6e33"
	othersApp    = "c6b1dae3-5baf-4d66-8b4c-1e9b8a3a7f44"
	officeSecret = "s3cret~of+the/app&"
)

// An office is a tenant of Microsoft's that wants a second administrator to approve
// device actions, with an infected laptop in it, and a worker that does what the
// case machine asks for, with all the gates and a real client of Graph, in a
// bubble. Its queue and its store are in memory: days cost nothing.
type office struct {
	t      *testing.T
	cloud  *graphtest.Cloud
	tenant *graphtest.Tenant
	app    *graphtest.App
	store  *drawer
	guard  *gate.Guard

	action events.Action // the destructive one
	do     map[events.Action]handlers.Func
	laptop events.Case
	queue  []string // ids of tasks
	rests  bool     // nobody does the destructive action
	mails  []string // the templates of those that were sent
}

// A risky is a condition about the threat alone.
type risky struct{}

func (risky) Holds(d events.Device) (bool, error) { return d.Threat.Level() >= events.Medium, nil }

// inOffice tells a story once with the answers that Microsoft documents, and once
// with those that callers saw. The laptop is infected, its user told, and the
// action asked for an hour later.
func inOffice(t *testing.T, action events.Action, spec graphtest.Device, tell func(t *testing.T, o *office)) {
	t.Helper()
	for name, observed := range map[string]bool{"as documented": false, "as observed": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := openOffice(t, action, spec, observed)
				defer o.cloud.Close()
				o.say(events.Noticed{Source: "sweep"})
				tell(t, o)
			})
		})
	}
}

func openOffice(t *testing.T, action events.Action, spec graphtest.Device, observed bool) *office {
	cloud := graphtest.NewCloud()
	o := &office{t: t, cloud: cloud, action: action, tenant: cloud.AddTenant("contoso", contoso)}
	o.tenant.SetRules(graphtest.Rules{ApprovalAsObserved: observed})
	o.tenant.RequireApproval()
	o.app = o.tenant.AddApp(officeApp, officeSecret, append(graphtest.AllRoles(), graphtest.ActingRoles()...)...)
	spec.Name, spec.User = laptopName, "ana@contoso.example"
	o.laptop.Key = events.Key{Tenant: contoso, Device: o.tenant.AddDevice(spec).EntraID}
	o.tenant.Infect(laptopName, graphtest.High)
	o.hire()
	return o
}

// hire makes the worker.
func (o *office) hire() {
	tenants := o.reach(officeApp)
	o.store = &drawer{map[string]sheet{}}
	o.guard = &gate.Guard{Store: o.store, Cases: o, Fleet: o, Sink: o, Preflight: gate.Preflight{Checker: preflight{tenants}}}
	o.do = map[events.Action]handlers.Func{
		events.Look: look.Handler{Devices: tenants}.Do,
		events.Sync: sync.Handler{Intune: tenants}.Do,
		events.Mail: func(_ context.Context, _ events.Case, t events.Task) (events.Fact, error) {
			o.mails = append(o.mails, t.Template+" to "+t.Destination)
			return events.Done{Task: t.ID}, nil
		},
		o.action: reset.Handler{Devices: tenants, Intune: lastWord{tenants, o.guard}, Approvals: requests{tenants}}.Do,
	}
	for action, do := range o.do {
		o.do[action] = o.guard.Func(do)
	}
}

func (o *office) reach(app string) graph.Tenants {
	o.t.Helper()
	tenants, err := graph.Open([]graph.Tenant{{
		ID: contoso, Name: "contoso", MailFrom: "it@contoso.example", Auth: graph.Auth{Client: app, Secret: officeSecret},
		SeenWithin: 1000 * time.Hour, Transport: o.cloud.Transport(),
	}})
	check(o.t, err)
	return tenants
}

// rules: the device is looked at twice a day, besides by those who must.
func (o *office) rules() events.Policies {
	return events.Policies{
		List: []events.Policy{{
			Name: "threat", When: risky{}, About: []events.Signal{events.ThreatState}, Grace: 30 * time.Minute, ClearFor: time.Minute,
			Ladder: []events.Rung{
				{Do: []events.Order{{Action: events.Mail}}},
				{After: time.Hour, Do: []events.Order{{Action: o.action}}},
			},
		}},
		Relook:    12 * time.Hour,
		Approvers: events.Approvers{"": {"kim@contoso.example"}},
	}
}

// say lets a fact happen.
func (o *office) say(f events.Fact) {
	var tasks []events.Task
	o.laptop, tasks = events.Step(o.laptop, f, o.rules(), time.Now())
	for _, t := range tasks {
		o.queue = append(o.queue, t.ID)
	}
}

// pass lets time pass, and does what is in the queue.
func (o *office) pass(d time.Duration) {
	o.t.Helper()
	end := time.Now().Add(d)
	for {
		for o.work() {
		}
		at := o.laptop.WakeAt
		if at.IsZero() || at.After(end) {
			time.Sleep(time.Until(end))
			return
		}
		time.Sleep(time.Until(at) + time.Millisecond)
		o.say(events.Rang{})
	}
}

// work does the first task that somebody does, as the journal would have it done.
func (o *office) work() bool {
	i := slices.IndexFunc(o.queue, func(id string) bool {
		t, out := o.laptop.Wants(id)
		return !out || o.do[t.Action] != nil && !(o.rests && t.Action == o.action)
	})
	if i < 0 {
		return false
	}
	id := o.queue[i]
	o.queue = slices.Delete(o.queue, i, i+1)
	t, out := o.laptop.Wants(id)
	if !out {
		return true
	}
	t.Unsure = t.Unsure || t.Begun != nil && t.Accepted == nil
	if t.Action.Effect() && t.Begun == nil {
		if t, out = o.begin(id); !out {
			return true
		}
	}
	ctx, cancel := context.WithTimeout(o.t.Context(), 30*time.Second)
	defer cancel()
	f, err := o.do[t.Action](ctx, o.laptop, t)
	if v := handlers.Read(err); v.GiveUp {
		f = events.Failed{Task: id, Reason: err.Error()}
	} else if err != nil {
		wait := max(v.After, time.Duration((t.Tries+1)*(t.Tries+1))*time.Second)
		f = events.Delayed{Task: id, Until: time.Now().Add(wait), Reason: err.Error(), Unsure: v.Unsure}
	}
	o.say(f)
	return true
}

func (o *office) begin(id string) (events.Task, bool) {
	attempt := fmt.Sprintf("attempt at %d", time.Now().UnixNano())
	o.say(events.Begun{Task: id, Attempt: attempt})
	t, out := o.laptop.Wants(id)
	return t, out && t.Begun != nil && t.Begun.ID == attempt
}

// die begins the task that is in the queue, makes its call if it comes to that, and
// is heard of no more. Whoever serves next finds the task begun.
func (o *office) die(call bool) {
	o.t.Helper()
	o.rests = true
	o.until("it is in the queue", func() bool { t, pending := o.task(); return pending && t.Out && t.Begun == nil })
	t, _ := o.task()
	t, ok := o.begin(t.ID)
	if !ok {
		o.t.Fatalf("it may not begin: %+v", t)
	}
	if call {
		_, err := o.do[o.action](o.t.Context(), o.laptop, t)
		check(o.t, err)
	}
	o.rests = false
}

// task is the destructive one, pending or given up.
func (o *office) task() (t events.Task, pending bool) {
	is := func(t events.Task) bool { return t.Action == o.action }
	if i := slices.IndexFunc(o.laptop.Pending, is); i >= 0 {
		return o.laptop.Pending[i], true
	}
	if i := slices.IndexFunc(o.laptop.Given, is); i >= 0 {
		return o.laptop.Given[i], false
	}
	return events.Task{}, false
}

// until lets time pass until something is so, for four days at most.
func (o *office) until(what string, so func() bool) {
	o.t.Helper()
	for range 4 * 24 * 60 {
		if o.pass(0); so() {
			return
		}
		o.pass(time.Minute)
	}
	task, pending := o.task()
	o.t.Fatalf("four days later it is not so that %s: state %s, pending %v, task %+v, held %+v", what, o.laptop.State(), pending, task, task.Held)
}

// waits lets time pass until the task waits for an administrator, and returns the
// code of the request.
func (o *office) waits() (code string) {
	o.t.Helper()
	o.until("it waits for Microsoft's approval", func() bool {
		t, pending := o.task()
		return pending && t.Held != nil && t.Held.Gate == events.GateMicrosoft && t.Request != ""
	})
	t, _ := o.task()
	if c := o.laptop; c.State() != "awaiting_microsoft_approval" || !strings.Contains(t.Held.Reason, t.Request) {
		o.t.Errorf("state %s, held because %s", c.State(), t.Held.Reason)
	}
	o.calls(0)
	return t.Request
}

// calls checks how many destructive calls were carried out.
func (o *office) calls(want int) {
	o.t.Helper()
	var got []string
	for _, a := range o.tenant.Actions(laptopName) {
		if a.Name == "wipe" || a.Name == "retire" {
			got = append(got, a.Kind)
		}
	}
	if len(got) != want {
		o.t.Fatalf("%d calls were carried out (%v), want %d", len(got), got, want)
	}
}

// done waits until the action is done, and checks that it was done once.
func (o *office) done() {
	o.t.Helper()
	o.until("it is done", func() bool {
		return slices.ContainsFunc(o.laptop.Effects, func(e events.Effect) bool { return e.Action == o.action })
	})
	o.calls(1)
}

// declined waits until the task is given up for such a reason, without a call,
// and for good.
func (o *office) declined(why ...string) {
	o.t.Helper()
	o.until("it is declined", func() bool { t, pending := o.task(); return t.ID != "" && !pending })
	t, _ := o.task()
	for _, w := range why {
		if !strings.Contains(t.Why, w) {
			o.t.Errorf("it was given up because %q; want %q", t.Why, w)
		}
	}
	o.pass(24 * time.Hour)
	if _, pending := o.task(); pending {
		o.t.Error("it came back")
	}
	o.calls(0)
}

// Case, Openings, Devices and Append are what the gates ask of the office: it has one
// case, a thousand devices, and nobody to page about the tenant.
func (o *office) Openings(context.Context, string, time.Time) ([]time.Time, error) {
	return []time.Time{o.laptop.Opened}, nil
}

func (o *office) Case(_ context.Context, k events.Key) (events.Case, uint64, error) {
	return events.Case{Key: k}, 0, nil // of the tenant itself: nothing has happened to it
}

func (o *office) Devices(context.Context, string) (int, bool, error) { return 1000, true, nil }

func (o *office) Append(_ context.Context, k events.Key, f events.Fact, _ string) error {
	return fmt.Errorf("nothing was to happen to %s: %#v", k, f)
}

// A drawer is a store of the gates, in memory.
type drawer struct{ kept map[string]sheet }

type sheet struct {
	value []byte
	rev   uint64
}

func (d *drawer) Get(_ context.Context, key string) ([]byte, uint64, error) {
	return d.kept[key].value, d.kept[key].rev, nil
}

func (d *drawer) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	return d.Update(ctx, key, value, 0)
}

func (d *drawer) Update(_ context.Context, key string, value []byte, rev uint64) (uint64, error) {
	if d.kept[key].rev != rev {
		return 0, errors.New("it was changed")
	}
	d.kept[key] = sheet{value, rev + 1}
	return rev + 1, nil
}

func (d *drawer) Confirm(_ context.Context, key string, rev uint64) error {
	if d.kept[key].rev != rev {
		return errors.New("it was changed")
	}
	return nil
}
