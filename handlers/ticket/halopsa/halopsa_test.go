package halopsa_test

import (
	"context"
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
	"curfew/handlers/ticket/halopsa"
	"curfew/handlers/ticket/halopsa/halopsatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secret = "canary-of-the-client-secret"
	minted = "canary-of-an-access-token"
)

func instances() map[string]func() *halopsatest.Instance {
	return map[string]func() *halopsatest.Instance{
		"its own": func() *halopsatest.Instance {
			return &halopsatest.Instance{ClientID: "an-id", ClientSecret: secret, Clients: []int{12, 13}}
		},
		"hosted": func() *halopsatest.Instance {
			return &halopsatest.Instance{ClientID: "an-id", ClientSecret: secret, Clients: []int{12, 13}, Tenant: "contoso", Life: 5 * time.Minute, Lag: 90 * time.Second, Lists: true}
		},
	}
}

func newDesk(s *halopsatest.Instance, address string, client *http.Client) *halopsa.Desk {
	return &halopsa.Desk{
		URL: address, ClientID: s.ClientID, ClientSecret: s.ClientSecret, Tenant: s.Tenant, Client: client,
		Customers: ticket.Customers[halopsa.Place]{
			Routes: map[string]halopsa.Place{"contoso": {Client: 12, Type: 1, Team: "Security"}},
			Triage: &halopsa.Place{Client: 13, Type: 1},
		},
		Fields: ticket.Fields{"customfields": []any{map[string]any{"name": "CFserial", "value": "{{.Device.Serial}}"}}},
	}
}

func TestDeskKeepsThePromises(t *testing.T) {
	for name, instance := range instances() {
		t.Run(name, func(t *testing.T) {
			desktest.Run(t, func(_ testing.TB, serve desktest.Serve) desktest.World {
				s := instance()
				address, client := serve(s, func(r *http.Request) bool { return r.URL.Path == "/auth/token" })
				do := func(what func(*halopsatest.Ticket)) func(string) {
					return func(ref string) { s.Change(ref, halopsatest.Ben, "", what) }
				}
				return desktest.World{
					Desk: newDesk(s, address, client), Tickets: func() []desktest.Ticket { return tickets(s) }, Secrets: []string{secret, minted},
					Touch:   do(func(t *halopsatest.Ticket) { t.Agent = halopsatest.Ben }),
					Resolve: do(func(t *halopsatest.Ticket) { t.Enter(9) }),
					Delete:  do(func(t *halopsatest.Ticket) { t.Gone = true }),
					Copy:    s.Copy,
				}
			})
		})
	}
}

// tickets are those of an instance as agents see them, without what others did.
func tickets(s *halopsatest.Instance) []desktest.Ticket {
	var out []desktest.Ticket
	for _, i := range s.Tickets() {
		said, more := desktest.Shown(i.Details)
		title, key, _ := strings.Cut(strings.TrimSuffix(i.Summary, "]"), " [curfew-")
		t := desktest.Ticket{Ref: strconv.Itoa(i.ID), Key: "curfew-" + key, Title: title, Texts: []string{said}, Markup: more}
		for n, a := range i.Actions {
			if n == 0 || a.Agent != halopsatest.Us || a.HTML == "" {
				continue
			}
			said, more := desktest.Shown(a.HTML)
			t.Texts = append(t.Texts, said)
			if t.Markup = append(t.Markup, more...); !a.Hidden {
				t.Markup = append(t.Markup, "a note that users see")
			}
		}
		switch {
		case i.Gone:
			t.State = ticket.Gone
		case i.Status == 9:
			t.State = ticket.Resolved
		}
		out = append(out, t)
	}
	return out
}

// story is one at an instance, whose desk may be changed.
func story(t *testing.T, s *halopsatest.Instance, edit func(*halopsa.Desk), tell func(context.Context, *desktest.Story)) {
	t.Helper()
	desktest.Tell(t, s, func(address string, client *http.Client) *halopsa.Desk { return newDesk(s, address, client) }, edit, tell)
}

// must does a task and takes no error.
func must(ctx context.Context, t *testing.T, at *desktest.Story, a events.Action) {
	t.Helper()
	if _, err := at.Do(ctx, a); err != nil {
		t.Fatal(err)
	}
}

