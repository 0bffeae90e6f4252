package journal

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"curfew/events/broker"
)

func TestState(t *testing.T) {
	s := open(t, fresh(t, broker.Embedded{}), Options{}).State()
	ctx := t.Context()
	if _, _, err := s.Get(ctx, "sweep.contoso"); !errors.Is(err, ErrNoKey) {
		t.Errorf("got %v", err)
	}
	rev := must(t, of(s.Create(ctx, "sweep.contoso", []byte("1"))))
	if _, err := s.Create(ctx, "sweep.contoso", nil); !errors.Is(err, ErrConflict) {
		t.Errorf("got %v", err)
	}
	next := must(t, of(s.Update(ctx, "sweep.contoso", []byte("2"), rev)))
	if _, err := s.Update(ctx, "sweep.contoso", []byte("3"), rev); !errors.Is(err, ErrConflict) {
		t.Errorf("got %v", err)
	}
	if v, at, err := s.Get(ctx, "sweep.contoso"); err != nil || string(v) != "2" || at != next {
		t.Error(string(v), at, err)
	}
	must(t, of(s.Put(ctx, "sweep.fabrikam", []byte("x"))))
	must(t, of(s.Put(ctx, "pause", []byte("y"))))
	if keys := must(t, of(s.Keys(ctx, "sweep."))); !slices.Equal(keys, []string{"sweep.contoso", "sweep.fabrikam"}) {
		t.Errorf("%q", keys)
	}
	check(t, s.Delete(ctx, "sweep.contoso"))
	check(t, s.Delete(ctx, "sweep.contoso"))
	if keys := must(t, of(s.Keys(ctx, ""))); !slices.Equal(keys, []string{"pause", "sweep.fabrikam"}) {
		t.Errorf("%q", keys)
	}
	must(t, of(s.Create(ctx, "sweep.contoso", []byte("again"))))
	for _, bad := range []string{"", ">", "sweep.*", "a b", ".a", "a.", "a..b", "journal.layout", strings.Repeat("a", 300)} {
		_, err := s.Put(ctx, bad, nil)
		_, err2 := s.Create(ctx, bad, nil)
		_, err3 := s.Update(ctx, bad, nil, 1)
		if err == nil || err2 == nil || err3 == nil || s.Delete(ctx, bad) == nil {
			t.Errorf("%q was taken as a key", bad)
		}
	}
}
