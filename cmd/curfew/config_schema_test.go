package main

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"curfew/events/rules"
)

// TestSchema: the published schema knows the keys that the program reads, and no
// others.
func TestSchema(t *testing.T) {
	s, err := newShape(configSchema)
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]bool{}
	var keys func(v any)
	keys = func(v any) {
		m, _ := v.(map[string]any)
		for k, sub := range m {
			if props, ok := sub.(map[string]any); ok && k == "properties" {
				for p := range props {
					in[p] = true
				}
			}
			keys(sub)
		}
		if l, ok := v.([]any); ok {
			for _, e := range l {
				keys(e)
			}
		}
	}
	keys(s.doc)
	read := map[string]bool{"devices": true, "alerts": true, "entra": true} // of a sweep
	var tags func(t reflect.Type)
	tags = func(t reflect.Type) {
		if t == reflect.TypeFor[rules.Order]() {
			return // which has JSON of its own
		}
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			tags(t.Elem())
		case reflect.Struct:
			for f := range t.Fields() {
				if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); f.Anonymous {
					tags(f.Type)
				} else if name != "" && name != "-" {
					read[name] = true
					tags(f.Type)
				}
			}
		}
	}
	tags(reflect.TypeFor[config]())
	tags(reflect.TypeFor[rules.Rules]())
	for _, k := range deskKinds() {
		tags(reflect.TypeOf(k.section()))
		for _, s := range k.secrets {
			read[s.key+"_file"], read[s.key+"_env"] = true, true
		}
	}
	for key := range maps.Clone(read) { // what is in the environment may be in a vault
		if base, ok := strings.CutSuffix(key, "_env"); ok {
			read[base+"_vault"] = true
		}
	}
	for _, o := range rules.Orderable() {
		read[o] = true
	}
	for _, p := range []string{"destination", "template", "kind", "via", "scope", "repeat"} {
		read[p] = true // of an order
	}
	if got, want := slices.Sorted(maps.Keys(in)), slices.Sorted(maps.Keys(read)); !slices.Equal(got, want) {
		t.Errorf("the schema has\n%v\nthe program reads\n%v", got, want)
	}
	then, _ := lookup(s.doc, []string{"$defs", "order", "then", "enum"}).([]any)
	if got := fmt.Sprint(then...); got != fmt.Sprint(anys(rules.Orderable())...) {
		t.Errorf("the schema orders %v", got)
	}
}

func anys(s []string) []any {
	var out []any
	for _, v := range s {
		out = append(out, v)
	}
	return out
}

// TestDefaultsOfTheSchema: the defaults that the schema tells are those in force.
func TestDefaultsOfTheSchema(t *testing.T) {
	s, err := newShape(configSchema)
	if err != nil {
		t.Fatal(err)
	}
	policy := func(key string) []string { return []string{"$defs", "policy", "properties", key, "default"} }
	for want, at := range map[string][]string{
		rules.DefaultRelook:           {"properties", "relook", "default"},
		rules.DefaultClearFor:         policy("clear_for"),
		rules.DefaultReopenWithin:     policy("reopen_within"),
		rules.DefaultInvestigationCap: policy("wait_for_investigation"),
		":8443":                       {"properties", "listen", "default"},
		"127.0.0.1:8081":              {"properties", "admin", "default"},
		rules.DefaultScan:             {"$defs", "order", "else", "properties", "scan", "properties", "kind", "default"},
	} {
		if got := lookup(s.doc, at); got != want {
			t.Errorf("%v is %v, not %s", at, got, want)
		}
	}
	for _, ref := range regexp.MustCompile(`"\$ref": "#([^"]+)"`).FindAllStringSubmatch(string(configSchema), -1) {
		if lookup(s.doc, pointerTokens(ref[1])) == nil {
			t.Errorf("%s leads nowhere", ref[1])
		}
	}
}