// A ticket says all that the customer wants of it; that of a stranger goes to
// triage and says so.
func TestFieldsOfATicket(t *testing.T) {
	s := instances()["its own"]()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		must(ctx, t, at, events.Ticket)
		if i := s.Tickets()[0]; i.Client != 12 || i.Type != 1 || i.Priority != 1 || i.Team != "Security" || i.User != -1 || i.Custom["CFserial"] != "SN042" {
			t.Errorf("the ticket is %+v", i)
		}
		at.Case.Key.Tenant, at.Case.Effects = "fabrikam", nil
		must(ctx, t, at, events.Ticket)
		if i := s.Tickets()[1]; i.Client != 13 || !strings.Contains(i.Details, "fabrikam is not in the customer map") {
			t.Errorf("the ticket is %+v", i)
		}
	})
	s = instances()["its own"]()
	story(t, s, func(d *halopsa.Desk) { d.Customers.Triage = nil }, func(ctx context.Context, at *desktest.Story) {
		at.Case.Key.Tenant = "fabrikam"
		if _, err := at.Do(ctx, events.Ticket); err == nil || !handlers.Read(err).GiveUp || len(s.Tickets()) != 0 {
			t.Errorf("got %v", err)
		}
	})
}

// Halo puts a ticket under another client when the agent may not see the one that
// it names. That must not go unnoticed.
func TestAnotherClientIsAWarning(t *testing.T) {
	s := instances()["its own"]()
	s.Clients = nil
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		n := ticket.New{Key: "curfew-1", Title: "x", Note: ticket.Note{Text: "x"}}
		n.Event.Device.Tenant = "contoso"
		made, err := at.Desk.Open(ctx, n)
		if err != nil || !strings.Contains(made.Warning, "under client 1, not 12") {
			t.Errorf("got %+v, %v", made, err)
		}
	})
}

// A closure that asks for a field cannot be made, so the ticket stays open and is
// told; and so it is with an outcome that was taken away, which nothing can cure.
func TestWhatCannotBeClosedIsTold(t *testing.T) {
	s := instances()["its own"]()
	s.Strict = true
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		must(ctx, t, at, events.Ticket)
		time.Sleep(time.Hour)
		must(ctx, t, at, events.Close)
		i := s.Tickets()[0]
		if i.Status != 1 || !strings.Contains(i.Actions[len(i.Actions)-1].HTML, "this desk has no way to") {
			t.Errorf("it is %+v", i)
		}
	})
	s = instances()["its own"]()
	story(t, s, func(d *halopsa.Desk) { d.Outcome = 99 }, func(ctx context.Context, at *desktest.Story) {
		must(ctx, t, at, events.Ticket)
		time.Sleep(2 * time.Hour)
		if _, err := at.Do(ctx, events.Ticket); err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "Outcome") {
			t.Errorf("got %v", err)
		}
	})
}

// What the instance does by itself, or an application that the desk knows, is no
// person's; everything else is.
func TestAutomationIsNoPerson(t *testing.T) {
	for name, tt := range map[string]struct {
		agent int
		app   string
		want  int
	}{
		"a rule":              {halopsatest.Nobody, "", 9},
		"a known application": {halopsatest.Ben, "Huntress", 9},
		"another application": {halopsatest.Ben, "Acronis", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := instances()["its own"]()
			story(t, s, func(d *halopsa.Desk) { d.Automation = []string{"Huntress"} }, func(ctx context.Context, at *desktest.Story) {
				must(ctx, t, at, events.Ticket)
				time.Sleep(time.Hour)
				s.Change(strconv.Itoa(s.Tickets()[0].ID), tt.agent, tt.app, func(*halopsatest.Ticket) {})
				time.Sleep(time.Hour)
				must(ctx, t, at, events.Close)
				if got := s.Tickets()[0].Status; got != tt.want {
					t.Errorf("its status is %d, want %d", got, tt.want)
				}
			})
		})
	}
}

