package ticket

import (
	"html"
	"regexp"
	"strings"
)

// HTML is a text as HTML that shows it line by line and nothing else, for desks
// that take no plain text.
func HTML(text string) string {
	return "<div>" + strings.ReplaceAll(html.EscapeString(Literal(text)), "\n", "<br>") + "</div>"
}

// Literal parts the braces of a text between which many desks put something else,
// such as {{ticket.requester.email}} or {% if %}. Escaping would not do: it is
// undone before they look.
func Literal(text string) string {
	for _, open := range []string{"{{", "{{", "{%"} { // twice, for the third of three
		text = strings.ReplaceAll(text, open, open[:1]+" "+open[1:])
	}
	return text
}

var (
	lineEnd = regexp.MustCompile(`(?i)<br\s*/?>|</(?:div|h[1-6]|li|p|tr)\s*>`)
	anyTag  = regexp.MustCompile(`<[^<>]*>`)
)

// Plain is HTML as lines: what a desk has made of what [HTML] made.
func Plain(markup string) string {
	return html.UnescapeString(anyTag.ReplaceAllString(lineEnd.ReplaceAllString(markup, "\n"), ""))
}
