package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// reader is an Entra that counts how often it is asked.
type reader struct {
	asked int
	fails bool
}

func (r *reader) LanguageOf(ctx context.Context, _, who string) (string, error) {
	r.asked++
	if r.fails {
		<-ctx.Done()
		return "", errors.New("no answer")
	}
	return map[string]string{"kim@contoso.example": "de"}[who], nil
}

// Who approves is asked for once a day, is not waited for, and not where users are
// not read.
func TestTongues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		tenant := tenantConfig{ID: contoso, Look: lookConfig{User: true}}
		blind := tenantConfig{ID: fabrikam}
		k := &tongues{conf: &config{Tenants: []tenantConfig{tenant, blind}}, tenants: r}
		says := func(tenant, who, want string, asked int) {
			t.Helper()
			if got := k.of(t.Context(), tenant, who); got != want || r.asked != asked {
				t.Errorf("%s: %q, asked %d times", who, got, r.asked)
			}
		}
		says(contoso, "kim@contoso.example", "de", 1)
		says(contoso, "kim@contoso.example", "de", 1)
		says(contoso, "jo@contoso.example", "", 2)
		says(fabrikam, "kim@contoso.example", "", 2)
		time.Sleep(25 * time.Hour)
		r.fails = true
		began := time.Now()
		says(contoso, "kim@contoso.example", "de", 3)
		if waited := time.Since(began); waited != tongueWithin {
			t.Errorf("it waited for %v", waited)
		}
	})
}
