package gate

import (
	"fmt"
	"strings"
	"time"

	"curfew/events"
)

// approved asks whether enough people have allowed a task that needs it.
func (g *Guard) approved(t events.Task) *events.Held {
	if !t.Action.Grave() || t.Needs == 0 {
		return nil
	}
	count, doubts := g.people(t)
	if count >= t.Needs {
		return nil
	}
	reason := fmt.Sprintf("%d of %d approvals", count, t.Needs)
	if len(doubts) > 0 {
		reason += "; " + strings.Join(doubts, "; ")
	}
	return held(t, GateApproval, reason, again(t, GateApproval, time.Now()))
}

// people counts those whose approval of a task counts: it is verified, and nobody
// counts twice by two names.
func (g *Guard) people(t events.Task) (count int, doubts []string) {
	var counted []string
next:
	for _, a := range t.Approvals {
		if g.Verify != nil && !g.Verify(t, a) {
			doubts = append(doubts, "that of "+a.By+" does not count: it is not signed with the key for approvals")
			continue
		}
		for _, by := range counted {
			if is(a.By, by) || is(by, a.By) {
				doubts = append(doubts, a.By+" and "+by+" may be one person")
				continue next
			}
		}
		counted = append(counted, a.By)
	}
	return len(counted), doubts
}
