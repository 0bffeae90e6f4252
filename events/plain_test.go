package events

import "testing"

// A case whose policy is gone is told of plainly if any policy wants that: a name
// that was said cannot be taken back.
func TestWhoIsToldPlainly(t *testing.T) {
	p := Policies{List: []Policy{{Name: "threat", Plain: true}, {Name: "disk"}}}
	for policy, want := range map[string]bool{"threat": true, "disk": false, "gone": true, "": true} {
		if got := p.Plain(Case{Policy: policy}); got != want {
			t.Errorf("policy %q: %v", policy, got)
		}
	}
	p.List[0].Plain = false
	if p.Plain(Case{Policy: "gone"}) {
		t.Error("nobody wants it plain")
	}
}
