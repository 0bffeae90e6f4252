package connectwise_test

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/ticket"
	"curfew/handlers/ticket/connectwise"
	"curfew/handlers/ticket/connectwise/connectwisetest"
	"curfew/handlers/ticket/desktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	privateKey = "canary-of-the-private-key"
	clientID   = "0a1b2c3d-1111-2222-3333-444455556666"
)

func newPSA() *connectwisetest.PSA {
	return &connectwisetest.PSA{Company: "provider", PublicKey: "canary-of-the-public-key", PrivateKey: privateKey, ClientID: clientID}
}

// desks carry the key in either field.
func desks() map[string]func(*connectwise.Desk) {
	return map[string]func(*connectwise.Desk){
		"externalXRef": func(*connectwise.Desk) {},
		"a custom field": func(d *connectwise.Desk) {
			d.KeyField = connectwise.KeyField{ID: connectwisetest.KeyField, Caption: "Curfew key"}
			d.Fields["customFields"] = []any{map[string]any{"id": 13, "value": "{{.Device.Serial}}"}}
		},
	}
}

func newDesk(s *connectwisetest.PSA, address string, client *http.Client) *connectwise.Desk {
	return &connectwise.Desk{
		URL: address, Company: s.Company, PublicKey: s.PublicKey, PrivateKey: s.PrivateKey, ClientID: s.ClientID, Member: strings.ToLower(connectwisetest.Us), Client: client,
		Customers: ticket.Customers[connectwise.Place]{
			Routes: map[string]connectwise.Place{"contoso": {Company: "ContosoLtd", Board: "Security", Team: "Blue"}},
			Triage: &connectwise.Place{Company: "Provider", Board: "Triage"},
		},
		Fields:     ticket.Fields{"source": map[string]any{"name": "{{.Severity}}"}},
		Automation: []string{"Workflow"},
	}
}

func TestDeskKeepsThePromises(t *testing.T) {
	for name, edit := range desks() {
		t.Run(name, func(t *testing.T) {
			desktest.Run(t, func(_ testing.TB, serve desktest.Serve) desktest.World {
				s := newPSA()
				address, client := serve(s, nil)
				do := func(what func(*connectwisetest.Ticket)) func(string) {
					return func(ref string) { s.Change(ref, "ben", what) }
				}
				d := newDesk(s, address, client)
				edit(d)
				return desktest.World{
					Desk: d, Tickets: func() []desktest.Ticket { return tickets(s) }, Secrets: []string{privateKey, s.PublicKey, clientID},
					Touch:   do(func(t *connectwisetest.Ticket) { t.Owner = "ben" }),
					Resolve: do(func(t *connectwisetest.Ticket) { t.Enter(">Cancelled") }),
					Delete:  do(func(t *connectwisetest.Ticket) { t.Gone = true }),
					Copy:    s.Copy,
				}
			})
		})
	}
}

// link is one of Markdown, or a picture.
var link = regexp.MustCompile(`\[[^\]]*\]\([^)]*\)`)

// tickets are those of a PSA as agents see them.
func tickets(s *connectwisetest.PSA) []desktest.Ticket {
	var out []desktest.Ticket
	for _, i := range s.Tickets() {
		t := desktest.Ticket{Ref: strconv.Itoa(i.ID), Key: i.Key, Title: i.Summary}
		if key, ok := i.Custom[connectwisetest.KeyField].(string); ok && i.Custom[13] == "SN042" {
			t.Key = key
		}
		for _, n := range i.Notes {
			t.Texts = append(t.Texts, n.Text)
			if t.Markup = append(t.Markup, link.FindAllString(n.Text, -1)...); !n.Internal {
				t.Markup = append(t.Markup, "a note that customers see")
			}
		}
		switch {
		case i.Gone:
			t.State = ticket.Gone
		case i.Status.Closed:
			t.State = ticket.Resolved
		}
		out = append(out, t)
	}
	return out
}

// story is one at a PSA, whose desk may be changed.
func story(t *testing.T, s *connectwisetest.PSA, edit func(*connectwise.Desk), tell func(context.Context, *desktest.Story)) {
	t.Helper()
	desktest.Tell(t, s, func(address string, client *http.Client) *connectwise.Desk { return newDesk(s, address, client) }, edit, tell)
}

