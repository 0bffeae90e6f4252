package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"curfew/handlers"
)

func TestMarksSurviveWrappingAndEachOther(t *testing.T) {
	base := errors.New("no")
	for name, tt := range map[string]struct {
		err  error
		want handlers.Verdict
	}{
		"plain":              {base, handlers.Verdict{}},
		"nil":                {nil, handlers.Verdict{}},
		"give up":            {handlers.GiveUp(base), handlers.Verdict{GiveUp: true}},
		"unsure, wrapped":    {fmt.Errorf("x: %w", handlers.Unsure(base)), handlers.Verdict{Unsure: true}},
		"later and unsure":   {handlers.After(handlers.Unsure(base), time.Minute), handlers.Verdict{Unsure: true, After: time.Minute}},
		"unsure and later":   {handlers.Unsure(handlers.After(base, time.Minute)), handlers.Verdict{Unsure: true, After: time.Minute}},
		"sure after all":     {handlers.Sure(fmt.Errorf("x: %w", handlers.Unsure(base))), handlers.Verdict{}},
		"sure and later":     {handlers.Sure(handlers.After(handlers.Unsure(base), time.Second)), handlers.Verdict{After: time.Second}},
		"joined":             {errors.Join(base, handlers.GiveUp(base)), handlers.Verdict{GiveUp: true}},
		"redacted":           {handlers.Redact(handlers.GiveUp(base), "x"), handlers.Verdict{GiveUp: true}},
		"the later wait":     {handlers.After(handlers.After(base, time.Hour), time.Minute), handlers.Verdict{After: time.Minute}},
		"an ended context":   {handlers.Effect(fmt.Errorf("x: %w", context.Canceled)), handlers.Verdict{Unsure: true}},
		"a deadline":         {handlers.Effect(context.DeadlineExceeded), handlers.Verdict{Unsure: true}},
		"classified already": {handlers.Effect(handlers.Sure(context.Canceled)), handlers.Verdict{}},
		"another error":      {handlers.Effect(base), handlers.Verdict{}},
	} {
		if got := handlers.Read(tt.err); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
		if tt.err != nil && !errors.Is(tt.err, base) && !errors.Is(tt.err, context.Canceled) && !errors.Is(tt.err, context.DeadlineExceeded) {
			t.Errorf("%s: the cause is lost", name)
		}
	}
}

type shift int

func (s shift) Check() error {
	if s < 0 {
		return errors.New("nobody is there")
	}
	return nil
}

func TestDestination(t *testing.T) {
	all := map[string]shift{"day": 1, "night": 2, "weekend": -1}
	if n, err := handlers.Destination(all, "night"); n != 2 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	for name, want := range map[string]string{"": "day, night, weekend", "noon": "day, night, weekend", "weekend": "nobody is there"} {
		if _, err := handlers.Destination(all, name); !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if n, err := handlers.Destination(map[string]shift{"only": 3}, ""); n != 3 || err != nil {
		t.Errorf("the only one: %d, %v", n, err)
	}
	if _, err := handlers.Destination(map[string]shift{}, ""); !handlers.Read(err).GiveUp {
		t.Errorf("none at all: %v", err)
	}
}
