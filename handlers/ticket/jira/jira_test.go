package jira_test

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/ticket"
	"curfew/handlers/ticket/desktest"
	"curfew/handlers/ticket/jira"
	"curfew/handlers/ticket/jira/jiratest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "canary-of-the-api-token"

func sites() map[string]func() *jiratest.Site {
	return map[string]func() *jiratest.Site{
		"cloud": func() *jiratest.Site {
			return &jiratest.Site{Email: "curfew@example.com", Token: token, Lag: 90 * time.Second}
		},
		"strict":      func() *jiratest.Site { return &jiratest.Site{Email: "curfew@example.com", Token: token, Strict: true} },
		"data center": func() *jiratest.Site { return &jiratest.Site{Token: token, Lag: 5 * time.Second} },
		"one node":    func() *jiratest.Site { return &jiratest.Site{Token: token} },
	}
}

func newDesk(s *jiratest.Site, address string, client *http.Client) *jira.Desk {
	var behind time.Duration
	if s.Email == "" && s.Lag == 0 {
		behind = -1
	}
	return &jira.Desk{
		Behind: behind,
		URL:    address, Browse: "https://jira.example/", Email: s.Email, Token: s.Token, Client: client,
		Customers: ticket.Customers[jira.Route]{Routes: map[string]jira.Route{"contoso": {Project: "SEC"}}, Triage: &jira.Route{Project: "TRIAGE"}},
		Labels:    []string{"security"},
		Fields:    ticket.Fields{"customfield_10042": "{{.Device.Serial}}", "customfield_10043": map[string]any{"value": "{{.Severity}}"}},
	}
}

func TestDeskKeepsThePromises(t *testing.T) {
	for name, site := range sites() {
		t.Run(name, func(t *testing.T) {
			desktest.Run(t, func(_ testing.TB, serve desktest.Serve) desktest.World {
				s := site()
				address, client := serve(s, func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/search") })
				do := func(what func(*jiratest.Issue)) func(string) {
					return func(ref string) { s.Change(ref, jiratest.Ben, what) }
				}
				return desktest.World{
					Desk: newDesk(s, address, client), Tickets: func() []desktest.Ticket { return tickets(s) }, Secrets: []string{token},
					Touch:   do(func(*jiratest.Issue) {}),
					Resolve: do(func(i *jiratest.Issue) { i.Move("Done") }),
					Close:   do(func(i *jiratest.Issue) { i.Move("Archived") }),
					Delete:  do(func(i *jiratest.Issue) { i.Gone = true }),
					Copy:    s.Clone,
				}
			})
		})
	}
}

// tickets are the issues as agents see them.
func tickets(s *jiratest.Site) []desktest.Ticket {
	var out []desktest.Ticket
	for _, i := range s.Issues() {
		t := desktest.Ticket{Ref: strconv.Itoa(i.ID), Title: i.Summary, Texts: []string{jiratest.Text(i.Text)}, Markup: jiratest.Markup(i.Text)}
		for _, c := range i.Comments {
			t.Texts = append(t.Texts, jiratest.Text(c.Body))
			if t.Markup = append(t.Markup, jiratest.Markup(c.Body)...); !c.Internal {
				t.Markup = append(t.Markup, "a comment that customers see")
			}
		}
		for _, l := range i.Labels {
			if strings.HasPrefix(l, "curfew-") {
				t.Key = l
			}
		}
		switch {
		case i.Gone:
			t.State = ticket.Gone
		case i.Status == "Done":
			t.State = ticket.Resolved
		case i.Status == "Archived":
			t.State = ticket.Closed
		}
		out = append(out, t)
	}
	return out
}

// story is one at a site, whose desk may be changed.
func story(t *testing.T, s *jiratest.Site, edit func(*jira.Desk), tell func(context.Context, *desktest.Story)) {
	t.Helper()
	desktest.Tell(t, s, func(address string, client *http.Client) *jira.Desk { return newDesk(s, address, client) }, edit, tell)
}

// An issue says all that the customer wants of it.
func TestFieldsOfAnIssue(t *testing.T) {
	s := sites()["cloud"]()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		at.Case.Device.Serial = `"},"summary":"x`
		if _, err := at.Do(ctx, events.Ticket); err != nil {
			t.Fatal(err)
		}
		i := s.Issues()[0]
		if i.Project != "SEC" || i.Priority != "Highest" || !slices.Contains(i.Labels, "security") || !slices.Contains(i.Labels, "curfew") {
			t.Errorf("the issue is %+v", i)
		}
		if i.Fields["customfield_10042"] != `"},"summary":"x` || i.Fields["customfield_10043"].(map[string]any)["value"] != "compromised" {
			t.Errorf("its own fields are %v", i.Fields)
		}
	})
}

