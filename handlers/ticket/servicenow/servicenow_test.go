package servicenow_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/ticket"
	"curfew/handlers/ticket/desktest"
	"curfew/handlers/ticket/servicenow"
	"curfew/handlers/ticket/servicenow/servicenowtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	password = "canary-of-the-password"
	secret   = "canary-of-the-client-secret"
	minted   = "canary-of-an-access-token"
	group    = "d625dccec0a8016700a222a0f7900d06"
	triage   = "287ebd7da9fe198100f92cc8d1d2154e"
)

func instances() map[string]func() *servicenowtest.Instance {
	return map[string]func() *servicenowtest.Instance{
		"basic": func() *servicenowtest.Instance { return &servicenowtest.Instance{User: "curfew", Password: password} },
		"oauth": func() *servicenowtest.Instance {
			return &servicenowtest.Instance{User: "curfew", ClientID: "an-id", ClientSecret: secret, Life: 5 * time.Minute}
		},
	}
}

func newDesk(s *servicenowtest.Instance, address string, client *http.Client) *servicenow.Desk {
	return &servicenow.Desk{
		URL: address, User: s.User, Password: s.Password, ClientID: s.ClientID, ClientSecret: s.ClientSecret, Client: client,
		Customers: ticket.Customers[servicenow.Route]{Routes: map[string]servicenow.Route{"contoso": {Group: group}}, Triage: &servicenow.Route{Group: triage}},
		Fields:    ticket.Fields{"u_serial": "{{.Device.Serial}}", "category": "security"},
	}
}

func TestDeskKeepsThePromises(t *testing.T) {
	for name, instance := range instances() {
		t.Run(name, func(t *testing.T) {
			desktest.Run(t, func(_ testing.TB, serve desktest.Serve) desktest.World {
				s := instance()
				address, client := serve(s, func(r *http.Request) bool { return r.URL.Path == "/oauth_token.do" })
				do := func(what func(*servicenowtest.Incident)) func(string) {
					return func(ref string) { s.Change(ref, "ben", what) }
				}
				return desktest.World{
					Desk: newDesk(s, address, client), Tickets: func() []desktest.Ticket { return tickets(s) }, Secrets: []string{password, secret, minted},
					Touch:   do(func(i *servicenowtest.Incident) { i.Fields["assigned_to"] = group }),
					Resolve: do(func(i *servicenowtest.Incident) { i.Enter("6") }),
					Close:   do(func(i *servicenowtest.Incident) { i.Enter("7") }),
					Delete:  do(func(i *servicenowtest.Incident) { i.Gone = true }),
					Copy:    s.Copy,
				}
			})
		})
	}
}

var code = regexp.MustCompile(`(?is)\[code\].*\[/code\]`)

// tickets are the incidents as agents see them. A journal shows HTML between
// [code] and [/code] (docs: render journal field entries as HTML).
func tickets(s *servicenowtest.Instance) []desktest.Ticket {
	var out []desktest.Ticket
	for _, i := range s.Incidents() {
		t := desktest.Ticket{Ref: i.ID, Key: i.Fields["correlation_id"], Title: i.Fields["short_description"], Texts: []string{i.Fields["description"]}}
		for _, e := range i.Journal {
			t.Texts = append(t.Texts, e.Text)
			t.Markup = append(t.Markup, code.FindAllString(e.Text, -1)...)
			if e.Field != "work_notes" {
				t.Markup = append(t.Markup, "a comment that customers see")
			}
		}
		t.State = map[string]ticket.State{"6": ticket.Resolved, "7": ticket.Closed}[i.Fields["state"]]
		if i.Gone {
			t.State = ticket.Gone
		}
		out = append(out, t)
	}
	return out
}

// story is one at an instance, whose desk may be changed.
func story(t *testing.T, s *servicenowtest.Instance, edit func(*servicenow.Desk), tell func(context.Context, *desktest.Story)) {
	t.Helper()
	desktest.Tell(t, s, func(address string, client *http.Client) *servicenow.Desk { return newDesk(s, address, client) }, edit, tell)
}

// An incident says all that the customer wants of it, and its priority is made of
// impact and urgency.
func TestFieldsOfAnIncident(t *testing.T) {
	s := instances()["basic"]()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		if _, err := at.Do(ctx, events.Ticket); err != nil {
			t.Fatal(err)
		}
		i := s.Incidents()[0]
		for name, want := range map[string]string{"assignment_group": group, "impact": "1", "urgency": "1", "priority": "1", "category": "security", "u_serial": "SN042", "correlation_display": "Curfew"} {
			if i.Fields[name] != want {
				t.Errorf("%s is %q, want %q", name, i.Fields[name], want)
			}
		}
		if want := i.Number + " " + i.ID; at.Case.Effects[0].Ref != want {
			t.Errorf("the receipt is %q, want %q", at.Case.Effects[0].Ref, want)
		}
		time.Sleep(time.Hour)
		if _, err := at.Do(ctx, events.Close); err != nil {
			t.Fatal(err)
		}
		if i := s.Incidents()[0]; i.Fields["state"] != "6" || i.Fields["close_code"] != "Solution provided" {
			t.Errorf("resolved, it is %v", i.Fields)
		}
		at.Case.Episode, at.Case.Effects = 2, nil
		if _, err := at.Do(ctx, events.Ticket); err != nil {
			t.Fatal(err)
		}
		if next := s.Incidents()[1]; next.Fields["parent_incident"] != i.ID {
			t.Errorf("the next case's incident is %v", next.Fields)
		}
	})
}

