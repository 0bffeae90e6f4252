package baseline

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// guard is the last look at what is to be written about Conditional Access, however
// it came about: from a plan, from a file somebody edited, or taking something back.
// have is the policy as it is; nil: it is made. Only taking back what turned a policy
// off may turn it on again at once.
func guard(s *State, have Raw, body map[string]any, undoes bool) error {
	after := Raw{}
	maps.Copy(after, have)
	maps.Copy(after, body)
	var wrong []error
	state, before := after.text("state"), have.text("state")
	if have == nil && state == accessOn {
		wrong = append(wrong, errors.New("a policy is never created enforced"))
	}
	if before == accessOff && state == accessOn && !undoes {
		wrong = append(wrong, errors.New("a policy that is off reports before it is enforced"))
	}
	controls := after.texts("grantControls.builtInControls")
	for _, c := range []string{"approvedApplication", "block"} {
		if slices.Contains(controls, c) && !slices.Contains(have.texts("grantControls.builtInControls"), c) {
			wrong = append(wrong, fmt.Errorf("the control %s is never set", c))
		}
	}
	if state != accessOff && !s.spared(after) {
		wrong = append(wrong, errors.New("it excludes no emergency account that exists, is enabled and is not synchronised"))
	}
	if len(wrong) > 0 {
		return fmt.Errorf("refusing to write the Conditional Access policy: %w", errors.Join(wrong...))
	}
	return nil
}

// spared reports whether a policy excludes an emergency account that can serve.
func (s *State) spared(policy Raw) bool {
	excluded := policy.texts("conditions.users.excludeUsers")
	for _, a := range s.Accounts {
		if a.Trouble() == "" && slices.ContainsFunc(excluded, func(id string) bool { return strings.EqualFold(id, a.ID) }) {
			return true
		}
	}
	return false
}
