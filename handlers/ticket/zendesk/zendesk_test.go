package zendesk_test

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
	"curfew/handlers/ticket/zendesk"
	"curfew/handlers/ticket/zendesk/zendesktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token  = "canary-of-the-api-token"
	secret = "canary-of-the-client-secret"
	minted = "canary-of-an-access-token"
)

func accounts() map[string]func() *zendesktest.Account {
	return map[string]func() *zendesktest.Account{
		"oauth": func() *zendesktest.Account {
			return &zendesktest.Account{ClientID: "curfew", ClientSecret: secret, Life: 10 * time.Minute, Lag: 40 * time.Second}
		},
		"api token": func() *zendesktest.Account {
			return &zendesktest.Account{Email: "curfew@example.com", Token: token}
		},
	}
}

func newDesk(s *zendesktest.Account, address string, client *http.Client) *zendesk.Desk {
	return &zendesk.Desk{
		URL: address, Email: s.Email, Token: s.Token, ClientID: s.ClientID, ClientSecret: s.ClientSecret, Client: client,
		Customers: ticket.Customers[zendesk.Place]{
			Routes: map[string]zendesk.Place{"contoso": {Group: 98738, Organization: 57542, Requester: 20978392}},
			Triage: &zendesk.Place{Group: 98739},
		},
		Tags:   []string{"security"},
		Fields: ticket.Fields{"360001": "{{.Device.Serial}}", "type": "incident"},
	}
}

func TestDeskKeepsThePromises(t *testing.T) {
	for name, account := range accounts() {
		t.Run(name, func(t *testing.T) {
			desktest.Run(t, func(_ testing.TB, serve desktest.Serve) desktest.World {
				s := account()
				address, client := serve(s, func(r *http.Request) bool { return r.URL.Path == "/oauth/tokens" })
				do := func(what func(*zendesktest.Ticket)) func(string) {
					return func(ref string) { s.Change(ref, zendesktest.Ben, what) }
				}
				return desktest.World{
					Desk: newDesk(s, address, client), Tickets: func() []desktest.Ticket { return tickets(s) }, Secrets: []string{token, secret, minted},
					Touch:   do(func(t *zendesktest.Ticket) { t.Assignee = zendesktest.Ben }),
					Resolve: do(func(t *zendesktest.Ticket) { t.Status = "solved" }),
					Close:   s.Merge,
					Delete:  do(func(t *zendesktest.Ticket) { t.Gone = true }),
					Copy:    s.Copy,
				}
			})
		})
	}
}

// tickets are those of the account as agents see them. Subjects are searched for
// placeholders, too (docs: tickets, raw_subject).
func tickets(s *zendesktest.Account) []desktest.Ticket {
	var out []desktest.Ticket
	for _, z := range s.Tickets() {
		t := desktest.Ticket{Ref: strconv.FormatInt(z.ID, 10), Key: z.ExternalID, Title: z.Subject}
		t.State = map[string]ticket.State{"solved": ticket.Resolved, "closed": ticket.Closed}[z.Status]
		if z.Gone {
			t.State = ticket.Gone
		}
		if strings.Contains(z.Subject, "{{") || strings.Contains(z.Subject, "{%") {
			t.Markup = append(t.Markup, z.Subject)
		}
		for _, a := range z.Audits {
			if a.Comment == nil || a.By != zendesktest.Us {
				continue
			}
			text, more := desktest.Shown(a.Comment.HTML)
			t.Texts = append(t.Texts, text)
			if t.Markup = append(t.Markup, more...); a.Comment.Public {
				t.Markup = append(t.Markup, "a comment that customers see")
			}
		}
		out = append(out, t)
	}
	return out
}

// story is one at an account, whose desk may be changed.
func story(t *testing.T, s *zendesktest.Account, edit func(*zendesk.Desk), tell func(context.Context, *desktest.Story)) {
	t.Helper()
	desktest.Tell(t, s, func(address string, client *http.Client) *zendesk.Desk { return newDesk(s, address, client) }, edit, tell)
}

// A ticket says all that the customer wants of it.
func TestFieldsOfATicket(t *testing.T) {
	s := accounts()["api token"]()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		if err := at.Open(ctx); err != nil {
			t.Fatal(err)
		}
		f := s.Tickets()[0].Fields
		for name, want := range map[string]string{
			"group_id": "98738", "organization_id": "57542", "requester_id": "2.0978392e+07", "priority": "urgent", "type": "incident",
			"tags": "[curfew security]", "custom_fields": "[map[id:360001 value:SN042]]", "brand_id": "<nil>",
		} {
			if got := fmt.Sprint(f[name]); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	})
}

