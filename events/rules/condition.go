package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"

	"curfew/events"
)

// A Condition is a yes-or-no question about a device, compiled from CEL. It
// implements [events.Condition] and may be used by many goroutines at once.
type Condition struct {
	text    string
	lang    *language
	ast     *celast.AST
	program cel.Program // answers
	partial cel.Program // answers with parts of the device unknown
	reads   []string
}

// Compile compiles a condition. The error is [Mistakes].
func Compile(text string) (*Condition, error) {
	l, err := newLanguage()
	if err != nil {
		return nil, err
	}
	c, ms := l.compile(text)
	if len(ms) > 0 {
		return nil, ms
	}
	return c, nil
}

// Mistakes are what is wrong with a condition.
type Mistakes []Mistake

// A Mistake is one thing that is wrong, At so many characters into the text.
type Mistake struct {
	At   int
	Text string
}

func (ms Mistakes) Error() string {
	var out []string
	for _, m := range ms {
		out = append(out, fmt.Sprintf("character %d: %s", m.At+1, m.Text))
	}
	return strings.Join(out, "; ")
}

func (l *language) compile(text string) (*Condition, Mistakes) {
	switch n := utf8.RuneCountInString(text); {
	case strings.TrimSpace(text) == "":
		return nil, Mistakes{{Text: "the condition is empty"}}
	case n > MaxCondition:
		return nil, Mistakes{{Text: fmt.Sprintf("the condition has %d characters; at most %d are allowed", n, MaxCondition)}}
	}
	parsed, iss := l.env.Parse(text)
	if iss.Err() != nil {
		return nil, l.explain(text, nil, iss)
	}
	checked, iss := l.env.Check(parsed)
	if iss.Err() != nil {
		return nil, l.explain(text, parsed.NativeRep(), iss)
	}
	c := &Condition{text: text, lang: l, ast: checked.NativeRep()}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) {
		return nil, Mistakes{{Text: fmt.Sprintf("the condition is %s, not a yes or no: compare it with something", plainType(t))}}
	}
	if ms := c.lint(); len(ms) > 0 {
		return nil, ms
	}
	var err, err2 error
	c.program, err = l.env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost))
	c.partial, err2 = l.env.Program(checked, cel.EvalOptions(cel.OptPartialEval), cel.CostLimit(maxCost))
	if err := errors.Join(err, err2); err != nil {
		return nil, Mistakes{{Text: err.Error()}}
	}
	return c, nil
}

// Holds answers the question. An error means that there is no clear answer: a
// value that this version of Curfew does not know, say. It never comes with true.
func (c *Condition) Holds(d events.Device) (bool, error) {
	out, _, err := c.program.Eval(map[string]any{"device": device(d)})
	if err != nil {
		return false, err
	}
	return out == types.True, nil
}

// String is the condition as it was written.
func (c *Condition) String() string { return c.text }

// Reads reports whether the condition asks about this field of the device.
func (c *Condition) Reads(field string) bool { return slices.Contains(c.reads, field) }

// signals are the kinds of evidence that the condition asks about.
func (c *Condition) signals() []events.Signal {
	var out []events.Signal
	for _, f := range []struct {
		field  string
		signal events.Signal
	}{
		{"threat", events.ThreatState}, {"compliance", events.Compliance}, {"settings", events.Compliance},
		{"malware", events.MalwareLeft}, {"alerts", events.AlertsOpen}, {"investigating", events.AlertsOpen},
	} {
		if c.Reads(f.field) && !slices.Contains(out, f.signal) {
			out = append(out, f.signal)
		}
	}
	return out
}

func device(d events.Device) object {
	return object{typ: cel.ObjectType("device"), native: d}
}

// anyDevice answers the question knowing nothing of the device but the named
// fields of d: yes, no and unclear hold for every device that is like d in these.
func (c *Condition) anyDevice(d events.Device, knownFields ...string) answer {
	unknown := []*cel.AttributePatternType{}
	for _, name := range c.lang.schema.names("device") {
		if !slices.Contains(knownFields, name) {
			unknown = append(unknown, cel.AttributePattern("device").QualString(name))
		}
	}
	vars, err := cel.PartialVars(map[string]any{"device": device(d)}, unknown...)
	if err != nil {
		return depends
	}
	out, _, err := c.partial.Eval(vars)
	switch {
	case err != nil:
		return unclear
	case out == types.True:
		return yes
	case out == types.False:
		return no
	}
	return depends
}

// An answer is what a condition comes to. Unclear is an error; see [Condition.Holds].
type answer int

const (
	unclear answer = iota
	no
	yes
	depends // on what is not known
)
