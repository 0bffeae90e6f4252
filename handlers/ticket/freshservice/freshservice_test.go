package freshservice_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/ticket"
	"curfew/handlers/ticket/desktest"
	"curfew/handlers/ticket/freshservice"
	"curfew/handlers/ticket/freshservice/freshservicetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "canary-of-the-api-key"

func newDesk(s *freshservicetest.Account, address string, client *http.Client) *freshservice.Desk {
	return &freshservice.Desk{
		URL: address, Key: s.Key, Client: client,
		Customers: ticket.Customers[freshservice.Place]{
			Routes: map[string]freshservice.Place{"contoso": {Group: 11, Workspace: freshservicetest.Customer, Department: 5, Fields: ticket.Fields{"custom_fields": map[string]any{"site": "{{.Device.Tenant}}"}}}},
			Triage: &freshservice.Place{Group: 12},
		},
		Tags:   []string{"security"},
		Fields: ticket.Fields{"custom_fields": map[string]any{"serial": "{{.Device.Serial}}"}, "urgency": 3},
	}
}

func TestDeskKeepsThePromises(t *testing.T) {
	desktest.Run(t, func(_ testing.TB, serve desktest.Serve) desktest.World {
		s := &freshservicetest.Account{Key: key, Lag: 4 * time.Minute, Plan: freshservicetest.Enterprise()}
		address, client := serve(s, nil)
		do := func(what func(*freshservicetest.Ticket)) func(string) {
			return func(ref string) { s.Change(ref, freshservicetest.Ben, what) }
		}
		return desktest.World{
			Desk: newDesk(s, address, client), Tickets: func() []desktest.Ticket { return tickets(s) }, Secrets: []string{key},
			Touch:   do(func(t *freshservicetest.Ticket) { t.Responder = freshservicetest.Ben }),
			Resolve: do(func(t *freshservicetest.Ticket) { t.Enter(4) }),
			Close:   do(func(t *freshservicetest.Ticket) { t.Enter(5) }),
			Delete:  do(func(t *freshservicetest.Ticket) { t.Gone = true }),
			Copy:    s.Copy,
		}
	})
}

// A filter that finds everything is not believed: what it found must show the key.
func TestADeafFilter(t *testing.T) {
	s := &freshservicetest.Account{Key: key, Deaf: true}
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		for n := range 3 {
			at.Case.Key.Device, at.Case.Effects = fmt.Sprint("device-", n), nil
			if err := at.Open(ctx); err != nil {
				t.Fatal(err)
			}
		}
		all := s.Tickets()
		if len(all) != 3 {
			t.Fatalf("three cases have %d tickets", len(all))
		}
		s.Copy("2", 1)
		for n, f := range all {
			found, err := at.Desk.Find(ctx, f.Tags[1])
			if err != nil || found[len(found)-1].Ref != strconv.Itoa(n+1) || (len(found) == 2) != (n == 1) {
				t.Errorf("of case %d there is found: %+v, %v", n, found, err)
			}
		}
		if found, err := at.Desk.Find(ctx, "curfew-0"); err != nil || len(found) != 0 {
			t.Errorf("of no case there is found: %+v, %v", found, err)
		}
		for n := range 40 {
			if _, err := at.Desk.Open(ctx, ticket.New{Key: fmt.Sprint("curfew-1", n), Title: "a title", Note: ticket.Note{Text: "a text", Event: ticket.Event{Device: ticket.Device{Tenant: "contoso"}}}}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := at.Desk.Find(ctx, "curfew-0"); !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "see tags") {
			t.Errorf("of too many there is found: %v", err)
		}
	})
}

// tickets are those of the account as agents see them.
func tickets(s *freshservicetest.Account) []desktest.Ticket {
	var out []desktest.Ticket
	for _, f := range s.Tickets() {
		t := desktest.Ticket{Ref: strconv.FormatInt(f.ID, 10), Title: f.Subject}
		t.State = map[int]ticket.State{4: ticket.Resolved, 5: ticket.Closed}[f.Status]
		if f.Gone {
			t.State = ticket.Gone
		}
		for _, tag := range f.Tags {
			if strings.HasPrefix(tag, "curfew-") {
				t.Key = tag
			}
		}
		markup := []string{f.Description}
		for _, n := range f.Notes {
			if markup = append(markup, n.HTML); !n.Private {
				t.Markup = append(t.Markup, "a note that requesters see")
			}
		}
		for _, m := range markup {
			text, more := desktest.Shown(m)
			t.Texts, t.Markup = append(t.Texts, text), append(t.Markup, more...)
		}
		out = append(out, t)
	}
	return out
}

