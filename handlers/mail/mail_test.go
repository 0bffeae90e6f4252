package mail_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/mail"
)

func builtin(t testing.TB) *mail.Templates {
	t.Helper()
	ts, err := mail.NewTemplates(nil)
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

func order(template string) events.Order {
	return events.Order{Action: events.Mail, Template: template}
}

func TestKeepsThePromises(t *testing.T) {
	for name, blind := range map[string]bool{"": false, "without leave to read sent mail": true} {
		t.Run(name, func(t *testing.T) {
			handlerstest.Run(t, func(t testing.TB) handlerstest.World {
				tenant := &handlerstest.Tenant{Lag: 2 * time.Minute, Blind: blind}
				c := handlerstest.Laptop()
				w := handlerstest.World{
					Do: mail.Handler{Mailer: tenant, Templates: builtin(t)}.Do, Case: c, Task: handlerstest.Task(c, order("threat-found")),
					Effects: tenant.Effects, Texts: func() []string { return texts(tenant) },
					Calls: &tenant.Writes, Reads: &tenant.Reads,
				}
				if blind { // the one promise that cannot be kept then is "once"; the user is told at least once
					w.Effects = func() []string { return tenant.Effects()[:min(1, len(tenant.Effects()))] }
				}
				return w
			})
		})
	}
}

func texts(tenant *handlerstest.Tenant) []string {
	var out []string
	for _, m := range tenant.Mails() {
		out = append(out, m.Subject, m.Text, m.HTML, m.To)
	}
	return out
}

// Without leave to read Sent Items a mail that may have been sent is sent again
// after a while, but not for ever.
func TestWhatCannotBeToldIsSentAgainAFewTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := &handlerstest.Tenant{Blind: true}
		tenant.Writes.Fail(-1, fake.Fault{Status: 504, Done: true})
		c := handlerstest.Laptop()
		task := handlerstest.Task(c, order("reminder"))
		h := mail.Handler{Mailer: tenant, Templates: builtin(t)}
		start := time.Now()
		var err error
		for !handlers.Read(err).GiveUp {
			if task.Begun == nil {
				task.Begun = &events.Attempt{ID: "1", At: time.Now()}
			}
			if _, err = h.Do(t.Context(), c, task); err == nil {
				t.Fatal("it was sent, though nobody said so")
			}
			v := handlers.Read(err)
			task.Unsure = v.Unsure
			task.Tries++
			if !v.Unsure {
				task.Begun = nil
			}
			time.Sleep(max(v.After, time.Second))
		}
		if n := len(tenant.Mails()); n < 2 || n > 3 {
			t.Errorf("the user got %d mails", n)
		}
		if !strings.Contains(err.Error(), "somebody should tell the user") || time.Since(start) < 5*time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestWhoGetsIt(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(*events.Case, *events.Task)
		to   string
		why  string // it gives up, saying so
	}{
		"the mail address":   {func(c *events.Case, _ *events.Task) { c.Device.UserMail = "anna.b@contoso.example" }, "anna.b@contoso.example", ""},
		"the principal name": {func(c *events.Case, _ *events.Task) { c.Device.UserMail = "" }, "anna@contoso.example", ""},
		"a guest": {func(c *events.Case, _ *events.Task) {
			c.Device.UserMail, c.Device.User = "", "ann_x.example#EXT#@contoso.example"
		}, "ann_x.example#EXT#@contoso.example", ""},
		"the user, by name": {func(_ *events.Case, t *events.Task) { t.Destination = "user" }, "anna@contoso.example", ""},
		"nobody":            {func(c *events.Case, _ *events.Task) { c.Device.User, c.Device.UserMail = "", "" }, "", "nobody can be told"},
		"somebody else":     {func(_ *events.Case, t *events.Task) { t.Destination = "boss" }, "", `"boss"`},
		"no address":        {func(c *events.Case, _ *events.Task) { c.Device.UserMail = "CONTOSO\\anna" }, "", "not a mail address"},
		"two":               {func(c *events.Case, _ *events.Task) { c.Device.UserMail = "a@x.example, b@x.example" }, "", "not a mail address"},
		"a name in front":   {func(c *events.Case, _ *events.Task) { c.Device.UserMail = "A <a@x.example>" }, "", "not a mail address"},
		"a header":          {func(c *events.Case, _ *events.Task) { c.Device.UserMail = "a@x.example\r\nBcc: b@x.example" }, "", "not a mail address"},
	} {
		t.Run(name, func(t *testing.T) {
			tenant := &handlerstest.Tenant{}
			c := handlerstest.Laptop()
			task := handlerstest.Task(c, order("cleared"))
			tt.edit(&c, &task)
			_, err := mail.Handler{Mailer: tenant, Templates: builtin(t)}.Do(t.Context(), c, task)
			switch mails := tenant.Mails(); {
			case tt.why != "":
				if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), tt.why) || len(mails) > 0 {
					t.Errorf("got %v, %v", err, mails)
				}
			case err != nil || len(mails) != 1 || mails[0].To != tt.to || mails[0].Key != task.ID || mails[0].Tenant != "contoso":
				t.Errorf("got %v, %+v", err, mails)
			}
		})
	}
}

