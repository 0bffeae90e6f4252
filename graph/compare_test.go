package graph_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/graph"
	"curfew/graph/graphtest"
)

func granted(roles ...string) graph.Grants {
	return graph.Grants{{Audience: graph.GraphAPI, Roles: roles}}
}

func TestWhatIsTooMuchAndWhatIsLacking(t *testing.T) {
	watch := graph.Watch.Needs(graph.FeatureLook, graph.FeatureSweep, graph.FeatureMail)
	for name, c := range map[string]struct {
		granted graph.Grants
		needs   []graph.Need
		says    []string // one for each finding, in order
	}{
		"nothing is granted": {nil, watch, []string{
			"lacks DeviceManagementManagedDevices.Read.All of Microsoft Graph: needed to read Intune",
			"lacks Mail.Send of Microsoft Graph: needed to send mail; Exchange may grant it"}},
		"just enough": {granted("Mail.Send", "DeviceManagementManagedDevices.Read.All"), watch, []string{
			"has DeviceManagementManagedDevices.Read.All of Microsoft Graph: needed", "has Mail.Send"}},
		"what is optional is not too much": {granted("Mail.Send", "DeviceManagementManagedDevices.Read.All", "DeviceManagementConfiguration.Read.All"), watch, []string{
			"has DeviceManagementConfiguration.Read.All", "has DeviceManagementManagedDevices.Read.All", "has Mail.Send"}},
		"writing implies reading": {granted("Mail.Send", "DeviceManagementManagedDevices.ReadWrite.All"), watch, []string{
			"has DeviceManagementManagedDevices.Read.All of Microsoft Graph, by way of DeviceManagementManagedDevices.ReadWrite.All", "has Mail.Send"}},
		"but not where reading is granted too": {granted("Mail.Send", "DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.ReadWrite.All"), watch, []string{
			"too much DeviceManagementManagedDevices.ReadWrite.All of Microsoft Graph: nothing that is switched on", "has Device", "has Mail.Send"}},
		"a watcher that can wipe": {granted("Mail.Send", "DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.PrivilegedOperations.All", "Sites.Read.All"), watch, []string{
			"too much DeviceManagementManagedDevices.PrivilegedOperations.All of Microsoft Graph, which is dangerous: it wipes", "too much Sites.Read.All", "has Device", "has Mail.Send"}},
		"an actor that can wipe": {granted("DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.PrivilegedOperations.All"), graph.Act.Needs(graph.FeatureSync, graph.FeatureWipe), []string{
			"has DeviceManagementManagedDevices.PrivilegedOperations.All of Microsoft Graph: needed to sync; wipe", "has DeviceManagementManagedDevices.Read.All"}},
		"what does, and is dangerous": {granted("Directory.ReadWrite.All"), graph.Needs(graph.FeatureEntra), []string{
			"too much Directory.ReadWrite.All of Microsoft Graph, which is dangerous", "has Device.Read.All of Microsoft Graph, by way of Directory.ReadWrite.All"}},
		"the keys of the house": {granted("AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.OwnedBy", "RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory"), nil, []string{
			"too much AppRoleAssignment.ReadWrite.All of Microsoft Graph, which is dangerous: it grants", "too much Application.ReadWrite.OwnedBy of Microsoft Graph, which is dangerous",
			"too much RoleManagement.Read.Directory of Microsoft Graph, which is dangerous: it shows", "too much RoleManagement.ReadWrite.Directory of Microsoft Graph, which is dangerous: it makes"}},
		"a subscription takes no more and no less": {granted("User.ReadWrite.All"), graph.Needs(graph.FeatureUser, graph.FeatureUserEvents), []string{
			"lacks User.Read.All of Microsoft Graph: needed to subscribe to changes of users", "too much User.ReadWrite.All", "has User.Read.All of Microsoft Graph, by way of"}},
		"the same name in another API": {graph.Grants{{Audience: graph.GraphAPI, Roles: []string{"Machine.Read.All"}}}, graph.Needs(graph.FeatureTags), []string{
			"lacks Machine.Read.All of WindowsDefenderATP", "too much Machine.Read.All of Microsoft Graph"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := graph.Compare(c.granted, c.needs)
			if len(got) != len(c.says) {
				t.Fatalf("%d findings, want %d: %v", len(got), len(c.says), got)
			}
			for i, f := range got {
				if !strings.HasPrefix(f.String(), c.says[i]) {
					t.Errorf("%q does not begin with %q", f, c.says[i])
				}
			}
		})
	}
}

