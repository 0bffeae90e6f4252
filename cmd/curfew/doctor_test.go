package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"curfew/graph"
	"curfew/graph/graphtest"
)

const siteActor = "4a0e2d8b-3c5f-4b7a-9e6d-8f7a6b5c4d3e"

// What each identity needs for a policy that scans and resets.
var (
	watchRoles = []string{
		"DeviceManagementManagedDevices.Read.All", "SecurityAlert.Read.All", "Device.Read.All", "User.Read.All", "Mail.Send",
	}
	actRoles = []string{
		"DeviceManagementManagedDevices.Read.All", "SecurityAlert.Read.All", "Device.Read.All", "User.Read.All",
		"DeviceManagementManagedDevices.PrivilegedOperations.All", "DeviceManagementManagedDevices.ReadWrite.All",
		"DeviceManagementServiceConfig.Read.All", "BitlockerKey.ReadBasic.All",
	}
)

// A clinic is a cloud with tenants, and a configuration for two identities.
type clinic struct {
	*site
	cloud      *graphtest.Cloud
	watch, act map[string]*graphtest.App
	ladder     string
	actuator   bool
}

func newClinic(t *testing.T, names ...string) *clinic {
	t.Helper()
	c := &clinic{cloud: graphtest.NewCloud(), watch: map[string]*graphtest.App{}, act: map[string]*graphtest.App{}, actuator: true,
		ladder: "[{do: [mail: {template: threat-found}]}, {after: 1h, do: [scan: {kind: quick}]}, {after: 1d, waits_for_investigation: true, do: [reset]}]"}
	t.Cleanup(c.cloud.Close)
	check(t, c.cloud.Listen("127.0.0.1:0"))
	dir := t.TempDir()
	c.site = &site{t: t, file: filepath.Join(dir, "curfew.yaml")}
	write(t, dir, "cloud.pem", string(c.cloud.CA()), 0o600)
	write(t, dir, "watch", "watch-secret-0123456789", 0o600)
	write(t, dir, "act", "act-secret-0123456789", 0o600)
	for i, name := range names {
		tenant := c.cloud.AddTenant(name, fmt.Sprintf("%d1111111-1111-4111-8111-111111111111", i+1))
		tenant.AddDevice(graphtest.Device{Name: "LT-001", User: "ana@" + tenant.Domain})
		c.watch[name] = tenant.AddApp(siteClient, "watch-secret-0123456789", watchRoles...)
		c.act[name] = tenant.AddApp(siteActor, "act-secret-0123456789", actRoles...)
	}
	return c
}

// doctor writes the configuration and runs the command.
func (c *clinic) doctor(args ...string) (stdout, stderr string, code int) {
	c.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "data: ./data\nattention: []\ntenants:\n")
	for i, name := range slices.Sorted(maps.Keys(c.watch)) {
		fmt.Fprintf(&b, "  - name: %s\n    id: %d1111111-1111-4111-8111-111111111111\n    mail_from: it@%s.example\n", name, i+1, name)
		fmt.Fprintf(&b, "    endpoints: {graph: %[1]q, login: %[1]q, ca_file: cloud.pem}\n", c.cloud.URL)
		if strings.Contains(c.ladder, "defender") {
			fmt.Fprintf(&b, "    defender: {api: %q}\n", c.cloud.URL)
		}
		fmt.Fprintf(&b, "    auth: {client_id: %s, client_secret_file: watch}\n", siteClient)
		if c.actuator {
			fmt.Fprintf(&b, "    actuator: {client_id: %s, client_secret_file: act}\n", siteActor)
		}
	}
	fmt.Fprintf(&b, "policies:\n  - name: threat\n    when: device.os == \"Windows\" && device.threat >= medium\n    grace: 1d\n    ladder: %s\n", c.ladder)
	check(c.t, os.WriteFile(c.file, []byte(b.String()), 0o600))
	return c.run(append([]string{"doctor"}, args...)...)
}

// states are what the doctor says in JSON: "tenant/identity/permission" -> state,
// and "check/…" -> state.
func (c *clinic) states(args ...string) (said map[string]permission, checks map[string]local, code int) {
	c.t.Helper()
	stdout, stderr, code := c.doctor(append(args, "--json")...)
	said, checks = map[string]permission{}, map[string]local{}
	for line := range strings.Lines(stdout) {
		var p permission
		var l local
		check(c.t, json.Unmarshal([]byte(line), &p))
		check(c.t, json.Unmarshal([]byte(line), &l))
		if p.Permission != "" {
			said[p.Tenant+"/"+p.Identity+"/"+p.Permission] = p
		} else {
			checks[l.Tenant+"/"+l.Identity+"/"+l.Check] = l
		}
	}
	if len(said)+len(checks) == 0 {
		c.t.Fatalf("it said nothing, and ended with %d: %s", code, stderr)
	}
	return said, checks, code
}

