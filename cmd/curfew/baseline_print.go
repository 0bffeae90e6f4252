package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"curfew/graph/baseline"
)

// plan prints a plan as people read it.
func (p *printer) plan(plan *baseline.Plan, all bool) {
	p.printf("%s, %s:\n", p.paint(bold, plan.Name), plan.Stage)
	fine := 0
	for _, s := range plan.Steps {
		if s.Action == baseline.Nothing {
			if fine++; all {
				p.printf("  = %s %q\n", p.paint(faint, s.Object.Key), s.Object.Name)
			}
			continue
		}
		p.planned(s, plan.Names)
	}
	for _, n := range plan.Notes {
		st, mark := plain, "note"
		switch {
		case n.Refuse:
			st, mark = red, "refused"
		case n.Blocks:
			st, mark = yellow, "not planned"
		}
		p.printf("  %s %s: %s\n", p.paint(st, mark), n.About, n.Text)
	}
	p.printf("%s\n\n", planSum(plan, fine))
}

// planSum is a plan in one line.
func planSum(plan *baseline.Plan, fine int) string {
	if plan.Refused() {
		return "Nothing is planned."
	}
	counts := map[baseline.Action]int{}
	for _, s := range plan.Steps {
		counts[s.Action]++
	}
	if len(plan.Work()) == 0 && len(plan.Open()) == 0 {
		return fmt.Sprintf("Nothing to do: %s as they should be.", count(fine, "object"))
	}
	parts := []string{fmt.Sprintf("%d to create", counts[baseline.Create]), fmt.Sprintf("%d to change", counts[baseline.Update])}
	if n := counts[baseline.Adopt]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d to adopt", n))
	}
	if n := counts[baseline.Undecided]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d undecided", n))
	}
	return strings.Join(append(parts, fmt.Sprintf("%d as they should be", fine)), ", ") + "."
}

func (p *printer) planned(s baseline.Step, names map[string]string) {
	look := map[baseline.Action]struct {
		sign string
		style
	}{
		baseline.Create: {"+", green}, baseline.Update: {"~", yellow}, baseline.Adopt: {">", yellow}, baseline.Undecided: {"?", red}, baseline.Delete: {"-", red},
	}[s.Action]
	p.printf("  %s %s %s %q\n", p.paint(look.style, look.sign), s.Action, p.paint(bold, s.Object.Key), s.Object.Name)
	for _, a := range s.Alike {
		p.printf("      looks alike: %q, %s\n", a.Name, a.Why)
		p.printf("        to adopt it:        adopt: {%s: %s}\n", s.Object.Key, a.ID)
	}
	if len(s.Alike) > 0 {
		p.printf("        to make one beside: adopt: {%s: new}\n", s.Object.Key)
	}
	for _, c := range s.Changes {
		if s.Action == baseline.Create {
			p.printf("      %s: %s\n", c.Path, valueText(c.To, names))
		} else {
			p.printf("      %s: %s -> %s\n", c.Path, valueText(c.From, names), valueText(c.To, names))
		}
	}
}

// valueText is a value as people read it: ids by their names, lists without quotes.
func valueText(v any, names map[string]string) string {
	switch v := v.(type) {
	case nil:
		return "(none)"
	case string:
		return named(v, names)
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, valueText(one, names))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case map[string]any:
		var all []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if s, ok := v[key].(string); ok && s == "" || key == "platform" {
				continue
			}
			if list, ok := v[key].([]any); ok && len(list) == 0 {
				continue
			}
			all = append(all, key+" "+valueText(v[key], names))
		}
		return "{" + strings.Join(all, ", ") + "}"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(b)
}

// named puts a name to an id, which may have a word before it: group:<id>.
func named(s string, names map[string]string) string {
	kind, id, prefixed := strings.Cut(s, ":")
	switch {
	case names[s] != "":
		return names[s]
	case prefixed && names[id] != "":
		return kind + " " + names[id]
	}
	return s
}
