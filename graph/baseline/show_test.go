package baseline_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"curfew/graph/baseline"
)

// show is a plan as text, without the ids that differ from run to run.
func show(p *baseline.Plan) string {
	var b strings.Builder
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "%s %s %q\n", s.Action, s.Object.Key, s.Object.Name)
		for _, a := range s.Alike {
			fmt.Fprintf(&b, "    alike %q: %s\n", a.Name, a.Why)
		}
		for _, c := range s.Changes {
			fmt.Fprintf(&b, "    %s: %s -> %s\n", c.Path, brief(c.From), brief(c.To))
		}
	}
	for _, n := range p.Notes {
		kind := "note"
		if n.Refuse {
			kind = "refused"
		} else if n.Blocks {
			kind = "not planned"
		}
		fmt.Fprintf(&b, "%s %s: %s\n", kind, n.About, n.Text)
	}
	return nameless(b.String(), p.Names)
}

var guids = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// nameless puts names, or nothing, for ids that differ from run to run. Those of
// service plans do not.
func nameless(s string, names map[string]string) string {
	return guids.ReplaceAllStringFunc(s, func(id string) string {
		switch {
		case names[id] != "":
			return "<" + names[id] + ">"
		case strings.Contains(s, "("+id+")") && !strings.Contains(s, `"`+id+`"`):
			return id
		}
		return "<id>"
	})
}

func text(o map[string]any, key string) string { s, _ := o[key].(string); return s }

// keyed reports whether an object carries the mark of a key.
func keyed(o map[string]any, key string) bool {
	return strings.Contains(text(o, "displayName")+text(o, "description"), baseline.Mark(key))
}

func brief(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
