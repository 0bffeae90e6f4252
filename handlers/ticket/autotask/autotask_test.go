package autotask_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/ticket"
	"curfew/handlers/ticket/autotask"
	"curfew/handlers/ticket/autotask/autotasktest"
	"curfew/handlers/ticket/desktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secret      = "canary-of-the-secret"
	integration = "canary-of-the-integration"
)

func newPSA() *autotasktest.PSA {
	return &autotasktest.PSA{User: "curfew@provider.example", Secret: secret, Integration: integration}
}

func newDesk(s *autotasktest.PSA, address string, client *http.Client) *autotask.Desk {
	return &autotask.Desk{
		URL: address, User: s.User, Secret: s.Secret, Integration: s.Integration, Client: client,
		Customers: ticket.Customers[autotask.Place]{
			Routes: map[string]autotask.Place{"contoso": {Company: 123, Queue: 29682833}},
			Triage: &autotask.Place{Own: true, Resource: autotasktest.Ben, Role: 77},
		},
		Fields: ticket.Fields{"userDefinedFields": []any{map[string]any{"name": "Serial", "value": "{{.Device.Serial}}"}}},
	}
}

func TestDeskKeepsThePromises(t *testing.T) {
	desktest.Run(t, func(_ testing.TB, serve desktest.Serve) desktest.World {
		s := newPSA()
		address, client := serve(s, func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/query") })
		do := func(what func(*autotasktest.Ticket)) func(string) {
			return func(ref string) { s.Change(ref, autotasktest.Ben, what) }
		}
		return desktest.World{
			Desk: newDesk(s, address, client), Tickets: func() []desktest.Ticket { return tickets(s) }, Secrets: []string{secret, integration},
			Touch:   do(func(t *autotasktest.Ticket) { t.Assigned = autotasktest.Ben }),
			Resolve: do(func(t *autotasktest.Ticket) { t.Enter(5) }),
			Delete:  do(func(t *autotasktest.Ticket) { t.Gone = true }),
			Copy:    s.Copy,
		}
	})
}

// tickets are those of a PSA as agents see them. Texts are plain, so that nothing in
// them is more than text.
func tickets(s *autotasktest.PSA) []desktest.Ticket {
	var out []desktest.Ticket
	for _, i := range s.Tickets() {
		t := desktest.Ticket{Ref: strconv.FormatInt(i.ID, 10), Key: i.Key, Title: i.Title, Texts: []string{i.Text}}
		for _, n := range i.Notes {
			if t.Texts = append(t.Texts, n.Text); n.Publish != 2 {
				t.Markup = append(t.Markup, "a note that others see")
			}
		}
		switch {
		case i.Gone:
			t.State = ticket.Gone
		case i.Status == 5:
			t.State = ticket.Resolved
		}
		out = append(out, t)
	}
	return out
}

// story is one at a PSA, whose desk may be changed.
func story(t *testing.T, s http.Handler, edit func(*autotask.Desk), tell func(context.Context, *desktest.Story)) {
	t.Helper()
	desktest.Tell(t, s, func(address string, client *http.Client) *autotask.Desk { return newDesk(newPSA(), address, client) }, edit, tell)
}

// must does a task and takes no error.
func must(ctx context.Context, t *testing.T, at *desktest.Story, a events.Action) {
	t.Helper()
	if _, err := at.Do(ctx, a); err != nil {
		t.Fatal(err)
	}
}

// A ticket says all that the customer wants of it; that of a stranger goes to
// triage, here at the provider itself, and says so.
func TestFieldsOfATicket(t *testing.T) {
	s := newPSA()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		must(ctx, t, at, events.Ticket)
		if i := s.Tickets()[0]; i.Company != 123 || i.Queue != 29682833 || i.Priority != 1 || i.Status != 1 || i.Custom["Serial"] != "SN042" {
			t.Errorf("the ticket is %+v", i)
		}
		if want := "https://ww5.autotask.example/Mvc/ServiceDesk/TicketDetail.mvc?ticketId=7001"; at.Case.Effects[0].Link != want {
			t.Errorf("the link is %q, want %q", at.Case.Effects[0].Link, want)
		}
		at.Case.Key.Tenant, at.Case.Effects = "fabrikam", nil
		must(ctx, t, at, events.Ticket)
		if i := s.Tickets()[1]; i.Company != 0 || i.Assigned != autotasktest.Ben || i.Role != 77 || !strings.Contains(i.Text, "fabrikam is not in the customer map") {
			t.Errorf("the ticket is %+v", i)
		}
	})
}

