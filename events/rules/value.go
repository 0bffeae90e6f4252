package rules

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"curfew/events"
)

// The types of the language that CEL does not have. A level is a type of its
// own so that one cannot be compared with a number or a text by mistake.
var (
	levelType   = types.NewObjectType("level", traits.ComparerType)
	versionType = types.NewObjectType("version", traits.ComparerType)
)

// levels are those a condition can name. [events.Strange] is not among them.
func levels() []events.Level {
	var out []events.Level
	for l := events.Nothing; l <= events.Compromised; l++ {
		out = append(out, l)
	}
	return out
}

// only makes a value of what a CEL value must be able to do and ours need not.
type only struct{}

func (only) ConvertToNative(reflect.Type) (any, error) {
	return nil, errors.New("cannot be taken out of a condition")
}

func (only) ConvertToType(ref.Type) ref.Val { return types.NewErr("cannot be converted") }

// A level is an [events.Level] in a condition.
type level events.Level

func (l level) ConvertToNative(t reflect.Type) (any, error) { return only{}.ConvertToNative(t) }
func (l level) ConvertToType(t ref.Type) ref.Val            { return only{}.ConvertToType(t) }
func (l level) Type() ref.Type                              { return levelType }
func (l level) Value() any                                  { return events.Level(l) }
func (l level) Equal(other ref.Val) ref.Val                 { return types.Bool(l == other) }

func (l level) Compare(other ref.Val) ref.Val {
	o, ok := other.(level)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return types.Int(l).Compare(types.Int(o))
}

// A version is a version number in a condition: parts count, not letters.
type version struct {
	only
	parts [4]int
}

func (v version) Type() ref.Type { return versionType }
func (v version) Value() any     { return v.parts }

func (v version) Equal(other ref.Val) ref.Val { return types.Bool(v == other) }

func (v version) Compare(other ref.Val) ref.Val {
	o, ok := other.(version)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	for i, part := range v.parts {
		if part != o.parts[i] {
			return types.Int(part).Compare(types.Int(o.parts[i]))
		}
	}
	return types.IntZero
}

// parseVersion reads up to four numbers between dots; those left out are 0.
func parseVersion(s string) (version, error) {
	var v version
	words := strings.Split(s, ".")
	if len(words) > len(v.parts) {
		return version{}, fmt.Errorf("%.40q is not a version: more than %d parts", s, len(v.parts))
	}
	for i, w := range words {
		n, err := strconv.ParseUint(w, 10, 31)
		if err != nil {
			return version{}, fmt.Errorf("%.40q is not a version such as 10.0.22631", s)
		}
		v.parts[i] = int(n)
	}
	return v, nil
}

// An object is a thing with fields. Two of them cannot be compared; see lint.
type object struct {
	only
	typ    *cel.Type
	native any
}

func (o object) Type() ref.Type        { return o.typ }
func (o object) Value() any            { return o.native }
func (o object) Equal(ref.Val) ref.Val { return types.NewErr("cannot be compared as a whole") }

// A provider tells CEL the fields of our objects. Conditions cannot make any;
// see lint.
type provider struct {
	types.Provider
	schema schema
}

func (p provider) FindStructType(kind string) (*types.Type, bool) {
	if p.schema[kind] == nil {
		return p.Provider.FindStructType(kind)
	}
	return types.NewTypeTypeWithParam(types.NewObjectType(kind)), true
}

func (p provider) FindStructFieldNames(kind string) ([]string, bool) {
	names := p.schema.names(kind)
	return names, names != nil
}

func (p provider) FindStructFieldType(kind, name string) (*types.FieldType, bool) {
	f, ok := p.schema.find(kind, name)
	if !ok {
		return nil, false
	}
	return &types.FieldType{
		Type:    f.typ,
		IsSet:   f.isSet,
		GetFrom: func(thing any) (any, error) { return f.get(thing) },
	}, true
}
