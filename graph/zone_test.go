package graph

import (
	"testing"
	"time"
	_ "time/tzdata" // that of the machine may be older than the table
)

// Every zone that Windows has a name for is one that Go knows.
func TestWindowsZones(t *testing.T) {
	all := windowsZones()
	if len(all) < 130 {
		t.Errorf("there are only %d", len(all))
	}
	for windows, iana := range all {
		if _, err := time.LoadLocation(iana); err != nil || zoneOf(windows) != iana {
			t.Errorf("%s: %q: %v", windows, iana, err)
		}
	}
}