// What can never be done is answered with 500 as well. It is given up, and says why;
// an error that passes, or tells nothing, comes back.
func TestWhatA500Says(t *testing.T) {
	for said, want := range map[string]handlers.Verdict{
		"Picklist value is not valid: queueID.":                                     {GiveUp: true},
		"The Autotask API threshold of 10000 requests per 60 minutes was exceeded.": {After: 5 * time.Minute, Status: 500},
		"Transaction (Process ID 61) was deadlocked":                                {Unsure: true, Status: 500},
		"An unexpected error occurred.":                                             {Unsure: true, Status: 500},
	} {
		s := newPSA()
		s.Busy = said
		story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
			n := ticket.New{Key: "curfew-1", Title: "x", Note: ticket.Note{Text: "x"}}
			n.Event.Device.Tenant = "contoso"
			_, err := at.Desk.Open(ctx, n)
			if got := handlers.Read(err); err == nil || got != want || !strings.Contains(err.Error(), said[:20]) {
				t.Errorf("%q is read as %+v, want %+v: %v", said, got, want, err)
			}
		})
	}
}

// Errors in an answer that says 200 are errors.
func TestWhatA200Says(t *testing.T) {
	odd := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/zoneInformation") {
			newPSA().ServeHTTP(w, r)
			return
		}
		fmt.Fprint(w, `{"itemId": null, "errors": ["Invalid reference value: companyID."]}`)
	})
	story(t, odd, nil, func(ctx context.Context, at *desktest.Story) {
		if _, err := at.Desk.Find(ctx, "curfew-1"); err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "companyID") {
			t.Errorf("got %v", err)
		}
	})
}

// A category that asks for a resolution keeps its ticket open, which is told.
func TestWhatCannotBeCompletedIsTold(t *testing.T) {
	s := newPSA()
	s.Strict = true
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		must(ctx, t, at, events.Ticket)
		time.Sleep(time.Hour)
		must(ctx, t, at, events.Close)
		if i := s.Tickets()[0]; i.Status != 1 || !strings.Contains(i.Notes[len(i.Notes)-1].Text, "this desk has no way to") {
			t.Errorf("it is %+v", i)
		}
	})
}

// What rules do is nobody's; a word from a contact is a person's.
func TestAutomationIsNoPerson(t *testing.T) {
	for by, want := range map[int64]int{autotasktest.Administrator: 5, autotasktest.Ben: 1, 0: 1} {
		s := newPSA()
		story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
			must(ctx, t, at, events.Ticket)
			time.Sleep(time.Hour)
			s.Change(strconv.FormatInt(s.Tickets()[0].ID, 10), by, func(i *autotasktest.Ticket) {
				if by == 0 {
					i.Notes = append(i.Notes, autotasktest.Note{Text: "it works again", Contact: 9, Publish: 1, At: time.Now()})
				}
			})
			time.Sleep(time.Hour)
			must(ctx, t, at, events.Close)
			if got := s.Tickets()[0].Status; got != want {
				t.Errorf("changed by %d, its status is %d, want %d", by, got, want)
			}
		})
	}
}

// The secret goes to no other domain than that which was asked, wherever the zone is
// said to be.
func TestAZoneOfAnotherDomain(t *testing.T) {
	for _, zone := range []string{"https://evil.example/atservicesrest/", "http://fake.example/atservicesrest/", "https://fake.example@evil.example/", "https://xfake.example/", "fake.example"} {
		s := newPSA()
		s.Zone = zone
		story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
			if _, err := at.Desk.Find(ctx, "curfew-1"); err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "not of its own domain") {
				t.Errorf("zone %q: got %v", zone, err)
			}
		})
	}
}

// A list does not go on at another host either.
func TestAListThatGoesOnElsewhere(t *testing.T) {
	odd := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/zoneInformation") {
			newPSA().ServeHTTP(w, r)
			return
		}
		fmt.Fprint(w, `{"items": [{"id": 1}], "pageDetails": {"nextPageUrl": "https://evil.example/atservicesrest/v1.0/Tickets/query"}}`)
	})
	story(t, odd, nil, func(ctx context.Context, at *desktest.Story) {
		if _, err := at.Desk.Find(ctx, "curfew-1"); err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "not in the zone") {
			t.Errorf("got %v", err)
		}
	})
}

