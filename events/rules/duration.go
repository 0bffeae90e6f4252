package rules

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// MaxDuration is the longest a duration may be.
const MaxDuration = 10 * 365 * 24 * time.Hour

// A Duration is a length of time as people write it: 90s, 2h30m, 3d, 1w.
type Duration time.Duration

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// MarshalText implements [encoding.TextMarshaler].
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// ParseDuration reads whole numbers with the units w, d, h, m, s and ms, the
// larger before the smaller: 1d12h. A day has 24 hours. A bare 0 is zero.
func ParseDuration(s string) (time.Duration, error) {
	const day = 24 * time.Hour
	units := [...]struct {
		name string
		time.Duration
	}{{"w", 7 * day}, {"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}}

	if s == "0" {
		return 0, nil
	}
	if s == "" || strings.HasPrefix(s, "-") {
		return 0, fmt.Errorf("%.20q is not a duration such as 90s, 2h30m, 3d or 1w", s)
	}
	var total time.Duration
	next := 0
	for rest := s; rest != ""; {
		digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
		rest = rest[len(digits):]
		unit := rest[:len(rest)-len(strings.TrimLeft(rest, "wdhms"))]
		rest = rest[len(unit):]
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || unit == "" {
			return 0, fmt.Errorf("%.20q is not a duration such as 90s, 2h30m, 3d or 1w", s)
		}
		for next < len(units) && units[next].name != unit {
			next++
		}
		if next == len(units) {
			return 0, fmt.Errorf("%.20q is not a duration: write each of w, d, h, m, s and ms once, the larger first", s)
		}
		if n > int64(MaxDuration/units[next].Duration) || total+time.Duration(n)*units[next].Duration > MaxDuration {
			return 0, fmt.Errorf("%.20q is longer than ten years", s)
		}
		total += time.Duration(n) * units[next].Duration
		next++
	}
	return total, nil
}
