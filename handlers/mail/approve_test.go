package mail_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/mail"
)

// asking is a case whose reset waits for two people and for Intune's
// administrators, and the task that asks one of them.
func asking(template string) (events.Case, events.Task) {
	c := handlerstest.Laptop()
	reset := handlerstest.Task(c, events.Order{Action: events.Reset})
	reset.Out, reset.Needs, reset.Request = false, 2, "0b5c-request"
	reset.Approvals = []events.Approval{{By: "ben@contoso.example"}}
	c.Pending, c.Asked = []events.Task{reset}, 1
	task := handlerstest.Task(c, events.Order{Action: events.Mail, Template: template, Destination: "kim@contoso.example"})
	task.Ref, task.Rung = reset.ID, 0
	return c, task
}

// approverMail is a handler with all that such mails may show.
func approverMail(t *testing.T, tenant *handlerstest.Tenant) mail.Handler {
	return mail.Handler{
		Mailer: tenant, Templates: builtin(t), Tenant: func(string) string { return "Contoso Ltd" },
		Key: func(context.Context, events.Case) string { return "its key is escrowed" },
		Invite: func(task, to, invitation string) (string, time.Time) {
			return "https://curfew.example/approve/" + strings.NewReplacer("/", ".", "@", ".").Replace(task+"--"+to+"--"+invitation), time.Date(2026, 3, 2, 15, 4, 0, 0, time.UTC)
		},
		Stakes: func(_ events.Case, t events.Task, key string, when func(time.Time) string) []mail.Stake {
			return []mail.Stake{{What: "what is lost", Text: "all by " + string(t.Action) + "\nand more"}, {What: "BitLocker key", Text: key}, {What: "since", Text: when(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))}}
		},
	}
}

func TestInvitationsKeepThePromises(t *testing.T) {
	for _, template := range []string{mail.Approve, mail.ApproveInIntune} {
		t.Run(template, func(t *testing.T) {
			handlerstest.Run(t, func(testing.TB) handlerstest.World {
				tenant := &handlerstest.Tenant{Lag: 2 * time.Minute}
				c, task := asking(template)
				return handlerstest.World{
					Do: approverMail(t, tenant).Do, Case: c, Task: task,
					Effects: tenant.Effects, Texts: func() []string { return texts(tenant) },
					Calls: &tenant.Writes, Reads: &tenant.Reads,
				}
			})
		})
	}
}

// What whoever may approve reads, and that it goes to them alone.
func TestInvitation(t *testing.T) {
	tenant := &handlerstest.Tenant{}
	c, task := asking(mail.Approve)
	fact, err := approverMail(t, tenant).Do(t.Context(), c, task)
	if done, ok := fact.(events.Done); err != nil || !ok || done.Receipt != "sent to kim@contoso.example" {
		t.Fatalf("%+v, %v", fact, err)
	}
	m := tenant.Mails()[0]
	link := "https://curfew.example/approve/" + strings.NewReplacer("/", ".", "@", ".").Replace(c.Pending[0].ID+"--kim@contoso.example--"+task.ID)
	for _, want := range []string{
		"approval of 2 people", "what would be done: reset", "LT-042", "Contoso Ltd", "what is lost: all by reset and more",
		"its key is escrowed", "Sunday, 1 March 2026", "Trojan:Win32/Example", "ben@contoso.example", link, "until Monday, 2 March 2026 at 15:04 UTC", "do not pass this mail on",
	} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the mail does not say %q:\n%s", want, m.Text)
		}
	}
	if m.To != "kim@contoso.example" || m.Subject != "Your approval is needed: reset LT-042 (Contoso Ltd)" || !strings.Contains(m.HTML, `<a href="`+link+`">`) || strings.Contains(m.Text, "curfew approve ") {
		t.Errorf("%+v", m)
	}
}

// Whoever is asked reads it in their own language, or else in that of the
// configuration: what would be done, what is lost, where to answer.
func TestInvitationsInEveryLanguage(t *testing.T) {
	says := map[string][3]string{
		"en": {"Your approval is needed", "last check-in", "do not pass this mail on"},
		"de": {"Ihre Zustimmung", "letzte Rückmeldung", "geben Sie diese E-Mail daher nicht weiter"},
		"fr": {"Votre accord", "dernière communication", "ne transmettez donc pas cet e-mail"},
		"es": {"Se necesita su aprobación", "última comunicación", "no reenvíe este correo"},
		"nl": {"Uw goedkeuring", "laatste melding", "stuur deze e-mail dus niet door"},
	}
	for _, language := range handlers.Languages() {
		for template, want := range map[string][3]string{mail.Approve: says[language], mail.ApproveInIntune: {"Intune", says[language][1], "0b5c-request"}} {
			tenant := &handlerstest.Tenant{}
			c, task := asking(template)
			c.Device.Language = "pl" // which the user's own is nothing to whoever approves
			h := approverMail(t, tenant)
			h.Language = "fr"
			h.Speaks = func(_ context.Context, tenant, who string) string {
				return map[string]string{"contoso kim@contoso.example": language + "-XX"}[tenant+" "+who]
			}
			h.Stakes = func(_ events.Case, _ events.Task, _ string, _ func(time.Time) string) []mail.Stake {
				return []mail.Stake{{What: "last check-in", Text: "not known"}, {What: "primary user", Text: "Anna; the device will be nobody's afterwards"}}
			}
			if _, err := h.Do(t.Context(), c, task); err != nil {
				t.Fatal(err)
			}
			m := tenant.Mails()[0]
			for _, w := range append(want[:], "LT-042", "Contoso Ltd") {
				if !strings.Contains(m.Subject+"\n"+strings.Join(strings.Fields(m.Text), " "), w) || w != want[0] && !strings.Contains(m.HTML, w) {
					t.Errorf("%s in %s does not say %q:\n%s\n%s", template, language, w, m.Subject, m.Text)
				}
			}
			if english := strings.Contains(m.Text, "nobody's afterwards"); english != (language == "en") || strings.Contains(m.Text, "\n\n\n") {
				t.Errorf("%s in %s:\n%s", template, language, m.Text)
			}
		}
	}
}