// A tenant that nobody has mapped goes to triage, and the ticket says so; without
// a group for triage it is given up.
func TestAStrangersTicketGoesToTriage(t *testing.T) {
	s := accounts()["oauth"]()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		at.Case.Key.Tenant = "fabrikam"
		if err := at.Open(ctx); err != nil {
			t.Fatal(err)
		}
		if z := s.Tickets()[0]; z.Fields["group_id"] != 98739.0 || !strings.Contains(z.Audits[0].Comment.HTML, "fabrikam is not in the customer map") {
			t.Errorf("the ticket is %+v", z)
		}
	})
	s = accounts()["oauth"]()
	story(t, s, func(d *zendesk.Desk) { d.Customers.Triage = nil }, func(ctx context.Context, at *desktest.Story) {
		at.Case.Key.Tenant = "fabrikam"
		if _, err := at.Do(ctx, events.Ticket); err == nil || !handlers.Read(err).GiveUp || len(s.Tickets()) != 0 {
			t.Errorf("got %v", err)
		}
	})
}

// Zendesk knows a request again for two hours, even if its list does not: the same
// makes nothing, another under the same key is told apart from a mistake, and a
// new task may have another ticket.
func TestIdempotencyKeys(t *testing.T) {
	s := accounts()["api token"]()
	s.Lag = time.Hour // far more than the desk thinks
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		n := ticket.New{Key: "curfew-1", Title: "a title", Note: ticket.Note{Task: "a task", Text: "one", Event: ticket.Event{Device: ticket.Device{Tenant: "contoso"}}}}
		first, err := at.Desk.Open(ctx, n)
		if err != nil {
			t.Fatal(err)
		}
		again, err := at.Desk.Open(ctx, n)
		if err != nil || again.Ref != first.Ref || len(s.Tickets()) != 1 {
			t.Errorf("the same again: %+v, %v; there are %d", again, err, len(s.Tickets()))
		}
		n.Text = "two"
		if _, err = at.Desk.Open(ctx, n); !handlers.Read(err).Unsure || handlers.Read(err).GiveUp || handlers.Read(err).After == 0 || len(s.Tickets()) != 1 {
			t.Errorf("another text: %v", err)
		}
		time.Sleep(2*time.Hour + time.Second)
		if _, err = at.Desk.Open(ctx, n); err != nil || len(s.Tickets()) != 2 {
			t.Errorf("two hours later: %v", err)
		}
		n.Task = "another task"
		if _, err = at.Desk.Open(ctx, n); err != nil || len(s.Tickets()) != 3 {
			t.Errorf("another task: %v", err)
		}
	})
}

// What was merged is closed: it is left alone, and a follow-up goes on from it.
func TestAMergedTicketIsFollowedUp(t *testing.T) {
	s := accounts()["api token"]()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		if err := at.Open(ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		s.Merge("1")
		if err := at.Open(ctx); err != nil {
			t.Fatal(err)
		}
		all := s.Tickets()
		if len(all) != 2 || all[1].Fields["via_followup_source_id"] != "1" || len(all[0].Audits) != 2 {
			t.Errorf("there are %+v", all)
		}
	})
}

// A ticket that nobody has is taken to be solved, and given back when it is opened
// again.
func TestASolvedTicketWasTaken(t *testing.T) {
	s := accounts()["api token"]()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		if err := at.Open(ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		for _, want := range []struct {
			do       events.Action
			status   string
			assignee int64
		}{{events.Close, "solved", zendesktest.Us}, {events.Ticket, "open", 0}} {
			if _, err := at.Do(ctx, want.do); err != nil {
				t.Fatal(err)
			}
			if z := s.Tickets()[0]; z.Status != want.status || z.Assignee != want.assignee {
				t.Errorf("it is %s with %d, want %+v", z.Status, z.Assignee, want)
			}
			time.Sleep(time.Hour)
		}
	})
}

// A ticket that cannot be solved stays open and is told.
func TestWhatCannotBeSolvedIsTold(t *testing.T) {
	for name, edit := range map[string]func(*zendesktest.Account){
		"a field is required":     func(s *zendesktest.Account) { s.Demands = true },
		"we are not in the group": func(s *zendesktest.Account) { s.Outsider = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := accounts()["api token"]()
			edit(s)
			story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
				if err := at.Open(ctx); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
				if _, err := at.Do(ctx, events.Close); err != nil {
					t.Fatal(err)
				}
				z := s.Tickets()[0]
				if last := z.Audits[len(z.Audits)-1].Comment; z.Status != "new" || last == nil || !strings.Contains(last.HTML, "this desk has no way to") {
					t.Errorf("it is %+v", z)
				}
			})
		})
	}
}

// What Zendesk's own rules change is no person's doing.
func TestAutomationIsNoPerson(t *testing.T) {
	for by, want := range map[int64]string{zendesktest.System: "solved", zendesktest.Ben: "new"} {
		s := accounts()["api token"]()
		story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
			if err := at.Open(ctx); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			s.Change("1", by, func(*zendesktest.Ticket) {})
			if _, err := at.Do(ctx, events.Close); err != nil {
				t.Fatal(err)
			}
			z := s.Tickets()[0]
			if z.Status != want {
				t.Errorf("changed by %d, it is %s", by, z.Status)
			}
			if last := z.Audits[len(z.Audits)-1].Comment.HTML; by == zendesktest.Ben && !strings.Contains(last, "Ben Example has changed it") {
				t.Errorf("it says %s", last)
			}
		})
	}
}

