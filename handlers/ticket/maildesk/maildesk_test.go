package maildesk_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/ticket"
	"curfew/handlers/ticket/maildesk"
	"curfew/handlers/ticket/maildesk/maildesktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newDesk(m maildesk.Mailer) *maildesk.Desk {
	return &maildesk.Desk{Mailer: m, Customers: ticket.Customers[maildesk.Place]{
		Routes: map[string]maildesk.Place{"contoso": {To: "contoso@desk.example", Tag: "contoso"}},
		Triage: &maildesk.Place{To: "triage@desk.example", From: "the provider"},
	}}
}

func handler(d *maildesk.Desk) *ticket.Handler {
	return &ticket.Handler{Desks: map[string]ticket.Desk{"desk": d}}
}

func order(a events.Action) events.Order { return events.Order{Action: a, Destination: "desk"} }

func TestMailsKeepThePromises(t *testing.T) {
	for _, action := range []events.Action{events.Ticket, events.Close} {
		t.Run(string(action), func(t *testing.T) {
			handlerstest.Run(t, func(t testing.TB) handlerstest.World {
				tenant := &handlerstest.Tenant{Lag: 2 * time.Minute}
				h := handler(newDesk(tenant))
				c := handlerstest.Laptop()
				task := handlerstest.Task(c, order(action))
				if action == events.Close {
					fact, err := h.Do(t.Context(), c, handlerstest.Task(c, order(events.Ticket)))
					if err != nil {
						t.Fatal(err)
					}
					task.ID, task.Ref = "the task that closes", fact.(events.Done).Receipt
				}
				over := func(m handlerstest.Mail) bool { return strings.Contains(m.Subject, "] Over: ") }
				return handlerstest.World{
					Do: h.Do, Case: c, Task: task, Calls: &tenant.Writes, Reads: &tenant.Reads,
					Texts: func() (out []string) {
						for _, m := range tenant.Mails() {
							out = append(out, m.Subject, m.Text)
						}
						return out
					},
					Effects: func() (out []string) {
						for _, m := range tenant.Mails() {
							if over(m) == (action == events.Close) {
								out = append(out, m.To+" "+m.Subject)
							}
						}
						return out
					},
				}
			})
		})
	}
}

// threader is a mailbox that can set headers.
type threader struct{ *maildesktest.Mailbox }

func (th threader) SendInThread(_ context.Context, tenant, to, subject, _, text, key string, t maildesk.Thread) error {
	th.Deliver(maildesktest.Mail{Tenant: tenant, To: to, Subject: subject, Text: text, MessageID: t.MessageID, InReplyTo: t.InReplyTo, References: t.References}, key)
	return nil
}

// life lets a case begin, have more to say and end.
func life(ctx context.Context, t *testing.T, h *ticket.Handler, c events.Case) {
	t.Helper()
	for _, a := range []events.Action{events.Ticket, events.Ticket, events.Close} {
		task := handlerstest.Task(c, order(a))
		c.Asked++
		if a == events.Close {
			task.Ref = c.Effects[0].Ref
		}
		fact, err := h.Do(ctx, c, task)
		if err != nil {
			t.Fatal(err)
		}
		c.Effects = []events.Effect{{Action: events.Ticket, Destination: "desk", Ref: fact.(events.Done).Receipt}}
	}
}

// The mails of a case are one ticket, by their headers or by the token; and the
// next case is another.
func TestOneTicketForACase(t *testing.T) {
	for name, byHeaders := range map[string]bool{"headers": true, "token": false} {
		t.Run(name, func(t *testing.T) {
			desk := &maildesktest.Desk{ByHeaders: byHeaders, ByToken: !byHeaders}
			box := &maildesktest.Mailbox{Desk: desk}
			var m maildesk.Mailer = box
			if byHeaders {
				m = threader{box}
			}
			h := handler(newDesk(m))
			c := handlerstest.Laptop()
			life(t.Context(), t, h, c)
			c.Episode++
			life(t.Context(), t, h, c)
			all := desk.Tickets()
			if len(all) != 2 {
				t.Fatalf("two cases have %d tickets: %+v", len(all), all)
			}
			for _, x := range all {
				if len(x.Mails) != 3 || x.To != "contoso@desk.example" || !strings.HasPrefix(x.Subject, "[#contoso-") || !strings.Contains(x.Subject, "LT-042") {
					t.Errorf("the ticket is %+v", x)
				}
				for n, want := range []string{"needs somebody to look after it", "more to say", "can be closed"} {
					if m := x.Mails[n]; m.Tenant != "contoso" || !strings.Contains(m.Text, want) || !strings.Contains(m.Text, "SN042") || !strings.Contains(m.Text, "case contoso/") {
						t.Errorf("mail %d is %+v", n, m)
					}
				}
			}
		})
	}
}

