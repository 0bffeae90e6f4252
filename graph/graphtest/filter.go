package graphtest

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// An expr is a parsed $filter.
type expr interface {
	// match tells whether the object whose properties get returns passes.
	match(get func(path string) any) bool
}

type (
	// A compare is `path op literal`, or contains/startswith(path, literal).
	compare struct{ path, op, value string }
	// A logic joins two expressions by and, or.
	logic struct {
		op   string
		l, r expr
	}
	negation struct{ of expr }
	// An anyOf is `path/any(v: body)`. get(path) gives the elements, each as a
	// getter of its own.
	anyOf struct {
		path, variable string
		body           expr
	}
)

func (c compare) match(get func(string) any) bool {
	var order int
	switch v := get(c.path).(type) {
	case nil:
		return c.op == "eq" && c.value == "null" || c.op == "ne" && c.value != "null"
	case time.Time:
		t, err := time.Parse(time.RFC3339Nano, c.value)
		if err != nil {
			return false
		}
		order = v.Compare(t)
	case exactly:
		order = cmp.Compare(string(v), c.value)
	default:
		has, want := strings.ToLower(fmt.Sprint(v)), strings.ToLower(c.value)
		switch c.op {
		case "contains":
			return strings.Contains(has, want)
		case "startswith":
			return strings.HasPrefix(has, want)
		}
		order = cmp.Compare(has, want)
	}
	switch c.op {
	case "eq":
		return order == 0
	case "ne":
		return order != 0
	case "gt":
		return order > 0
	case "ge":
		return order >= 0
	case "lt":
		return order < 0
	case "le":
		return order <= 0
	}
	return false
}

func (l logic) match(get func(string) any) bool {
	if l.op == "and" {
		return l.l.match(get) && l.r.match(get)
	}
	return l.l.match(get) || l.r.match(get)
}

func (n negation) match(get func(string) any) bool { return !n.of.match(get) }

func (a anyOf) match(get func(string) any) bool {
	elements, _ := get(a.path).([]func(string) any)
	for _, element := range elements {
		inner := func(path string) any {
			rest, ok := strings.CutPrefix(path, a.variable+"/")
			if !ok {
				return nil
			}
			return element(rest)
		}
		if a.body.match(inner) {
			return true
		}
	}
	return false
}

// visit calls f for every comparison in e, however deep.
func visit(e expr, f func(compare)) {
	switch e := e.(type) {
	case compare:
		f(e)
	case logic:
		visit(e.l, f)
		visit(e.r, f)
	case negation:
		visit(e.of, f)
	case anyOf:
		visit(e.body, f)
	}
}

// pinned finds a `path eq 'value'` that every match must satisfy. It turns the
// look-up of one device by its Entra id in a tenant of 100,000 into one step.
func pinned(e expr, path string) (string, bool) {
	switch e := e.(type) {
	case compare:
		return e.value, e.op == "eq" && strings.EqualFold(e.path, path)
	case logic:
		if e.op == "and" {
			if v, ok := pinned(e.l, path); ok {
				return v, true
			}
			return pinned(e.r, path)
		}
	}
	return "", false
}