// TestDoctorIsContent with two identities that have what they need and no more.
func TestDoctorIsContent(t *testing.T) {
	c := newClinic(t, "contoso")
	said, checks, code := c.states()
	if code != exitFine || len(said) != len(watchRoles)+len(actRoles) {
		t.Errorf("ended with %d, %d permissions", code, len(said))
	}
	for at, p := range said {
		if p.State != "has" || p.For == "" || p.Fix != "" {
			t.Errorf("%s: %+v", at, p)
		}
	}
	for at, l := range checks {
		if l.State == bad || l.Text == "" {
			t.Errorf("%s: %+v", at, l)
		}
	}
	if checks["contoso/watch/clock"].State != fine || checks["//data directory"].State != fine {
		t.Errorf("%+v", checks)
	}
	stdout, stderr, code := c.doctor("--tenant", "CONTOSO")
	if code != exitFine || !strings.Contains(stdout, "contoso  act       has    DeviceManagementManagedDevices.PrivilegedOperations.All  to ") || strings.Contains(stdout, "What to do") {
		t.Errorf("%d %s %s", code, stdout, stderr)
	}
	if strings.Contains(stdout+stderr, "secret-0123456789") || strings.Contains(stdout, "\x1b") {
		t.Errorf("%s", stdout)
	}
}

// TestDoctorFindsWhatIsWrong with the permissions of each identity.
func TestDoctorFindsWhatIsWrong(t *testing.T) {
	const ops, alerts, device = "DeviceManagementManagedDevices.PrivilegedOperations.All", "SecurityAlert.Read.All", "Device.Read.All"
	for _, sick := range []struct {
		name string
		with func(c *clinic)
		at   string
		is   string
		fix  string
		code int
	}{
		{"the watcher cannot read alerts", func(c *clinic) { c.watch["contoso"].Revoke(alerts) },
			"watch/" + alerts, "lacks", "add SecurityAlert.Read.All to app registration " + siteClient + " (API permissions, Microsoft Graph, application permissions), then grant admin consent anew", exitFailed},
		{"the actuator cannot look", func(c *clinic) { c.act["contoso"].Revoke(device) }, "act/" + device, "lacks", "app registration " + siteActor, exitFailed},
		{"the watcher could wipe", func(c *clinic) { c.watch["contoso"].Grant(ops) },
			"watch/" + ops, "too much", "remove " + ops + " from app registration " + siteClient, exitFailed},
		{"the actuator could make administrators", func(c *clinic) { c.act["contoso"].Grant("RoleManagement.ReadWrite.Directory") },
			"act/RoleManagement.ReadWrite.Directory", "too much", "remove RoleManagement", exitFailed},
		{"something harmless is too much", func(c *clinic) { c.watch["contoso"].Grant("Printer.Read.All") },
			"watch/Printer.Read.All", "too much", "remove Printer.Read.All", exitFine},
		{"mail is granted by Exchange, perhaps", func(c *clinic) { c.watch["contoso"].Revoke("Mail.Send") },
			"watch/Mail.Send", "lacks", "Exchange may grant it for one mailbox", exitFine},
		{"no policy does anything to devices", func(c *clinic) {
			c.ladder = "[{do: [mail: {template: threat-found}]}]"
		}, "act/" + ops, "too much", "remove " + ops, exitFailed},
		{"one identity, and no policy does anything to devices", func(c *clinic) {
			c.actuator, c.ladder = false, "[{do: [mail: {template: threat-found}]}]"
			c.watch["contoso"].Grant(ops)
		}, "both/" + ops, "too much", "remove " + ops, exitFailed},
		{"one identity that resets", func(c *clinic) {
			c.actuator = false
			c.watch["contoso"].Grant(actRoles...)
		}, "both/" + ops, "has", "", exitFine},
		{"a scan by Defender, which is not consented to", func(c *clinic) {
			c.ladder = "[{do: [mail: {template: threat-found}]}, {after: 1h, do: [scan: {via: defender}]}]"
			c.act["contoso"].Revoke(ops, "DeviceManagementServiceConfig.Read.All", "BitlockerKey.ReadBasic.All", "DeviceManagementManagedDevices.ReadWrite.All")
		}, "act/Machine.Scan", "lacks", "WindowsDefenderATP", exitFailed},
		{"a scan by Defender", func(c *clinic) {
			c.ladder = "[{do: [mail: {template: threat-found}]}, {after: 1h, do: [scan: {via: defender}]}]"
			c.act["contoso"].Revoke(ops, "DeviceManagementServiceConfig.Read.All", "BitlockerKey.ReadBasic.All", "DeviceManagementManagedDevices.ReadWrite.All")
			c.act["contoso"].Grant("Machine.Read.All", "Machine.Scan")
		}, "act/Machine.Scan", "has", "", exitFine},
	} {
		t.Run(sick.name, func(t *testing.T) {
			c := newClinic(t, "contoso")
			sick.with(c)
			said, _, code := c.states()
			p := said["contoso/"+sick.at]
			if p.State != sick.is || code != sick.code || !strings.Contains(p.Fix, sick.fix) {
				t.Errorf("ended with %d; %+v; of %v", code, p, slices.Sorted(maps.Keys(said)))
			}
			stdout, stderr, again := c.doctor("--no-probe")
			if again != code || sick.fix != "" && !strings.Contains(stdout, sick.fix) || code == exitFailed && !strings.Contains(stderr, "to put right") {
				t.Errorf("%d\n%s\n%s", again, stdout, stderr)
			}
		})
	}
}