// must does a task and takes no error.
func must(ctx context.Context, t *testing.T, at *desktest.Story, a events.Action) {
	t.Helper()
	if _, err := at.Do(ctx, a); err != nil {
		t.Fatal(err)
	}
}

// A ticket says all that the customer wants of it, closes as its board does, and
// opens again as new; that of a stranger goes to triage and says so.
func TestFieldsOfATicket(t *testing.T) {
	s := newPSA()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		must(ctx, t, at, events.Ticket)
		i := s.Tickets()[0]
		if i.Company != "ContosoLtd" || i.Board != "Security" || i.Team != "Blue" || i.Severity != "High" || i.Impact != "High" || i.Priority != "" || i.Status.ID != 511 {
			t.Errorf("the ticket is %+v", i)
		}
		if source, ok := i.Source.(map[string]any); !ok || source["name"] != "compromised" {
			t.Errorf("its source is %v", i.Source)
		}
		time.Sleep(time.Hour)
		must(ctx, t, at, events.Close)
		if i := s.Tickets()[0]; i.Status.ID != 514 {
			t.Errorf("closed, its status is %+v", i.Status)
		}
		must(ctx, t, at, events.Ticket)
		if i := s.Tickets()[0]; i.Status.ID != 511 {
			t.Errorf("open again, its status is %+v", i.Status)
		}
		at.Case.Key.Tenant, at.Case.Effects = "fabrikam", nil
		must(ctx, t, at, events.Ticket)
		if i := s.Tickets()[1]; i.Company != "Provider" || i.Board != "Triage" || !strings.Contains(i.Notes[0].Text, "fabrikam is not in the customer map") {
			t.Errorf("the ticket is %+v", i)
		}
	})
}

// Names choose among the statuses of the board that the ticket is on now, with or
// without what sorts them.
func TestNamesOfStatuses(t *testing.T) {
	s := newPSA()
	story(t, s, func(d *connectwise.Desk) { d.Resolved, d.Reopened = "cancelled", "In progress" }, func(ctx context.Context, at *desktest.Story) {
		must(ctx, t, at, events.Ticket)
		time.Sleep(time.Hour)
		must(ctx, t, at, events.Close)
		if i := s.Tickets()[0]; i.Status.ID != 515 {
			t.Errorf("closed, its status is %+v", i.Status)
		}
		must(ctx, t, at, events.Ticket)
		if i := s.Tickets()[0]; i.Status.ID != 512 {
			t.Errorf("open again, its status is %+v", i.Status)
		}
	})
}

// A board that asks for more, one without such a status, and one without any closed
// one: the ticket stays open and is told.
func TestWhatCannotBeClosedIsTold(t *testing.T) {
	for name, edit := range map[string]func(*connectwisetest.PSA, *connectwise.Desk){
		"asks for more":  func(s *connectwisetest.PSA, _ *connectwise.Desk) { s.Strict = true },
		"another name":   func(_ *connectwisetest.PSA, d *connectwise.Desk) { d.Resolved = "Solved" },
		"an open status": func(_ *connectwisetest.PSA, d *connectwise.Desk) { d.Resolved = "In Progress" },
		"an endless board": func(_ *connectwisetest.PSA, d *connectwise.Desk) {
			d.Customers.Routes["contoso"] = connectwise.Place{Company: "ContosoLtd", Board: "Endless"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newPSA()
			story(t, s, func(d *connectwise.Desk) { edit(s, d) }, func(ctx context.Context, at *desktest.Story) {
				must(ctx, t, at, events.Ticket)
				time.Sleep(time.Hour)
				must(ctx, t, at, events.Close)
				i := s.Tickets()[0]
				if i.Status.Closed || !strings.Contains(i.Notes[len(i.Notes)-1].Text, "this desk has no way to") {
					t.Errorf("it is %+v", i)
				}
			})
		})
	}
}

