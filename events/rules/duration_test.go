package rules

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for in, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "90s": 90 * time.Second, "2h30m": 150 * time.Minute, "3d": 3 * day, "1w": 7 * day,
		"1w2d3h4m5s6ms": 9*day + 3*time.Hour + 4*time.Minute + 5*time.Second + 6*time.Millisecond, "250ms": 250 * time.Millisecond,
		"520w": 3640 * day,
	} {
		if got, err := ParseDuration(in); got != want || err != nil {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"", "-1h", "1", "h", "1.5h", "1 h", "1H", "2 hours", "1y", "30m2h", "1h1h", "1hm", "99999999999999999999s", "11w99999999h", "3651d", "1h-", "٣d",
	} {
		if got, err := ParseDuration(in); err == nil {
			t.Errorf("%q is taken for %v", in, got)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"device", "desk", "oncall", "threat"}
	for word, want := range map[string]string{
		"devce": "device", "thraet": "threat", "Desk": "desk", "on-call": "oncall", "x": "", "webhook": "", "": "",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("%s: %q, not %q", word, got, want)
		}
	}
}
