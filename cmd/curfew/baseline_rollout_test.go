package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

const (
	baselineApp  = "7d2c1b0a-9f8e-4d7c-8b6a-5f4e3d2c1b0a"
	pilotGroup   = "Curfew pilot"
	glassAccount = "glass@contoso.example"
)

// A proving is a ward with a tenant whose baseline is rolled out from there.
type proving struct {
	*ward
	tenant       *graphtest.Tenant
	dial         func(tenantSpec) (*graph.Client, error)
	laptop, user func(i int) string
}

// inProving runs f in a bubble: the commands are real, and so is the journal.
func inProving(t *testing.T, f func(w *proving)) {
	t.Helper()
	inWard(t, func(w *ward) {
		cloud := graphtest.NewCloud()
		defer cloud.Close()
		tenant := cloud.AddTenant("contoso", contoso)
		tenant.AddApp(baselineApp, "s3cret~of~it", append(graphtest.BaselineRoles(), graphtest.RolloutRoles()...)...)
		tenant.AddUser(graphtest.User{UPN: glassAccount})
		tenant.ConnectDefender()
		tr := &proving{ward: w, tenant: tenant, dial: func(ts tenantSpec) (*graph.Client, error) {
			return graph.New(graph.Tenant{ID: ts.ID, Name: ts.Name, Auth: graph.Auth{Client: baselineApp, Secret: "s3cret~of~it"}, Transport: cloud.Transport()})
		}}
		tr.laptop, tr.user = tenant.AddCrowd(4, 4, pilotGroup)
		dir := w.t.TempDir()
		w.env["CURFEW_CONFIG"], w.env["SECRET"] = filepath.Join(dir, "curfew.yaml"), "s3cret~of~it"
		write(w.t, dir, "curfew.yaml", fmt.Sprintf(`
data: %q
attention: []
tenants:
  - name: contoso
    id: %s
    mail_from: it@contoso.example
    auth: {client_id: %s, client_secret_env: SECRET}
    baseline: {client_id: %s, client_secret_env: SECRET}
policies:
  - {name: threat, when: device.threat >= medium, ladder: [{do: [sync]}]}
`, filepath.Join(dir, "data"), contoso, siteClient, baselineApp), 0o600)
		write(w.t, dir, "baseline.yaml", `
baseline:
  pilot: `+pilotGroup+`
  emergency: {accounts: [`+glassAccount+`]}
  rollout: {stay: 8d}
  compliance: {policies: {windows: {name: "Risk: Windows", level: low, block_after: 6h}}}
  conditional_access: {name: Device risk, variant: one, applications: [Office365], client_apps: [all], start: report-only}
tenants: {contoso: {}}
`, 0o600)
		f(tr)
	})
}

// run runs a command.
func (w *proving) run(args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	var out, errs bytes.Buffer
	a := w.app(&out, &errs)
	a.dial = w.dial
	code = a.execute(w.t.Context(), append([]string{"baseline"}, args...))
	return out.String(), errs.String(), code
}

// ends runs a command that must end with a code, and say something.
func (w *proving) ends(code int, says string, args ...string) string {
	w.t.Helper()
	stdout, stderr, got := w.run(args...)
	if got != code || !strings.Contains(stdout+stderr, says) {
		w.t.Fatalf("curfew baseline %s ended with %d, want %d, and does not say %q:\n%s%s", strings.Join(args, " "), got, code, says, stdout, stderr)
	}
	return stdout
}

// week lets everybody sign in for eight days.
func (w *proving) week() {
	for range 8 {
		time.Sleep(24 * time.Hour)
		for i := range 4 {
			w.tenant.SignsIn(graphtest.SignIn{User: w.user(i), Device: w.laptop(i)})
		}
	}
}

// enforced reports whether a Conditional Access policy is on.
func (w *proving) enforced() bool {
	return slices.ContainsFunc(w.tenant.Placed(graphtest.AccessPolicies), func(p map[string]any) bool { return p["state"] == "enabled" })
}

func TestARolloutGoesOnOnlyThroughItsGate(t *testing.T) {
	inProving(t, func(w *proving) {
		t := w.t
		w.ends(exitFine, "done in run", "apply", "--tenant", "contoso", "--yes")
		w.ends(exitFailed, "time in the stage", "rollout", "status")
		w.ends(exitFailed, "not ready for pilot enforced", "rollout", "advance", "--tenant", "contoso")
		w.week()
		w.tenant.BreakBitLocker(w.laptop(2))
		out := w.ends(exitFailed, "Windows baseline: Windows10CompliancePolicy.BitLockerEnabled", "rollout", "advance", "--tenant", "contoso")
		if w.enforced() {
			t.Fatal("it was enforced past a gate that did not pass")
		}
		finding := ""
		for word := range strings.FieldsSeq(out) {
			if strings.HasPrefix(word, "devices-compliant/") {
				finding = word
			}
		}
		w.ends(exitWrong, "cannot be excused", "rollout", "excuse", "emergency-accounts/"+glassAccount, "--tenant", "contoso", "--reason", "because")
		w.ends(exitWrong, "cannot be excused", "rollout", "excuse", "time-in-the-stage/pilot report-only", "--tenant", "contoso", "--reason", "because")
		w.ends(exitWrong, "say why", "rollout", "excuse", finding, "--tenant", "contoso")
		w.ends(exitFine, "excused until", "rollout", "excuse", finding, "--tenant", "contoso", "--reason", "replaced on Friday")
		page := filepath.Join(t.TempDir(), "page.html")
		w.ends(exitFine, "ready for pilot enforced", "rollout", "status", "--tenant", "contoso", "--html", page)
		if b, err := os.ReadFile(page); err != nil || !bytes.Contains(b, []byte("replaced on Friday")) {
			t.Errorf("%v: the page does not show the excuse", err)
		}
		w.tenant.FixBitLocker(w.laptop(2))
		time.Sleep(time.Hour)
		w.ends(exitFine, "pilot enforced", "rollout", "advance", "--tenant", "contoso")
		if !w.enforced() {
			t.Error("nothing was enforced")
		}
		w.ends(exitFailed, "time in the stage", "rollout", "advance", "--tenant", "contoso") // a new stage, a new time
		w.ends(exitFine, "is taken back", "undo", "--tenant", "contoso")
		w.ends(exitFine, "pilot report-only", "rollout", "status", "--tenant", "contoso") // and its week was not lost
	})
}

