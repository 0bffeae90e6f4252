package ticket_test

import (
	"strings"
	"testing"

	"curfew/handlers/ticket"
)

// What is written as HTML is text again when it is read, and no more than text
// meanwhile.
func TestTextsAsHTML(t *testing.T) {
	for in, want := range map[string]string{
		"one\n\ntwo":                   "one\n\ntwo",
		`<b onclick="x">&amp;</b> 'q'`: `<b onclick="x">&amp;</b> 'q'`,
		"{{ticket.id}} {{{x}}} {{{{":   "{ {ticket.id}} { { {x}}} { { { {",
		"{%if%}{{%":                    "{ %if%}{ { %",
	} {
		markup := ticket.HTML(in)
		if got := strings.TrimSuffix(ticket.Plain(markup), "\n"); got != want {
			t.Errorf("%q became %q and then %q, want %q", in, markup, got, want)
		}
		if rest := strings.NewReplacer("<div>", "", "</div>", "", "<br>", "").Replace(markup); strings.ContainsAny(rest, `<>"'`) || strings.Contains(rest, "{{") || strings.Contains(rest, "{%") {
			t.Errorf("%q became %q", in, markup)
		}
	}
}

// Desks store what they are given in a form of their own.
func TestHTMLOfADesk(t *testing.T) {
	got := ticket.Plain(`<div class="x"><p>one<br />two</p><a href="https://x.example">three</a> &#39;four&#39;</div>`)
	if want := "one\ntwo\nthree 'four'\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
