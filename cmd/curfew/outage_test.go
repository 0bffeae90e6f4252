package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/journal"
	"curfew/graph"
	"curfew/graph/graphtest"
	"curfew/handlers"
	"curfew/handlers/look"
)

// An outage is a tenant that Microsoft does not answer for, a worker's journal, sweep
// and looks, and a count of what was done about its laptops.
type outage struct {
	t      *testing.T
	tenant *graphtest.Tenant
	j      *journal.Journal

	mu   sync.Mutex
	done map[string]time.Time // by laptop and action
}

// outWorkers is how many share the tenant's limits: so few laptops come up against them.
const outWorkers = 30

// without tells a story in which a tenant cannot be reached because of a fault, from ten minutes after its first laptop fell ill.
func without(t *testing.T, fault graphtest.Kind, tell func(t *testing.T, o *outage, lift func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := graphtest.NewCloud()
		defer cloud.Close()
		o := &outage{t: t, tenant: cloud.AddTenant("contoso", contoso), done: map[string]time.Time{}}
		o.tenant.AddApp(officeApp, officeSecret, append(graphtest.AllRoles(), graphtest.ActingRoles()...)...)
		tenants, err := graph.Open([]graph.Tenant{{
			ID: contoso, Name: "contoso", MailFrom: "it@contoso.example", Auth: graph.Auth{Client: officeApp, Secret: officeSecret},
			Workers: outWorkers, Transport: cloud.Transport(),
		}})
		check(t, err)
		defer tenants.Close()
		b, err := broker.Embed(t.Context(), broker.Embedded{Dir: t.TempDir(), DontListen: true}, quiet)
		check(t, err)
		o.j, err = journal.Open(t.Context(), b.Conn(), journal.Options{Partitions: 2, Pulse: 30 * time.Second}, quiet)
		check(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		defer func() {
			cancel()
			wg.Wait()
			check(t, b.Stop(context.WithoutCancel(t.Context())))
		}()
		policies := events.Policies{Relook: 100 * time.Hour, List: []events.Policy{{
			Name: "threat", When: risky{}, About: []events.Signal{events.ThreatState}, Grace: time.Hour,
			Ladder: []events.Rung{
				{Do: []events.Order{{Action: events.Mail, Destination: "user"}}},
				{After: 30 * time.Minute, Do: []events.Order{{Action: events.Ticket, Destination: "desk"}}},
				{After: time.Hour, Do: []events.Order{{Action: events.Reset}}},
			},
		}}}
		serve := func(a events.Action, do handlers.Func) {
			wg.Go(func() { check(t, o.j.Serve(ctx, a, do, journal.ServeOptions{})) })
		}
		wg.Go(func() { check(t, o.j.Keep(ctx, func() events.Policies { return policies })) })
		serve(events.Look, look.Handler{Devices: tenants}.Do)
		for _, a := range []events.Action{events.Mail, events.Ticket, events.Reset} {
			serve(a, o.do)
		}
		sweep := &graph.Sweep{Client: tenants[contoso], Sink: o.j, Cases: known{o.j}, Marks: marks{o.j.State()}, Log: quiet, Devices: time.Hour, Alerts: time.Hour, Entra: time.Hour}
		wg.Go(func() { check(t, sweep.Run(ctx)) })

		o.ill(0)
		o.sleep(10 * time.Minute)
		lift := o.tenant.Inject(graphtest.Fault{Kind: fault})
		o.tenant.Forget()
		tell(t, o, lift)
	})
}

func (o *outage) do(_ context.Context, c events.Case, t events.Task) (events.Fact, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	what := c.Device.Name + " " + string(t.Action)
	if at, is := o.done[what]; is {
		o.t.Errorf("%s again, after %v", what, time.Since(at))
	}
	o.done[what] = time.Now()
	return events.Done{Task: t.ID}, nil
}

func (o *outage) at(i int, a events.Action) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.done[laptopNumber(i)+" "+string(a)]
}

func laptopNumber(i int) string { return fmt.Sprintf("LT-%03d", i) }

// ill enrols laptops with malware on them, and notices that about each.
func (o *outage) ill(numbers ...int) {
	o.t.Helper()
	for _, i := range numbers {
		d := o.tenant.AddDevice(graphtest.Device{Name: laptopNumber(i), User: fmt.Sprintf("user%d@contoso.example", i)})
		o.tenant.Infect(d.Name, graphtest.High)
		check(o.t, o.j.Append(o.t.Context(), events.Key{Tenant: contoso, Device: d.EntraID}, events.Noticed{Source: "webhook"}, ""))
	}
}

