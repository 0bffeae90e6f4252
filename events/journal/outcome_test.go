package journal

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"curfew/events"
)

func TestDelayed(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		tries       int
		err         error
		least, most time.Duration
	}{
		{0, errors.New("x"), time.Second, 1100 * time.Millisecond},
		{1, errors.New("x"), 4 * time.Second, 4400 * time.Millisecond},
		{9, errors.New("x"), 100 * time.Second, 110 * time.Second},
		{1000, errors.New("x"), time.Hour, 66 * time.Minute},
		{0, after{errors.New("x"), time.Minute}, time.Minute, time.Minute},
		{0, after{errors.New("x"), -time.Minute}, time.Second, 1100 * time.Millisecond},
		{0, fmt.Errorf("mail: %w", after{errors.New("x"), 10000 * time.Hour}), 24 * time.Hour, 24 * time.Hour},
	} {
		got := delayed(events.Task{Tries: c.tries}, c.err, now).Until.Sub(now)
		if got < c.least || got > c.most {
			t.Errorf("try %d with %v: %v", c.tries, c.err, got)
		}
	}
	long := delayed(events.Task{Begun: &events.Attempt{}}, unsure{errors.New(strings.Repeat("ü", 400) + "\x00\n")}, now)
	if len(long.Reason) > 500 || !strings.HasSuffix(long.Reason, "ü...") || !long.Unsure {
		t.Errorf("%+v", long)
	}
	if delayed(events.Task{}, unsure{errors.New("x")}, now).Unsure {
		t.Error("unsure of what had not begun")
	}
}
