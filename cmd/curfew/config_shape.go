package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"curfew/events/rules"
)

// configSchema is the published JSON Schema of the configuration file.
//
//go:embed curfew.schema.json
var configSchema []byte

// A shape checks a file against the schema, and says what is wrong in words of
// its own.
type shape struct {
	schema *jsonschema.Schema
	doc    any // the schema as plain values
	id     string
}

func newShape(schema []byte) (*shape, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, err
	}
	id, _ := doc.(map[string]any)["$id"].(string)
	c := jsonschema.NewCompiler()
	c.RegisterFormat(&jsonschema.Format{Name: "curfew-duration", Validate: func(v any) error {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		_, err := rules.ParseDuration(s)
		return err
	}})
	c.AssertFormat()
	if err := c.AddResource(id, doc); err != nil {
		return nil, err
	}
	s, err := c.Compile(id)
	return &shape{schema: s, doc: doc, id: id}, err
}

// A misfit is a place where the file is not as the schema wants it.
type misfit struct {
	path string
	text string
	key  bool // the mistake is the key, not the value
}

// check returns all misfits.
func (s *shape) check(value any) []misfit {
	err := s.schema.Validate(value)
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return nil
	}
	var out []misfit
	s.collect(invalid, value, &out)
	return out
}

func (s *shape) collect(e *jsonschema.ValidationError, value any, out *[]misfit) {
	if len(e.Causes) > 0 {
		for _, cause := range e.Causes {
			s.collect(cause, value, out)
		}
		return
	}
	at := pathOf(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, p := range k.Properties {
			*out = append(*out, misfit{pathOf(e.InstanceLocation, p), s.unknown(e, p), true})
		}
	case *kind.Required:
		for _, m := range k.Missing {
			*out = append(*out, misfit{pathOf(e.InstanceLocation, m), s.missing(e, m), false})
		}
	default:
		*out = append(*out, misfit{at, s.explain(e, lookup(value, e.InstanceLocation)), false})
	}
}

func pathOf(tokens []string, more ...string) string {
	p := ""
	for _, t := range append(slices.Clone(tokens), more...) {
		p = pointer(p, t)
	}
	return p
}

// explain says what was found, what was expected, and how to mend it.
func (s *shape) explain(e *jsonschema.ValidationError, got any) string {
	want := s.expected(e)
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		switch got := got.(type) {
		case nil:
			return "there is nothing here; expected " + want + ": fill it in, or take the key out"
		case string, map[string]any, []any:
			return fmt.Sprintf("found %s, expected %s", plainKind(got), want)
		}
		mend := ""
		if slices.Contains(k.Want, "string") && s.fits(e, fmt.Sprint(got)) {
			mend = ": put it into quotes"
		}
		return fmt.Sprintf("found the %s %v, expected %s%s", plainKind(got), got, want, mend)
	case *kind.Enum:
		return s.choose(k, got)
	case *kind.Format:
		return fmt.Sprintf("%v", k.Err)
	case *kind.Pattern, *kind.MinLength:
		if got == "" {
			return "this is empty; expected " + want
		}
		if s.at(e)["writeOnly"] != nil {
			return "this is not " + want
		}
		return fmt.Sprintf("%.60q is not %s", got, want)
	case *kind.MinItems:
		return "the list is empty; expected " + want
	case *kind.MaxItems:
		return fmt.Sprintf("the list has %d entries; at most %d are allowed", k.Got, k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("this has %d characters; at most %d are allowed", k.Got, k.Want)
	case *kind.MinProperties, *kind.MaxProperties:
		return "each entry names one thing to do: begin every one with its own -"
	}
	return "this is not " + want
}

// fits reports whether a text would do where something else was found.
func (s *shape) fits(e *jsonschema.ValidationError, text string) bool {
	schema := s.at(e)
	pattern, _ := schema["pattern"].(string)
	ok, err := regexp.MatchString(pattern, text)
	return ok && err == nil && schema["format"] == nil
}

// choose explains a value that is not among those possible.
func (s *shape) choose(k *kind.Enum, got any) string {
	var names []string
	for _, w := range k.Want {
		names = append(names, fmt.Sprint(w))
	}
	text, ok := got.(string)
	switch {
	case got == nil:
		return "there is nothing here; expected one of " + strings.Join(names, ", ")
	case !ok:
		switch got.(type) {
		case []any, map[string]any:
			got = plainKind(got)
		}
		return fmt.Sprintf("found %v, expected one of %s", got, strings.Join(names, ", "))
	}
	if n := rules.Nearest(text, names); n != "" {
		return fmt.Sprintf("%.60q is not possible here; did you mean %s?", text, n)
	}
	return fmt.Sprintf("%.60q is not possible here; expected one of %s", text, strings.Join(names, ", "))
}

// unknown explains a key that is not known.
func (s *shape) unknown(e *jsonschema.ValidationError, key string) string {
	if s.at(e)["patternProperties"] != nil {
		name, _ := lookup(s.doc, []string{"$defs", "name"}).(map[string]any)
		return fmt.Sprintf("%.60q is not %s", key, s.title(name))
	}
	var known []string
	if props, ok := s.at(e)["properties"].(map[string]any); ok {
		known = slices.Sorted(maps.Keys(props))
	}
	if slices.Contains(known, key+"_file") {
		with := key + "_file"
		if slices.Contains(known, key+"_env") {
			with = key + "_file, " + key + "_env or " + key + "_vault"
		}
		return fmt.Sprintf("unknown key %q: secrets do not belong into this file; write %s", key, with)
	}
	if n := rules.Nearest(key, known); n != "" {
		return fmt.Sprintf("unknown key %.60q; did you mean %s?", key, n)
	}
	if len(known) == 0 {
		return fmt.Sprintf("unknown key %.60q; nothing is possible here", key)
	}
	return fmt.Sprintf("unknown key %.60q; possible here: %s", key, strings.Join(known, ", "))
}

// missing explains a key that must be there.
func (s *shape) missing(e *jsonschema.ValidationError, key string) string {
	text := "this is missing"
	props, _ := s.at(e)["properties"].(map[string]any)
	prop, _ := props[key].(map[string]any)
	if title := s.title(prop); title != "" {
		text += "; expected " + title
	}
	return text
}

// expected is the schema's name for what it wants at a place.
func (s *shape) expected(e *jsonschema.ValidationError) string {
	if t := s.title(s.at(e)); t != "" {
		return t
	}
	return "something else"
}

// title is a schema's own, or that of the one it refers to, or its choice of values.
func (s *shape) title(schema map[string]any) string {
	if t, ok := schema["title"].(string); ok {
		return t
	}
	if ref, ok := schema["$ref"].(string); ok {
		target, _ := lookup(s.doc, pointerTokens(strings.TrimPrefix(ref, "#"))).(map[string]any)
		return s.title(target)
	}
	if values, ok := schema["enum"].([]any); ok {
		var names []string
		for _, v := range values {
			names = append(names, fmt.Sprint(v))
		}
		return "one of " + strings.Join(names, ", ")
	}
	return ""
}

// at is the part of the schema that an error is about.
func (s *shape) at(e *jsonschema.ValidationError) map[string]any {
	_, fragment, _ := strings.Cut(e.SchemaURL, "#")
	if plain, err := url.PathUnescape(fragment); err == nil {
		fragment = plain
	}
	schema, _ := lookup(s.doc, pointerTokens(fragment)).(map[string]any)
	return schema
}

// plainKind names the kind of a value.
func plainKind(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case string:
		return "a text"
	case bool:
		return "value"
	case map[string]any:
		return "keys with values"
	case []any:
		return "a list"
	}
	return "number"
}