func (o *outage) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// busiest is the most requests in any window of those whose path begins so.
func (o *outage) busiest(path string, window time.Duration) int {
	var at []time.Time
	for _, r := range o.tenant.Requests() {
		if strings.HasPrefix(r.Path, "/v1.0/"+path) {
			at = append(at, r.At)
		}
	}
	most, from := 0, 0
	for i := range at {
		for at[i].Sub(at[from]) >= window {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// TestGraphDownForADay: looks are tried less and less often; a ticket that is due
// goes out unseen, a reset does not; and when Graph is back, what has piled up is
// looked at within the tenant's budget, and no rung comes before its time.
func TestGraphDownForADay(t *testing.T) {
	without(t, graphtest.Unavailable, func(t *testing.T, o *outage, lift func()) {
		early := numbers(1, 4)
		o.ill(early...)
		o.sleep(23*time.Hour + 57*time.Minute)
		if n := o.tenant.Asked("GET", "/v1.0/deviceManagement/managedDevices"); n > 5*80+24*12*2 {
			t.Errorf("Graph was asked %d times in a day for %d laptops", n, len(early)+1)
		}
		if o.at(0, events.Ticket).IsZero() || !o.at(0, events.Reset).IsZero() {
			t.Errorf("of the first laptop: ticket at %v, reset at %v", o.at(0, events.Ticket), o.at(0, events.Reset))
		}
		late := numbers(5, 24)
		o.ill(late...)
		o.sleep(3 * time.Minute)
		o.tenant.Forget()
		back := time.Now()
		lift()
		o.sleep(3 * time.Hour) // the longest pause between two looks is an hour, and the budget is small
		if n, most := o.busiest("deviceManagement", 20*time.Second), 2000*81/100/outWorkers; n > most {
			t.Errorf("%d requests to Intune in 20 s, and this worker's share is %d", n, most)
		}
		if n, most := o.busiest("security", time.Minute), 150*81/100/outWorkers+1; n > most {
			t.Errorf("%d requests to security in a minute, and this worker's share is %d", n, most)
		}
		for _, i := range slices.Concat(early, late) {
			if o.at(i, events.Mail).Before(back) {
				t.Errorf("%s: the user was told at %v, and Graph was back at %v", laptopNumber(i), o.at(i, events.Mail), back)
			}
		}
		o.sleep(3 * time.Hour)
		for _, i := range slices.Concat([]int{0}, early, late) {
			mail, ticket, reset := o.at(i, events.Mail), o.at(i, events.Ticket), o.at(i, events.Reset)
			if ticket.Sub(mail) < 30*time.Minute || reset.Sub(ticket) < time.Hour || reset.Before(back) {
				t.Errorf("%s: mail %v, ticket %v, reset %v", laptopNumber(i), mail, ticket, reset)
			}
		}
	})
}

// TestWithoutTokens: it is the same, Entra is not stormed, and the case says that
// nothing is wrong with the app.
func TestWithoutTokens(t *testing.T) {
	without(t, graphtest.TokenDown, func(t *testing.T, o *outage, lift func()) {
		o.ill(numbers(1, 3)...)
		o.sleep(3 * time.Hour)
		c, _, err := o.j.Case(t.Context(), events.Key{Tenant: contoso, Device: o.tenant.Device(laptopNumber(1)).EntraID})
		check(t, err)
		if len(c.Pending) != 1 || !strings.Contains(c.Pending[0].Why, "the sign-in service is out of order; nothing is wrong with the app") {
			t.Errorf("the case says %+v", c.Pending)
		}
		if n := o.tenant.Asked("POST", "/"+contoso); n > 3*120 {
			t.Errorf("Entra was asked for a token %d times", n)
		}
		lift()
		o.sleep(90 * time.Minute)
		for _, i := range numbers(1, 3) {
			if o.at(i, events.Mail).IsZero() {
				t.Errorf("%s: its user was told nothing", laptopNumber(i))
			}
		}
	})
}

func numbers(from, to int) (all []int) {
	for i := from; i <= to; i++ {
		all = append(all, i)
	}
	return all
}
