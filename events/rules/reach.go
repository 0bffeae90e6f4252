package rules

import (
	"slices"
	"strconv"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/parser"

	"curfew/events"
)

// This file tells what can never be: conditions that hold for no device. It
// takes a condition apart into its and, or and not. What is left are
// comparisons of a field with constants, for which it knows all values that
// make a difference, and anything else, which it takes for able to be true,
// false or unclear, whatever the rest is. Then it tries all combinations. So
// where it says "never", it is never; where it does not, nobody knows.

// maxCombinations bounds the work; above it nothing is said.
const maxCombinations = 100_000

// possible reports whether the conditions may all hold for one device.
func possible(all ...*Condition) bool { return satisfiable(all, nil) }

// leaves reports whether there may be a device for which the condition holds
// and none of those above does.
func leaves(c *Condition, above ...*Condition) bool {
	return satisfiable([]*Condition{c}, above)
}

// never reports whether the condition holds for no device at all.
func (c *Condition) never() bool {
	a := c.anyDevice(events.Device{})
	return a == no || a == unclear || !possible(c)
}

// always reports whether it holds for every device, whatever it is.
func (c *Condition) always() bool { return c.anyDevice(events.Device{}) == yes }

func satisfiable(holds, fails []*Condition) bool {
	s := &space{}
	var want, not []formula
	for _, c := range holds {
		want = append(want, s.formula(c, c.ast.Expr()))
	}
	for _, c := range fails {
		not = append(not, s.formula(c, c.ast.Expr()))
	}
	combinations := 1
	for _, v := range s.vars {
		if combinations *= v.size; combinations > maxCombinations {
			return true
		}
	}
	values := make([]int, len(s.vars))
	for range combinations {
		if !slices.ContainsFunc(want, func(f formula) bool { return f(values) != yes }) &&
			!slices.ContainsFunc(not, func(f formula) bool { return f(values) == yes }) {
			return true
		}
		for i := range values { // the next combination
			if values[i]++; values[i] < s.vars[i].size {
				break
			}
			values[i] = 0
		}
	}
	return false
}

// A formula is a condition over the variables of a space.
type formula func(values []int) answer

// A space is what conditions depend on. Value 0 of a variable is always: it
// cannot be read.
type space struct {
	vars []variable
}

type variable struct {
	name  string
	size  int
	texts []string // of a text field: the constants it is compared with, from value 2; 1 is any other
}

func (s *space) variable(name string, size int) int {
	i := slices.IndexFunc(s.vars, func(v variable) bool { return v.name == name })
	if i < 0 {
		i = len(s.vars)
		s.vars = append(s.vars, variable{name: name, size: size})
	}
	return i
}

func (s *space) formula(c *Condition, e celast.Expr) formula {
	if e.Kind() == celast.LiteralKind {
		if b, ok := e.AsLiteral().(types.Bool); ok {
			if b {
				return func([]int) answer { return yes }
			}
			return func([]int) answer { return no }
		}
	}
	if e.Kind() == celast.CallKind {
		args := e.AsCall().Args()
		switch fn := e.AsCall().FunctionName(); fn {
		case operators.LogicalNot:
			return negation(s.formula(c, args[0]))
		case operators.LogicalAnd:
			return junction(no, s.formula(c, args[0]), s.formula(c, args[1]))
		case operators.LogicalOr:
			return junction(yes, s.formula(c, args[0]), s.formula(c, args[1]))
		default:
			if f := s.comparison(c, fn, args); f != nil {
				return f
			}
		}
	}
	return s.anything(c, e)
}

func negation(f formula) formula {
	return func(v []int) answer {
		switch f(v) {
		case yes:
			return no
		case no:
			return yes
		}
		return unclear
	}
}

// junction is and (settled by a no) or or (settled by a yes), as CEL has them:
// an unclear side does not matter if the other settles it.
func junction(settled answer, a, b formula) formula {
	return func(v []int) answer {
		x, y := a(v), b(v)
		switch {
		case x == settled || y == settled:
			return settled
		case x == unclear || y == unclear:
			return unclear
		case settled == no:
			return yes
		}
		return no
	}
}

