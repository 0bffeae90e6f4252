package main

import (
	"slices"
	"strconv"
	"strings"
)

// lookup returns the value that tokens lead to, or nil.
func lookup(v any, tokens []string) any {
	for _, tok := range tokens {
		switch in := v.(type) {
		case map[string]any:
			v = in[tok]
		case []any:
			i, err := strconv.Atoi(tok)
			if err != nil || i < 0 || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// prune takes what does not fit out of a value, so that the rest can be used:
// keys go, entries of lists become nil.
func prune(value any, paths []string) {
	for _, p := range paths {
		tokens := pointerTokens(p)
		if len(tokens) == 0 {
			continue
		}
		last := tokens[len(tokens)-1]
		switch in := lookup(value, tokens[:len(tokens)-1]).(type) {
		case map[string]any:
			delete(in, last)
		case []any:
			if i, err := strconv.Atoi(last); err == nil && i >= 0 && i < len(in) {
				in[i] = nil
			}
		}
	}
}

// covered reports whether a path is one of those, or below one.
func covered(path string, by []string) bool {
	return slices.ContainsFunc(by, func(b string) bool { return path == b || strings.HasPrefix(path, b+"/") })
}
