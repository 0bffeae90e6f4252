package mail_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/mail"
)

// reading is a case whose user reads a language.
func reading(language string) events.Case {
	c := handlerstest.Laptop()
	c.Device.Language = language
	return c
}

func preview(t *testing.T, h mail.Handler, name string, c events.Case) mail.Message {
	t.Helper()
	m, err := h.Preview(name, c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What every user reads, in every language: which device, what is wrong, what to
// do, until when, whom to ask; and nothing that was left in another language.
func TestEveryLanguageSaysEverything(t *testing.T) {
	h := mail.Handler{
		Templates: builtin(t), Ask: "extension 100", Zone: time.FixedZone("CET", 3600),
		ResetDue: func(events.Case) time.Time { return time.Date(2026, 3, 1, 14, 4, 0, 0, time.UTC) },
	}
	says := map[string][]string{
		"en": {"Hello Anna Bauer,", "Sunday, 1 March 2026 at 15:04 CET", "disk is not encrypted", "Leave the device"},
		"de": {"Guten Tag Anna Bauer,", "Sonntag, 1. März 2026 um 15:04 Uhr (CET)", "nicht verschlüsselt", "Lassen Sie das Gerät"},
		"fr": {"Bonjour Anna Bauer,", "dimanche 1er mars 2026 à 15 h 04 (CET)", "pas chiffré", "Laissez l’appareil"},
		"es": {"Hola Anna Bauer:", "domingo, 1 de marzo de 2026, a las 15:04 h (CET)", "no está cifrado", "Deje el dispositivo"},
		"nl": {"Goedendag Anna Bauer,", "zondag 1 maart 2026 om 15:04 uur (CET)", "niet versleuteld", "Laat het apparaat"},
	}
	for _, language := range handlers.Languages() {
		for _, name := range h.Templates.Names() {
			if mail.ForApprovers(name) {
				continue
			}
			if !slices.Contains(h.Templates.Languages(name), language) {
				t.Errorf("%s does not come in %s", name, language)
			}
			m := preview(t, h, name, reading(language))
			wants := append([]string{"LT-042", "Windows 10.0.26100", "extension 100", "contoso"}, says[language]...)
			switch {
			case name == "cleared":
				wants = wants[:5]
			case name == "noncompliant":
				wants = slices.DeleteFunc(wants, func(s string) bool { return strings.Contains(s, "2026") })
			}
			if name != "cleared" {
				wants = append(wants, "Trojan:Win32/Example", "BitLockerEnabled")
			}
			for _, want := range wants {
				if !strings.Contains(strings.Join(strings.Fields(m.Text), " "), want) || !strings.Contains(m.HTML, want) {
					t.Errorf("%s in %s does not say %q:\n%s\n%s", name, language, want, m.Text, m.HTML)
				}
			}
			if name != "cleared" && !strings.Contains(m.Text, "  2. ") {
				t.Errorf("%s in %s: the steps have no numbers:\n%s", name, language, m.Text)
			}
			for other, words := range says {
				for _, word := range words {
					if other != language && strings.Contains(m.Text+m.HTML, word) {
						t.Errorf("%s in %s says %q", name, language, word)
					}
				}
			}
			if strings.Contains(m.Text, "\n\n\n") || m.Subject == "" || m.Subject == preview(t, h, name, reading("en")).Subject && language != "en" {
				t.Errorf("%s in %s: %q\n%s", name, language, m.Subject, m.Text)
			}
		}
	}
}

// When Intune starts to block is said in the user's language, too.
func TestWhenTheGraceEnds(t *testing.T) {
	for language, want := range map[string]string{
		"en": "From Saturday, 1 August 2026 at 00:00 UTC on", "de": "Ab Samstag, 1. August 2026 um 00:00 Uhr (UTC)",
		"fr": "À partir du samedi 1er août 2026 à 00 h 00 (UTC)", "es": "A partir del sábado, 1 de agosto de 2026, a las 00:00 h (UTC)", "nl": "Vanaf zaterdag 1 augustus 2026 om 00:00 uur (UTC)",
	} {
		c := reading(language)
		c.Device.GraceUntil = time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
		if m := preview(t, mail.Handler{Templates: builtin(t)}, "noncompliant", c); !strings.Contains(m.Text, want) {
			t.Errorf("%s: no %q in\n%s", language, want, m.Text)
		}
	}
}

// The user's language counts, then a wider one, then the configuration's, then
// English.
func TestWhichLanguageAMailIsIn(t *testing.T) {
	for _, tt := range []struct{ user, configured, want string }{
		{"de-AT", "", "ist wieder in Ordnung"},
		{"de-AT", "fr", "ist wieder in Ordnung"},
		{"", "fr-CA", "tout est rentré"},
		{"pl-PL", "nl", "is weer in orde"},
		{"en-GB", "de", "is healthy again"},
		{"pl", "", "is healthy again"},
		{"", "", "is healthy again"},
		{"../../etc", "\x00", "is healthy again"},
	} {
		h := mail.Handler{Templates: builtin(t), Language: tt.configured}
		if m := preview(t, h, "cleared", reading(tt.user)); !strings.Contains(m.Subject, tt.want) {
			t.Errorf("%q, configured %q: %q", tt.user, tt.configured, m.Subject)
		}
	}
	c := reading("")
	c.Device.User, c.Person = "", events.Person{User: "anna@contoso.example", Language: "es"} // after a reset
	if m := preview(t, mail.Handler{Templates: builtin(t)}, "cleared", c); !strings.Contains(m.Subject, "vuelve a estar en orden") {
		t.Errorf("whose the device was: %q", m.Subject)
	}
	approvers := mail.Handler{Templates: builtin(t), Language: "de"}
	if m := preview(t, approvers, mail.Approve, reading("fr")); !strings.Contains(m.Text, "nicht verschlüsselt") || !strings.Contains(m.Subject, "Zustimmung") {
		t.Errorf("who approves does not read one language throughout:\n%s", m.Text)
	}
}

// Whom to ask can be said in each language.
func TestWhomToAskByLanguage(t *testing.T) {
	h := mail.Handler{Templates: builtin(t), Ask: "the help desk", AskIn: map[string]string{"de": "der Helpdesk, Durchwahl 100"}}
	for language, want := range map[string]string{"de-CH": "der Helpdesk, Durchwahl 100", "fr": "the help desk", "": "the help desk"} {
		if m := preview(t, h, "reminder", reading(language)); strings.Count(strings.Join(strings.Fields(m.Text), " "), want) != 2 {
			t.Errorf("%q:\n%s", language, m.Text)
		}
	}
	if m := preview(t, mail.Handler{Templates: builtin(t)}, "reminder", reading("nl")); !strings.Contains(m.Text, "de IT-helpdesk") {
		t.Errorf("nobody is named:\n%s", m.Text)
	}
}

// Where the name of a threat is not for the user, no mail to the user says it; who
// approves still knows.
func TestPlainMailsNameNoThreat(t *testing.T) {
	h := mail.Handler{Templates: builtin(t), Plain: func(c events.Case) bool { return c.Policy == "threat" }}
	for _, language := range handlers.Languages() {
		for _, name := range h.Templates.Names() {
			m := preview(t, h, name, reading(language))
			named := strings.Contains(m.Subject+m.Text+m.HTML, "Trojan") || strings.Contains(m.Subject+m.Text+m.HTML, "Suspicious behaviour")
			if named != mail.ForApprovers(name) {
				t.Errorf("%s in %s names the threat: %v\n%s", name, language, named, m.Text)
			}
			if name == "threat-found" && !strings.Contains(m.Text, "BitLockerEnabled") {
				t.Errorf("%s in %s does not say what to mend:\n%s", name, language, m.Text)
			}
		}
	}
}

// What the operator wrote for everybody is for everybody; what the operator wrote
// in a language joins or replaces that language.
func TestLanguagesOfTheOperator(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	ts, err := mail.NewTemplates(fstest.MapFS{
		"cleared.subject.txt":         file("All good: {{.Device}}"),
		"reminder.de.subject.txt":     file("Denken Sie an {{.Device}}"),
		"noncompliant.pl.txt":         file(`{{template "footer" .}} {{.Device}} nie spełnia {{.Language}}`),
		"noncompliant.pl.html":        file(`<p>nie spełnia</p>{{template "footer" .}}`),
		"noncompliant.pl.subject.txt": file("{{.Device}} nie spełnia"),
		"layout.pl.txt":               file(`{{define "footer"}}Pytania? {{.Ask}}{{end}}`),
		"layout.html":                 file(`{{define "greeting"}}<b>Contoso</b>{{end}}{{define "findings"}}{{end}}{{define "steps"}}{{end}}{{define "request"}}{{end}}{{define "footer"}}<i>ours</i>{{end}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	h := mail.Handler{Templates: ts, Ask: "100"}
	if m := preview(t, h, "cleared", reading("de")); m.Subject != "All good: LT-042" || !strings.Contains(m.Text, "healthy again") || !strings.Contains(m.HTML, "Contoso") {
		t.Errorf("for everybody: %+v", m)
	}
	if m := preview(t, h, "reminder", reading("de")); m.Subject != "Denken Sie an LT-042" || !strings.Contains(m.Text, "Aufmerksamkeit") || strings.Contains(m.HTML, "Contoso") {
		t.Errorf("in German: %+v", m)
	}
	if m := preview(t, h, "noncompliant", reading("pl-PL")); m.Text != "Pytania? 100 LT-042 nie spełnia pl\n" || !strings.Contains(m.HTML, "<i>ours</i>") {
		t.Errorf("in Polish: %+v", m)
	}
	if m := preview(t, h, "noncompliant", reading("fr")); !strings.Contains(m.Subject, "ne respecte pas") {
		t.Errorf("in French: %+v", m)
	}
	if got := ts.Languages("cleared"); !slices.Equal(got, []string{""}) {
		t.Errorf("cleared comes in %q", got)
	}
}

// A mistake is found in whatever language it is.
func TestMistakesInLanguages(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	_, err := mail.NewTemplates(fstest.MapFS{
		"cleared.fr.html":     file("<p>{{.Appareil}}</p>"),
		"reminder.de-at.txt":  file("{{.Device}}"),
		"layout.nl.txt":       file(`{{define "greeting"}}{{.Naam}}{{end}}`),
		"neu.de.subject.txt":  file("nur"),
		"neu.de.txt":          file("auf"),
		"neu.de.html":         file("Deutsch"),
		"threat-found.es.txt": file("{{with}}"),
		"last-warning.html":   file("<p>{{.Device}}</p>"),
		"last-warning.de.txt": file("{{.Geraet}}"),
	})
	if err == nil {
		t.Fatal("no mistake was found")
	}
	for _, want := range []string{
		"cleared.fr.html", "Appareil", "reminder.de-at.subject.txt is missing", "layout.nl.txt", "Naam", "neu.de.txt is for those who read de only",
		"threat-found.es.txt:1", "last-warning.de.txt", "Geraet",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not reported:\n%v", want, err)
		}
	}
	for _, stray := range []string{"noncompliant.html.txt", "cleared.d.txt", "cleared..txt", "a.de.b.txt"} {
		if _, err := mail.NewTemplates(fstest.MapFS{stray: file("x")}); err == nil || !strings.Contains(err.Error(), stray) {
			t.Errorf("%s: %v", stray, err)
		}
	}
}