// TestDoctorAsksOneRole: only its secrets are read, only it is asked.
func TestDoctorAsksOneRole(t *testing.T) {
	c := newClinic(t, "contoso")
	_, _, _ = c.doctor()
	check(t, os.Remove(filepath.Join(filepath.Dir(c.file), "act")))
	said, _, code := c.states("--role", "watch")
	if code != exitFine || len(said) != len(watchRoles) {
		t.Errorf("ended with %d: %v", code, said)
	}
	if _, stderr, code := c.doctor(); code != exitWrong || !strings.Contains(stderr, "tenants[0].actuator.client_secret_file") {
		t.Errorf("%d %s", code, stderr)
	}
}

// TestDoctorsOtherPatients: what one tenant does not answer keeps no other from
// being asked, and is said.
func TestDoctorsOtherPatients(t *testing.T) {
	c := newClinic(t, "contoso", "fabrikam", "tailspin")
	c.watch["fabrikam"].ExpireSecret()
	said, checks, code := c.states()
	if code != exitUnasked || len(said) != 3*(len(watchRoles)+len(actRoles))-len(watchRoles) {
		t.Errorf("ended with %d, %d permissions", code, len(said))
	}
	if asked := checks["fabrikam/watch/asked"]; asked.State != unknown || !strings.Contains(asked.Text, "AADSTS7000222") || strings.Contains(asked.Text, "secret-0123456789") {
		t.Errorf("%+v", checks)
	}
	if _, stderr, _ := c.doctor("--no-probe"); !strings.HasSuffix(stderr, "curfew: could not ask fabrikam as watch\n") {
		t.Errorf("%q", stderr)
	}
	c.watch["contoso"].Revoke("Device.Read.All") // what is certainly wrong comes first
	if _, _, code := c.states(); code != exitFailed {
		t.Errorf("ended with %d", code)
	}
	if _, stderr, code := c.doctor("--tenant", "nobody"); code != exitNotFound || !strings.Contains(stderr, "nobody") {
		t.Errorf("%d %s", code, stderr)
	}
}

// TestRefused: a permission that is granted and does not help is said to be so.
func TestRefused(t *testing.T) {
	f := finding{Finding: graph.Finding{Verdict: graph.Has, Audience: graph.GraphAPI, Role: "SecurityAlert.Read.All"}, state: "has"}
	for _, p := range []graph.Probed{
		{Audience: graph.GraphAPI, Role: "Device.Read.All", Verdict: graph.Refused},
		{Audience: graph.DefenderAPI, Role: "SecurityAlert.Read.All", Verdict: graph.Refused},
		{Audience: graph.GraphAPI, Role: "SecurityAlert.Read.All", Verdict: graph.CannotTell},
	} {
		if f.hear([]graph.Probed{p}); f.state != "has" || f.bad() {
			t.Errorf("after %+v: %+v", p, f)
		}
	}
	f.hear([]graph.Probed{{Audience: graph.GraphAPI, Role: "SecurityAlert.Read.All", Verdict: graph.Refused, Reason: "no licence for Defender"}})
	if fix := (report{}).fix(f); f.state != refused || !f.bad() || !strings.Contains(fix, "no licence for Defender") {
		t.Errorf("%+v: %s", f, fix)
	}
}
