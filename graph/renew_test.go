package graph_test

import (
	"strings"
	"testing"
	"time"

	"curfew/graph"
	"curfew/graph/graphtest"
)

// A secret is exchanged while the client is in use: one that is not good changes
// nothing, and one that is counts from then on.
func TestASecretIsExchanged(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		dev := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		const next = "an0ther~s3cret/of&the+app"
		works := func(want bool) {
			t.Helper()
			time.Sleep(2 * time.Hour) // no token lasts that long
			if _, err := d.client.Look(d.ctx, d.kase(dev)); (err == nil) != want {
				t.Errorf("it works: %v, want %v: %v", err == nil, want, err)
			}
		}
		works(true)
		err := d.client.Renew(d.ctx, graph.Auth{Client: clientID, Secret: next})
		want{after: 30 * time.Second, says: "the client secret is wrong"}.check(t, err)
		if strings.Contains(err.Error(), next) {
			t.Error(err)
		}
		works(true)
		d.app.ExchangeSecret(next)
		works(false)
		if err := d.client.Renew(d.ctx, graph.Auth{Client: clientID, Secret: next}); err != nil {
			t.Fatal(err)
		}
		works(true)
		if err := d.client.Renew(d.ctx, graph.Auth{Client: clientID, Certificate: []byte("rubbish")}); err == nil || strings.Contains(err.Error(), "rubbish") {
			t.Errorf("rubbish is a certificate: %v", err)
		}
		works(true)
	})
}
