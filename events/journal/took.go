package journal

import (
	"time"

	"curfew/events"
)

// A Transition is what a fact led to in this process.
type Transition struct {
	Fact    events.Fact
	Was, Is events.Case
	Changed bool
	Waited  time.Duration // from when it was appended to now
}

// tell lets whoever wants to know hear of a fact that was taken.
func (k *keeper) tell(f events.Fact, was, is events.Case, changed bool, appended, now time.Time) {
	if k.took != nil {
		k.took(Transition{f, was, is, changed, max(0, now.Sub(appended))})
	}
}