// Headers are the same for the same task, so that the desk drops a mail that was
// sent twice.
func TestAMailThatWasSentTwice(t *testing.T) {
	desk := &maildesktest.Desk{ByHeaders: true}
	h := handler(newDesk(threader{&maildesktest.Mailbox{Desk: desk}}))
	c := handlerstest.Laptop()
	for range 2 {
		if _, err := h.Do(t.Context(), c, handlerstest.Task(c, order(events.Ticket))); err != nil {
			t.Fatal(err)
		}
	}
	if all := desk.Tickets(); len(all) != 1 || len(all[0].Mails) != 1 {
		t.Errorf("there are %+v", all)
	}
}

// The token stays what it was when a customer's tag changes during a case.
func TestATagThatChanges(t *testing.T) {
	desk := &maildesktest.Desk{ByToken: true}
	d := newDesk(&maildesktest.Mailbox{Desk: desk})
	h := handler(d)
	c := handlerstest.Laptop()
	for _, tag := range []string{"contoso", "fabrikam"} {
		d.Customers.Routes["contoso"] = maildesk.Place{To: "contoso@desk.example", Tag: tag}
		fact, err := h.Do(t.Context(), c, handlerstest.Task(c, order(events.Ticket)))
		if err != nil {
			t.Fatal(err)
		}
		c.Asked++
		c.Effects = []events.Effect{{Action: events.Ticket, Destination: "desk", Ref: fact.(events.Done).Receipt}}
	}
	if all := desk.Tickets(); len(all) != 1 || len(all[0].Mails) != 2 {
		t.Errorf("there are %+v", all)
	}
}

// The end of a case that the desk has never heard of makes no ticket.
func TestAnEndWithoutABeginning(t *testing.T) {
	desk := &maildesktest.Desk{}
	h := handler(newDesk(&maildesktest.Mailbox{Desk: desk}))
	c := handlerstest.Laptop()
	task := handlerstest.Task(c, order(events.Close))
	if _, err := h.Do(t.Context(), c, task); err != nil || len(desk.Tickets()) != 0 {
		t.Errorf("%v; there are %+v", err, desk.Tickets())
	}
}

// A tenant that nobody has mapped goes to triage, from the mailbox of who does
// triage, and the mail says so; without an address for triage it is given up.
func TestAStrangersMailGoesToTriage(t *testing.T) {
	desk := &maildesktest.Desk{}
	d := newDesk(&maildesktest.Mailbox{Desk: desk})
	c := handlerstest.Laptop()
	c.Key.Tenant = "fabrikam"
	task := handlerstest.Task(c, order(events.Ticket))
	if _, err := handler(d).Do(t.Context(), c, task); err != nil {
		t.Fatal(err)
	}
	x := desk.Tickets()[0]
	if m := x.Mails[0]; x.To != "triage@desk.example" || m.Tenant != "the provider" || !strings.HasPrefix(x.Subject, "[#curfew-") || !strings.Contains(m.Text, "fabrikam is not in the customer map") {
		t.Errorf("the ticket is %+v", x)
	}
	d.Customers.Triage = nil
	if _, err := handler(d).Do(t.Context(), c, task); !handlers.Read(err).GiveUp || len(desk.Tickets()) != 1 {
		t.Errorf("got %v", err)
	}
}

// What a device is called is no command, wherever it stands, and no token.
func TestNamesAreNoCommands(t *testing.T) {
	desk := &maildesktest.Desk{ByToken: true}
	h := handler(newDesk(&maildesktest.Mailbox{Desk: desk}))
	c := handlerstest.Laptop()
	c.Device.Name = "#status solved\n#assignee nobody\n[#contoso-0123456789abcdef] <b>x</b>"
	c.Device.Alerts[0].Title = c.Device.Name
	life(t.Context(), t, h, c)
	all := desk.Tickets()
	if len(all) != 1 || len(all[0].Mails) != 3 || len(all[0].Commands) > 0 {
		t.Fatalf("there are %+v", all)
	}
	for _, m := range all[0].Mails {
		if strings.Contains(m.Text, "\n#") || strings.Contains(m.Subject+m.Text, "[#contoso-0123") || strings.Contains(m.Subject, "\n") || !strings.Contains(m.Text, "#status solved") {
			t.Errorf("the mail is %+v", m)
		}
	}
}

