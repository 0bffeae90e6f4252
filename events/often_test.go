package events_test

import (
	"flag"
	"strconv"
	"testing"
)

// often checks a property n times in all, or as often as -rapid.checks says,
// in shares that run side by side.
func often(t *testing.T, n int, property func(*testing.T)) {
	t.Helper()
	const shares = 4
	f := flag.Lookup("rapid.checks")
	said := f.Value.String()
	if said != f.DefValue {
		n, _ = strconv.Atoi(said) // it is a number, or the test would not run
	}
	set := func(s string) {
		if err := f.Value.Set(s); err != nil {
			t.Error(err)
		}
	}
	set(strconv.Itoa((n + shares - 1) / shares))
	t.Cleanup(func() { set(said) })
	for i := range shares {
		t.Run(strconv.Itoa(i+1), func(t *testing.T) {
			t.Parallel()
			property(t)
		})
	}
}
