package main

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// A position is a line and a column, both from 1; columns are characters.
type position struct{ line, column int }

// A place is where a value stands in the file.
type place struct {
	key   position // its key, or else itself
	value position
	quote rune // of a text: ' " | (both kinds of block) or 0; see within
	text  string
}

// text notes how a text is written.
func (f *yamlFile) text(path, value string, t *token.Token) string {
	p := f.places[path]
	p.text = value
	switch t.Type {
	case token.SingleQuoteType:
		p.quote = '\''
	case token.DoubleQuoteType:
		p.quote = '"'
	case token.LiteralType, token.FoldedType:
		p.quote = '|'
	}
	f.places[path] = p
	return value
}

// start is where a node begins.
func start(n ast.Node) position {
	switch n := n.(type) {
	case nil:
		return position{1, 1}
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return start(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return start(n.Key)
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return position{1, 1}
	}
	return position{t.Position.Line, t.Position.Column}
}

// clamp keeps a position inside the file.
func (f *yamlFile) clamp(at position) position {
	at.line = min(max(at.line, 1), max(len(f.lines), 1))
	width := 0
	if len(f.lines) > 0 {
		width = len(f.lines[at.line-1])
	}
	return position{at.line, min(max(at.column, 1), width+1)}
}

// at is where the thing that a JSON pointer names stands: a mistake in its value
// is shown there, and if it is missing, at what should hold it.
func (f *yamlFile) at(path string) position {
	for ; ; path = above(path) {
		if p, ok := f.places[path]; ok {
			return f.clamp(p.value)
		}
		if path == "" {
			return position{1, 1}
		}
	}
}

// keyAt is where its key stands.
func (f *yamlFile) keyAt(path string) position {
	if p, ok := f.places[path]; ok {
		return f.clamp(p.key)
	}
	return f.at(path)
}

// within is where the character at n of a text stands. YAML folds lines, drops
// indentation and has escapes, but keeps every visible character in its order:
// so it counts these.
func (f *yamlFile) within(path string, n int) position {
	p, ok := f.places[path]
	if !ok || p.text == "" || n == 0 && p.quote == 0 {
		return f.at(path)
	}
	runes := []rune(p.text)
	last, visible := -1, -1 // the last visible character up to n, and how many are before it
	for i, r := range runes {
		if i > n {
			break
		}
		if !unicode.IsSpace(r) {
			last, visible = i, visible+1
		}
	}
	if last < 0 {
		return f.at(path)
	}
	at := f.scan(p, visible)
	return f.clamp(position{at.line, at.column + n - last})
}

// scan finds a visible character of a text in the lines of the file.
func (f *yamlFile) scan(p place, visible int) position {
	line, col := p.value.line-1, p.value.column-1
	switch p.quote {
	case '|':
		line, col = line+1, 0 // the line of | or > holds no text
	case '"', '\'':
		col++
	}
	for ; line < len(f.lines); line, col = line+1, 0 {
		text := f.lines[line]
		for col < len(text) {
			size, seen := 1, !unicode.IsSpace(text[col])
			switch {
			case p.quote == '"' && text[col] == '\\':
				size, seen = escape(string(text[col:]))
			case p.quote == '\'' && text[col] == '\'':
				size = 2
			}
			if seen && visible == 0 {
				return position{line + 1, col + 1}
			}
			if seen {
				visible--
			}
			col += size
		}
	}
	return p.value
}

// escape is how long an escape of a double-quoted text is, and whether what it
// stands for is visible.
func escape(s string) (size int, seen bool) {
	if len(s) < 2 {
		return 1, false // the line goes on below
	}
	digits, ok := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[1]]
	if !ok {
		return 2, !strings.ContainsRune("nrt _NLPvf\t", rune(s[1]))
	}
	if len(s) < 2+digits {
		return 2, true
	}
	r, err := strconv.ParseUint(s[2:2+digits], 16, 32)
	return 2 + digits, err != nil || !unicode.IsSpace(rune(r))
}

// What the YAML parser says, and what that means for somebody who writes a file.
var syntaxHints = [...]struct {
	said *regexp.Regexp
	mean string
}{
	{regexp.MustCompile(`'\t'|tab character`), "there is a tab: YAML is indented with spaces only"},
	{regexp.MustCompile(`mapping value is not allowed`), "a colon does not fit here: check the indentation, or put a text that has a colon in it into quotes"},
	{regexp.MustCompile(`find end character of`), "the quote that begins here is never closed"},
	{regexp.MustCompile(`is a reserved character`), "a text cannot begin with this character: put it into quotes"},
	{regexp.MustCompile(`',' or '\]'`), "a list that began with [ is not closed with ] before this"},
	{regexp.MustCompile(`flow mapping end|',' or '\}'`), "a mapping that began with { is not closed with }"},
	{regexp.MustCompile(`flow sequence end`), "a list that began with [ is not closed with ]"},
	{regexp.MustCompile(`value is not allowed|non-map value|unexpected|not a map|is not specified`), "this does not fit here: check the indentation, and that quotes enclose the whole text"},
}

// syntax explains a mistake of the YAML itself.
func syntax(err error) (position, string) {
	var said yaml.Error
	if !errors.As(err, &said) {
		return position{1, 1}, err.Error()
	}
	at := position{1, 1}
	if t := said.GetToken(); t != nil && t.Position != nil {
		at = position{t.Position.Line, t.Position.Column}
	}
	for _, h := range syntaxHints {
		if h.said.MatchString(said.GetMessage()) {
			return at, h.mean
		}
	}
	return at, "this is not YAML: " + said.GetMessage()
}
