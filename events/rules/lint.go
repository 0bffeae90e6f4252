package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// lint finds what CEL lets pass but what cannot be meant, and notes which
// fields of the device the condition reads.
func (c *Condition) lint() Mistakes {
	var ms Mistakes
	say := func(e celast.Expr, format string, args ...any) {
		ms = append(ms, Mistake{At: c.at(e), Text: fmt.Sprintf(format, args...)})
	}
	celast.PreOrderVisit(c.ast.Expr(), celast.NewExprVisitor(func(e celast.Expr) {
		switch e.Kind() {
		case celast.SelectKind:
			if s := e.AsSelect(); isDevice(s.Operand()) && !slices.Contains(c.reads, s.FieldName()) {
				c.reads = append(c.reads, s.FieldName())
			}
		case celast.StructKind:
			say(e, "conditions cannot make %s", article(e.AsStruct().TypeName()))
		case celast.CallKind:
			c.lintCall(e.AsCall(), say)
		}
	}))
	return ms
}

type sayFunc func(e celast.Expr, format string, args ...any)

func (c *Condition) lintCall(call celast.CallExpr, say sayFunc) {
	switch fn := call.FunctionName(); fn {
	case operators.Equals, operators.NotEquals, operators.In:
		a, b := call.Args()[0], call.Args()[1]
		if c.lang.isObject(c.ast.GetType(a.ID())) || fn != operators.In && c.lang.isObject(c.ast.GetType(b.ID())) {
			say(a, "cannot be compared as a whole: compare one of its fields")
			return
		}
		c.lintMember(a, b, say)
		c.lintMember(b, a, say)
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		for _, arg := range call.Args() {
			if f, ok := c.field(arg); ok && f.name == "os_version" {
				say(arg, `os_version is compared letter by letter, so that "9" is above "10": write version(device.os_version) and version("…")`)
			}
		}
	case "matches":
		args := call.Args()
		if p, ok := literal(args[len(args)-1]); !ok {
			say(args[len(args)-1], "the pattern of matches must be a text in quotes")
		} else if len(p) > maxRegexp {
			say(args[len(args)-1], "the pattern has %d characters; at most %d are allowed", len(p), maxRegexp)
		} else if _, err := regexp.Compile(p); err != nil {
			say(args[len(args)-1], "%v", err)
		}
	case "version":
		if s, ok := literal(call.Args()[0]); ok {
			if _, err := parseVersion(s); err != nil {
				say(call.Args()[0], "%v", err)
			}
		}
	}
}

// lintMember checks the texts that a field is compared with.
func (c *Condition) lintMember(fieldExpr, value celast.Expr, say sayFunc) {
	f, ok := c.field(fieldExpr)
	if !ok {
		return
	}
	values := []celast.Expr{value}
	if value.Kind() == celast.ListKind {
		values = value.AsList().Elements()
	}
	for _, v := range values {
		s, ok := literal(v)
		switch {
		case !ok || s == "":
		case f.members != nil && !slices.Contains(f.members, s):
			say(v, "%s is never %q%s", f.name, s, hint(s, f.members))
		case f.name == "os":
			if i := slices.IndexFunc(systems(), func(o string) bool { return o != s && strings.EqualFold(o, s) }); i >= 0 {
				say(v, "Intune writes this os %q", systems()[i])
			}
		case f.name == "tenant" && !isGUID(s):
			say(v, "device.tenant is the tenant's id, a GUID: to name tenants, list them under the policy's `tenants`")
		}
	}
}

// systems are operating systems as Intune writes them. There may be others.
func systems() []string {
	return []string{"Windows", "macOS", "iOS", "iPadOS", "Android", "Linux", "ChromeOS"}
}

// field returns the field that e reads of something.
func (c *Condition) field(e celast.Expr) (field, bool) {
	if e.Kind() != celast.SelectKind {
		return field{}, false
	}
	s := e.AsSelect()
	return c.lang.fieldOf(c.ast.GetType(s.Operand().ID()), s.FieldName())
}

// at is where an expression begins, in characters.
func (c *Condition) at(e celast.Expr) int {
	if e.Kind() == celast.SelectKind {
		return c.at(e.AsSelect().Operand())
	}
	loc := c.ast.SourceInfo().GetStartLocation(e.ID())
	return offset(c.text, loc.Line(), loc.Column())
}

func isDevice(e celast.Expr) bool {
	return e.Kind() == celast.IdentKind && e.AsIdent() == "device"
}

// literal returns the text of a literal.
func literal(e celast.Expr) (string, bool) {
	if e.Kind() != celast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

// isGUID reports whether s looks like one: 8-4-4-4-12 hexadecimal digits.
func isGUID(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) != 5 {
		return false
	}
	for i, n := range [...]int{8, 4, 4, 4, 12} {
		if len(parts[i]) != n || strings.Trim(parts[i], "0123456789abcdefABCDEF") != "" {
			return false
		}
	}
	return true
}
