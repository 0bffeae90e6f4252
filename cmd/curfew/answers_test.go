package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/journal"
	"curfew/handlers"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/ticket"
	"curfew/handlers/ticket/jira"
	"curfew/handlers/ticket/jira/jiratest"
)

// A helpDesk is one in the ward: a site of Jira, what keeps tickets there, and
// what reads them back.
type helpDesk struct {
	*ward
	site *jiratest.Site
	wire *fake.Server
	log  *bytes.Buffer
}

// atHelpDesk tells a story of a laptop that is at risk and has a ticket.
func atHelpDesk(t *testing.T, tell func(b *helpDesk, laptop *patient)) {
	inWard(t, func(w *ward) {
		t := w.t
		b := &helpDesk{ward: w, site: &jiratest.Site{Email: "curfew@contoso.example", Token: "token-0123456789"}, log: &bytes.Buffer{}}
		var err error
		b.wire, err = fake.Pipe(b.site)
		check(t, err)
		defer b.wire.Close()
		desk := &jira.Desk{
			URL: b.wire.URL, Email: b.site.Email, Token: b.site.Token, Behind: time.Second,
			Client:    handlers.NewClient(handlers.Reach{Roots: b.wire.Roots, Dial: b.wire.Dial}),
			Customers: ticket.Customers[jira.Route]{Routes: map[string]jira.Route{contoso: {Project: "SEC"}}},
		}
		h := &ticket.Handler{Desks: map[string]ticket.Desk{"desk": desk}}
		answers := answersOf(h, w.j, slog.New(slog.NewTextHandler(b.log, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, action := range []events.Action{events.Ticket, events.Close} {
			wg.Go(func() { _ = w.j.Serve(ctx, action, h.Do, journal.ServeOptions{}) })
		}
		wg.Go(func() { _ = answers.Run(ctx) })
		defer func() {
			cancel()
			wg.Wait()
			desk.Client.CloseIdleConnections()
		}()

		laptop := w.admit(contoso, "d42", "LT-042", "anna@contoso.example")
		laptop.d.Threat = "mediumSeverity"
		laptop.look()
		laptop.done(events.Mail, "sent", "")
		time.Sleep(2 * time.Hour)
		laptop.look()
		time.Sleep(10 * time.Minute)
		if laptop.ticket().Ref == "" {
			t.Fatal("no ticket was opened")
		}
		tell(b, laptop)
	})
}

// ticket is what the case keeps of its ticket.
func (p *patient) ticket() events.Effect {
	p.w.t.Helper()
	for _, e := range p.settled().Effects {
		if e.Action == events.Ticket {
			return e
		}
	}
	return events.Effect{}
}

// ben does something on the last issue, and it is read.
func (b *helpDesk) ben(what func(*jiratest.Issue)) {
	b.t.Helper()
	b.site.Change(b.last().Key, jiratest.Ben, what)
	time.Sleep(6 * time.Minute)
}

type issue jiratest.Issue

func (b *helpDesk) last() issue {
	all := b.site.Issues()
	return issue(all[len(all)-1])
}

// says is all that an issue says.
func (i issue) says() string {
	var out strings.Builder
	for _, c := range i.Comments {
		out.WriteString(jiratest.Text(c.Body) + "\n")
	}
	return out.String()
}

func TestWhoCommentsATicketHasTakenTheCase(t *testing.T) {
	atHelpDesk(t, func(b *helpDesk, laptop *patient) {
		t := b.t
		if c := laptop.settled(); c.Hold != nil {
			t.Fatalf("Curfew's own ticket answers the case: %+v", c.Hold)
		}
		b.ben(func(i *jiratest.Issue) {
			i.Comments = append(i.Comments, jiratest.Comment{By: jiratest.Ben, Body: "I call her", At: time.Now()})
		})
		c := laptop.settled()
		if c.Hold == nil || c.Hold.By == "" || !strings.Contains(c.Hold.Reason, "commented") {
			t.Fatalf("the case is nobody's: %+v", c.Hold)
		}
		heard := laptop.ticket().Heard
		time.Sleep(30 * time.Minute)
		if again := laptop.ticket().Heard; !again.Equal(heard) {
			t.Errorf("one remark was told twice: %v and %v", heard, again)
		}
	})
}

func TestWhoIsAssignedATicketHasTakenTheCase(t *testing.T) {
	atHelpDesk(t, func(b *helpDesk, laptop *patient) {
		t := b.t
		b.ben(func(i *jiratest.Issue) { i.Assignee = jiratest.Ben })
		if c := laptop.settled(); c.Hold == nil || c.Hold.By != "BEN" || !strings.Contains(c.Hold.Reason, "took") {
			t.Fatalf("the case is not Ben's: %+v", c.Hold)
		}
	})
}

func TestARiskThatIsStillThereReopensTheTicketWithTheProof(t *testing.T) {
	atHelpDesk(t, func(b *helpDesk, laptop *patient) {
		t := b.t
		b.ben(func(i *jiratest.Issue) { i.Move("Done") })
		if got := b.last().Status; got != "Done" {
			t.Fatalf("the ticket is %s before anybody has looked", got)
		}
		laptop.task(events.Look) // the end of a ticket asks for one
		laptop.look()
		time.Sleep(time.Minute)
		i := b.last()
		if len(b.site.Issues()) != 1 || i.Status == "Done" || !strings.Contains(i.says(), "still") && !strings.Contains(i.says(), "reopened") || !strings.Contains(i.says(), "LT-042") {
			t.Fatalf("%d tickets, the last is %s and says %q", len(b.site.Issues()), i.Status, i.says())
		}
		time.Sleep(30 * time.Minute)
		if e := laptop.ticket(); e.Ended != "" || len(b.last().Comments) != len(i.Comments) {
			t.Errorf("what Curfew did counts as an answer: %+v, %q", e, b.last().says())
		}
	})
}

func TestATicketThatAPersonResolvedIsLeftAloneWhenAllIsWell(t *testing.T) {
	atHelpDesk(t, func(b *helpDesk, laptop *patient) {
		t := b.t
		b.ben(func(i *jiratest.Issue) { i.Move("Done") })
		before := b.last()
		laptop.d.Threat = "secured"
		laptop.look()
		time.Sleep(35 * time.Minute)
		laptop.look()
		time.Sleep(time.Minute)
		if c := laptop.settled(); c.Open {
			t.Fatalf("the case is still open: %v", c.Unproven)
		}
		if after := b.last(); after.Status != "Done" || len(after.Comments) != len(before.Comments) {
			t.Errorf("the ticket was touched: %s, %q", after.Status, after.says())
		}
	})
}

func TestATicketThatIsGoneIsOpenedAnewOnce(t *testing.T) {
	atHelpDesk(t, func(b *helpDesk, laptop *patient) {
		t := b.t
		first := laptop.ticket().Ref
		b.ben(func(i *jiratest.Issue) { i.Gone = true })
		time.Sleep(time.Hour)
		laptop.look()
		time.Sleep(3 * time.Hour)
		if all := b.site.Issues(); len(all) != 2 || laptop.ticket().Ref == first {
			t.Fatalf("%d tickets were made; the case has %s", len(all), laptop.ticket().Ref)
		}
	})
}

func TestWhatWasDoneWhileADeskWasDownIsHeardAfterwards(t *testing.T) {
	atHelpDesk(t, func(b *helpDesk, laptop *patient) {
		t := b.t
		b.wire.Fail(100_000, fake.Fault{Status: 503})
		b.ben(func(i *jiratest.Issue) { i.Move("Done") })
		time.Sleep(time.Hour)
		if laptop.ticket().Ended != "" {
			t.Fatal("something was heard of a desk that is down")
		}
		if n := strings.Count(b.log.String(), "cannot be read"); n != 1 {
			t.Errorf("the trouble was told %d times: %s", n, b.log)
		}
		b.wire.Heal()
		time.Sleep(15 * time.Minute)
		if laptop.ticket().Ended == "" {
			t.Error("what was done meanwhile is not heard")
		}
		if !strings.Contains(b.log.String(), "read again") {
			t.Errorf("nobody is told that the desk is back: %s", b.log)
		}
	})
}