// A tenant that nobody has mapped goes to triage, and the incident says so.
func TestAStrangersIncidentGoesToTriage(t *testing.T) {
	s := instances()["basic"]()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		at.Case.Key.Tenant = "fabrikam"
		if _, err := at.Do(ctx, events.Ticket); err != nil {
			t.Fatal(err)
		}
		if f := s.Incidents()[0].Fields; f["assignment_group"] != triage || !strings.Contains(f["description"], "fabrikam is not in the customer map") {
			t.Errorf("the incident is %v", f)
		}
	})
	s = instances()["basic"]()
	story(t, s, func(d *servicenow.Desk) { d.Customers.Triage = nil }, func(ctx context.Context, at *desktest.Story) {
		at.Case.Key.Tenant = "fabrikam"
		if _, err := at.Do(ctx, events.Ticket); err == nil || !handlers.Read(err).GiveUp || len(s.Incidents()) != 0 {
			t.Errorf("got %v", err)
		}
	})
}

// A resolution code that this customer does not have makes the data policy refuse
// it: the incident stays open and is told, and so it is when the account may not
// write the state, which is ignored without a word.
func TestWhatCannotBeResolvedIsTold(t *testing.T) {
	for name, tt := range map[string]struct {
		readOnly []string
		code     string
		want     string
	}{
		"a policy":  {nil, "Solved (Permanently)", "this desk has no way to"},
		"no rights": {[]string{"state"}, "", "may not be allowed to"},
	} {
		t.Run(name, func(t *testing.T) {
			s := instances()["basic"]()
			s.ReadOnly = tt.readOnly
			story(t, s, func(d *servicenow.Desk) { d.CloseCode = tt.code }, func(ctx context.Context, at *desktest.Story) {
				if _, err := at.Do(ctx, events.Ticket); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
				if _, err := at.Do(ctx, events.Close); err != nil {
					t.Fatal(err)
				}
				i := s.Incidents()[0]
				if i.Fields["state"] != "1" || !strings.Contains(i.Journal[len(i.Journal)-1].Text, tt.want) {
					t.Errorf("it is %v with %v", i.Fields["state"], i.Journal)
				}
			})
		})
	}
}

// Changes of the desk's own jobs are nobody's; but an incident that somebody has
// is left to them.
func TestAutomationIsNoPerson(t *testing.T) {
	for assigned, want := range map[string]string{"": "6", group: "1"} {
		s := instances()["basic"]()
		story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
			if _, err := at.Do(ctx, events.Ticket); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			s.Change(s.Incidents()[0].ID, "system", func(i *servicenowtest.Incident) { i.Fields["assigned_to"] = assigned })
			if _, err := at.Do(ctx, events.Close); err != nil {
				t.Fatal(err)
			}
			if got := s.Incidents()[0].Fields["state"]; got != want {
				t.Errorf("assigned to %q, its state is %s, want %s", assigned, got, want)
			}
		})
	}
}

// Notes that the account may not read would be written again and again.
func TestNotesThatAreHidden(t *testing.T) {
	s := instances()["basic"]()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		if _, err := at.Do(ctx, events.Ticket); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if _, err := at.Do(ctx, events.Ticket); err != nil {
			t.Fatal(err)
		}
		s.Hidden = true
		if _, err := at.Do(ctx, events.Ticket); err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "sys_journal_field") {
			t.Errorf("got %v", err)
		}
	})
}

// An access token that was withdrawn is replaced at once; an instance that sleeps
// is asked again later.
func TestTokensAndSleep(t *testing.T) {
	s := instances()["oauth"]()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		if _, err := at.Do(ctx, events.Ticket); err != nil {
			t.Fatal(err)
		}
		s.Revoke()
		if found, err := at.Desk.Find(ctx, s.Incidents()[0].Fields["correlation_id"]); err != nil || len(found) != 1 {
			t.Errorf("got %+v, %v", found, err)
		}
		s.ClientSecret = "another"
		s.Revoke()
		if _, err := at.Desk.Find(ctx, "curfew-1"); err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "access token") || strings.Contains(err.Error(), secret) {
			t.Errorf("got %v", err)
		}
		s.Asleep = true
		if _, err := at.Desk.Find(ctx, "curfew-1"); err == nil || handlers.Read(err).GiveUp || handlers.Read(err).Unsure {
			t.Errorf("got %v", err)
		}
	})
}

func TestADeskThatCannotWork(t *testing.T) {
	for want, edit := range map[string]func(*servicenow.Desk){
		"must be https":            func(d *servicenow.Desk) { d.URL = "http://x.service-now.com" },
		"its user is missing":      func(d *servicenow.Desk) { d.User = "" },
		"either a password":        func(d *servicenow.Desk) { d.Password = "" },
		"sys_id of 32 hex digits:": func(d *servicenow.Desk) { d.Customers.Routes["contoso"] = servicenow.Route{Group: "Service Desk"} },
		"caller must be a sys_id":  func(d *servicenow.Desk) { d.Customers.Triage.Caller = "x^y" },
		"no assignment group":      func(d *servicenow.Desk) { d.Customers = ticket.Customers[servicenow.Route]{} },
		"1 to 3":                   func(d *servicenow.Desk) { d.Weights = map[string]servicenow.Weight{"high": {0, 4}} },
		`field "u_serial"`:         func(d *servicenow.Desk) { d.Fields["u_serial"] = "{{.Nothing}}" },
	} {
		d := newDesk(instances()["basic"](), "https://x.service-now.com", handlers.NewClient(handlers.Reach{}))
		if err := d.Check(); err != nil {
			t.Fatal(err)
		}
		edit(d)
		if err := d.Check(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), password) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
