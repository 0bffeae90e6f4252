package rules

import (
	"fmt"
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/env"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// Limits of a condition. The worst that fits is answered in milliseconds.
const (
	MaxCondition = 4096    // characters
	maxRegexp    = 200     // characters of a pattern; Go's regular expressions take linear time
	maxCost      = 1 << 20 // CEL's own measure, about one for each step
	maxNesting   = 2       // of exists and its like in one another
)

// A language compiles conditions.
type language struct {
	env    *cel.Env
	schema schema
}

// newLanguage is CEL with what can be asked about a device, and without what
// gives no clear answer: dynamic typing and time.
func newLanguage() (*language, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	l := &language{schema: newSchema()}
	opts := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(env.NewLibrarySubset().AddExcludedFunctions(unwanted()...))),
		cel.CustomTypeProvider(provider{Provider: registry, schema: l.schema}),
		cel.EnableMacroCallTracking(),
		cel.ParserExpressionSizeLimit(MaxCondition),
		cel.ParserRecursionLimit(60),
		cel.ExpressionNodeLimit(5000),
		cel.ASTValidators(
			cel.ValidateHomogeneousAggregateLiterals(),
			cel.ValidateComprehensionNestingLimit(maxNesting),
		),
		cel.Variable("device", cel.ObjectType("device")),
		cel.Function("version", cel.Overload("string_to_version", []*cel.Type{cel.StringType}, versionType,
			cel.UnaryBinding(func(v ref.Val) ref.Val {
				out, err := parseVersion(fmt.Sprint(v.Value()))
				if err != nil {
					return types.WrapErr(err)
				}
				return out
			}))),
	}
	for _, lv := range levels() {
		opts = append(opts, cel.Constant(lv.String(), levelType, level(lv)))
	}
	// The comparisons themselves are CEL's: they call Compare.
	for op, name := range map[string]string{
		operators.Less: "less", operators.LessEquals: "less_equals",
		operators.Greater: "greater", operators.GreaterEquals: "greater_equals",
	} {
		for _, t := range []*cel.Type{levelType, versionType} {
			opts = append(opts, cel.Function(op, cel.Overload(name+"_"+t.TypeName(), []*cel.Type{t, t}, cel.BoolType)))
		}
	}
	l.env, err = cel.NewCustomEnv(opts...)
	return l, err
}

// unwanted are functions of CEL that conditions do without.
func unwanted() []*env.Function {
	var out []*env.Function
	for _, name := range []string{
		"dyn", "type", "timestamp", "duration", "bytes", "uint",
		"getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours",
		"getMilliseconds", "getMinutes", "getMonth", "getSeconds",
	} {
		out = append(out, env.NewFunction(name))
	}
	return out
}

// known are the names a condition can begin with.
func known() []string {
	out := []string{"device", "version"}
	for _, l := range levels() {
		out = append(out, l.String())
	}
	return out
}

// fieldOf returns the field that a type has under this name.
func (l *language) fieldOf(t *cel.Type, name string) (field, bool) {
	if t == nil {
		return field{}, false
	}
	return l.schema.find(t.TypeName(), name)
}

// isObject reports whether t is, or is a list of, a thing with fields.
func (l *language) isObject(t *cel.Type) bool {
	return t != nil && (l.schema[t.TypeName()] != nil || slices.ContainsFunc(t.Parameters(), l.isObject))
}