// What a user reads: what is wrong, what to do, by when, whom to ask.
func TestPreview(t *testing.T) {
	due := time.Date(2026, 3, 2, 14, 4, 0, 0, time.UTC)
	zone := time.FixedZone("CET", 3600)
	h := mail.Handler{Templates: builtin(t), Ask: "the help desk, extension 100", Zone: zone, ResetDue: func(events.Case) time.Time { return due }}
	c := handlerstest.Laptop()
	for _, name := range h.Templates.Names() {
		m, err := h.Preview(name, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"Anna Bauer", "LT-042", "extension 100", c.ID()} {
			if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
				t.Errorf("%s does not say %q:\n%s\n%s", name, want, m.Text, m.HTML)
			}
		}
		if m.Subject == "" || strings.Contains(m.Text, "<no value>") || strings.Contains(m.Text, "&#") {
			t.Errorf("%s: %+v", name, m)
		}
		if name == "cleared" {
			continue
		}
		wants := []string{"Trojan:Win32/Example", "disk is not encrypted"}
		if !mail.ForApprovers(name) { // whose steps are others
			wants = append(wants, "1. ", "2. ")
		}
		for _, want := range wants {
			if !strings.Contains(m.Text, want) {
				t.Errorf("%s does not say %q:\n%s", name, want, m.Text)
			}
		}
		if strings.Contains(name, "warning") && (!strings.Contains(m.Text, "Monday, 2 March 2026 at 15:04 CET") || !strings.Contains(m.Subject, "2 March")) {
			t.Errorf("the last warning does not say when:\n%s", m.Text)
		}
	}
	if _, err := h.Preview("welcome", c); err == nil || !strings.Contains(err.Error(), "there are: approve, approve-in-intune, cleared, last-warning, noncompliant, reminder, threat-found") {
		t.Errorf("an unknown template: %v", err)
	}
}

// A rule that names no template gets the one that fits.
func TestTheFittingTemplate(t *testing.T) {
	for want, edit := range map[string]func(*events.Device){
		"threat was found": func(*events.Device) {},
		"does not meet": func(d *events.Device) {
			d.Alerts, d.Malware, d.Threat, d.GraceUntil = nil, nil, "secured", time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
		},
	} {
		tenant := &handlerstest.Tenant{}
		c := handlerstest.Laptop()
		edit(&c.Device)
		if _, err := (mail.Handler{Mailer: tenant, Templates: builtin(t)}).Do(t.Context(), c, handlerstest.Task(c, order(""))); err != nil {
			t.Fatal(err)
		}
		if m := tenant.Mails()[0]; !strings.Contains(m.Subject, want) || strings.Contains(m.Text, "9999") {
			t.Errorf("got %q, want %q\n%s", m.Subject, want, m.Text)
		}
	}
	tenant := &handlerstest.Tenant{}
	c := handlerstest.Laptop()
	if _, err := (mail.Handler{Mailer: tenant}).Do(t.Context(), c, handlerstest.Task(c, order("x"))); !handlers.Read(err).GiveUp {
		t.Errorf("without templates: %v", err)
	}
}

func TestHostileNamesDoNotInject(t *testing.T) {
	h := mail.Handler{Templates: builtin(t)}
	c := handlerstest.Laptop()
	c.Device.Name = "<img src=x onerror=alert(1)>\r\nBcc: all@contoso.example {{.Ask}}"
	c.Device.UserName = "\u202eanna <a href='https://evil.example'>click</a>"
	m, err := h.Preview("threat-found", c)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(m.Subject, "\r\n") || !strings.Contains(m.Subject, "Bcc: all@contoso.example {{.Ask}}") {
		t.Errorf("the subject is %q", m.Subject)
	}
	for _, bad := range []string{"<img", "<a ", "\u202e"} {
		if strings.Contains(m.HTML, bad) {
			t.Errorf("the HTML has %q:\n%s", bad, m.HTML)
		}
	}
}

func TestTemplatesOfTheOperator(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	ts, err := mail.NewTemplates(fstest.MapFS{
		"cleared.subject.txt": file("{{.Device}} ist wieder gesund"),
		"neu.subject.txt":     file("Neu: {{.Device}}"),
		"neu.txt":             file(`{{range $i, $f := .Findings}}{{inc $i}}: {{$f.What}}{{end}}.`),
		"neu.html":            file(`<p title="{{.Device}}">{{template "footer" .}}</p>`),
		".hidden":             file("a file of the system"),
	})
	if err != nil {
		t.Fatal(err)
	}
	h := mail.Handler{Templates: ts}
	c := handlerstest.Laptop()
	c.Device.Name = `"><script>`
	m, err := h.Preview("neu", c)
	if err != nil || !strings.HasPrefix(m.Text, "1: Malicious") || strings.Contains(m.HTML, "<script>") || !strings.Contains(m.HTML, "name this case") {
		t.Errorf("got %+v, %v", m, err)
	}
	if m, err := h.Preview("cleared", c); err != nil || m.Subject != `"><script> ist wieder gesund` || !strings.Contains(m.Text, "healthy again") {
		t.Errorf("got %+v, %v", m, err)
	}
}

// Every mistake is reported at the start, all of them at once.
func TestMistakesInTemplates(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	_, err := mail.NewTemplates(fstest.MapFS{
		"cleared.txt":              file("{{.Devise}}"),
		"reminder.html":            file("<p>{{range .Findings}}{{.Wat}}{{end}}</p>"),
		"noncompliant.txt":         file("{{if}}"),
		"threat-found.subject.txt": file("{{with .ResetDue}}{{.}}{{end}}"),
		"half.txt":                 file("only the text"),
		"last-warning.html":        file(`<script>var x = {{template "steps"</script>`),
	})
	if err == nil {
		t.Fatal("no mistake was found")
	}
	for _, want := range []string{"cleared.txt", "Devise", "reminder.html", "Wat", "noncompliant.txt:1", "threat-found.txt", "comes out empty", "half.subject.txt is missing", "half.html is missing", "last-warning.html"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not reported:\n%v", want, err)
		}
	}
	if _, err := mail.NewTemplates(fstest.MapFS{"a.tmpl": file(""), "b.md": file("")}); err == nil || !strings.Contains(err.Error(), "a.tmpl") || !strings.Contains(err.Error(), "b.md") {
		t.Errorf("unknown files: %v", err)
	}
}
