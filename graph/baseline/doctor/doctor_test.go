package doctor_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"curfew/graph"
	"curfew/graph/baseline"
	"curfew/graph/baseline/doctor"
	"curfew/graph/graphtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	tenantID = "0e3b7f0e-5a51-4c1e-9d0c-6f6a6f3c2a11"
	appID    = "b5a0c9d2-4a9e-4c55-9a3b-0d8a7f2f6e33"
)

var now = time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)

// well is what is seen of a tenant in which nothing is wrong.
func well() doctor.Seen {
	policy := baseline.Raw{"displayName": "Risk", "state": "enabled",
		"conditions":    map[string]any{"users": map[string]any{"includeUsers": []any{"All"}, "excludeUsers": []any{"glass"}}},
		"grantControls": map[string]any{"builtInControls": []any{"compliantDevice"}}}
	return doctor.Seen{
		Spec: baseline.Spec{Emergency: baseline.Emergency{Accounts: []string{"glass@contoso.example"}}},
		Now:  now,
		State: &baseline.State{
			Read: now,
			Connector: baseline.Raw{
				"partnerState": "enabled", "lastHeartbeatDateTime": now.Add(-time.Hour).Format(time.RFC3339),
				"windowsEnabled": true, "iosEnabled": true, "androidEnabled": true,
				"iosMobileApplicationManagementEnabled": true, "androidMobileApplicationManagementEnabled": true,
			},
			Settings: baseline.Raw{"settings": map[string]any{"secureByDefault": true}},
			Access:   []baseline.Raw{policy},
			Licences: baseline.Licences{Intune: true, EntraP1: true, Defender: true},
			Accounts: map[string]baseline.Account{"glass@contoso.example": {ID: "glass", UPN: "glass@contoso.example", Enabled: true}},
			Unread:   map[string]string{},
		},
		More: doctor.More{Portals: 3, Unread: map[string]string{}},
	}
}

func answerTo(t *testing.T, s doctor.Seen, question string) doctor.Answer {
	t.Helper()
	all := doctor.Examine(s)
	i := slices.IndexFunc(all, func(a doctor.Answer) bool { return a.Question == question })
	if i < 0 {
		t.Fatalf("nobody asked %q", question)
	}
	return all[i]
}

func TestNothingIsFoundWhereNothingIsWrong(t *testing.T) {
	for _, a := range doctor.Examine(well()) {
		if a.State != doctor.NotFound || a.Why == "" || a.Fix == "" || a.What == "" {
			t.Errorf("%+v", a)
		}
	}
}