// A tenant that nobody has mapped goes to triage, and the issue says so; without
// a triage project it is given up. It never goes to another customer's project.
func TestAStrangersIssueGoesToTriage(t *testing.T) {
	s := sites()["cloud"]()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		at.Case.Key.Tenant = "fabrikam"
		if _, err := at.Do(ctx, events.Ticket); err != nil {
			t.Fatal(err)
		}
		if i := s.Issues()[0]; i.Project != "TRIAGE" || !strings.Contains(jiratest.Text(i.Text), "fabrikam is not in the customer map") {
			t.Errorf("the issue is %+v", i)
		}
	})
	s = sites()["cloud"]()
	story(t, s, func(d *jira.Desk) { d.Customers.Triage = nil }, func(ctx context.Context, at *desktest.Story) {
		at.Case.Key.Tenant = "fabrikam"
		if _, err := at.Do(ctx, events.Ticket); err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "fabrikam") || len(s.Issues()) != 0 {
			t.Errorf("got %v", err)
		}
	})
}

// Where a transition asks for a resolution, it is the one that fits.
func TestResolutions(t *testing.T) {
	s := sites()["strict"]()
	story(t, s, nil, func(ctx context.Context, at *desktest.Story) {
		for _, tt := range []struct {
			configured string
			twin       bool
			want       string
		}{{"", false, "Done"}, {"won't do", false, "Won't Do"}, {"Fixed", false, "Done"}, {"Done", true, "Duplicate"}} {
			d := at.Desk.(*jira.Desk)
			d.Resolution = tt.configured
			n := ticket.Note{Text: "over", Twin: tt.twin, Event: ticket.Event{Device: ticket.Device{Tenant: "contoso"}}}
			made, err := d.Open(ctx, ticket.New{Key: "curfew-1", Title: "a title", Note: n})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Resolve(ctx, made, n); err != nil {
				t.Fatal(err)
			}
			all := s.Issues()
			if i := all[len(all)-1]; i.Status != "Done" || i.Resolution != tt.want {
				t.Errorf("configured %q, it is %s as %q, want %q", tt.configured, i.Status, i.Resolution, tt.want)
			}
		}
	})
}

// What Jira says is wrong reaches the person who must mend it.
func TestJirasOwnWordsAreKept(t *testing.T) {
	s := sites()["data center"]()
	story(t, s, func(d *jira.Desk) { d.Fields["customfield_1"] = "x" }, func(ctx context.Context, at *desktest.Story) {
		if _, err := at.Do(ctx, events.Ticket); err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "not on the appropriate screen") {
			t.Errorf("got %v", err)
		}
	})
}

func TestADeskThatCannotWork(t *testing.T) {
	for want, edit := range map[string]func(*jira.Desk){
		"must be https":             func(d *jira.Desk) { d.URL = "http://jira.example" },
		"bare address":              func(d *jira.Desk) { d.URL = "https://jira.example/" },
		"token is missing":          func(d *jira.Desk) { d.Token = "" },
		"no client":                 func(d *jira.Desk) { d.Client = nil },
		"without spaces":            func(d *jira.Desk) { d.Labels = []string{"two words"} },
		"no key such as SEC":        func(d *jira.Desk) { d.Customers.Routes["contoso"] = jira.Route{Project: `SEC" OR x`} },
		"no project":                func(d *jira.Desk) { d.Customers = ticket.Customers[jira.Route]{} },
		"lag cannot be none":        func(d *jira.Desk) { d.Email, d.Behind = "curfew@example.com", -1 },
		`field "customfield_10042"`: func(d *jira.Desk) { d.Fields["customfield_10042"] = "{{.NoSuchThing}}" },
	} {
		d := newDesk(&jiratest.Site{Token: token}, "https://jira.example", handlers.NewClient(handlers.Reach{}))
		if err := d.Check(); err != nil {
			t.Fatal(err)
		}
		edit(d)
		if err := d.Check(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), token) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
