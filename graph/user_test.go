package graph_test

import (
	"errors"
	"testing"

	"curfew/graph"
	"curfew/graph/graphtest"
)

func TestWhoMaySignIn(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		ana := d.tenant.AddUser(graphtest.User{UPN: "ana@contoso.example"})
		ben := d.tenant.AddUser(graphtest.User{UPN: "ben@contoso.example", Disabled: true})
		for _, tt := range []struct {
			id              string
			exists, enabled bool
		}{
			{ana, true, true},
			{ben, true, false},
			{"8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69", false, false},
		} {
			exists, enabled, err := d.client.MaySignIn(d.ctx, tt.id)
			if exists != tt.exists || enabled != tt.enabled || err != nil {
				t.Errorf("%s: %v, %v, %v", tt.id, exists, enabled, err)
			}
		}
		for _, id := range []string{"", "ana@contoso.example", "../users"} {
			_, _, err := d.client.MaySignIn(d.ctx, id)
			if e, ok := errors.AsType[*graph.Error](err); !ok || !e.GiveUp() {
				t.Errorf("%q: %v", id, err)
			}
		}
		d.app.Revoke("User.Read.All")
		if _, _, err := d.client.MaySignIn(d.ctx, ana); err == nil {
			t.Error("who may not read users was answered")
		}
	})
}
