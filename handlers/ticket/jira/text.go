package jira

import (
	"encoding/json"
	"regexp"
	"strings"

	"curfew/handlers/ticket"
)

// A node is one of the Atlassian Document Format, which texts of API v3 are in.
// What is in a text node is shown as it is (Jira Cloud docs: ADF, text), so that
// is where everything goes.
type node struct {
	Type    string `json:"type"`
	Version int    `json:"version,omitempty"`
	Text    string `json:"text,omitempty"`
	Content []node `json:"content,omitempty"`
}

// body is a text in the form that the API takes.
func (d *Desk) body(text string) any {
	text = ticket.Shorten(text, maxText)
	if !d.cloud() {
		return noformat(text)
	}
	doc := node{Type: "doc", Version: 1}
	for block := range strings.SplitSeq(text, "\n\n") {
		p := node{Type: "paragraph"}
		for line := range strings.Lines(strings.Trim(block, "\n")) {
			if len(p.Content) > 0 {
				p.Content = append(p.Content, node{Type: "hardBreak"})
			}
			if line = strings.TrimSuffix(line, "\n"); line != "" { // an empty text node is refused
				p.Content = append(p.Content, node{Type: "text", Text: line})
			}
		}
		if len(p.Content) > 0 {
			doc.Content = append(doc.Content, p)
		}
	}
	return doc
}

var ending = regexp.MustCompile(`(?i)\{(noformat)`)

// noformat keeps wiki markup, which API v2 takes, from being obeyed: links,
// mentions, pictures and macros (Jira Data Center docs: text formatting notation).
func noformat(text string) string {
	return "{noformat}\n" + ending.ReplaceAllString(text, "{ $1") + "\n{noformat}"
}

// plain is a body as lines.
func plain(body json.RawMessage) string {
	var text string
	if json.Unmarshal(body, &text) == nil {
		return text
	}
	var doc node
	if json.Unmarshal(body, &doc) != nil {
		return ""
	}
	var b strings.Builder
	doc.write(&b)
	return b.String()
}

func (n node) write(b *strings.Builder) {
	switch n.Type {
	case "text":
		b.WriteString(n.Text)
	case "hardBreak":
		b.WriteByte('\n')
	}
	for _, c := range n.Content {
		c.write(b)
	}
	if n.Type == "paragraph" {
		b.WriteString("\n\n")
	}
}
