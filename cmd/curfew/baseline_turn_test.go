package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestOneAtATenant: while one changes a tenant's baseline, for however long, another
// is told who it is, and one that died is in nobody's way for long.
func TestOneAtATenant(t *testing.T) {
	inWard(t, func(w *ward) {
		t := w.t
		b := &ground{journal: w.j}
		tenant := tenantSpec{}
		tenant.ID = contoso
		other := tenantSpec{}
		other.ID = fabrikam
		nothing := func(context.Context) error { return nil }
		refused := func(want string) {
			t.Helper()
			if err := b.alone(t.Context(), tenant, "bo", nothing); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
		check(t, b.alone(t.Context(), tenant, "ana", func(ctx context.Context) error {
			refused("ana has been at it since")
			time.Sleep(10 * time.Minute) // a second administrator has to approve
			refused("ana has been at it since")
			return errors.Join(ctx.Err(), b.alone(ctx, other, "bo", nothing))
		}))
		check(t, b.alone(t.Context(), tenant, "bo", nothing))
		failed := errors.New("Graph refuses")
		if err := b.alone(t.Context(), tenant, "bo", func(context.Context) error { return failed }); !errors.Is(err, failed) {
			t.Errorf("got %v", err)
		}

		// One that was killed.
		_, err := takeTurn(t.Context(), w.j.State(), turnKey+contoso, turn{"ana", time.Now(), time.Now().Add(turnLasts)})
		check(t, err)
		refused("ana has been at it since")
		time.Sleep(turnLasts)
		check(t, b.alone(t.Context(), tenant, "bo", nothing))

		// One whose record is gone stops.
		err = b.alone(t.Context(), tenant, "ana", func(ctx context.Context) error {
			if _, err := w.j.State().Put(ctx, turnKey+contoso, turn{"bo", time.Now(), time.Now().Add(turnLasts)}.record()); err != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, errTurnLost) {
			t.Errorf("got %v", err)
		}
		refused("bo has been at it since")
	})
}