// Who takes a ticket is called by one name, as the assignee and as who did it; we
// ourselves have none.
func TestWhoHasATicket(t *testing.T) {
	s := accounts()["api token"]()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		if err := at.Open(ctx); err != nil {
			t.Fatal(err)
		}
		s.Change("1", zendesktest.Ben, func(z *zendesktest.Ticket) { z.Assignee = zendesktest.Ben })
		if got, err := at.Desk.Read(ctx, "1"); err != nil || got.Assignee != "Ben Example" || got.Person != got.Assignee {
			t.Errorf("got %+v, %v", got, err)
		}
		s.Change("1", zendesktest.System, func(z *zendesktest.Ticket) { z.Assignee = 99 })
		if got, err := at.Desk.Read(ctx, "1"); err != nil || got.Assignee != "user 99" || got.Person != "Ben Example" {
			t.Errorf("got %+v, %v", got, err)
		}
		s.Change("1", zendesktest.Ben, func(z *zendesktest.Ticket) { z.Assignee = zendesktest.Us })
		if got, err := at.Desk.Read(ctx, "1"); err != nil || got.Assignee != "" {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

// When a ticket has had its updates, the desk says how long to wait.
func TestThirtyUpdatesInTenMinutes(t *testing.T) {
	s := accounts()["api token"]()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		if err := at.Open(ctx); err != nil {
			t.Fatal(err)
		}
		made := ticket.Ticket{Ref: "1"}
		for range 30 {
			if _, err := at.Desk.Comment(ctx, made, ticket.Note{Text: "a note"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		_, err := at.Desk.Comment(ctx, made, ticket.Note{Text: "one too many"})
		v := handlers.Read(err)
		if v.Status != http.StatusTooManyRequests || v.After < 9*time.Minute {
			t.Fatalf("got %v", err)
		}
		time.Sleep(v.After)
		if _, err := at.Desk.Comment(ctx, made, ticket.Note{Text: "in time"}); err != nil {
			t.Error(err)
		}
	})
}

// An access token that was withdrawn is replaced at once; who has none hears what
// to check.
func TestTokens(t *testing.T) {
	s := accounts()["oauth"]()
	s.Life = 0
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		if err := at.Open(ctx); err != nil {
			t.Fatal(err)
		}
		s.Revoke()
		time.Sleep(2 * time.Minute)
		if found, err := at.Desk.Find(ctx, s.Tickets()[0].ExternalID); err != nil || len(found) != 1 {
			t.Errorf("got %+v, %v", found, err)
		}
		s.Revoke()
		s.ClientSecret = "another"
		if _, err := at.Desk.Find(ctx, "curfew-1"); err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "access token") || strings.Contains(err.Error(), secret) {
			t.Errorf("got %v", err)
		}
	})
	s = accounts()["api token"]()
	story(t, s, func(d *zendesk.Desk) { d.Token = "a dead one, since 2027" }, func(ctx context.Context, at *desktest.Story) {
		if _, err := at.Desk.Read(ctx, "1"); err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "check the credentials") {
			t.Errorf("got %v", err)
		}
	})
}

func TestADeskThatCannotWork(t *testing.T) {
	for want, edit := range map[string]func(*zendesk.Desk){
		"must be https":              func(d *zendesk.Desk) { d.URL = "http://x.zendesk.com" },
		"either an OAuth client":     func(d *zendesk.Desk) { d.Token = "" },
		"or an email and API token":  func(d *zendesk.Desk) { d.ClientID, d.ClientSecret = "x", "y" },
		"no client":                  func(d *zendesk.Desk) { d.Client = nil },
		"without spaces":             func(d *zendesk.Desk) { d.Tags = []string{"two words"} },
		"none of urgent":             func(d *zendesk.Desk) { d.Priorities = map[string]string{"high": "P1"} },
		"customer contoso: the grou": func(d *zendesk.Desk) { d.Customers.Routes["contoso"] = zendesk.Place{Requester: 1} },
		"no group for any tenant":    func(d *zendesk.Desk) { d.Customers = ticket.Customers[zendesk.Place]{} },
		`field "360001"`:             func(d *zendesk.Desk) { d.Fields["360001"] = "{{.Nothing}}" },
	} {
		d := newDesk(accounts()["api token"](), "https://x.zendesk.com", handlers.NewClient(handlers.Reach{}))
		if err := d.Check(); err != nil {
			t.Fatal(err)
		}
		edit(d)
		if err := d.Check(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), token) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
