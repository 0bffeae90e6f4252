package journal

import (
	"errors"
	"strings"
	"testing"

	"curfew/events/broker"
)

func TestDeadLetters(t *testing.T) {
	j := open(t, fresh(t, broker.Embedded{}), Options{})
	ctx := t.Context()
	for i := range 25 {
		check(t, j.write(ctx, "fact.0.contoso.d"+number(i), nil, []byte("?"), "line one\nline two\x00"+strings.Repeat("é", 5000), number(i)))
	}
	check(t, j.write(ctx, "fact.0.contoso.d0", nil, []byte("?"), "the same again", "0"))
	var ids []uint64
	for after := uint64(0); ; after = ids[len(ids)-1] {
		page := must(t, of(j.Dead(ctx, after, 10)))
		if len(page) == 0 {
			break
		}
		for _, l := range page {
			ids = append(ids, l.ID)
			if l.Key.Tenant != "contoso" || !strings.HasPrefix(l.Reason, "line one | line two") || len(l.Reason) > mostReason {
				t.Errorf("%+v", l)
			}
		}
	}
	if len(ids) != 25 {
		t.Errorf("%d letters", len(ids))
	}
	if err := j.Replay(ctx, ids[3], "alice"); err == nil || !strings.Contains(err.Error(), "can only be dropped") {
		t.Errorf("got %v", err)
	}
	check(t, j.Drop(ctx, ids[3]))
	if err := j.Drop(ctx, ids[3]); !errors.Is(err, ErrNoLetter) {
		t.Errorf("got %v", err)
	}
	if _, err := j.Letter(ctx, 4711); !errors.Is(err, ErrNoLetter) {
		t.Errorf("got %v", err)
	}
	check(t, j.write(ctx, "task.mail.contoso.d1.3", nil, []byte("?"), "unreadable", "t"))
	check(t, j.write(ctx, "what.is.this", nil, []byte("?"), "no idea", "w"))
	for _, l := range must(t, of(j.Dead(ctx, ids[24], 10))) {
		if err := j.Replay(ctx, l.ID, "alice"); err == nil {
			t.Errorf("%s was replayed", l.Subject)
		}
	}
}