// A company or a board that is not there is no other customer's.
func TestAPlaceThatIsNotThere(t *testing.T) {
	for field, place := range map[string]connectwise.Place{
		"company/identifier": {Company: "Contoso", Board: "Security"},
		"board/name":         {Company: "ContosoLtd", Board: "Safety"},
		"status/name":        {Company: "ContosoLtd", Board: "Triage", Status: "In Progress"},
	} {
		s := newPSA()
		story(t, s, func(d *connectwise.Desk) { d.Customers.Routes["contoso"] = place }, func(ctx context.Context, at *desktest.Story) {
			if _, err := at.Do(ctx, events.Ticket); err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), field) || len(s.Tickets()) != 0 {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A member that is called otherwise would make all its notes a person's. The first
// ticket shows it.
func TestAMemberOfAnotherName(t *testing.T) {
	story(t, newPSA(), func(d *connectwise.Desk) { d.Member = "Curfew" }, func(ctx context.Context, at *desktest.Story) {
		n := ticket.New{Key: "curfew-1", Title: "x", Note: ticket.Note{Text: "x"}}
		n.Event.Device.Tenant = "contoso"
		made, err := at.Desk.Open(ctx, n)
		if err != nil || !strings.Contains(made.Warning, "calls the API member CurfewAPI, not Curfew") {
			t.Errorf("got %+v, %v", made, err)
		}
	})
}

// What a rule changed is nobody's; but a ticket that has an owner is left to them.
func TestAutomationIsNoPerson(t *testing.T) {
	for owner, want := range map[string]bool{"": true, "ben": false} {
		s := newPSA()
		story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
			must(ctx, t, at, events.Ticket)
			time.Sleep(time.Hour)
			s.Change(strconv.Itoa(s.Tickets()[0].ID), "workflow", func(t *connectwisetest.Ticket) { t.Owner = owner })
			time.Sleep(time.Hour)
			must(ctx, t, at, events.Close)
			if got := s.Tickets()[0].Status.Closed; got != want {
				t.Errorf("owned by %q, closed is %v", owner, got)
			}
		})
	}
}

// Keys, a clientId or a region that are wrong are given up, and not shown.
func TestWhatIsRefused(t *testing.T) {
	for want, edit := range map[string]func(*connectwise.Desk){
		"401":              func(d *connectwise.Desk) { d.PrivateKey = "canary-of-another-private-key" },
		"clientId":         func(d *connectwise.Desk) { d.ClientID = "00000000-1111-2222-3333-444455556666" },
		"the right region": func(d *connectwise.Desk) { d.URL += "/x" },
	} {
		story(t, newPSA(), edit, func(ctx context.Context, at *desktest.Story) {
			if _, err := at.Do(ctx, events.Ticket); err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestADeskThatCannotWork(t *testing.T) {
	for want, edit := range map[string]func(*connectwise.Desk){
		"must be https":              func(d *connectwise.Desk) { d.URL = "http://x.myconnectwise.net" },
		"its browse address":         func(d *connectwise.Desk) { d.Browse = "x.myconnectwise.net" },
		"public and private key":     func(d *connectwise.Desk) { d.PublicKey = "" },
		"no plus sign":               func(d *connectwise.Desk) { d.Company = "a+b" },
		"the GUID of":                func(d *connectwise.Desk) { d.ClientID = "curfew" },
		"its key field must have":    func(d *connectwise.Desk) { d.KeyField.Caption = "x" },
		"its member is missing":      func(d *connectwise.Desk) { d.Member = "" },
		"a company and a board":      func(d *connectwise.Desk) { d.Customers.Routes["contoso"] = connectwise.Place{Company: "x"} },
		"Catchall is nobody's":       func(d *connectwise.Desk) { d.Customers.Triage.Company = "catchall" },
		"no company for any tenant,": func(d *connectwise.Desk) { d.Customers = ticket.Customers[connectwise.Place]{} },
		`field "source"`:             func(d *connectwise.Desk) { d.Fields["source"] = "{{.Nothing}}" },
	} {
		d := newDesk(newPSA(), "https://api-eu.myconnectwise.net", handlers.NewClient(handlers.Reach{}))
		if err := d.Check(); err != nil {
			t.Fatal(err)
		}
		edit(d)
		if err := d.Check(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
