package readiness_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/graph"
	"curfew/graph/baseline/readiness"
	"curfew/graph/graphtest"
)

const (
	tenantID = "0e3b7f0e-5a51-4c1e-9d0c-6f6a6f3c2a11"
	appID    = "b5a0c9d2-4a9e-4c55-9a3b-0d8a7f2f6e33"
	policyID = "7c1f9a52-08d4-4b0e-8a56-2f3f5d1c9b22"
	pilot    = "Pilot"
)

// A desk is where a test sits: a tenant in the middle of its pilot, and a client.
type desk struct {
	*testing.T
	tenant *graphtest.Tenant
	app    *graphtest.App
	api    readiness.API
	scope  readiness.Scope
}

// story runs a test in a bubble: minutes cost nothing.
func story(t *testing.T, tell func(d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := graphtest.NewCloud()
		defer cloud.Close()
		tenant := cloud.AddTenant("contoso", tenantID)
		roles := append(graphtest.AllRoles(), "Policy.Read.All", "LicenseAssignment.Read.All")
		d := &desk{T: t, tenant: tenant, app: tenant.AddApp(appID, "s3cret~", roles...)}
		glass := tenant.AddUser(graphtest.User{UPN: "glass@contoso.example", SKUs: []string{}})
		tenant.SetAccess(`{"id":"` + policyID + `","displayName":"Curfew pilot","state":"enabledForReportingButNotEnforced",
			"conditions":{"clientAppTypes":["all"],"applications":{"includeApplications":["Office365"]},"platforms":{"includePlatforms":["windows"]},
			"users":{"includeGroups":["` + tenant.GroupID(pilot) + `"],"excludeUsers":["` + glass + `"]}},
			"grantControls":{"operator":"OR","builtInControls":["compliantDevice","compliantApplication"]}}`)
		client, err := graph.New(graph.Tenant{ID: tenant.ID, Name: "contoso", Auth: graph.Auth{Client: appID, Secret: "s3cret~"}, Transport: cloud.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		d.api = client
		d.scope = readiness.Scope{
			Tenant: tenantID, Name: "contoso", Stage: "pilot report-only", Next: "pilot enforced", Group: tenant.GroupID(pilot), Threat: true,
			Emergency: []readiness.Account{{Named: "glass@contoso.example", ID: glass, UPN: "glass@contoso.example", Found: yes, Enabled: yes, Synced: no}},
			Policies:  []readiness.Policy{{ID: policyID, Name: "Curfew pilot", Platforms: []string{"windows"}}},
			Began:     time.Now(),
		}
		tell(d)
	})
}

func (d *desk) read() readiness.Facts {
	d.Helper()
	f, err := readiness.Read(d.Context(), d.api, d.scope, nil)
	if err != nil {
		d.Fatal(err)
	}
	return f
}

func (d *desk) judged() readiness.Report {
	d.Helper()
	return readiness.Judge(d.read(), readiness.Rules{}, nil, time.Now())
}

// week lets the pilot live for eight days: everybody signs in now and then.
func (d *desk) week(users ...string) {
	for range 8 {
		time.Sleep(24 * time.Hour)
		for _, u := range users {
			d.tenant.SignsIn(graphtest.SignIn{User: u, Device: "PC-000000"})
		}
	}
}

// findings are what a check found, by user, device and what.
func findings(t *testing.T, r readiness.Report, name string) string {
	t.Helper()
	var all []string
	for _, f := range check(t, r, name).Findings {
		all = append(all, strings.Join([]string{f.User, f.Device, f.What}, " | "))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func TestAHealthyPilotIsReady(t *testing.T) {
	story(t, func(d *desk) {
		_, user := d.tenant.AddCrowd(40, 4, pilot)
		d.tenant.AddFleet(1500) // of others
		d.week(user(0), user(1))
		r := d.judged()
		if !r.Passed {
			t.Fatal(r.Reasons())
		}
		if r.Users != 4 || r.Devices != 40 || r.SignIns["reportOnlySuccess"] != 14 {
			t.Errorf("%d users, %d devices, sign-ins %v", r.Users, r.Devices, r.SignIns)
		}
	})
}

func TestWhatIsWrongIsFoundByName(t *testing.T) {
	story(t, func(d *desk) {
		name, user := d.tenant.AddCrowd(40, 4, pilot)
		d.tenant.AddUser(graphtest.User{UPN: "new@contoso.example", Groups: []string{pilot}, SKUs: []string{}})
		d.tenant.AddUser(graphtest.User{UPN: "gone@contoso.example", Groups: []string{pilot}, Disabled: true})
		d.week(user(0))
		d.tenant.BreakBitLocker(name(0))
		d.tenant.Unassign(name(1))
		d.tenant.AddTwin(name(2), time.Now().AddDate(0, 0, -200))
		d.tenant.Uninstall(name(4), graphtest.DefenderApp) // of the users' second devices: company iPhones
		d.tenant.SignsIn(graphtest.SignIn{User: user(1), Client: "Mobile Apps and Desktop clients"})
		time.Sleep(time.Hour)
		r := d.judged()
		for check, want := range map[string]string{
			readiness.Compliant: user(0) + " | " + name(0) + " | noncompliant (Windows baseline: Windows10CompliancePolicy.BitLockerEnabled)",
			readiness.Policies:  user(1) + " | " + name(1) + " | no compliance policy is assigned to it",
			readiness.Equipped:  "new@contoso.example |  | no device in Intune",
			readiness.Licensed:  "new@contoso.example |  | no product with Intune is assigned",
			readiness.Phones:    user(0) + " | " + name(4) + " | it lacks Microsoft Defender",
			readiness.SignedIn:  user(1) + " |  | 1 sign-ins would have been refused and 0 interrupted, last to Office 365 Exchange Online by Mobile Apps and Desktop clients",
		} {
			if got := findings(t, r, check); got != want {
				t.Errorf("%s:\n%s\nwant\n%s", check, got, want)
			}
		}
		if got := findings(t, r, readiness.Directory); !strings.Contains(got, name(2)+" | a second object of that name in Entra (Workplace") || strings.Count(got, "\n") != 0 {
			t.Errorf("%s:\n%s", readiness.Directory, got)
		}
	})
}

func TestThePolicyMustReachThePilotAndNotTheEmergencyAccount(t *testing.T) {
	story(t, func(d *desk) {
		_, user := d.tenant.AddCrowd(8, 4, pilot)
		d.week(user(0))
		d.tenant.SetAccess(`{"id":"` + policyID + `","displayName":"Curfew pilot","state":"enabledForReportingButNotEnforced",
			"conditions":{"clientAppTypes":["all"],"applications":{"includeApplications":["All"]},"users":{"includeUsers":["` + d.scope.Emergency[0].ID + `"]}},
			"grantControls":{"operator":"OR","builtInControls":["compliantDevice"]}}`)
		r := d.judged()
		if got := findings(t, r, readiness.Emergency); !strings.Contains(got, "the policy Curfew pilot applies to it") {
			t.Error(got)
		}
		if got := findings(t, r, readiness.WhatIf); !strings.Contains(got, "none of the baseline's policies applies to a sign-in (users)") {
			t.Error(got)
		}
	})
}

// TestWhatCannotBeReadKeepsTheGateClosed takes one permission after another away.
func TestWhatCannotBeReadKeepsTheGateClosed(t *testing.T) {
	for role, check := range map[string]string{
		"User.Read.All":   "",
		"Device.Read.All": readiness.Complete,
		"DeviceManagementManagedDevices.Read.All": readiness.Complete,
		"AuditLog.Read.All":                       readiness.SignedIn,
		"Policy.Read.All":                         readiness.Emergency,
	} {
		t.Run(role, func(t *testing.T) {
			story(t, func(d *desk) {
				_, user := d.tenant.AddCrowd(8, 4, pilot)
				d.week(user(0))
				d.app.Revoke(role)
				r := d.judged()
				if check != "" && !checkOf(t, r, check).Blocks {
					t.Errorf("%s is %+v", check, checkOf(t, r, check))
				}
				if r.Passed && role != "User.Read.All" { // Group.Read.All shows members too, without what is asked of them
					t.Error("it passed")
				}
			})
		})
	}
}

func checkOf(t *testing.T, r readiness.Report, name string) readiness.Check { return check(t, r, name) }

func TestThrottlingOnlyDelays(t *testing.T) {
	story(t, func(d *desk) {
		_, user := d.tenant.AddCrowd(40, 4, pilot)
		d.week(user(0))
		d.tenant.Throttle("devices", 3, 7*time.Second)
		d.tenant.Throttle("deviceManagement", 3, 0)
		d.tenant.Throttle("identity", 2, 0)
		if r := d.judged(); !r.Passed {
			t.Error(r.Reasons())
		}
	})
}

func TestAReadingCanBeCalledOff(t *testing.T) {
	story(t, func(d *desk) {
		d.tenant.AddCrowd(40, 4, pilot)
		ctx, cancel := context.WithTimeout(d.Context(), time.Second)
		defer cancel()
		d.tenant.Throttle("devices", 0, time.Hour)
		if _, err := readiness.Read(ctx, d.api, d.scope, nil); err == nil {
			t.Error("it went on")
		}
	})
}

// TestReadingChangesNothing looks at every request that was made.
func TestReadingChangesNothing(t *testing.T) {
	story(t, func(d *desk) {
		name, _ := d.tenant.AddCrowd(40, 4, pilot)
		d.tenant.BreakBitLocker(name(0))
		d.read()
		for _, q := range d.tenant.Requests() {
			reads := q.Method == http.MethodGet || strings.HasSuffix(q.Path, "/evaluate") || strings.HasSuffix(q.Path, "Report") || strings.HasSuffix(q.Path, "/token")
			if !reads {
				t.Errorf("%s %s", q.Method, q.Path)
			}
		}
	})
}
