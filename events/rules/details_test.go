package rules

import (
	"strings"
	"testing"
)

// What a user is told of a threat is everything, unless the policy says plain; a
// word that nobody knows is a mistake.
func TestDetails(t *testing.T) {
	for details, plain := range map[string]bool{"": false, "full": false, "plain": true} {
		p := sound()
		p.Details = details
		got, problems := Rules{Policies: []Policy{p}}.Compile(names)
		if len(problems) > 0 || got.List[0].Plain != plain {
			t.Errorf("%q: %v, %v", details, got.List[0].Plain, problems)
		}
	}
	p := sound()
	p.Details = "plane"
	got, problems := Rules{Policies: []Policy{p}}.Compile(names)
	if len(problems) != 1 || problems[0].Path != "/policies/0/details" || !strings.Contains(problems[0].Text, "plain") || !got.List[0].Plain {
		t.Errorf("got %v, %v", got.List[0].Plain, problems)
	}
}