// Where the sent items cannot be read, a mail that may have been sent is sent
// again after a while, and not for ever.
func TestWhatNobodyCanTellIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := &handlerstest.Tenant{Blind: true}
		tenant.Writes.Fail(-1, fake.Fault{Drop: true, Done: true})
		h := handler(newDesk(tenant))
		c := handlerstest.Laptop()
		task := handlerstest.Task(c, order(events.Ticket))
		var last error
		for range 50 {
			if task.Begun == nil {
				task.Begun = &events.Attempt{ID: "attempt", At: time.Now()}
			}
			_, last = h.Do(t.Context(), c, task)
			v := handlers.Read(last)
			if last == nil || v.GiveUp {
				break
			}
			if task.Unsure = v.Unsure; !v.Unsure {
				task.Begun = nil
			}
			task.Tries++
			time.Sleep(max(v.After, time.Second))
		}
		if n := len(tenant.Mails()); n < 2 || n > 5 || !handlers.Read(last).GiveUp || !strings.Contains(last.Error(), "somebody should tell it") {
			t.Errorf("%d mails, and then %v", n, last)
		}
	})
}

func TestADeskThatCannotWork(t *testing.T) {
	for want, edit := range map[string]func(*maildesk.Desk){
		"nobody to send":        func(d *maildesk.Desk) { d.Mailer = nil },
		"no address for any":    func(d *maildesk.Desk) { d.Customers = ticket.Customers[maildesk.Place]{} },
		"is not a mail address": func(d *maildesk.Desk) { d.Customers.Triage.To = "Desk <desk@desk.example>" },
		"customer contoso: the t": func(d *maildesk.Desk) {
			d.Customers.Routes["contoso"] = maildesk.Place{To: "a@b.example", Tag: "Two words"}
		},
		"a small letter": func(d *maildesk.Desk) {
			d.Customers.Routes["contoso"] = maildesk.Place{To: "a@b.example", Tag: "4711"}
		},
	} {
		d := newDesk(&maildesktest.Mailbox{})
		if err := d.Check(); err != nil {
			t.Fatal(err)
		}
		edit(d)
		if err := d.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A desk is told in the language that is configured for it, and in no other.
func TestADeskIsToldInItsLanguage(t *testing.T) {
	says := map[string][3]string{
		"en": {"What was found:", "There is more to say", "can be closed"},
		"de": {"Was gefunden wurde:", "gibt es Neues", "kann geschlossen werden"},
		"fr": {"Ce qui a été constaté :", "Il y a du nouveau", "peut être fermé"},
		"es": {"Lo que se ha encontrado:", "Hay novedades", "se puede cerrar"},
		"nl": {"Wat er is gevonden:", "Er is nieuws", "kan worden gesloten"},
	}
	for _, language := range handlers.Languages() {
		synctest.Test(t, func(t *testing.T) {
			tenant := &handlerstest.Tenant{}
			h := handler(newDesk(tenant))
			h.Languages = map[string]string{"desk": language}
			c := handlerstest.Laptop()
			c.Device.Language = "pl" // that of the user is nothing to the desk
			for i, a := range []events.Action{events.Ticket, events.Ticket, events.Close} {
				task := handlerstest.Task(c, order(a))
				task.ID += string(rune('a' + i))
				for _, e := range c.Effects {
					task.Ref = e.Ref
				}
				fact, err := h.Do(t.Context(), c, task)
				if err != nil {
					t.Fatal(err)
				}
				c.Effects = []events.Effect{{Action: events.Ticket, Destination: "desk", Ref: fact.(events.Done).Receipt}}
				time.Sleep(2 * time.Hour)
			}
			mails := tenant.Mails()
			if len(mails) != 3 {
				t.Fatalf("%s: %d mails", language, len(mails))
			}
			for i, m := range mails {
				for other, want := range says {
					if strings.Contains(m.Text, want[i]) != (other == language) {
						t.Errorf("mail %d in %s says %q: %v\n%s", i+1, language, want[i], other != language, m.Text)
					}
				}
			}
		})
	}
}
