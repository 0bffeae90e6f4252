package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"curfew/events"
	"curfew/events/broker"
)

func TestFactsThatAreNone(t *testing.T) {
	j := open(t, fresh(t, broker.Embedded{}), Options{})
	big := events.Noted{Text: strings.Repeat("x", maxFact)}
	for want, f := range map[string]events.Fact{"no kind of fact": nil, "at most 262144": big} {
		if err := j.Append(t.Context(), key("d1"), f, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %.200v", err)
		}
	}
	entries := make([]Entry, 2000)
	for i := range entries {
		entries[i] = Entry{key("d1"), events.Noticed{}, fmt.Sprint(i)}
	}
	entries[1999].Fact = big
	if err := j.AppendAll(t.Context(), entries); err == nil {
		t.Error("all are said to be recorded")
	}
	entries = entries[:1999]
	check(t, j.AppendAll(t.Context(), entries)) // again is always right
	if u := must(t, of(j.use(t.Context(), "FACTS"))); u.Messages != 1999 {
		t.Errorf("%d facts", u.Messages)
	}
	check(t, j.Append(t.Context(), key("d2"), events.Noticed{}, "7")) // the id is another device's
	if u := must(t, of(j.use(t.Context(), "FACTS"))); u.Messages != 2000 {
		t.Errorf("%d facts", u.Messages)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.AppendAll(ctx, entries[:1]); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