func TestDriftIsFoundWithWhoDidIt(t *testing.T) {
	inProving(t, func(w *proving) {
		t := w.t
		w.ends(exitFine, "done in run", "apply", "--tenant", "contoso", "--yes")
		w.ends(exitFine, "as the baseline wants it", "drift")
		policies := w.tenant.Placed(graphtest.CompliancePolicies)
		w.tenant.Alter(graphtest.CompliancePolicies, policies[0]["id"].(string), func(o map[string]any) { o["deviceThreatProtectionRequiredSecurityLevel"] = "high" })
		out := w.ends(exitDrift, "deviceThreatProtectionRequiredSecurityLevel: high, and should be low", "drift")
		if !strings.Contains(out, "admin@contoso.example updated the compliance policy") {
			t.Errorf("it does not say who: %s", out)
		}
		w.ends(exitDrift, `"key":"compliance/windows"`, "drift", "--json")
	})
}

// TestDriftIsToldOnce by the worker, and ends by itself.
func TestDriftIsToldOnce(t *testing.T) {
	inProving(t, func(w *proving) {
		t := w.t
		conf, problems := loadConfig(w.env["CURFEW_CONFIG"], loadOptions{Getenv: func(k string) string { return w.env[k] }, Templates: templates})
		if conf == nil {
			t.Fatal(problems)
		}
		specs, problems := loadBaseline(filepath.Join(filepath.Dir(conf.File), "baseline.yaml"), []string{"contoso"})
		if specs == nil {
			t.Fatal(problems)
		}
		ts := tenantSpec{conf.Tenants[0], specs["contoso"]}
		client, err := w.dial(ts)
		check(t, err)
		watch := &driftWatch{tenant: ts, client: client, journal: w.j, every: 24 * time.Hour, log: quiet}
		told := func() (trips, ends int) {
			for _, f := range w.facts(events.TenantKey(contoso)) {
				switch f.(type) {
				case events.Tripped:
					trips++
				case events.Eased:
					ends++
				}
			}
			return trips, ends
		}
		looks := func(wantTrips, wantEnds int, open bool) {
			t.Helper()
			check(t, watch.once(t.Context()))
			time.Sleep(time.Hour)
			c, _, err := w.j.Case(t.Context(), events.TenantKey(contoso))
			check(t, err)
			if trips, ends := told(); trips != wantTrips || ends != wantEnds || c.Open != open {
				t.Fatalf("told %d times and ended %d, open %v: %v; want %d, %d, %v", trips, ends, c.Open, c.Attention, wantTrips, wantEnds, open)
			}
		}
		if err := watch.once(t.Context()); err == nil {
			t.Error("a tenant that has no baseline yet has drifted")
		}
		w.ends(exitFine, "done in run", "apply", "--tenant", "contoso", "--yes")
		looks(0, 0, false)
		id := w.tenant.Placed(graphtest.CompliancePolicies)[0]["id"].(string)
		level := func(to string) {
			w.tenant.Alter(graphtest.CompliancePolicies, id, func(o map[string]any) { o["deviceThreatProtectionRequiredSecurityLevel"] = to })
		}
		level("high")
		looks(1, 0, true)
		looks(1, 0, true)
		level("medium")
		looks(2, 0, true)
		level("low")
		looks(2, 1, false)
		level("medium")
		looks(3, 1, true)
	})
}

func TestDwellIsToldFromTheJournal(t *testing.T) {
	inProving(t, func(w *proving) {
		t := w.t
		w.ends(exitFine, "No device was seen at risk", "verify")
		p := w.admit(contoso, "d42", "LT-042", "anna@contoso.example")
		see := func(threat, compliance, access string) {
			p.d.Threat, p.d.Compliance, p.d.Access = events.Threat(threat), compliance, access
			p.look()
			time.Sleep(10 * time.Minute)
		}
		see("highSeverity", "compliant", events.AccessGranted)
		see("highSeverity", "noncompliant", events.AccessGranted)
		see("highSeverity", "noncompliant", events.AccessRescinded)
		see("secured", "compliant", events.AccessRescinded)
		see("secured", "compliant", events.AccessGranted)
		out := w.ends(exitFine, "threat seen to access rescinded", "verify", "--tenant", "contoso")
		if !strings.Contains(out, "LT-042") || !strings.Contains(out, "20m") {
			t.Error(out)
		}
		w.ends(exitFine, `"hop":"threat seen to access back"`, "verify", "--json")
	})
}
