package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
)

// explain puts CEL's complaints into words that say what to do. The tree is nil
// if the text could not even be parsed; then only the first complaint counts,
// since those that follow are mostly its echo.
func (l *language) explain(text string, tree *celast.AST, iss *cel.Issues) Mistakes {
	var ms Mistakes
	for _, e := range iss.Errors() {
		m := Mistake{At: offset(text, e.Location.Line(), e.Location.Column())}
		if tree == nil {
			m.Text = syntax(text, m.At, e.Message)
			return Mistakes{m}
		}
		if strings.HasPrefix(string([]rune(text)[m.At:]), ".") {
			m.At++ // CEL points at the dot before a field
		}
		m.Text = l.judge(tree, e.ExprID, e.Message)
		ms = append(ms, m)
	}
	return ms
}

// offset turns CEL's place (line from 1, column from 0, in characters) into
// characters from the beginning.
func offset(text string, line, column int) int {
	at := 0
	for l := range strings.Lines(text) {
		if line <= 1 {
			break
		}
		at += utf8.RuneCountInString(l)
		line--
	}
	return max(0, min(at+column, utf8.RuneCountInString(text)))
}

// plainer are C-like spellings of what people write from other languages.
var plainer = [...][2]string{{"and", "&&"}, {"or", "||"}, {"not", "!"}, {"=", "=="}, {"&", "&&"}, {"|", "||"}, {"<>", "!="}}

// syntax explains what the parser said about the text.
func syntax(text string, at int, said string) string {
	said = strings.TrimPrefix(said, "Syntax error: ")
	if strings.Contains(said, "recursion") || strings.Contains(said, "limit exceeded") {
		return "the condition is too deeply nested to be read"
	}
	rest := string([]rune(text)[at:])
	for _, p := range plainer {
		if word, _, _ := strings.Cut(rest+" ", " "); word == p[0] || p[0] == "=" && strings.HasPrefix(rest, "=") {
			return fmt.Sprintf("%q does not belong here: write %s", p[0], p[1])
		}
	}
	switch before, _, cut := strings.Cut(said, " expecting "); {
	case strings.Contains(said, "'<EOF>'") || strings.TrimSpace(rest) == "":
		return "the condition ends too early: something is missing here, a closing parenthesis or quote perhaps"
	case strings.HasPrefix(said, "token recognition error at: "):
		return strings.TrimPrefix(said, "token recognition error at: ") + " does not belong here"
	case cut:
		for _, p := range []string{"mismatched input ", "extraneous input ", "no viable alternative at input "} {
			before = strings.TrimPrefix(before, p)
		}
		return before + " does not belong here"
	}
	return said
}

// What the type checker says.
var (
	noOverload = regexp.MustCompile(`^found no matching overload for '(.+)' applied to '(.*)\((.*)\)'$`)
	undeclared = regexp.MustCompile(`^undeclared reference to '(.+)' \(in container '.*'\)$`)
	noField    = regexp.MustCompile(`^undefined field '(.+)'$`)
	mismatch   = regexp.MustCompile(`^expected type '(.+)' but found '(.+)'$`)
	noFields   = regexp.MustCompile(`^unexpected failed resolution of '(.+)'$`)
	noSelect   = regexp.MustCompile(`^type '(.+)' does not support field selection$`)
)

// judge explains what the type checker said about the expression with this id.
func (l *language) judge(tree *celast.AST, id int64, said string) string {
	if m := undeclared.FindStringSubmatch(said); m != nil {
		return l.unknown(tree, id, m[1])
	}
	if m := noField.FindStringSubmatch(said); m != nil {
		kind := l.kindOf(tree, id)
		if kind == "" {
			return "unknown field " + m[1]
		}
		names := l.schema.names(kind)
		return fmt.Sprintf("%s has no field %s%s", article(kind), m[1], hint(m[1], names))
	}
	if m := noSelect.FindStringSubmatch(said); m != nil {
		if strings.HasPrefix(m[1], "list(") {
			return "a list has no fields: ask about its elements, as in device.alerts.exists(a, a.open)"
		}
		return plainTypes(m[1]) + " has no fields"
	}
	if m := noFields.FindStringSubmatch(said); m != nil {
		return article(m[1]) + " has no fields"
	}
	if m := mismatch.FindStringSubmatch(said); m != nil {
		return fmt.Sprintf("expected %s here, found %s", plainTypes(m[1]), plainTypes(m[2]))
	}
	if strings.Contains(said, "exceeds nesting limit") {
		return fmt.Sprintf("exists, all, filter and map may stand in one another at most %d deep", maxNesting)
	}
	if strings.Contains(said, "recursion") {
		return "the condition is too deeply nested to be read"
	}
	if m := noOverload.FindStringSubmatch(said); m != nil {
		return overload(m[1], m[3])
	}
	return said
}