// story is one at an account, whose desk may be changed.
func story(t *testing.T, s *freshservicetest.Account, edit func(*freshservice.Desk), tell func(context.Context, *desktest.Story)) {
	t.Helper()
	desktest.Tell(t, s, func(address string, client *http.Client) *freshservice.Desk { return newDesk(s, address, client) }, edit, tell)
}

// A ticket says all that the customer wants of it, and lies in the customer's
// workspace.
func TestFieldsOfATicket(t *testing.T) {
	s := &freshservicetest.Account{Key: key}
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		if err := at.Open(ctx); err != nil {
			t.Fatal(err)
		}
		f := s.Tickets()[0]
		for name, want := range map[string]string{
			"group_id": "11", "workspace_id": "7", "department_id": "5", "requester_id": strconv.Itoa(freshservicetest.Us), "priority": "4", "urgency": "3",
			"custom_fields": "map[serial:SN042 site:contoso]",
		} {
			got := fmt.Sprint(f.Fields[name])
			if n, ok := f.Fields[name].(float64); ok {
				got = strconv.FormatFloat(n, 'f', -1, 64)
			}
			if got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
		if f.Workspace != freshservicetest.Customer || len(f.Tags) != 3 || f.Tags[2] != "security" {
			t.Errorf("the ticket is %+v", f)
		}
	})
}

// A tenant that nobody has mapped goes to triage, and the ticket says so; without
// a group for triage it is given up.
func TestAStrangersTicketGoesToTriage(t *testing.T) {
	s := &freshservicetest.Account{Key: key}
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		at.Case.Key.Tenant = "fabrikam"
		if err := at.Open(ctx); err != nil {
			t.Fatal(err)
		}
		if f := s.Tickets()[0]; f.Fields["group_id"] != 12.0 || f.Workspace != freshservicetest.Primary || !strings.Contains(f.Description, "fabrikam is not in the customer map") {
			t.Errorf("the ticket is %+v", f)
		}
	})
	s = &freshservicetest.Account{Key: key}
	story(t, s, func(d *freshservice.Desk) { d.Customers.Triage = nil }, func(ctx context.Context, at *desktest.Story) {
		at.Case.Key.Tenant = "fabrikam"
		if _, err := at.Do(ctx, events.Ticket); err == nil || !handlers.Read(err).GiveUp || len(s.Tickets()) != 0 {
			t.Errorf("got %v", err)
		}
	})
}

// Tickets are searched in every workspace, but only if there is more than one.
func TestWorkspaces(t *testing.T) {
	for _, one := range []bool{false, true} {
		s := &freshservicetest.Account{Key: key}
		story(t, s, func(d *freshservice.Desk) {
			if one {
				d.Customers.Routes["contoso"] = freshservice.Place{Group: 11}
			}
		}, func(ctx context.Context, at *desktest.Story) {
			if err := at.Open(ctx); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			f := s.Tickets()[0]
			if found, err := at.Desk.Find(ctx, f.Tags[1]); err != nil || len(found) != 1 || (f.Workspace == freshservicetest.Primary) != one {
				t.Errorf("in workspace %d there is found: %+v, %v", f.Workspace, found, err)
			}
		})
	}
}

// What the form demands can be configured; else the ticket stays open and is told.
func TestWhatAFormDemands(t *testing.T) {
	for resolution, want := range map[string]int{"the device is healthy ({{.Device.Name}})": 4, "": 2} {
		s := &freshservicetest.Account{Key: key, Demands: true}
		story(t, s, func(d *freshservice.Desk) {
			if resolution != "" {
				d.Resolution = ticket.Fields{"resolution_notes": resolution}
			}
		}, func(ctx context.Context, at *desktest.Story) {
			if err := at.Open(ctx); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			if _, err := at.Do(ctx, events.Close); err != nil {
				t.Fatal(err)
			}
			f := s.Tickets()[0]
			last := f.Notes[len(f.Notes)-1].HTML
			if f.Status != want || strings.Contains(last, "this desk has no way to") != (want == 2) {
				t.Errorf("it is %d and says %s", f.Status, last)
			}
			if want == 4 && f.Fields["resolution_notes"] != "the device is healthy (LT-042)" {
				t.Errorf("its fields are %v", f.Fields)
			}
		})
	}
}

