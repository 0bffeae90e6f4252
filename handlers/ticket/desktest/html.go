package desktest

import (
	"html"
	"regexp"
	"slices"
	"strings"
)

var (
	tag         = regexp.MustCompile(`<(/?)([a-zA-Z!][^\s<>/]*)([^<>]*)>`)
	placeholder = regexp.MustCompile(`\{\{|\{%`)
)

// Shown is what an agent sees of HTML: its text, and what is more than that, which
// is every tag but lines and blocks without attributes, and every placeholder that
// a desk would fill in.
func Shown(markup string) (text string, more []string) {
	var b strings.Builder
	rest := markup
	for rest != "" {
		at := tag.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		b.WriteString(rest[:at[0]])
		name := strings.ToLower(rest[at[4]:at[5]])
		if attributes := strings.Trim(rest[at[6]:at[7]], " /"); !slices.Contains([]string{"br", "div", "p"}, name) || attributes != "" {
			more = append(more, rest[at[0]:at[1]])
		}
		if name == "br" || rest[at[2]:at[3]] == "/" {
			b.WriteByte('\n')
		}
		rest = rest[at[1]:]
	}
	text = html.UnescapeString(b.String() + rest)
	return text, append(more, placeholder.FindAllString(text, -1)...)
}
