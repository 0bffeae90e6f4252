package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Figure is one thing that was measured.
type Figure struct {
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"`
	Limit   float64 `json:"limit"`   // in the same unit: what the machine can do at best, or, of what has no such limit, the most it may be
	Ratio   float64 `json:"ratio"`   // of value to limit
	Reached bool    `json:"reached"` // whether it is as good as it has to be

	Must string `json:"-"` // what it has to be, in words
}

// rate is a figure of which more is better: it must come to a part of its limit,
// and to a number.
func rate(name string, value, limit, part, least float64) Figure {
	f := newFigure(name, value, "/s", limit)
	var must []string
	if part > 0 {
		must = append(must, fmt.Sprintf("≥ %g of the limit", part))
	}
	if least > 0 {
		must = append(must, fmt.Sprintf("≥ %.0f/s", least))
	}
	f.Must, f.Reached = strings.Join(must, ", "), f.Ratio >= part && value >= least
	return f
}

// below is a figure of which less is better: it must stay below a number. A limit
// of nought says that there is none but that number.
func below(name string, value float64, unit string, limit, most float64) Figure {
	if limit == 0 {
		limit = most
	}
	f := newFigure(name, value, unit, limit)
	f.Must, f.Reached = fmt.Sprintf("< %g %s", most, unit), value < most
	return f
}

// within is a figure of which less is better: it may come to so many times its
// limit.
func within(name string, value float64, unit string, limit, times float64) Figure {
	f := newFigure(name, value, unit, limit)
	f.Must, f.Reached = fmt.Sprintf("≤ %g of the limit", times), f.Ratio <= times
	return f
}

func newFigure(name string, value float64, unit string, limit float64) Figure {
	f := Figure{Name: name, Value: value, Unit: unit, Limit: limit}
	if limit > 0 {
		f.Ratio = value / limit
	}
	return f
}

// quantile is the value that a part of them does not exceed. It sorts them.
func quantile(of []time.Duration, part float64) time.Duration {
	if len(of) == 0 {
		return 0
	}
	slices.Sort(of)
	return of[min(int(part*float64(len(of))), len(of)-1)]
}

// ms is a duration in milliseconds.
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
