package main

import (
	"errors"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a configuration file, so that none can keep Curfew from starting by
// its size or its shape.
const (
	maxConfig = 1 << 20 // bytes
	maxTokens = 100_000
	maxValues = 50_000 // with every alias written out
	maxDepth  = 60
)

// unreadable finds bytes that no YAML has.
func (f *yamlFile) unreadable(text string) bool {
	at := position{1, 0}
	for i, r := range text {
		if at.column++; r == '\n' {
			at = position{at.line + 1, 0}
			continue
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			f.say(at, "the file is not UTF-8: there is the byte %#x", text[i])
			return true
		case r < ' ' && r != '\t', r == 0x7f:
			f.say(at, "the file has the control character %#x", r)
			return true
		}
	}
	return false
}

// parseTokens parses, and takes a panic of the parser for a mistake in the file.
func parseTokens(tokens token.Tokens) (docs []*ast.DocumentNode, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the YAML parser cannot read the file")
		}
	}()
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, err
	}
	return parsed.Docs, nil
}

// tooDeep reports where values are nested too deep for a parser that calls
// itself for each level.
func tooDeep(tokens token.Tokens) (position, bool) {
	var flow int
	var block []int // columns
	for _, t := range tokens {
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
			if flow > 0 {
				break
			}
			for len(block) > 0 && block[len(block)-1] >= t.Position.Column {
				block = block[:len(block)-1]
			}
			block = append(block, t.Position.Column)
		}
		if max(flow, 0)+len(block) > 2*maxDepth || flow > maxDepth {
			return position{t.Position.Line, t.Position.Column}, true
		}
	}
	return position{}, false
}
