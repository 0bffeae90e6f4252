package gate

import (
	"fmt"
	"testing"
	"time"
)

// TestADigestOfTooManyToKeep stands for a person to end, and so do those that replace
// it on the same day; but those of later days are taken back again.
func TestADigestOfTooManyToKeep(t *testing.T) {
	tasks := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("contoso/d%d/3-page", i))
		}
		return all
	}
	at := noon
	var x lasts
	for _, step := range []struct {
		after   time.Duration
		tasks   int
		devices int
		more    bool
	}{
		{0, mostLasting, mostLasting, false},
		{10 * time.Minute, 10, mostLasting, false}, // the same ones
		{10 * time.Minute, mostLasting + 1, 0, true},
		{moreLasts, 3, 3, true}, // still of the same storm
		{moreLasts + time.Minute, 2, 2, false},
	} {
		at = at.Add(step.after)
		x = x.next(Sent{Key: at.String(), At: at}, tasks(step.tasks))
		if len(x.Devices) != step.devices || x.More != step.more || !x.At.Equal(at) {
			t.Errorf("after %v and %d pages: %d devices, more %v", step.after, step.tasks, len(x.Devices), x.More)
		}
	}
}
