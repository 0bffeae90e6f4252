package desktest

import (
	"slices"
	"testing"
)

// What is more than lines of text is told apart from what only looks like it.
func TestShown(t *testing.T) {
	for markup, want := range map[string]struct {
		text string
		more []string
	}{
		"<div>one<br>two</div>":                     {"one\ntwo\n", nil},
		"<p>1 &lt; 2 &amp;&amp; a&lt;b&gt;</p>":     {"1 < 2 && a<b>\n", nil},
		`<div onclick="x">one</div><a href=y>z</a>`: {"one\nz\n", []string{`<div onclick="x">`, "<a href=y>", "</a>"}},
		"&#123;{ticket.id}} {%if%}":                 {"{{ticket.id}} {%if%}", []string{"{{", "{%"}},
		"<script>x</script><!-- y -->":              {"x\n", []string{"<script>", "</script>", "<!-- y -->"}},
	} {
		if text, more := Shown(markup); text != want.text || !slices.Equal(more, want.more) {
			t.Errorf("%q is shown as %q with %q", markup, text, more)
		}
	}
}