// unknown explains a name that is neither a variable nor a function.
func (l *language) unknown(tree *celast.AST, id int64, name string) string {
	if isCall(tree, id) {
		var functions []string
		for fn := range l.env.Functions() {
			if unicode.IsLetter(rune(fn[0])) && fn != "in" {
				functions = append(functions, fn)
			}
		}
		slices.Sort(functions)
		return "conditions have no function " + name + hint(name, functions)
	}
	if r := []rune(name); len(r) > 40 {
		name = string(r[:40]) + "…"
	}
	if _, ok := l.schema.find("device", name); ok {
		return fmt.Sprintf("unknown name %s: write device.%s", name, name)
	}
	return "unknown name " + name + hint(name, known())
}

// isCall reports whether the expression with this id calls a function.
func isCall(tree *celast.AST, id int64) (call bool) {
	celast.PreOrderVisit(tree.Expr(), celast.NewExprVisitor(func(e celast.Expr) {
		call = call || e.ID() == id && e.Kind() == celast.CallKind
	}))
	return call
}

// overload explains an operator or function that does not fit its arguments.
func overload(fn, args string) string {
	name := strings.Trim(strings.Trim(fn, "_"), "@")
	if op, ok := operators.FindReverse(fn); ok && op != "" {
		name = op
	}
	if fn == operators.In {
		name = "in"
	}
	list := strings.Split(args, ", ")
	if strings.Contains(args, "level") {
		switch {
		case strings.Contains(args, "string"):
			return fmt.Sprintf("%s cannot compare a level with a text: levels are written without quotes: %s", name, levelNames())
		case strings.Contains(args, "int"), strings.Contains(args, "double"):
			return fmt.Sprintf("%s cannot compare a level with a number: write one of %s", name, levelNames())
		}
	}
	if strings.Contains(args, "version") && strings.Contains(args, "string") {
		return fmt.Sprintf(`%s cannot compare a version with a text: write version("…") on both sides`, name)
	}
	for i := range list {
		list[i] = plainTypes(list[i])
	}
	return fmt.Sprintf("%s does not work with %s", name, strings.Join(list, " and "))
}

func levelNames() string {
	var names []string
	for _, lv := range levels() {
		names = append(names, lv.String())
	}
	return strings.Join(names, ", ")
}

// kindOf returns the kind of thing whose field the expression reads, if it is
// the device or the variable of a macro that runs over one of its lists.
func (l *language) kindOf(tree *celast.AST, id int64) string {
	var operand string
	lists := map[string]string{} // variable: kind of its elements
	celast.PreOrderVisit(tree.Expr(), celast.NewExprVisitor(func(e celast.Expr) {
		switch e.Kind() {
		case celast.SelectKind:
			if o := e.AsSelect().Operand(); e.ID() == id && o.Kind() == celast.IdentKind {
				operand = o.AsIdent()
			}
		case celast.ComprehensionKind:
			c := e.AsComprehension()
			if r := c.IterRange(); r.Kind() == celast.SelectKind && isDevice(r.AsSelect().Operand()) {
				if f, ok := l.schema.find("device", r.AsSelect().FieldName()); ok && len(f.typ.Parameters()) == 1 {
					lists[c.IterVar()] = f.typ.Parameters()[0].TypeName()
				}
			}
		}
	}))
	if operand == "device" {
		return operand
	}
	return lists[operand]
}

func article(kind string) string {
	switch kind {
	case "alert":
		return "an alert"
	case "malware":
		return "malware"
	}
	return "a " + kind
}

func plainType(t *cel.Type) string { return plainTypes(cel.FormatCELType(t)) }

// plainTypes names a type of CEL's in plain words.
func plainTypes(t string) string {
	switch {
	case t == "string":
		return "a text"
	case t == "bool":
		return "a yes or no"
	case t == "int" || t == "double":
		return "a number"
	case strings.HasPrefix(t, "list("):
		return "a list"
	case strings.HasPrefix(t, "map("):
		return "a map"
	}
	return article(t)
}
