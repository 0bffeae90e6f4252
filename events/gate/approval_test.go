package gate_test

import (
	"strings"
	"testing"

	"curfew/events"
	"curfew/events/gate"
)

// TestOnlyVerifiedApprovalsCount: with a key, what somebody merely wrote into the
// journal opens nothing, however many there are.
func TestOnlyVerifiedApprovalsCount(t *testing.T) {
	by := func(names ...string) (out []events.Approval) {
		for _, n := range names {
			who, signed := strings.CutSuffix(n, "!")
			a := events.Approval{By: who}
			if signed {
				a.Sig = "signed"
			}
			out = append(out, a)
		}
		return out
	}
	verify := func(task events.Task, a events.Approval) bool { return task.ID != "" && a.Sig == "signed" }
	for _, tt := range []struct {
		name   string
		needs  int
		given  []events.Approval
		verify func(events.Task, events.Approval) bool
		held   string // what the reason says; "": let through
	}{
		{"nobody needs to", 0, nil, verify, ""},
		{"nobody did", 1, nil, verify, "0 of 1 approvals"},
		{"without a key every one counts", 2, by("kim", "jo"), nil, ""},
		{"one too few", 2, by("kim"), nil, "1 of 2 approvals"},
		{"signed", 1, by("kim@contoso.example!"), verify, ""},
		{"two signed", 2, by("kim@contoso.example!", "jo@contoso.example!"), verify, ""},
		{"not signed", 1, by("kim"), verify, "0 of 1 approvals; that of kim does not count"},
		{"one of two is not signed", 2, by("kim!", "jo"), verify, "1 of 2 approvals; that of jo does not count"},
		{"one person by two names", 2, by("kim", "Kim@contoso.example"), nil, "1 of 2 approvals; Kim@contoso.example and kim may be one person"},
		{"one person twice", 2, by("kim!", "KIM!"), verify, "may be one person"},
		{"two of the same name elsewhere", 2, by("kim@contoso.example!", "kim@fabrikam.example!"), verify, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bench(t, func(t *testing.T, g *gate.Guard, _ func() *gate.Guard) {
				g.Verify = tt.verify
				c, task := reset(1)
				task.Needs, task.Approvals = tt.needs, tt.given
				h, err := g.Admit(t.Context(), c, task)
				switch {
				case err != nil:
					t.Fatal(err)
				case tt.held == "" && h != nil:
					t.Errorf("held: %+v", h)
				case tt.held != "" && (h == nil || h.Gate != gate.GateApproval || !strings.Contains(h.Reason, tt.held)):
					t.Errorf("got %+v, want it held: %s", h, tt.held)
				}
			})
		})
	}
}