// Without links the mail names the commands.
func TestInvitationWithoutLinks(t *testing.T) {
	tenant := &handlerstest.Tenant{}
	c, task := asking(mail.Approve)
	if _, err := (mail.Handler{Mailer: tenant, Templates: builtin(t)}).Do(t.Context(), c, task); err != nil {
		t.Fatal(err)
	}
	m := tenant.Mails()[0]
	for _, text := range []string{m.Text, m.HTML} {
		if !strings.Contains(text, "curfew approve "+c.Pending[0].ID) || strings.Contains(text, "http") {
			t.Errorf("%s", text)
		}
	}
}

// Where Intune asks, the mail says where to click, and has no link to mistake
// for it.
func TestInvitationToIntune(t *testing.T) {
	tenant := &handlerstest.Tenant{}
	c, task := asking(mail.ApproveInIntune)
	if _, err := approverMail(t, tenant).Do(t.Context(), c, task); err != nil {
		t.Fatal(err)
	}
	m := tenant.Mails()[0]
	for _, want := range []string{"0b5c-request", "Tenant administration > Multi Admin Approval > All requests", "LT-042", "what is lost"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the mail does not say %q:\n%s", want, m.Text)
		}
	}
	if strings.Contains(m.Text+m.HTML, "curfew.example") {
		t.Errorf("there is a link:\n%s", m.Text)
	}
}

// Nobody is asked for what nobody waits for any more.
func TestNobodyIsAskedInVain(t *testing.T) {
	for name, edit := range map[string]func(*events.Case, *events.Task){
		"called off":              func(c *events.Case, _ *events.Task) { c.Pending = nil },
		"begun":                   func(c *events.Case, _ *events.Task) { c.Pending[0].Begun = &events.Attempt{ID: "1"} },
		"approved":                func(c *events.Case, _ *events.Task) { c.Pending[0].Needs = 1 },
		"about nothing":           func(_ *events.Case, t *events.Task) { t.Ref = "" },
		"without Intune's asking": func(c *events.Case, t *events.Task) { c.Pending[0].Request, t.Template = "", mail.ApproveInIntune },
	} {
		tenant := &handlerstest.Tenant{}
		c, task := asking(mail.Approve)
		edit(&c, &task)
		fact, err := approverMail(t, tenant).Do(t.Context(), c, task)
		if done, ok := fact.(events.Done); err != nil || !ok || !strings.HasPrefix(done.Receipt, "not sent") || len(tenant.Mails()) > 0 {
			t.Errorf("%s: %+v, %v, %v", name, fact, err, tenant.Mails())
		}
	}
}

// An invitation goes to a mail address, and to nothing else; and every other mail
// goes to the user, and to nobody else.
func TestWhoIsInvited(t *testing.T) {
	for _, to := range []string{"", "user", "kim", "CONTOSO\\kim", "Kim <kim@contoso.example>", "kim@contoso.example, jo@contoso.example", "kim@contoso.example\r\nBcc: x@y.example", " kim@contoso.example"} {
		for _, template := range []string{mail.Approve, mail.ApproveInIntune} {
			tenant := &handlerstest.Tenant{}
			c, task := asking(template)
			task.Destination = to
			if _, err := approverMail(t, tenant).Do(t.Context(), c, task); !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "not a mail address") || len(tenant.Mails()) > 0 {
				t.Errorf("%q: %v, %v", to, err, tenant.Mails())
			}
		}
	}
	tenant := &handlerstest.Tenant{}
	c, task := asking("reminder")
	if _, err := approverMail(t, tenant).Do(t.Context(), c, task); !handlers.Read(err).GiveUp || len(tenant.Mails()) > 0 {
		t.Errorf("a reminder to somebody else: %v", err)
	}
}

// What others have named stays text.
func TestHostileInvitations(t *testing.T) {
	const bad = "\"><script>alert(1)</script>\u202e\r\nBcc: x@y.example"
	for _, template := range []string{mail.Approve, mail.ApproveInIntune} {
		tenant := &handlerstest.Tenant{}
		c, task := asking(template)
		c.Device.Name, c.Device.UserName, c.Pending[0].Request = bad, bad, bad
		c.Pending[0].Approvals = []events.Approval{{By: bad}}
		h := approverMail(t, tenant)
		h.Tenant = func(string) string { return bad }
		h.Key = func(context.Context, events.Case) string { return bad }
		h.Invite = func(string, string, string) (string, time.Time) { return "javascript:alert(1)", time.Time{} }
		if _, err := h.Do(t.Context(), c, task); err != nil {
			t.Fatal(err)
		}
		m := tenant.Mails()[0]
		for _, raw := range []string{"<script", "\u202e", "javascript:"} {
			if strings.Contains(m.HTML, raw) {
				t.Errorf("%s: the HTML has %q:\n%s", template, raw, m.HTML)
			}
		}
		if strings.ContainsAny(m.Subject, "\r\n") || strings.Contains(m.Text, "\nBcc") {
			t.Errorf("%s: a header got in: %q\n%s", template, m.Subject, m.Text)
		}
	}
}