// An account that has moved is found in its new zone; a secret that is wrong there
// too is given up.
func TestAnAccountThatMoves(t *testing.T) {
	s := newPSA()
	moved := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Zone != "" && r.Host == "fake.example" && !strings.HasSuffix(r.URL.Path, "/zoneInformation") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		s.ServeHTTP(w, r)
	})
	story(t, moved, func(d *autotask.Desk) { d.URL = "https://fake.example" }, func(ctx context.Context, at *desktest.Story) {
		must(ctx, t, at, events.Ticket)
		s.Secret = "another"
		if _, err := at.Desk.Find(ctx, "curfew-1"); err == nil || !handlers.Read(err).GiveUp || handlers.Read(err).Status != http.StatusUnauthorized {
			t.Errorf("got %v", err)
		}
		s.Secret, s.Zone = secret, "https://fake.example:443/atservicesrest/"
		if found, err := at.Desk.Find(ctx, s.Tickets()[0].Key); err != nil || len(found) != 1 {
			t.Errorf("got %+v, %v", found, err)
		}
	})
}

// No more than three requests are under way at once, however many are wanted.
func TestThreads(t *testing.T) {
	s := newPSA()
	var in, most atomic.Int64
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := in.Add(1)
		defer in.Add(-1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		time.Sleep(time.Second)
		s.ServeHTTP(w, r)
	})
	story(t, slow, nil, func(ctx context.Context, at *desktest.Story) {
		if _, err := at.Desk.Find(ctx, "curfew-1"); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := at.Desk.Find(ctx, "curfew-1"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if most.Load() != 3 {
			t.Errorf("%d requests were under way at once, want 3", most.Load())
		}
	})
}

// A limit is not always answered with the time that it lasts.
func TestALimitWithoutATime(t *testing.T) {
	for said, want := range map[string]time.Duration{"The thread threshold of 3 threads has been exceeded": 10 * time.Second, "": 5 * time.Minute} {
		limited := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprintf(w, `{"errors": [%q]}`, said)
		})
		story(t, limited, nil, func(ctx context.Context, at *desktest.Story) {
			if _, err := at.Desk.Find(ctx, "curfew-1"); handlers.Read(err).After != want || handlers.Read(err).GiveUp {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestADeskThatCannotWork(t *testing.T) {
	for want, edit := range map[string]func(*autotask.Desk){
		"must be https":             func(d *autotask.Desk) { d.URL = "http://webservices2.autotask.net" },
		"tracking identifier":       func(d *autotask.Desk) { d.Integration = "" },
		"own must be true":          func(d *autotask.Desk) { d.Customers.Routes["contoso"] = autotask.Place{Queue: 1} },
		"for the provider itself":   func(d *autotask.Desk) { d.Customers.Triage.Company = 5 },
		"a queue, or a resource":    func(d *autotask.Desk) { d.Customers.Triage.Role = 0 },
		"no company for any tenant": func(d *autotask.Desk) { d.Customers = ticket.Customers[autotask.Place]{} },
		`field "source"`:            func(d *autotask.Desk) { d.Fields["source"] = "{{.Nothing}}" },
	} {
		d := newDesk(newPSA(), "", handlers.NewClient(handlers.Reach{}))
		if err := d.Check(); err != nil {
			t.Fatal(err)
		}
		edit(d)
		if err := d.Check(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// Where the statuses are not those that are shipped, they are what the desk says;
// and its own changes are told by the resource that it names.
func TestStatusesOfTheirOwn(t *testing.T) {
	s := newPSA()
	story(t, s, func(d *autotask.Desk) { d.New, d.Complete, d.Reopened, d.Resource = 8, 7, 1, autotasktest.Us }, func(ctx context.Context, at *desktest.Story) {
		for _, step := range []struct {
			do   events.Action
			want int
		}{{events.Ticket, 8}, {events.Close, 7}, {events.Ticket, 1}} {
			must(ctx, t, at, step.do)
			if all := s.Tickets(); len(all) != 1 || all[0].Status != step.want {
				t.Errorf("after %s there are %+v, want status %d", step.do, all, step.want)
			}
			time.Sleep(time.Hour)
		}
	})
}
