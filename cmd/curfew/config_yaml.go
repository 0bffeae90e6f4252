package main

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// A yamlFile is a configuration file as plain values, and where each of them
// stands.
type yamlFile struct {
	name  string
	lines [][]rune

	value    any // of map[string]any, []any, string, bool, numbers and nil
	places   map[string]place
	problems []problem

	anchors map[string]ast.Node
	last    position // of an alias
	broken  []string // paths of what could not be read, which has been told
	values  int
}

// readYAML reads a file as far as it can be read. The value is nil if it cannot
// be read at all, or is empty.
func readYAML(name string, data []byte) *yamlFile {
	f := &yamlFile{name: name, places: map[string]place{}, anchors: map[string]ast.Node{}}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	// The parser miscounts lines that end with a carriage return.
	text := strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n")
	for line := range strings.SplitSeq(text, "\n") {
		f.lines = append(f.lines, []rune(line))
	}
	switch {
	case len(data) > maxConfig:
		f.say(position{1, 1}, "the file has %d bytes; at most %d are read", len(data), maxConfig)
	case f.unreadable(text):
	default:
		f.parse(text)
	}
	return f
}

func (f *yamlFile) say(at position, format string, args ...any) {
	at = f.clamp(at)
	f.problems = append(f.problems, problem{File: f.name, Line: at.line, Column: at.column, Text: fmt.Sprintf(format, args...)})
}

// parse turns the text into values.
func (f *yamlFile) parse(text string) {
	tokens := lexer.Tokenize(text)
	if len(tokens) > maxTokens {
		f.say(position{1, 1}, "the file is made of %d parts; at most %d are read", len(tokens), maxTokens)
		return
	}
	if at, deep := tooDeep(tokens); deep {
		f.say(at, "this is nested more than %d levels deep", maxDepth)
		return
	}
	for _, t := range tokens {
		if t.Type == token.TagType {
			f.say(position{t.Position.Line, t.Position.Column}, "a text that begins with ! must be in quotes: YAML takes its first word for a tag, and tags have no meaning here")
		}
	}
	if len(f.problems) > 0 {
		return // a tag swallows what comes after it
	}
	docs, err := parseTokens(tokens)
	if err != nil {
		at, text := syntax(err)
		f.say(at, "%s", text)
		return
	}
	var bodies []ast.Node
	for _, d := range docs {
		if _, directive := d.Body.(*ast.DirectiveNode); d.Body != nil && !directive {
			bodies = append(bodies, d.Body)
		}
	}
	switch {
	case len(bodies) == 0:
		f.say(position{1, 1}, "the file is empty; begin with a copy of example.yaml")
		return
	case len(bodies) > 1:
		f.say(start(bodies[1]), "a second document begins here: one file is one document, without a line ---")
	}
	f.value = f.node(bodies[0], "", start(bodies[0]))
	switch {
	case f.values > maxValues:
		f.value = nil
	case f.value == nil && len(f.problems) == 0:
		f.say(position{1, 1}, "the file says nothing; begin with a copy of example.yaml")
	}
}

// node turns a node into a value, and notes where it stands.
func (f *yamlFile) node(n ast.Node, path string, key position) any {
	if f.values++; f.values > maxValues {
		if f.values == maxValues+1 {
			f.say(f.last, "the file holds more than %d values, with its aliases written out", maxValues)
		}
		return nil
	}
	f.places[path] = place{key: key, value: start(n)}
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return nil
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		return n.Value
	case *ast.FloatNode:
		if math.IsInf(n.Value, 0) || math.IsNaN(n.Value) {
			return n.GetToken().Value
		}
		return n.Value
	case *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value
	case *ast.StringNode:
		return f.text(path, n.Value, n.GetToken())
	case *ast.LiteralNode:
		return f.text(path, n.Value.Value, n.Start)
	case *ast.MappingNode:
		return f.mapping(n, path)
	case *ast.MappingValueNode:
		return f.mapping(&ast.MappingNode{Values: []*ast.MappingValueNode{n}}, path)
	case *ast.SequenceNode:
		out := make([]any, len(n.Values))
		for i, v := range n.Values {
			out[i] = f.node(v, fmt.Sprintf("%s/%d", path, i), start(v))
		}
		return out
	case *ast.AnchorNode:
		v := f.node(n.Value, path, key)
		f.anchors[n.Name.GetToken().Value] = n.Value
		return v
	case *ast.AliasNode:
		return f.aliased(n, path, key)
	}
	f.say(start(n), "this kind of YAML (%s) has no meaning here", n.Type())
	f.broken = append(f.broken, path)
	return nil
}

// aliased is the value of what an alias stands for. Mistakes in it are shown at
// the alias, unless it is a text or they are deeper inside.
func (f *yamlFile) aliased(n *ast.AliasNode, path string, key position) any {
	target := f.alias(n)
	if target == nil {
		f.broken = append(f.broken, path)
		return nil
	}
	v := f.node(target, path, key)
	if p := f.places[path]; p.text == "" {
		p.value = start(n)
		f.places[path] = p
	}
	return v
}

// alias is what an alias stands for.
func (f *yamlFile) alias(n *ast.AliasNode) ast.Node {
	name := n.Value.GetToken().Value
	f.last = start(n)
	target := f.anchors[name]
	if target == nil {
		f.say(start(n), "there is no anchor &%.40s above; a text that begins with * must be in quotes", name)
	}
	return target
}

// mapping turns a mapping into a map.
func (f *yamlFile) mapping(n *ast.MappingNode, path string) map[string]any {
	out := map[string]any{}
	first := map[string]position{}
	var merged []ast.Node
	for _, v := range n.Values {
		at := start(v.Key)
		name, ok := keyName(v.Key)
		switch {
		case v.Key.IsMergeKey():
			merged = append(merged, v.Value)
			continue
		case !ok:
			f.say(at, "a key must be a plain word, as in `key: value`")
			continue
		}
		if before, ok := first[name]; ok {
			f.say(at, "%.60q is set twice; the first time on line %d", name, before.line)
			continue
		}
		first[name] = at
		out[name] = f.node(v.Value, pointer(path, name), at)
	}
	for _, m := range merged {
		f.merge(out, m, path)
	}
	return out
}

// merge adds what `<<: *anchor` brings; what is there already wins.
func (f *yamlFile) merge(out map[string]any, n ast.Node, path string) {
	if f.values++; f.values > maxValues {
		return // which node says
	}
	switch n := n.(type) {
	case *ast.SequenceNode:
		for _, v := range n.Values {
			f.merge(out, v, path)
		}
		return
	case *ast.AliasNode:
		if target := f.alias(n); target != nil {
			f.merge(out, target, path)
		}
		return
	case *ast.MappingNode:
		var deeper []ast.Node
		for _, v := range n.Values {
			name, ok := keyName(v.Key)
			if v.Key.IsMergeKey() {
				deeper = append(deeper, v.Value)
			} else if _, there := out[name]; ok && !there {
				out[name] = f.node(v.Value, pointer(path, name), start(v.Key))
			}
		}
		for _, d := range deeper {
			f.merge(out, d, path)
		}
		return
	}
	f.say(start(n), "<< takes an alias of a mapping, as in `<<: *common`")
}

func keyName(n ast.MapKeyNode) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}
