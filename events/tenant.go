package events

import (
	"slices"
	"strings"
)

// tripped calls for a person about the tenant.
func (t *turn) tripped(f Tripped) {
	if f.Anew && !slices.Contains(t.Attention, f.Gate+": "+f.Reason) {
		t.unsay(f.Gate)
	}
	t.attend("%s: %s", f.Gate, f.Reason)
}

// eased takes back what a gate called for a person about. A case that is about a
// tenant has nothing to prove; it closes when nobody is called for any more.
func (t *turn) eased(f Eased) {
	if !t.Open || !t.unsay(f.Gate) {
		return
	}
	t.say("%s is over: %s", f.Gate, f.Reason)
	if len(t.Attention) == 0 && t.Key == TenantKey(t.Tenant) {
		t.close("because it is over", false)
	}
}

// unsay drops what a gate called for a person about, and reports whether it had.
func (t *turn) unsay(gate string) bool {
	had := len(t.Attention)
	t.Attention = slices.DeleteFunc(t.Attention, func(s string) bool { return strings.HasPrefix(s, gate+": ") })
	return len(t.Attention) < had
}
