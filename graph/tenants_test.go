package graph_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

func TestOneTenantsTroubleIsItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := graphtest.NewCloud()
		defer cloud.Close()
		contoso, fabrik := newDesk(t, cloud, "contoso", contosoID), newDesk(t, cloud, "fabrik", fabrikID)
		a, b := contoso.tenant.AddDevice(ana("LT-042")), fabrik.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		all := graph.Tenants{contosoID: contoso.client, fabrikID: fabrik.client}
		contoso.tenant.Throttle("deviceManagement", 1, 2*time.Minute)
		began := time.Now()
		_, err := all.Look(t.Context(), contoso.kase(a))
		want{status: 429, after: 2 * time.Minute}.check(t, err)
		time.Sleep(time.Second)
		for range 20 { // told once, nobody asks again until then
			_, err := all.Look(t.Context(), contoso.kase(a))
			want{after: 2*time.Minute - time.Since(began), says: "budget"}.check(t, err)
		}
		if n := contoso.tenant.Asked("GET", "/v1.0/deviceManagement"); n != 1 {
			t.Errorf("asked %d times", n)
		}
		if dev, err := all.Look(t.Context(), fabrik.kase(b)); err != nil || dev.Name != "LT-042" || time.Since(began) != time.Second {
			t.Errorf("%v %+v after %v", err, dev, time.Since(began))
		}
		time.Sleep(2 * time.Minute)
		if _, err := all.Look(t.Context(), contoso.kase(a)); err != nil {
			t.Error(err)
		}
	})
}

func TestEachTenantIsAskedForItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := graphtest.NewCloud()
		defer cloud.Close()
		contoso, fabrik := newDesk(t, cloud, "contoso", contosoID), newDesk(t, cloud, "fabrik", fabrikID)
		laptop := fabrik.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		all := graph.Tenants{contosoID: contoso.client, fabrikID: fabrik.client}
		defer all.Close()
		ctx := t.Context()
		dev, err := all.Look(ctx, fabrik.kase(laptop))
		if err != nil {
			t.Fatal(err)
		}
		for name, do := range map[string]func(events.Device) error{
			"sync":       func(d events.Device) error { return all.Sync(ctx, d) },
			"signatures": func(d events.Device) error { return all.UpdateSignatures(ctx, d) },
			"scan":       func(d events.Device) error { return all.Scan(ctx, d, true) },
			"reset":      func(d events.Device) error { return all.Reset(ctx, d) },
			"record":     func(d events.Device) error { return second(all.Record(ctx, d)) },
			"look":       func(d events.Device) error { return second(all.Look(ctx, events.Case{Key: d.Key})) },
			"mail":       func(d events.Device) error { return all.SendMail(ctx, d.Key.Tenant, "a@b.example", "s", "", "t", "k") },
			"sent":       func(d events.Device) error { return second(all.Sent(ctx, d.Key.Tenant, "k")) },
		} {
			if err := do(dev); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			stranger := dev
			stranger.Key.Tenant = "someone-else"
			want{giveUp: true, says: `no tenant "someone-else" is configured`}.check(t, do(stranger))
		}
		if contoso.tenant.Asked("", "") != 0 || len(fabrik.posted()) != 5 {
			t.Errorf("contoso was asked %d times, fabrik %v", contoso.tenant.Asked("", ""), fabrik.posted())
		}
	})
}

func TestMistakesInTheConfigurationAreAllNamed(t *testing.T) {
	good := graph.Tenant{ID: contosoID, Name: "contoso", Auth: graph.Auth{Client: clientID, Secret: secret}}
	for name, c := range map[string]struct {
		how  func(*graph.Tenant)
		says []string
	}{
		"everything": {func(c *graph.Tenant) {
			*c = graph.Tenant{ID: "contoso.com", Cloud: "mars", Workers: -1, MailFrom: "a b"}
		}, []string{`tenant id "contoso.com" is not a GUID`, `no cloud is called "mars"`, "-1 workers", `mail sender "a b"`, "no credential"}},
		"two credentials": {func(c *graph.Tenant) { c.Auth.TokenFile = "/x" }, []string{"more than one credential"}},
		"no client":       {func(c *graph.Tenant) { c.Auth.Client = "curfew" }, []string{`client id "curfew" is not a GUID`}},
		"no certificate":  {func(c *graph.Tenant) { c.Auth = graph.Auth{Client: clientID, Certificate: []byte("x" + secret)} }, []string{"certificate: want PEM"}},
		"plain HTTP": {func(c *graph.Tenant) {
			c.Endpoint = &graph.Endpoint{Graph: "http://127.0.0.1", Login: "https://127.0.0.1"}
		},
			[]string{"graph endpoint: want https://host"}},
		"a path": {func(c *graph.Tenant) {
			c.Endpoint = &graph.Endpoint{Graph: "https://127.0.0.1/v1.0", Login: "https://127.0.0.1"}
		}, []string{"graph endpoint"}},
		"a password in a URL": {func(c *graph.Tenant) {
			c.Endpoint = &graph.Endpoint{Graph: "https://127.0.0.1", Login: "https://u:" + secret + "@127.0.0.1"}
		}, []string{"login endpoint"}},
		"an identity abroad": {func(c *graph.Tenant) {
			c.Cloud, c.Auth = graph.China, graph.Auth{Client: clientID, Managed: &graph.ManagedIdentity{}}
		}, []string{"in the global cloud only"}},
	} {
		t.Run(name, func(t *testing.T) {
			tenant := good
			c.how(&tenant)
			_, err := graph.New(tenant)
			if err == nil {
				t.Fatal("taken")
			}
			for _, s := range append(c.says, "graph: tenant ") {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
			if strings.Contains(err.Error(), secret) {
				t.Error("and names the secret")
			}
		})
	}
	twice := good
	twice.ID = strings.ToUpper(twice.ID)
	all, err := graph.Open([]graph.Tenant{good, twice, {Name: "nobody"}})
	if err == nil || !strings.Contains(err.Error(), "is there twice") || !strings.Contains(err.Error(), "nobody") || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
	all.Close()
}