// What workflows change is no person's doing; a person is found behind any number
// of them.
func TestWorkflowsAreNobody(t *testing.T) {
	for _, touched := range []bool{false, true} {
		s := &freshservicetest.Account{Key: key}
		story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
			if err := at.Open(ctx); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			if touched {
				s.Change("1", freshservicetest.Ben, func(*freshservicetest.Ticket) {})
			}
			for range 100 {
				s.Change("1", freshservicetest.Workflow, func(*freshservicetest.Ticket) {})
			}
			if _, err := at.Do(ctx, events.Close); err != nil {
				t.Fatal(err)
			}
			f := s.Tickets()[0]
			last := f.Notes[len(f.Notes)-1].HTML
			if touched && (f.Status != 2 || !strings.Contains(last, "Ben Example has changed it")) || !touched && f.Status != 4 {
				t.Errorf("touched %v, it is %d and says %s", touched, f.Status, last)
			}
		})
	}
}

// Who takes a ticket is called by one name, as the assignee and as who did it.
func TestWhoHasATicket(t *testing.T) {
	s := &freshservicetest.Account{Key: key}
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		if err := at.Open(ctx); err != nil {
			t.Fatal(err)
		}
		for by, want := range map[int64]string{freshservicetest.Ben: "Ben Example", freshservicetest.Us: "", 99: "user 99"} {
			s.Change("1", freshservicetest.Ben, func(f *freshservicetest.Ticket) { f.Responder = by })
			if got, err := at.Desk.Read(ctx, "1"); err != nil || got.Assignee != want || got.Person != "Ben Example" {
				t.Errorf("got %+v, %v", got, err)
			}
		}
	})
}

// A state of the customer's own that ends tickets does so here.
func TestStatesOfOnesOwn(t *testing.T) {
	s := &freshservicetest.Account{Key: key}
	story(t, s, func(d *freshservice.Desk) { d.Ended = []int{8} }, func(ctx context.Context, at *desktest.Story) {
		if err := at.Open(ctx); err != nil {
			t.Fatal(err)
		}
		for status, want := range map[int]ticket.State{3: ticket.Open, 8: ticket.Closed} {
			s.Change("1", freshservicetest.Ben, func(f *freshservicetest.Ticket) { f.Enter(status) })
			if got, err := at.Desk.Read(ctx, "1"); err != nil || got.State != want {
				t.Errorf("%d is %v, %v", status, got.State, err)
			}
		}
	})
}

// Even the smallest plan is enough for twenty cases, if one takes one's time.
func TestTheSmallestPlan(t *testing.T) {
	s := &freshservicetest.Account{Key: key, Plan: freshservicetest.Starter()}
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		start := time.Now()
		for n := range 20 {
			at.Case.Key.Device, at.Case.Effects = fmt.Sprint("device-", n), nil
			for {
				_, err := at.Do(ctx, events.Ticket)
				v := handlers.Read(err)
				if err == nil {
					break
				}
				if v.GiveUp || v.After == 0 {
					t.Fatal(err)
				}
				time.Sleep(v.After)
			}
			at.Case.Asked = 0
			for range 3 {
				_, err := at.Desk.Read(ctx, strconv.Itoa(n+1))
				if v := handlers.Read(err); err != nil && v.After == 0 {
					t.Fatal(err)
				} else {
					time.Sleep(v.After)
				}
			}
		}
		if took := time.Since(start); len(s.Tickets()) != 20 || took < time.Minute {
			t.Errorf("%d tickets after %v", len(s.Tickets()), took)
		}
	})
}

func TestADeskThatCannotWork(t *testing.T) {
	for want, edit := range map[string]func(*freshservice.Desk){
		"must be https":               func(d *freshservice.Desk) { d.URL = "http://x.freshservice.com" },
		"API key, is missing":         func(d *freshservice.Desk) { d.Key = "" },
		"no client":                   func(d *freshservice.Desk) { d.Client = nil },
		"without spaces":              func(d *freshservice.Desk) { d.Tags = []string{"two words"} },
		"must be 1 to 4":              func(d *freshservice.Desk) { d.Priorities = map[string]int{"high": 5} },
		"not one of your own":         func(d *freshservice.Desk) { d.Ended = []int{4} },
		"customer contoso: the group": func(d *freshservice.Desk) { d.Customers.Routes["contoso"] = freshservice.Place{Workspace: 1} },
		"no group for any tenant":     func(d *freshservice.Desk) { d.Customers = ticket.Customers[freshservice.Place]{} },
		`field "resolution_notes"`:    func(d *freshservice.Desk) { d.Resolution = ticket.Fields{"resolution_notes": "{{.Nothing}}"} },
	} {
		d := newDesk(&freshservicetest.Account{Key: key}, "https://x.freshservice.com", handlers.NewClient(handlers.Reach{}))
		if err := d.Check(); err != nil {
			t.Fatal(err)
		}
		edit(d)
		if err := d.Check(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), key) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
