package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"curfew/events/rules"
)

// farthest is how far away the end of a hold may be; the case cuts what is farther.
const farthest = 30 * 24 * time.Hour

// An end is when something is over, as a person says it.
type end struct{ wait, until string }

func (e *end) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&e.wait, "for", "", "how `LONG`: 90m, 4h, 3d, 1w")
	cmd.Flags().StringVar(&e.until, "until", "", "until `WHEN`: 18:00, 2026-03-09, \"2026-03-09 18:00\" or RFC 3339")
}

// time is the moment meant, in whole seconds; zero if none is given. A time of
// day is the next one to come, and a date begins at midnight.
func (e *end) time(now time.Time, zone *time.Location) (time.Time, error) {
	var at time.Time
	switch {
	case e.wait != "":
		d, err := rules.ParseDuration(e.wait)
		if err != nil {
			return at, wrong(fmt.Errorf("--for: %w", err))
		}
		at = now.Add(d)
	case e.until != "":
		var err error
		if at, err = parseMoment(e.until, now.In(zone)); err != nil {
			return at, wrong(fmt.Errorf("--until: %w", err))
		}
	default:
		return at, nil
	}
	switch at = at.UTC().Truncate(time.Second); {
	case !at.After(now):
		return at, wrong(fmt.Errorf("that is over already: %s", at.In(zone).Format("Mon 2 Jan 2006 15:04 MST")))
	case at.Sub(now) > farthest:
		return at, wrong(errors.New("that is more than 30 days away: name an end that somebody will remember"))
	}
	return at, nil
}

// parseMoment reads a moment as seen from now, whose zone is the writer's.
func parseMoment(s string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	t, err := time.ParseInLocation("15:04", s, now.Location())
	if err != nil {
		return t, fmt.Errorf("%.40q is not a time such as 18:00, 2026-03-09, \"2026-03-09 18:00\" or 2026-03-09T18:00:00+01:00", s)
	}
	at := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, now.Location())
	if !at.After(now) {
		at = time.Date(now.Year(), now.Month(), now.Day()+1, t.Hour(), t.Minute(), 0, 0, now.Location())
	}
	return at, nil
}
