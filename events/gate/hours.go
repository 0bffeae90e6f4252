package gate

import "time"

// Hours are quiet hours that come again on some days of the week, by the clock on
// the wall, through changes between summer and winter time.
type Hours struct {
	Days        [7]bool       // on which they begin, Sunday first
	From, Until time.Duration // since midnight; an Until that is not after From is on the next day
	Zone        *time.Location
}

// on is when the hours begin and end that begin on the day of a moment, or some days
// later or earlier.
func (h Hours) on(t time.Time, days int) (from, until time.Time, ok bool) {
	y, m, d := t.In(h.Zone).Date()
	wall := func(day int, at time.Duration) time.Time {
		return time.Date(y, m, day, int(at/time.Hour), int(at%time.Hour/time.Minute), 0, 0, h.Zone)
	}
	from, until = wall(d+days, h.From), wall(d+days, h.Until)
	if h.Until <= h.From {
		until = wall(d+days+1, h.Until)
	}
	return from, until, h.Days[time.Date(y, m, d+days, 12, 0, 0, 0, h.Zone).Weekday()]
}

// open reports whether a moment is in the hours, and until when.
func (h Hours) open(now time.Time) (until time.Time, ok bool) {
	for _, days := range []int{0, -1} {
		if from, to, is := h.on(now, days); is && !now.Before(from) && now.Before(to) && to.After(until) {
			until, ok = to, true
		}
	}
	return until, ok
}

// mostRuns bounds how many hours that join are followed: more than there are in a week.
const mostRuns = 64

// quietUntil reports whether any of the hours are on, and when all of them that join
// are over.
func quietUntil(all []Hours, now time.Time) (until time.Time, quiet bool) {
	at := now
	for range mostRuns {
		further := false
		for _, h := range all {
			if to, ok := h.open(at); ok && to.After(at) {
				at, further = to, true
			}
		}
		if !further {
			break
		}
	}
	return at, at.After(now)
}

// Always reports whether these hours leave no minute of a week, so that nothing
// would ever be told.
func Always(all []Hours, now time.Time) bool {
	until, quiet := quietUntil(all, now)
	return quiet && until.Sub(now) >= 7*24*time.Hour
}
