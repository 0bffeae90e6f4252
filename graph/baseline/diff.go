package baseline

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// The parts of an object that calls of their own set.
const (
	partAssignments = "assignments"
	partActions     = "scheduledActions"
	partApps        = "apps"
	partMessages    = "messages/"
)

func isPart(path string) bool {
	return path == partAssignments || path == partActions || path == partApps || strings.HasPrefix(path, partMessages)
}

// Diff are the owned properties in which an object that is there differs from the
// one that is wanted, in the order of their paths; ids maps keys to the ids of
// objects that are there. A nil Raw has nothing.
func Diff(want Object, have Raw, ids map[string]string) []Change {
	var changes []Change
	for _, path := range slices.Sorted(maps.Keys(want.Fields)) {
		to := asJSON(resolve(want.Fields[path], ids))
		from := asJSON(current(path, have))
		to = kept(path, to, from)
		if have != nil && path == markedIn(want.Kind) {
			if path == "description" && keyOf(have.text(path)) == want.Key {
				continue // the words around the mark are whoever's
			}
			if path == "description" {
				to = withMark(have.text(path), want.Key)
			}
		}
		if !same(path, from, to) {
			changes = append(changes, Change{Path: path, From: from, To: to})
		}
	}
	return changes
}

// resolve puts ids where a value refers to another object's.
func resolve(v any, ids map[string]string) any {
	switch v := v.(type) {
	case string:
		if key, refers := strings.CutPrefix(v, "@"); refers {
			return cmp.Or(ids[key], v)
		}
	case []any:
		out := make([]any, 0, len(v))
		for _, one := range v {
			out = append(out, resolve(one, ids))
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for name, one := range v {
			out[name] = resolve(one, ids)
		}
		return out
	}
	return v
}

// current is what an object has at a path.
func current(path string, have Raw) any {
	switch {
	case have == nil:
		return nil
	case path == partAssignments:
		return assignmentsOf(have)
	case path == partActions:
		return actionsOf(have)
	case path == partApps:
		return appsOf(have)
	case strings.HasPrefix(path, partMessages):
		return messageOf(have, strings.TrimPrefix(path, partMessages))
	}
	return have.at(path)
}

// ownedControls are the grant controls that a baseline sets or takes away. All
// others that a policy has are somebody's wish, known here or not, and stay.
var ownedControls = []string{"compliantDevice", "compliantApplication", "approvedApplication"}

// kept is the value to set, with what is not Curfew's in it kept.
func kept(path string, to, from any) any {
	if path != "grantControls.builtInControls" {
		return to
	}
	wanted, _ := to.([]any)
	has, _ := from.([]any)
	all := slices.Clone(wanted)
	for _, c := range has {
		if s, ok := c.(string); !ok || !slices.Contains(ownedControls, s) {
			all = append(all, c)
		}
	}
	return all
}

// same compares two values of JSON at a path. Lists are sets, and so are flags in
// one text.
func same(path string, a, b any) bool {
	if path == "brandingOptions" {
		return canon(flags(a)) == canon(flags(b))
	}
	if list, ok := b.([]any); ok && len(list) == 0 && a == nil {
		return true // Graph leaves empty lists out
	}
	return canon(settled(a)) == canon(settled(b))
}

func flags(v any) any {
	s, _ := v.(string)
	var all []string
	for f := range strings.SplitSeq(s, ",") {
		all = append(all, strings.TrimSpace(f))
	}
	return anys(all)
}
