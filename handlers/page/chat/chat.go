// Package chat is what a case looks like in a channel where technicians read
// along: a card when it opens, another when it comes again, and one when it is
// over. Teams, Slack and the rest differ only in how a card is written.
//
// Nobody acknowledges anything in a channel, and a channel can neither be asked
// what it shows nor told to show something once. So a card may stand there twice
// after an answer was lost; each names its case.
//
// Names of devices and titles of alerts come from outside. In a [Card] they hold
// nothing that any channel would obey: no markup, no mention of everybody, no
// address that becomes a link.
package chat

import (
	"cmp"
	"regexp"
	"strings"

	"curfew/handlers"
	"curfew/handlers/page"
)

// Limits of a card. A message of Teams has 28 KB (Teams docs: incoming webhook,
// 2026-08), a text of Slack 3,000 characters, and nobody reads more than this.
const (
	maxTitle    = 140
	maxLine     = 200
	maxFindings = 8
	maxLinks    = 5 // Teams shows six buttons
)

// A Card is what a channel is told of a case. Every text is one line, bounded and
// harmless.
type Card struct {
	Title    string
	Summary  string
	Severity page.Severity
	Over     bool
	Facts    []Fact
	Found    []string // what is wrong, and what only a person can help with
	Links    []handlers.Link
}

// A Fact is a line of a card: Device: LT-042.
type Fact struct{ What, Value, line string }

// String is the fact as one line.
func (f Fact) String() string { return f.line }

// Of is the card that tells of an alert: that it is there, or that it is over; or of
// many at once.
func Of(a page.Alert, over bool) Card {
	name := cmp.Or(a.Name, a.Device)
	c := Card{Summary: safe(a.Summary, 2*maxLine), Severity: a.Severity, Over: over}
	id, say := a.Key, a.Telling.Say
	switch {
	case a.Title != "":
		c.Title, name, id = safe(a.Title, maxTitle), "", ""
	case over:
		id = a.Which()
		c.Title = say("Over: %1", safe(name, maxTitle-30))
	case a.Ref != "":
		c.Title = say("Still at risk: %1", safe(name, maxTitle-30))
	default:
		c.Title = say("At risk: %1", safe(name, maxTitle-30))
	}
	add := func(what, value string) {
		if value != "" {
			line := say(what+": %1", value)
			head, _, _ := strings.Cut(line, ":")
			c.Facts = append(c.Facts, Fact{strings.TrimSpace(head), value, line})
		}
	}
	add("Device", safe(name, maxLine))
	add("User", safe(a.User, maxLine))
	add("Policy", safe(a.Policy, maxLine))
	add("State", safe(a.State, maxLine))
	add("Case", safe(id, maxLine))
	if over {
		return c
	}
	// The id and not the name: what a device is called must not end up in a shell.
	add("Read on", cmp.Or(safe(a.ReadOn, maxLine), "curfew case "+a.Device))
	for _, f := range a.Findings[:min(len(a.Findings), maxFindings)] {
		c.Found = append(c.Found, safe(f, maxLine))
	}
	for _, f := range a.Attention[:min(len(a.Attention), maxFindings)] {
		c.Found = append(c.Found, say("Needs a person: %1", safe(f, maxLine)))
	}
	for _, l := range a.Links {
		// An address that long is none that a person was meant to open.
		if address := handlers.SafeLink(l.URL); address != "" && len(address) <= 1000 && len(c.Links) < maxLinks {
			c.Links = append(c.Links, handlers.Link{Text: safe(l.Text, 40), URL: address})
		}
	}
	return c
}

// Text is the card without its links, a line for each thing it says.
func (c Card) Text() string {
	lines := []string{c.Title, c.Summary}
	for _, f := range c.Facts {
		lines = append(lines, f.String())
	}
	for _, f := range c.Found {
		lines = append(lines, "- "+f)
	}
	return strings.Join(lines, "\n")
}

// everybody is how channels are told to ring everybody's phone (Discord:
// @everyone and @here; Slack: @channel, @here and @everyone; Mattermost and
// Rocket.Chat: @all, @channel and @here).
var everybody = regexp.MustCompile(`(?i)@(everyone|here|channel|all|group|room)\b`)

// safe is a text that says the same and does nothing.
func safe(s string, n int) string {
	s = everybody.ReplaceAllString(page.Plain(s), "@ $1")
	// Cards of Teams fill in {{DATE(…)}}; addresses become links in most channels.
	return handlers.Line(strings.NewReplacer("{{", "{ {", "://", ": //", `\`, "∖").Replace(s), n)
}