// An access token that was withdrawn is replaced at once; a secret that is wrong
// is not shown.
func TestTokens(t *testing.T) {
	s := instances()["hosted"]()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		if _, err := at.Desk.Find(ctx, "curfew-1"); err != nil {
			t.Fatal(err)
		}
		s.Revoke()
		if _, err := at.Desk.Find(ctx, "curfew-1"); err != nil {
			t.Error(err)
		}
		s.ClientSecret = "another"
		s.Revoke()
		if _, err := at.Desk.Find(ctx, "curfew-1"); err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "access token") || strings.Contains(err.Error(), secret) {
			t.Errorf("got %v", err)
		}
	})
}

// Halo does not say how long its limit lasts, so the desk does.
func TestALimitWithoutATime(t *testing.T) {
	limited := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	desktest.Tell(t, limited, func(address string, client *http.Client) *halopsa.Desk {
		return newDesk(instances()["hosted"](), address, client)
	}, nil, func(ctx context.Context, at *desktest.Story) {
		if _, err := at.Desk.Find(ctx, "curfew-1"); handlers.Read(err).After != time.Minute || handlers.Read(err).GiveUp {
			t.Errorf("got %v", err)
		}
	})
}

func TestADeskThatCannotWork(t *testing.T) {
	for want, edit := range map[string]func(*halopsa.Desk){
		"must be https":            func(d *halopsa.Desk) { d.URL = "http://x.halopsa.com" },
		"the authorisation server": func(d *halopsa.Desk) { d.Auth = "x.halopsa.com/auth" },
		"client id and secret":     func(d *halopsa.Desk) { d.ClientSecret = "" },
		"by their ids":             func(d *halopsa.Desk) { d.Customers.Routes["contoso"] = halopsa.Place{Type: 1} },
		"needs the site too":       func(d *halopsa.Desk) { d.Customers.Triage.User = 7 },
		"no client for any tenant": func(d *halopsa.Desk) { d.Customers = ticket.Customers[halopsa.Place]{} },
		`field "team"`:             func(d *halopsa.Desk) { d.Fields["team"] = "{{.Nothing}}" },
	} {
		d := newDesk(instances()["hosted"](), "https://x.halopsa.com", handlers.NewClient(handlers.Reach{}))
		if err := d.Check(); err != nil {
			t.Fatal(err)
		}
		edit(d)
		if err := d.Check(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A filter that is not understood finds everything. No ticket is the case's that
// does not carry its key, and no key is part of another.
func TestAFilterThatIsNotUnderstood(t *testing.T) {
	s := instances()["its own"]()
	odd := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "search_summary", "summary")
		s.ServeHTTP(w, r)
	})
	desktest.Tell(t, odd, func(address string, client *http.Client) *halopsa.Desk { return newDesk(s, address, client) }, nil, func(ctx context.Context, at *desktest.Story) {
		for _, key := range []string{"curfew-1", "curfew-12"} {
			n := ticket.New{Key: key, Title: "x", Note: ticket.Note{Text: "x"}}
			n.Event.Device.Tenant = "contoso"
			if _, err := at.Desk.Open(ctx, n); err != nil {
				t.Fatal(err)
			}
		}
		for key, want := range map[string]int{"curfew-1": 1, "curfew-12": 1, "curfew": 0} {
			if found, err := at.Desk.Find(ctx, key); err != nil || len(found) != want {
				t.Errorf("%s: got %+v, %v", key, found, err)
			}
		}
	})
}

// Where the statuses are not those that are shipped, they are what the desk says.
func TestStatusesOfTheirOwn(t *testing.T) {
	s := instances()["its own"]()
	story(t, s, func(d *halopsa.Desk) { d.Resolved, d.Reopened, d.Ended = 3, 1, []int{9} }, func(ctx context.Context, at *desktest.Story) {
		must(ctx, t, at, events.Ticket)
		time.Sleep(time.Hour)
		must(ctx, t, at, events.Close)
		if got := s.Tickets()[0].Status; got != 3 {
			t.Errorf("resolved, its status is %d", got)
		}
		must(ctx, t, at, events.Ticket)
		if got := s.Tickets(); len(got) != 1 || got[0].Status != 1 {
			t.Errorf("reopened, there are %+v", got)
		}
	})
}