func TestEachFeatureSaysWhatItNeeds(t *testing.T) {
	all := graph.Features()
	if len(all) < 27 || len(graph.Needs()) != 0 || len(graph.Needs("hope")) != 0 {
		t.Errorf("%d features", len(all))
	}
	for _, f := range all {
		needs := graph.Needs(f)
		if len(needs) == 0 || len(needs) != len(graph.Watch.Needs(f))+len(graph.Act.Needs(f))+len(graph.Set.Needs(f)) {
			t.Errorf("%s: %+v", f, needs)
		}
		for _, n := range needs {
			if n.Feature != f || n.Why == "" || n.Role == "" || (n.Audience != graph.GraphAPI && n.Audience != graph.DefenderAPI) {
				t.Errorf("%+v", n)
			}
			if n.Identity == graph.Watch && strings.Contains(n.Role, "Write") {
				t.Errorf("a watcher that writes: %+v", n)
			}
		}
	}
	graph.Needs(all...)[0].Role = "mine to change"
	if graph.Needs(all...)[0].Role == "mine to change" {
		t.Error("a caller has changed the table")
	}
}

// What the simulated tenant grants in these tests is what the features need, all
// of it and no more.
func TestTheSimulatedRolesAreThoseNeeded(t *testing.T) {
	grants := granted(slices.Concat(graphtest.AllRoles(), graphtest.ActingRoles(), graphtest.BaselineRoles())...)
	grants = append(grants, graph.Grant{Audience: graph.DefenderAPI})
	grants[1].Roles = slices.DeleteFunc(slices.Clone(grants[0].Roles), func(r string) bool { return !ofDefender(r) })
	grants[0].Roles = slices.DeleteFunc(grants[0].Roles, ofDefender)
	for _, f := range graph.Compare(grants, graph.Needs(graph.Features()...)) {
		if f.Verdict != graph.Has {
			t.Error(f)
		}
	}
	watching := slices.DeleteFunc(graph.Features(), func(f graph.Feature) bool {
		return f == graph.FeatureDrift // what that reads is among BaselineRoles
	})
	watch := graph.Compare(granted(graphtest.AllRoles()...), graph.Watch.Needs(watching...))
	for _, f := range watch {
		if f.Verdict == graph.Lacks && f.Audience == graph.GraphAPI {
			t.Error("AllRoles is not enough to watch: ", f)
		}
	}
}

func ofDefender(role string) bool {
	return strings.HasPrefix(role, "Machine.") || strings.HasPrefix(role, "Alert.")
}

// With exactly the roles that the features need, Microsoft refuses nothing.
func TestTheNeedsSuffice(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.app.Revoke(graphtest.AllRoles()...)
		for _, n := range graph.Needs(graph.Features()...) {
			if !n.Optional {
				d.app.Grant(n.Role)
			}
		}
		d.client = d.reach(func(c *graph.Tenant) {
			c.Defender, c.Look = &graph.DefenderEndpoint{}, graph.LookOptions{Groups: true, Tags: true}
		})
		d.tenant.AddDevice(ana("LT-042"))
		all, err := d.client.Probe(d.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			if p.Verdict == graph.Refused {
				t.Errorf("%+v", p)
			}
		}
		dev := d.look(d.tenant.Device("LT-042"))
		checks, err := d.client.Preflight(d.ctx, dev)
		if err != nil || len(dev.Missing) > 0 {
			t.Errorf("%q %v", dev.Missing, err)
		}
		for _, c := range checks {
			if c.Verdict == graph.Unknown {
				t.Errorf("%+v", c)
			}
		}
		for name, err := range map[string]error{
			"restore":     d.client.SetPrimaryUser(d.ctx, dev, dev.UserID),
			"scan":        second(d.client.RunAntiVirusScan(d.ctx, dev, false, task, "why")),
			"isolate":     second(d.client.Isolate(d.ctx, dev, task, "why")),
			"investigate": second(d.client.StartInvestigation(d.ctx, dev, task, "why")),
			"mail":        d.client.SendMail(d.ctx, "ana@contoso.example", "s", "", "t", "k"),
			"edits":       second(d.client.PolicyEdits(d.ctx, time.Now())),
			"lock":        d.client.RemoteLock(d.ctx, dev),
			"wipe":        d.client.FactoryWipe(d.ctx, dev),
		} {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// The README's table of permissions has what the features need.
func TestTheReadmeNamesThePermissions(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var table []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Za-z.]+)`").FindAllStringSubmatch(string(text), -1) {
		if strings.Count(m[1], ".") > 0 && m[1][0] >= 'A' && m[1][0] <= 'Z' {
			table = append(table, m[1])
		}
	}
	var needed []string
	for _, n := range graph.Needs(graph.Features()...) {
		if !n.Optional && !slices.Contains(needed, n.Role) {
			needed = append(needed, n.Role)
		}
	}
	for _, role := range needed {
		if !slices.Contains(table, role) {
			t.Errorf("the README does not name %s", role)
		}
	}
	for _, role := range table {
		if !slices.Contains(needed, role) {
			t.Errorf("the README names %s, which nothing needs", role)
		}
	}
}
