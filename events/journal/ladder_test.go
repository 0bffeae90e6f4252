package journal

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

var wholeLadder = []string{"0s mail", "0s ticket", "10m0s scan", "20m0s page", "40m0s reset"}

// A device stays at risk: every rung comes in its time, and once.
func TestLadder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := key("d1")
		w.set(k, "highSeverity")
		x := start(t, t.TempDir()).run(w)
		defer x.stop()
		x.notice(k)
		time.Sleep(3 * time.Hour)
		got := w.effects(k)
		slices.Sort(got)
		if !slices.Equal(got, wholeLadder) {
			t.Errorf("got  %q\nwant %q", got, wholeLadder)
		}
		w.once()
		if c := x.mustCase(k); !c.Open || c.WakeAt.IsZero() {
			t.Errorf("the case is %s and wakes %v", c.State(), c.WakeAt)
		}
		check(t, x.Ready(t.Context()))
	})
}
