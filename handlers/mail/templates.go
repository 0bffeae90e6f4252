package mail

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	texttemplate "text/template"
	"time"

	"curfew/events"
	"curfew/handlers"
)

//go:embed templates
var builtin embed.FS

// A Message is a mail as the user gets it.
type Message struct {
	Subject string // one line
	Text    string
	HTML    string
}

// Templates are the mails Curfew can write, by name. They do not change once
// made.
type Templates struct{ byName map[string]*mailTemplate }

type mailTemplate struct {
	subject, text *texttemplate.Template
	html          *htmltemplate.Template
}

// The three files of a template: its name and one of these. The layouts hold
// what templates share.
const (
	subjectFile = ".subject.txt"
	textFile    = ".txt"
	htmlFile    = ".html"
	textLayout  = "layout.txt"
	htmlLayout  = "layout.html"
)

// NewTemplates returns the templates that Curfew brings along, with those of dir
// in their place. dir may be nil. A template is three files, NAME.subject.txt,
// NAME.txt (both text/template) and NAME.html (html/template); each file of a
// known name replaces that file, a new name needs all three, and layout.txt and
// layout.html replace what the templates share. What they may show is [Data].
//
// Besides the functions that Go's templates have, inc adds one to a number.
//
// Every template is tried out on examples; the error lists every mistake found.
func NewTemplates(dir fs.FS) (*Templates, error) {
	own, err := fs.Sub(builtin, "templates")
	if err != nil {
		return nil, fmt.Errorf("mail templates: %w", err)
	}
	files := map[string]string{}
	if err := read(own, files); err != nil {
		return nil, err
	}
	if dir != nil {
		if err := read(dir, files); err != nil {
			return nil, err
		}
	}
	ts := &Templates{map[string]*mailTemplate{}}
	var errs []error
	for _, name := range names(files) {
		t, err := parse(name, files)
		if err == nil {
			err = t.try()
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ts.byName[name] = t
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("mail templates:\n%w", err)
	}
	return ts, nil
}

// Names are the templates there are, sorted.
func (ts *Templates) Names() []string { return slices.Sorted(maps.Keys(ts.byName)) }

// Preview writes the mail for a case as it would be sent now. One that asks for
// approval shows what [Handler.Invite] gives for an invitation without an id,
// which should be worth nothing.
func (h Handler) Preview(name string, c events.Case) (Message, error) {
	data := h.data(c)
	if ForApprovers(name) {
		h.invitation(&data, c, example(c, name), "", "", "")
	}
	return h.write(name, data)
}

func (h Handler) write(name string, d Data) (Message, error) {
	if h.Templates == nil {
		return Message{}, errors.New("mail: no templates were loaded")
	}
	t, ok := h.Templates.byName[name]
	if !ok {
		return Message{}, fmt.Errorf("mail: no template is called %q; there are: %s", name, strings.Join(h.Templates.Names(), ", "))
	}
	m, err := t.write(d)
	if err != nil {
		return Message{}, fmt.Errorf("mail: %w", err)
	}
	return m, nil
}

// read collects the template files of a directory.
func read(dir fs.FS, files map[string]string) error {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return fmt.Errorf("mail templates: %w", err)
	}
	var errs []error
	for _, e := range entries {
		ext := path.Ext(e.Name())
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if ext != textFile && ext != htmlFile {
			errs = append(errs, fmt.Errorf("mail templates: %s: want NAME%s, NAME%s or NAME%s", e.Name(), subjectFile, textFile, htmlFile))
			continue
		}
		b, err := fs.ReadFile(dir, e.Name())
		if err != nil {
			errs = append(errs, fmt.Errorf("mail templates: %w", err))
			continue
		}
		files[e.Name()] = string(b)
	}
	return errors.Join(errs...)
}

// names are the templates that the files belong to.
func names(files map[string]string) []string {
	var out []string
	for file := range files {
		if file == textLayout || file == htmlLayout {
			continue
		}
		for _, suffix := range []string{subjectFile, textFile, htmlFile} { // the longer suffix first
			if name, ok := strings.CutSuffix(file, suffix); ok {
				out = append(out, name)
				break
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func parse(name string, files map[string]string) (*mailTemplate, error) {
	var errs []error
	for _, suffix := range []string{subjectFile, textFile, htmlFile} {
		if _, ok := files[name+suffix]; !ok {
			errs = append(errs, fmt.Errorf("%s%s is missing", name, suffix))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	text := func(layout, file string) *texttemplate.Template {
		t := texttemplate.New(file).Funcs(texttemplate.FuncMap{"inc": inc})
		if layout != "" {
			_, err := t.New(layout).Parse(files[layout])
			errs = append(errs, err)
		}
		_, err := t.Parse(files[file])
		errs = append(errs, err)
		return t
	}
	t := &mailTemplate{subject: text("", name+subjectFile), text: text(textLayout, name+textFile), html: htmltemplate.New(name + htmlFile).Funcs(htmltemplate.FuncMap{"inc": inc})}
	_, err := t.html.New(htmlLayout).Parse(files[htmlLayout])
	errs = append(errs, err)
	_, err = t.html.Parse(files[name+htmlFile])
	errs = append(errs, err)
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

// tidy takes off the blank lines that definitions leave around a text.
func tidy(s string) string {
	if s = strings.TrimSpace(s); s != "" {
		s += "\n"
	}
	return s
}

// when writes a moment for people; "" for none.
func when(at time.Time, zone *time.Location) string {
	if at.IsZero() {
		return ""
	}
	return at.In(zone).Format("Monday, 2 January 2006 at 15:04 MST")
}
