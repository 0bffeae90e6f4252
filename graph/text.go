package graph

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What Microsoft sends ends up in cases, tickets and logs: it is bounded and
// kept on one line wherever it comes in.
const (
	maxText = 512 // bytes of one value
	maxLong = 400 // bytes of the message of an error
)

// oneLine bounds s to most bytes of whole runes and takes control characters out.
func oneLine(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r == utf8.RuneError, unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, s)
	if len(s) <= most {
		return s
	}
	cut := most - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// tokens matches JSON web tokens, which some services quote when they refuse one.
var tokens = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?`)

// harmless makes a text from outside fit for an error: no tokens, none of the
// secrets, one line, bounded.
func harmless(s string, secrets []string) string {
	for _, secret := range secrets {
		s = strings.ReplaceAll(s, secret, "[secret]")
	}
	return oneLine(strings.TrimSpace(tokens.ReplaceAllString(s, "[token]")), maxLong)
}

// quote makes s a string literal of an OData filter.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
