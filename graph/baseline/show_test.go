package baseline_test

import (
	"encoding/json"
	"fmt"
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
	return b.String()
}

func brief(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