// anything is an expression that is not understood: the same text is the same
// thing.
func (s *space) anything(c *Condition, e celast.Expr) formula {
	name, err := parser.Unparse(e, c.ast.SourceInfo())
	if err != nil {
		name = "at " + strconv.FormatInt(e.ID(), 10) + " of " + c.text
	}
	i := s.variable(name, 3)
	return func(v []int) answer { return answer(v[i]) }
}

// comparison is a field of the device compared with constants, or nil.
func (s *space) comparison(c *Condition, op string, args []celast.Expr) formula {
	if len(args) != 2 {
		return nil
	}
	if !isField(args[0]) {
		op, args = mirrored(op), []celast.Expr{args[1], args[0]}
	}
	f, ok := c.field(args[0])
	if !ok || !isField(args[0]) {
		return nil
	}
	constants := []celast.Expr{args[1]}
	if op == operators.In {
		if args[1].Kind() != celast.ListKind {
			return nil
		}
		constants = args[1].AsList().Elements()
	}
	switch {
	case f.typ == levelType:
		return s.level(f.name, op, constants)
	case op == operators.Equals, op == operators.NotEquals, op == operators.In:
		return s.text(f.name, op, constants)
	}
	return nil
}

// level compares a level: its values are the levels, from 1.
func (s *space) level(name, op string, constants []celast.Expr) formula {
	var with []events.Level
	for _, e := range constants {
		i := -1
		if e.Kind() == celast.IdentKind {
			i = slices.IndexFunc(levels(), func(l events.Level) bool { return l.String() == e.AsIdent() })
		}
		if i < 0 {
			return nil
		}
		with = append(with, levels()[i])
	}
	i := s.variable("device."+name, 1+len(levels()))
	return func(v []int) answer {
		if v[i] == 0 {
			return unclear
		}
		is := levels()[v[i]-1]
		return answerOf(slices.ContainsFunc(with, func(l events.Level) bool { return compares(op, int(is), int(l)) }))
	}
}

// text compares a text: what matters is which of the constants it is, if any.
func (s *space) text(name, op string, constants []celast.Expr) formula {
	var with []string
	for _, e := range constants {
		t, ok := literal(e)
		if !ok {
			return nil
		}
		with = append(with, t)
	}
	i := s.variable("device."+name, 2)
	var values []int
	for _, t := range with {
		at := slices.Index(s.vars[i].texts, t)
		if at < 0 {
			at = len(s.vars[i].texts)
			s.vars[i].texts = append(s.vars[i].texts, t)
			s.vars[i].size++
		}
		values = append(values, 2+at)
	}
	return func(v []int) answer {
		if v[i] == 0 {
			return unclear
		}
		return answerOf(slices.Contains(values, v[i]) == (op != operators.NotEquals))
	}
}

func answerOf(b bool) answer {
	if b {
		return yes
	}
	return no
}

func compares(op string, a, b int) bool {
	switch op {
	case operators.Less:
		return a < b
	case operators.LessEquals:
		return a <= b
	case operators.Greater:
		return a > b
	case operators.GreaterEquals:
		return a >= b
	case operators.NotEquals:
		return a != b
	}
	return a == b // and in
}

// mirrored is the operator with its sides exchanged.
func mirrored(op string) string {
	switch op {
	case operators.Less:
		return operators.Greater
	case operators.LessEquals:
		return operators.GreaterEquals
	case operators.Greater:
		return operators.Less
	case operators.GreaterEquals:
		return operators.LessEquals
	case operators.Equals, operators.NotEquals:
		return op
	}
	return ""
}

// isField reports whether e reads a field of the device, and does not merely
// ask whether it is there.
func isField(e celast.Expr) bool {
	return e.Kind() == celast.SelectKind && isDevice(e.AsSelect().Operand()) && !e.AsSelect().IsTestOnly()
}
