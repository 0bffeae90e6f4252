package page

import (
	"cmp"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// An Alert is what a pager is told of a case. Texts are one line each, bounded
// and free of control characters; a pager that shows them as HTML or Markdown
// must escape them.
type Alert struct {
	Task   string // the task's id
	Key    string // the case's id, at most 140 characters: what the other side folds by
	Ref    string // the receipt of the page before, or of the one to resolve; empty: none
	Title  string // of an alert that is of no case, but about many; it has no device then
	ReadOn string // of that: the command that shows the rest
	Unsure bool   // Trigger or Resolve may have been called for this task before
	Begun  time.Time

	Asked     time.Time
	Tenant    string
	Device    string // its Entra device id
	Name      string
	OS        string
	User      string
	Serial    string
	Policy    string
	State     string
	Template  string // what the rule names
	Summary   string // one line
	Severity  Severity
	Findings  []string // what is wrong, the gravest first
	Attention []string // what only a person can help with
	Links     []handlers.Link

	Telling handlers.Telling // in which language all of this is, and what else is said
}

// Severity is how bad it is, in the words of PagerDuty, which are the most common.
type Severity string

// The severities.
const (
	Critical Severity = "critical"
	Error    Severity = "error"
	Warning  Severity = "warning"
)

// maxSummary is the longest summary of all pagers (PagerDuty docs: Events API v2,
// trigger events: 1024 characters; GoAlert the same).
const maxSummary = 1024

func alert(c events.Case, t events.Task, telling handlers.Telling) Alert {
	d := c.Inhabited()
	a := Alert{
		Task: t.ID, Key: cmp.Or(t.Case, c.ID()), Ref: t.Ref, Unsure: t.Unsure, Begun: t.Asked,
		Asked: t.Asked.UTC(), Tenant: c.Tenant, Device: c.Key.Device,
		Name: handlers.Line(d.Name, 100), OS: handlers.Line(d.OS, 50),
		User: handlers.Line(d.User, 200), Serial: handlers.Line(d.Serial, 100),
		Policy: handlers.Line(c.Policy, 200), State: c.State(), Template: handlers.Line(t.Template, 200),
		Summary: handlers.Line(telling.Summary(c), maxSummary), Severity: severity(c), Links: handlers.Links(c), Telling: telling,
	}
	if t.Begun != nil {
		a.Begun = t.Begun.At
	}
	a.Findings, a.Attention = telling.Sentences(c)
	return a
}

func severity(c events.Case) Severity {
	s := SeverityOf(handlers.Worst(c.Device))
	if s == Warning && len(c.Attention) > 0 {
		return Error
	}
	return s
}

// SeverityOf is how bad a level is.
func SeverityOf(l events.Level) Severity {
	switch {
	case l >= events.High:
		return Critical
	case l >= events.Medium:
		return Error
	}
	return Warning
}

// Which names the alert to resolve.
func (a Alert) Which() string { return cmp.Or(a.Ref, a.Key) }

// Text is all there is to say, a line for each, for pagers that take one text.
func (a Alert) Text() string {
	var lines []string
	add := func(what string, values ...string) {
		for _, v := range values {
			if v != "" {
				lines = append(lines, a.Telling.Say(what, v))
			}
		}
	}
	add("%1", a.Summary)
	add("Found: %1", a.Findings...)
	add("Needs a person: %1", a.Attention...)
	add("User: %1", a.User)
	add("Serial number: %1", a.Serial)
	add("Policy: %1", a.Policy)
	if a.Title == "" {
		add("Case: %1", a.Key)
	}
	add("Read on: %1", a.ReadOn)
	for _, l := range a.Links {
		lines = append(lines, l.Text+": "+l.URL)
	}
	return strings.Join(lines, "\n")
}

// Plain is a text without what a reader of HTML or Markdown would obey.
func Plain(text string) string {
	return strings.NewReplacer("<", "‹", ">", "›", "[", "(", "]", ")", "`", "'", "*", "∗").Replace(text)
}
