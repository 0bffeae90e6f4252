package graphtest

import (
	"errors"
	"fmt"
	"strings"
)

// parseFilter reads the part of OData's grammar that Graph's documentation uses
// in its examples (Graph docs: filter-query-parameter): comparisons, and, or,
// not, parentheses, contains, startswith and any(). An empty filter is nil.
func parseFilter(s string) (expr, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	p := &filterParser{rest: s}
	e, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if tok := p.next(); tok != "" {
		return nil, fmt.Errorf("syntax error at %q", tok)
	}
	return e, nil
}

type filterParser struct {
	rest string
	back string // a token that was read too much
}

// next returns the next token: a word, a literal with its opening quote kept, or
// a bracket, comma or colon. "" is the end.
func (p *filterParser) next() string {
	if t := p.back; t != "" {
		p.back = ""
		return t
	}
	p.rest = strings.TrimLeft(p.rest, " ")
	if p.rest == "" {
		return ""
	}
	c, end := p.rest[0], 1
	switch {
	case strings.IndexByte("(),:", c) >= 0:
	case c == '\'':
		return p.quoted()
	default:
		stop := " (),'"
		if c >= 'A' { // a name; a date or a time of day begins with a digit
			stop = " (),':"
		}
		if end = strings.IndexAny(p.rest, stop); end < 0 {
			end = len(p.rest)
		} else if p.rest[end] == '\'' {
			p.rest = p.rest[end:] // an enum literal: microsoft.graph.severity'high'
			return p.quoted()
		}
	}
	t := p.rest[:end]
	p.rest = p.rest[end:]
	return t
}

func (p *filterParser) quoted() string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := 1; i < len(p.rest); i++ {
		if p.rest[i] != '\'' {
			b.WriteByte(p.rest[i])
			continue
		}
		if i+1 < len(p.rest) && p.rest[i+1] == '\'' { // '' is a quote in a literal
			b.WriteByte('\'')
			i++
			continue
		}
		p.rest = p.rest[i+1:]
		return b.String()
	}
	p.rest = ""
	return "\x00" // never a valid token: the literal is not closed
}

func (p *filterParser) peek() string {
	p.back = p.next()
	return p.back
}

func (p *filterParser) want(tok string) error {
	if got := p.next(); got != tok {
		return fmt.Errorf("%q expected, %q found", tok, got)
	}
	return nil
}

func (p *filterParser) or(depth int) (expr, error) { return p.joined("or", depth, p.and) }

func (p *filterParser) and(depth int) (expr, error) { return p.joined("and", depth, p.term) }

func (p *filterParser) joined(op string, depth int, part func(int) (expr, error)) (expr, error) {
	e, err := part(depth)
	for err == nil && strings.EqualFold(p.peek(), op) {
		p.next()
		var r expr
		r, err = part(depth)
		e = logic{op, e, r}
	}
	return e, err
}

func (p *filterParser) term(depth int) (expr, error) {
	if depth > 50 {
		return nil, errors.New("the filter is nested too deeply")
	}
	word := p.next()
	switch {
	case word == "(":
		e, err := p.or(depth + 1)
		if err == nil {
			err = p.want(")")
		}
		return e, err
	case strings.EqualFold(word, "not"):
		e, err := p.term(depth + 1)
		return negation{e}, err
	case word == "" || strings.IndexByte("),:'\x00", word[0]) >= 0:
		return nil, fmt.Errorf("a property expected, %q found", word)
	}
	if p.peek() != "(" {
		op := strings.ToLower(p.next())
		if !isComparison(op) {
			return nil, fmt.Errorf("%q is not an operator", op)
		}
		v, err := p.literal()
		return compare{word, op, v}, err
	}
	p.next()
	path, quantifier := "", strings.ToLower(word)
	if i := strings.LastIndexByte(word, '/'); i >= 0 {
		path, quantifier = word[:i], strings.ToLower(word[i+1:])
	}
	switch quantifier {
	case "any":
		variable := p.next()
		if err := p.want(":"); err != nil {
			return nil, err
		}
		body, err := p.or(depth + 1)
		if err == nil {
			err = p.want(")")
		}
		return anyOf{path, variable, body}, err
	case "contains", "startswith":
		c := compare{path: p.next(), op: quantifier}
		err := p.want(",")
		if err == nil {
			c.value, err = p.literal()
		}
		if err == nil {
			err = p.want(")")
		}
		return c, err
	}
	return nil, fmt.Errorf("%q is not a function this service has", word)
}

func (p *filterParser) literal() (string, error) {
	t := p.next()
	if t == "" || strings.IndexByte("(),:\x00", t[0]) >= 0 {
		return "", fmt.Errorf("a literal expected, %q found", t)
	}
	return strings.TrimPrefix(t, "'"), nil
}

func isComparison(op string) bool {
	switch op {
	case "eq", "ne", "gt", "ge", "lt", "le":
		return true
	}
	return false
}
