package mail

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"slices"
	"strings"
	texttemplate "text/template"

	"curfew/events"
	"curfew/handlers"
)

// A Message is a mail as the user gets it.
type Message struct {
	Subject string // one line
	Text    string
	HTML    string
}

// Templates are the mails Curfew can write, by name and language. They do not
// change once made.
type Templates struct{ all map[version]*mailTemplate }

type mailTemplate struct {
	language      string // empty: that of the configuration
	subject, text *texttemplate.Template
	html          *htmltemplate.Template
}

// NewTemplates returns the templates that Curfew brings along, with those of dir
// in their place. dir may be nil. A template is three files, NAME.subject.txt,
// NAME.txt (both text/template) and NAME.html (html/template), and three more for
// each further language: NAME.de.subject.txt and so on. Each file replaces the one
// that is there; a new name or language needs all three; and layout.txt and
// layout.html, or layout.de.txt, replace what the templates share. What they may
// show is [Data].
//
// A file of dir without a language is for everybody: of that template there are
// then no other languages than those that dir has, too.
//
// Besides the functions that Go's templates have, inc adds one to a number.
//
// Every template is tried out on examples, in every language; the error lists
// every mistake found.
func NewTemplates(dir fs.FS) (*Templates, error) {
	all, err := load(dir)
	if err != nil {
		return nil, err
	}
	ts := &Templates{map[version]*mailTemplate{}}
	var errs []error
	for _, v := range all.sorted() {
		if v.name == layout {
			continue
		}
		t, err := all.parse(v)
		if err == nil {
			err = t.try()
		}
		if err == nil && all[version{v.name, ""}] == nil && all[version{v.name, Fallback}] == nil {
			err = fmt.Errorf("%s is for those who read %s only: add one without a language, for everybody else", v.file(textFile), v.language)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ts.all[v] = t
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("mail templates:\n%w", err)
	}
	return ts, nil
}

// Names are the templates there are, sorted.
func (ts *Templates) Names() []string {
	var out []string
	for v := range ts.all {
		out = append(out, v.name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Languages are the tags of the languages that a template comes in, sorted; ""
// stands for that of the configuration.
func (ts *Templates) Languages(name string) []string {
	var out []string
	for v := range ts.all {
		if v.name == name {
			out = append(out, v.language)
		}
	}
	slices.Sort(out)
	return out
}

// find returns the template in the first of the languages that it comes in, each
// widened from "de-AT" to "de", and else in whatever it has for everybody.
func (ts *Templates) find(name string, languages ...string) (*mailTemplate, error) {
	for _, language := range languages {
		for _, l := range handlers.Widen(language) {
			if t := ts.all[version{name, l}]; t != nil {
				return t, nil
			}
		}
	}
	for _, l := range []string{"", Fallback} {
		if t := ts.all[version{name, l}]; t != nil {
			return t, nil
		}
	}
	return nil, fmt.Errorf("mail: no template is called %q; there are: %s", name, strings.Join(ts.Names(), ", "))
}

// Preview writes the mail for a case as it would be sent now. One that asks for
// approval shows what [Handler.Invite] gives for an invitation without an id,
// which should be worth nothing.
func (h Handler) Preview(name string, c events.Case) (Message, error) {
	t, err := h.template(name, c, "")
	if err != nil {
		return Message{}, err
	}
	data := h.data(name, c, h.language(t))
	if ForApprovers(name) {
		h.invitation(&data, c, example(c, name), "", "", "")
	}
	return t.message(data)
}

// template is the one of that name in the language of whoever reads it: of the
// device's user, or of who may approve, or else of the configuration.
func (h Handler) template(name string, c events.Case, approver string) (*mailTemplate, error) {
	if h.Templates == nil {
		return nil, errors.New("mail: no templates were loaded")
	}
	if ForApprovers(name) {
		return h.Templates.find(name, approver, h.Language)
	}
	return h.Templates.find(name, c.Inhabited().Language, h.Language)
}

// language is what the rest of a mail is written in.
func (h Handler) language(t *mailTemplate) string {
	return cmp.Or(t.language, h.Language, Fallback)
}

func (t *mailTemplate) message(d Data) (Message, error) {
	m, err := t.write(d)
	if err != nil {
		return Message{}, fmt.Errorf("mail: %w", err)
	}
	return m, nil
}

func (all files) parse(v version) (*mailTemplate, error) {
	var errs []error
	for _, suffix := range suffixes() {
		if _, ok := all[v][suffix]; !ok {
			errs = append(errs, fmt.Errorf("%s is missing", v.file(suffix)))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	textName, textLayout := all.layout(v.language, textFile)
	htmlName, htmlLayout := all.layout(v.language, htmlFile)
	t := &mailTemplate{
		language: v.language,
		subject:  texttemplate.New(v.file(subjectFile)).Funcs(texttemplate.FuncMap{"inc": inc}),
		text:     texttemplate.New(v.file(textFile)).Funcs(texttemplate.FuncMap{"inc": inc}),
		html:     htmltemplate.New(v.file(htmlFile)).Funcs(htmltemplate.FuncMap{"inc": inc}),
	}
	note := func(_ any, err error) { errs = append(errs, err) }
	note(t.text.New(textName).Parse(textLayout))
	note(t.html.New(htmlName).Parse(htmlLayout))
	note(t.subject.Parse(all[v][subjectFile]))
	note(t.text.Parse(all[v][textFile]))
	note(t.html.Parse(all[v][htmlFile]))
	return t, errors.Join(errs...)
}

func inc(i int) int { return i + 1 }

// try writes the mail for a full and for an empty example, so that a mistake
// shows at the start and not when a user must be told.
func (t *mailTemplate) try() error {
	full := Data{
		Device: "LT-042", OS: "Windows 10.0.26100", User: "Anna Example", Ask: "your IT help desk", Case: "example/1",
		Findings: []handlers.Finding{{What: "The disk is not encrypted", Fix: "Turn it on."}},
		Steps:    []string{"Turn it on."},
		ResetDue: "Monday, 2 March 2026 at 15:04 UTC", GraceUntil: "Monday, 2 March 2026 at 15:04 UTC",
		Deed: "reset", Tenant: "example", Task: "example/device/1-reset", Needs: 2, Approved: []string{"ben@example.com", "cleo@example.com"},
		Stakes: []Stake{{"what is lost", "the user's files"}}, Request: "example",
		Link: "https://curfew.example.com/approve/example", Expires: "Monday, 2 March 2026 at 15:04 UTC",
	}
	for _, d := range []Data{full, {}} {
		m, err := t.write(d)
		if err != nil {
			return err
		}
		if m.Subject == "" || m.Text == "" || m.HTML == "" {
			return fmt.Errorf("%s: subject, text or html comes out empty", t.text.Name())
		}
	}
	return nil
}

func (t *mailTemplate) write(d Data) (Message, error) {
	var subject, text, html bytes.Buffer
	if err := errors.Join(t.subject.Execute(&subject, d), t.text.Execute(&text, d), t.html.Execute(&html, d)); err != nil {
		return Message{}, err
	}
	// A subject of one line cannot smuggle in a header.
	return Message{Subject: handlers.Line(subject.String(), 200), Text: tidy(text.String()), HTML: tidy(html.String())}, nil
}

// tidy takes off the blank lines that definitions leave around a text, and leaves
// one where they left several.
func tidy(s string) string {
	if s = strings.TrimSpace(s); s != "" {
		s += "\n"
	}
	for strings.Contains(s, "\n\n\n") {
		s = strings.ReplaceAll(s, "\n\n\n", "\n\n")
	}
	return s
}
