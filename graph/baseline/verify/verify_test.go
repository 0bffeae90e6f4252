package verify_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"curfew/graph"
	"curfew/graph/baseline/readiness"
	"curfew/graph/baseline/verify"
	"curfew/graph/graphtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	tenantID = "0e3b7f0e-5a51-4c1e-9d0c-6f6a6f3c2a11"
	appID    = "b5a0c9d2-4a9e-4c55-9a3b-0d8a7f2f6e33"
)

func story(t *testing.T, tell func(t *testing.T, tenant *graphtest.Tenant, c *graph.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := graphtest.NewCloud()
		defer cloud.Close()
		tenant := cloud.AddTenant("contoso", tenantID)
		tenant.AddApp(appID, "s3cret~", append(graphtest.BaselineRoles(), graphtest.RolloutRoles()...)...)
		tenant.AddDevice(graphtest.Device{Name: "TEST-01", User: "ana@contoso.example"})
		tenant.AddDevice(graphtest.Device{Name: "TEST-02", User: "ana@contoso.example"})
		client, err := graph.New(graph.Tenant{ID: tenantID, Name: "contoso", Auth: graph.Auth{Client: appID, Secret: "s3cret~"}, Transport: cloud.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		tell(t, tenant, client)
	})
}

const enforced = `{"id":"7c1f9a52-08d4-4b0e-8a56-2f3f5d1c9b22","displayName":"Risk","state":"enabled",
	"conditions":{"clientAppTypes":["all"],"applications":{"includeApplications":["Office365"]},"users":{"includeUsers":["All"]}},
	"grantControls":{"operator":"OR","builtInControls":["compliantDevice","compliantApplication"]}}`

func TestEachHopIsMeasured(t *testing.T) {
	story(t, func(t *testing.T, tenant *graphtest.Tenant, c *graph.Client) {
		tenant.SetAccess(enforced)
		timing := graphtest.DefaultTiming()
		timing.EntraLag = 7 * time.Minute
		tenant.SetTiming(timing)
		time.AfterFunc(10*time.Minute, func() { tenant.BreakBitLocker("TEST-01") })
		time.AfterFunc(40*time.Minute, func() { tenant.FixBitLocker("TEST-01") })
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		defer cancel()
		events, err := verify.Watch(ctx, c, "TEST-01", verify.Options{Every: time.Minute, Back: true})
		if err != nil || len(events) != 5 {
			t.Fatalf("%v: %+v", err, events)
		}
		for i, want := range []time.Duration{10 * time.Minute, 7 * time.Minute, 0, 23 * time.Minute, 7 * time.Minute} {
			e := events[i]
			if e.Least > want+time.Second || e.Took < want-time.Minute || e.Took > want+2*time.Minute {
				t.Errorf("%s: took %v, at least %v; want %v", e.Hop, e.Took, e.Least, want)
			}
		}
		if !strings.Contains(events[2].What, "Risk, unless by an app under app protection") {
			t.Errorf("blocked by %q", events[2].What)
		}
	})
}

func TestWhereItIsStuckIsSaid(t *testing.T) {
	story(t, func(t *testing.T, tenant *graphtest.Tenant, c *graph.Client) {
		tenant.SetAccess(strings.Replace(enforced, `"enabled"`, `"enabledForReportingButNotEnforced"`, 1))
		watch := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			_, err := verify.Watch(ctx, c, "TEST-01", verify.Options{})
			return err
		}
		if err := watch(); !errors.Is(err, verify.ErrCompliant) {
			t.Errorf("of a compliant device: %v", err)
		}
		tenant.BreakBitLocker("TEST-01")
		if err := watch(); err == nil || !strings.Contains(err.Error(), string(verify.Blocked)) {
			t.Errorf("of a policy that only reports: %v", err)
		}
		if _, err := verify.Watch(t.Context(), c, "NOBODY", verify.Options{}); err == nil || !strings.Contains(err.Error(), "no device of Intune") {
			t.Errorf("of no device: %v", err)
		}
	})
}

func TestWatchingChangesNothing(t *testing.T) {
	story(t, func(t *testing.T, tenant *graphtest.Tenant, c *graph.Client) {
		tenant.SetAccess(enforced)
		tenant.BreakBitLocker("TEST-01")
		time.Sleep(time.Hour)
		if _, err := verify.Watch(t.Context(), c, "TEST-01", verify.Options{}); err != nil {
			t.Fatal(err)
		}
		for _, r := range tenant.Requests() {
			if r.Method != "GET" && !strings.HasSuffix(r.Path, "/evaluate") && !strings.HasSuffix(r.Path, "/token") {
				t.Errorf("%s %s", r.Method, r.Path)
			}
		}
	})
}

func TestWhatRefuses(t *testing.T) {
	on := func(operator string, controls ...string) readiness.Outcome {
		return readiness.Outcome{Name: "P", State: "enabled", Applies: true, Operator: operator, Controls: controls}
	}
	reports, elsewhere := on("OR", "compliantDevice"), on("OR", "block")
	reports.State, elsewhere.Applies = "enabledForReportingButNotEnforced", false
	for _, c := range []struct {
		name, platform string
		of             readiness.Outcome
		refuses        bool
	}{
		{"it asks for a compliant device", "windows", on("OR", "compliantDevice"), true},
		{"it blocks", "iOS", on("OR", "block"), true},
		{"a desktop has no protected app", "windows", on("OR", "compliantDevice", "compliantApplication"), true},
		{"a phone may have one", "iOS", on("OR", "compliantDevice", "compliantApplication"), false},
		{"both are asked for", "iOS", on("AND", "compliantDevice", "mfa"), true},
		{"another factor does", "windows", on("OR", "compliantDevice", "mfa"), false},
		{"it only reports", "windows", reports, false},
		{"it does not apply", "windows", elsewhere, false},
	} {
		if _, got := verify.Refuses([]readiness.Outcome{c.of}, c.platform); got != c.refuses {
			t.Errorf("%s: refuses %v", c.name, got)
		}
	}
}
