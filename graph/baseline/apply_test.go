package baseline_test

import (
	"testing"

	"curfew/graph/baseline"
)

func TestATenantGoesAllTheWay(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.reach(baseline.AllEnforced)
	})
}