func TestEachQuestionFindsItsTrouble(t *testing.T) {
	for _, c := range []struct {
		question, says string
		state          doctor.State
		do             func(*doctor.Seen)
	}{
		{doctor.NoLink, "", doctor.Found, func(s *doctor.Seen) { s.State.Connector["partnerState"] = "notSetUp" }},
		{doctor.NoMAM, "androidMobileApplicationManagementEnabled", doctor.Found, func(s *doctor.Seen) { s.State.Connector["androidMobileApplicationManagementEnabled"] = false }},
		{doctor.NoMAM, "no connector", doctor.Unknown, func(s *doctor.Seen) { s.State.Connector = nil }},
		{doctor.OldBeat, "72h", doctor.Found, func(s *doctor.Seen) {
			s.State.Connector["lastHeartbeatDateTime"] = now.Add(-72 * time.Hour).Format(time.RFC3339)
		}},
		{doctor.OldBeat, "never", doctor.Found, func(s *doctor.Seen) { s.State.Connector["lastHeartbeatDateTime"] = "0001-01-01T00:00:00Z" }},
		{doctor.NoPortal, "1 of 3: PH-1", doctor.Found, func(s *doctor.Seen) { s.More.Lacking = []string{"PH-1"} }},
		{doctor.NoPortal, "inventories none", doctor.Unknown, func(s *doctor.Seen) { s.More.Unclear = 3 }},
		{doctor.AppDisabled, "iosEnabled", doctor.Found, func(s *doctor.Seen) { s.State.Connector["iosEnabled"] = false }},
		{doctor.AppDisabled, "no licence", doctor.Found, func(s *doctor.Seen) { s.State.Licences.Defender = false }},
		{doctor.NoAIR, "Plan 1", doctor.Found, func(s *doctor.Seen) { s.State.Licences = baseline.Licences{Plan1Only: true} }},
		{doctor.NotSecure, "off", doctor.Found, func(s *doctor.Seen) {
			s.State.Settings = baseline.Raw{"settings": map[string]any{"secureByDefault": false}}
		}},
		{doctor.NotSecure, "403", doctor.Unknown, func(s *doctor.Seen) { s.State.Settings, s.State.Unread["settings"] = nil, "403" }},
		{doctor.DeviceGroup, "laptops", doctor.Found, func(s *doctor.Seen) { s.More.DeviceGroups = []string{"assigned to laptops"} }},
		{doctor.NotExcluded, `"Risk"`, doctor.Found, func(s *doctor.Seen) {
			s.State.Accounts["glass@contoso.example"] = baseline.Account{ID: "other", Enabled: true}
		}},
		{doctor.NotExcluded, "not enabled", doctor.Found, func(s *doctor.Seen) {
			s.State.Accounts["glass@contoso.example"] = baseline.Account{ID: "glass"}
		}},
		{doctor.NotExcluded, "names no", doctor.Found, func(s *doctor.Seen) { s.Spec.Emergency = baseline.Emergency{} }},
		{doctor.NotExcluded, "access", doctor.Unknown, func(s *doctor.Seen) { s.State.Access, s.State.Unread["access"] = nil, "403" }},
		{doctor.NoRight, "protection: 403", doctor.Found, func(s *doctor.Seen) { s.State.Unread["protection"] = "403" }},
	} {
		t.Run(c.question+" "+c.says, func(t *testing.T) {
			s := well()
			c.do(&s)
			if a := answerTo(t, s, c.question); a.State != c.state || !strings.Contains(a.What, c.says) {
				t.Errorf("%+v", a)
			}
		})
	}
}

// TestItReadsATenant in which three things are wrong.
func TestItReadsATenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := graphtest.NewCloud()
		defer cloud.Close()
		tenant := cloud.AddTenant("contoso", tenantID)
		tenant.AddApp(appID, "s3cret~", append(graphtest.BaselineRoles(), graphtest.RolloutRoles()...)...)
		tenant.AddDevice(graphtest.Device{Name: "PH-1", OS: "Android"})
		tenant.AddDevice(graphtest.Device{Name: "PH-2", OS: "Android"})
		tenant.Uninstall("PH-1", graphtest.CompanyPortal)
		group := tenant.AddGroup(graphtest.Group{Name: "Laptops", Devices: []string{"PH-1"}})
		tenant.Place(graphtest.AndroidProtections, map[string]any{"displayName": "Apps", "assignments": []any{map[string]any{"target": map[string]any{"groupId": group}}}})
		client, err := graph.New(graph.Tenant{ID: tenantID, Name: "contoso", Auth: graph.Auth{Client: appID, Secret: "s3cret~"}, Transport: cloud.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		spec := baseline.Spec{AppProtection: map[baseline.Platform]baseline.ProtectionPolicy{baseline.Android: {Name: "Apps"}}}
		state, err := baseline.Read(t.Context(), client, tenantID, spec)
		if err != nil {
			t.Fatal(err)
		}
		s := doctor.Seen{Spec: spec, State: state, More: doctor.Read(t.Context(), client, state), Now: time.Now()}
		for question, says := range map[string]string{doctor.NoPortal: "1 of 2: PH-1", doctor.DeviceGroup: `"PH-1"`, doctor.NotExcluded: "names no", doctor.NoLink: ""} {
			if a := answerTo(t, s, question); a.State != doctor.Found || !strings.Contains(a.What, says) {
				t.Errorf("%+v", a)
			}
		}
	})
}
