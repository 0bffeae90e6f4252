package baseline

import (
	"fmt"
	"slices"
	"strings"
)

// A Stage is how far the rollout of a tenant's baseline is. The zero value is the
// first.
type Stage int

// The stages, in their order; see the package comment for what each means.
const (
	PilotReport   Stage = iota // the pilot group rehearses
	PilotEnforced              // the pilot group is held to it
	AllReport                  // everybody rehearses, the pilot group is held to it
	AllEnforced                // everybody is held to it
)

var stageNames = [...]string{"pilot report-only", "pilot enforced", "all report-only", "all enforced"}

// Stages are all of them.
func Stages() []Stage { return []Stage{PilotReport, PilotEnforced, AllReport, AllEnforced} }

// String is the stage's name, as people read it.
func (s Stage) String() string {
	if s < 0 || int(s) >= len(stageNames) {
		return fmt.Sprintf("stage %d", int(s))
	}
	return stageNames[s]
}

// Everybody reports whether the stage is about all users.
func (s Stage) Everybody() bool { return s >= AllReport }

// Next is the stage after this one; the last has none.
func (s Stage) Next() (Stage, bool) { return min(s+1, AllEnforced), s < AllEnforced }

// MarshalText writes the stage as "pilot-report-only".
func (s Stage) MarshalText() ([]byte, error) {
	return []byte(strings.ReplaceAll(s.String(), " ", "-")), nil
}

// UnmarshalText reads what MarshalText writes.
func (s *Stage) UnmarshalText(b []byte) error {
	i := slices.IndexFunc(stageNames[:], func(name string) bool { return strings.ReplaceAll(name, " ", "-") == string(b) })
	if i < 0 {
		return fmt.Errorf("%.40q is no stage: use pilot-report-only, pilot-enforced, all-report-only or all-enforced", string(b))
	}
	*s = Stage(i)
	return nil
}

// A Gate is what the readiness check made of a step from one stage to the next.
// The zero value passes nothing.
type Gate struct {
	To      Stage    `json:"to"`
	Passed  bool     `json:"passed"`
	Reasons []string `json:"reasons,omitempty"` // why it did not
}

// opens reports whether the gate lets a tenant go from one stage to another.
func (g *Gate) opens(from, to Stage) bool {
	return to <= from || g != nil && g.Passed && g.To >= to
}
