package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A problem is something wrong with the configuration file, or something to
// think about, and its place. No problem quotes a secret.
type problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`   // from 1
	Column  int    `json:"column"` // from 1, in characters
	Path    string `json:"path,omitempty"`
	Text    string `json:"message"`
	Warning bool   `json:"warning,omitempty"` // Curfew runs all the same
}

// String is one line, which editors and terminals know how to jump to.
func (p problem) String() string {
	s := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Warning {
		s += "warning: "
	}
	if p.Path != "" {
		s += p.Path + ": "
	}
	return s + p.Text
}

// mistakes are those problems with which Curfew does not run.
func mistakes(ps []problem) []problem {
	return slices.DeleteFunc(slices.Clone(ps), func(p problem) bool { return p.Warning })
}

// maxProblems is how many problems are told at once.
const maxProblems = 200

// inOrder sorts problems by their place and leaves out what is said twice.
func inOrder(ps []problem) []problem {
	slices.SortStableFunc(ps, func(a, b problem) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column, strings.Compare(a.Path, b.Path), strings.Compare(a.Text, b.Text))
	})
	ps = slices.Compact(ps)
	if more := len(ps) - maxProblems; more > 0 {
		last := ps[maxProblems]
		last.Path, last.Text = "", fmt.Sprintf("there are %d more; they are told when these are gone", more)
		last.Warning = len(mistakes(ps[maxProblems:])) == 0
		ps = append(ps[:maxProblems:maxProblems], last)
	}
	return ps
}

// dotted turns a JSON pointer into what people write: policies[0].when.
func dotted(pointer string) string {
	var b strings.Builder
	for _, tok := range pointerTokens(pointer) {
		switch {
		case tok != "" && strings.Trim(tok, "0123456789") == "":
			b.WriteString("[" + tok + "]")
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(tok)
		}
	}
	return b.String()
}

// pointer appends a token to a JSON pointer (RFC 6901).
func pointer(at, tok string) string {
	return at + "/" + strings.ReplaceAll(strings.ReplaceAll(tok, "~", "~0"), "/", "~1")
}

func pointerTokens(p string) []string {
	var out []string
	for i, tok := range strings.Split(p, "/") {
		if i > 0 {
			out = append(out, strings.ReplaceAll(strings.ReplaceAll(tok, "~1", "/"), "~0", "~"))
		}
	}
	return out
}

// above is the pointer of what holds the thing at p.
func above(p string) string { return p[:max(0, strings.LastIndexByte(p, '/'))] }
