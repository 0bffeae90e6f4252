// Package drift says in what a tenant is no longer as its baseline wants it, so
// that it can be told once, and told again only when it is another drift.
//
// It is a function of a plan for the stage that the tenant is at: what the plan
// would do is what has drifted.
package drift

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"curfew/graph/baseline"
)

// A Difference is one object that is not as it should be.
type Difference struct {
	Key    string            `json:"key"`
	Name   string            `json:"name"`
	Kind   baseline.Kind     `json:"kind"`
	Gone   bool              `json:"gone,omitempty"` // it is not there
	Change []baseline.Change `json:"changes,omitempty"`
}

// A Drift is all that differs.
type Drift struct {
	Differences []Difference `json:"differences"`
	Unknown     []string     `json:"unknown,omitempty"` // what could not be read or planned, with the reason
}

// Of is the drift that a plan shows. What was never applied has not drifted, but
// who looks at a stage expects it to be there, so it counts.
func Of(p *baseline.Plan) Drift {
	var d Drift
	for _, s := range p.Steps {
		if s.Action == baseline.Nothing {
			continue
		}
		one := Difference{Key: s.Object.Key, Name: s.Object.Name, Kind: s.Object.Kind, Gone: s.Action == baseline.Create || s.Action == baseline.Undecided}
		if !one.Gone {
			one.Change = s.Changes
		}
		d.Differences = append(d.Differences, one)
	}
	for _, n := range p.Notes {
		if n.Refuse || n.Blocks {
			d.Unknown = append(d.Unknown, n.About+": "+n.Text)
		}
	}
	return d
}

// None reports whether the tenant is as it should be, for all that is known.
func (d Drift) None() bool { return len(d.Differences) == 0 && len(d.Unknown) == 0 }

// Digest is the same for the same drift, and empty for none.
func (d Drift) Digest() string {
	if d.None() {
		return ""
	}
	b, err := json.Marshal(d)
	if err != nil { // it came as JSON
		return "unknown"
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// How much is said of a drift where there is little room.
const (
	mostObjects = 6
	mostChanges = 3
	mostText    = 80
)

// Text is the drift in one line for people; edits are who changed what of late, a
// line each.
func (d Drift) Text(edits []string) string {
	var parts []string
	for i, one := range d.Differences {
		if i == mostObjects {
			parts = append(parts, fmt.Sprintf("and %d more", len(d.Differences)-i))
			break
		}
		parts = append(parts, one.text())
	}
	for _, u := range d.Unknown[:min(len(d.Unknown), mostChanges)] {
		parts = append(parts, "not known: "+u)
	}
	what := "the tenant is not as its baseline wants it"
	if len(d.Differences) == 0 {
		what = "whether the tenant is as its baseline wants it is not known wholly"
	}
	said := what + ": " + strings.Join(parts, "; ") + "; see `curfew baseline drift`, and mend it by `curfew baseline apply` or in the file"
	if len(edits) > 0 {
		said += "; edited: " + strings.Join(edits, "; ")
	}
	return said
}

func (d Difference) text() string {
	if d.Gone {
		return d.Key + " is gone"
	}
	var parts []string
	for i, c := range d.Change {
		if i == mostChanges {
			parts = append(parts, fmt.Sprintf("%d more", len(d.Change)-i))
			break
		}
		parts = append(parts, fmt.Sprintf("%s is %s, not %s", c.Path, short(c.From), short(c.To)))
	}
	return d.Key + " (" + strings.Join(parts, ", ") + ")"
}

// short is a value in few characters.
func short(v any) string {
	s, is := v.(string)
	if !is {
		b, err := json.Marshal(v)
		if err != nil {
			return "?"
		}
		s = string(b)
	}
	if s == "null" || s == "" {
		return "not set"
	}
	if r := []rune(s); len(r) > mostText {
		return string(r[:mostText]) + "…"
	}
	return s
}

// Concerns reports whether an edit is of one of the objects that differ: by the
// name of what was edited, which has the baseline's mark in it, or its plain name.
func (d Drift) Concerns(edited string) bool {
	return slices.ContainsFunc(d.Differences, func(one Difference) bool {
		return edited != "" && (strings.EqualFold(edited, one.Name) || strings.HasPrefix(strings.ToLower(edited), strings.ToLower(one.Name)))
	})
}

// Has reports whether an object of a kind is among what differs.
func (d Drift) Has(kind baseline.Kind) bool {
	return slices.ContainsFunc(d.Differences, func(one Difference) bool { return one.Kind == kind })
}
