package baseline_test

import (
	"os"
	"path/filepath"
	"testing"

	"curfew/graph/baseline"
	"curfew/graph/graphtest"

	"github.com/google/go-cmp/cmp"
)

// TestPlans holds the plans for five tenants against those in testdata, word for
// word. With UPDATE=1 in the environment they are written anew, to be read.
func TestPlans(t *testing.T) {
	for name, tell := range map[string]func(w *world) baseline.Stage{
		"empty": func(*world) baseline.Stage { return baseline.PilotReport },
		"half-done": func(w *world) baseline.Stage {
			w.api.at, w.api.after = 8, true
			if _, err := w.apply(w.plan(baseline.PilotReport)); err == nil {
				w.t.Fatal("it did not break off")
			}
			w.api.at = 0
			return baseline.PilotReport
		},
		"drifted":     func(w *world) baseline.Stage { drift(w); return baseline.AllEnforced },
		"look-alikes": func(w *world) baseline.Stage { placeAlike(w); return baseline.PilotReport },
		"no-licences": func(w *world) baseline.Stage { w.tenant.SetPlans(); return baseline.PilotReport },
		"no-p1": func(w *world) baseline.Stage {
			w.tenant.SetPlans(graphtest.PlanIntune, graphtest.PlanDefender)
			return baseline.PilotReport
		},
		"no-emergency": func(w *world) baseline.Stage {
			w.tenant.AddUser(graphtest.User{UPN: breaks, Synced: true})
			return baseline.PilotReport
		},
	} {
		t.Run(name, func(t *testing.T) {
			begin := story
			if name == "empty" {
				begin = untouched
			}
			begin(t, func(t *testing.T, w *world) {
				got := show(w.plan(tell(w)))
				file := filepath.Join("testdata", name+".plan")
				if os.Getenv("UPDATE") != "" {
					if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("the plan is another (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// drift brings a tenant to the end and lets people change things.
func drift(w *world) {
	w.reach(baseline.AllEnforced)
	id := func(collection, key string) string {
		for _, o := range w.tenant.Placed(collection) {
			if text(o, "displayName")+text(o, "description") != "" && keyed(o, key) {
				return text(o, "id")
			}
		}
		w.t.Fatalf("there is no %s", key)
		return ""
	}
	w.tenant.Alter(graphtest.CompliancePolicies, id(graphtest.CompliancePolicies, "compliance/windows"), func(o map[string]any) {
		o["deviceThreatProtectionRequiredSecurityLevel"] = "high"
		o["assignments"] = []any{}
	})
	w.tenant.Alter(graphtest.AccessPolicies, id(graphtest.AccessPolicies, "access/desktop/all"), func(o map[string]any) {
		o["state"] = "disabled"
		users := o["conditions"].(map[string]any)["users"].(map[string]any)
		users["excludeUsers"] = append(users["excludeUsers"].([]any), "9c0e3b7f-5a51-4c1e-9d0c-6f6a6f3c2a11")
	})
	w.tenant.Alter(graphtest.Templates, id(graphtest.Templates, "notification"), func(o map[string]any) {
		o["localizedNotificationMessages"].([]any)[0].(map[string]any)["subject"] = "Hi"
	})
	w.tenant.Discard(graphtest.IOSProtections, id(graphtest.IOSProtections, "protection/ios/all"))
	w.tenant.AlterConnector(func(o map[string]any) { o["iosMobileApplicationManagementEnabled"] = false })
}

// placeAlike places what somebody made by hand from the same recipe.
func placeAlike(w *world) {
	w.tenant.Place(graphtest.Templates, map[string]any{"displayName": "Device is above acceptable risk threshold", "defaultLocale": "en-US", "brandingOptions": "none", "localizedNotificationMessages": []any{}})
	w.tenant.Place(graphtest.CompliancePolicies, map[string]any{
		"@odata.type": "#microsoft.graph.iosCompliancePolicy", "displayName": "iPhones", "description": nil,
		"advancedThreatProtectionRequiredSecurityLevel": "medium", "assignments": []any{}, "scheduledActionsForRule": []any{},
	})
	w.tenant.Place(graphtest.CompliancePolicies, map[string]any{ // which does something else
		"@odata.type": "#microsoft.graph.windows10CompliancePolicy", "displayName": "BitLocker", "deviceThreatProtectionRequiredSecurityLevel": "unavailable",
		"assignments": []any{}, "scheduledActionsForRule": []any{},
	})
	w.tenant.Place(graphtest.AccessPolicies, handMade("enabled"))
}

// handMade is a Conditional Access policy from the portal, with a control that no
// version of this program knows.
func handMade(state string) map[string]any {
	return map[string]any{
		"displayName": "Compliant devices only", "state": state, "sessionControls": nil,
		"conditions": map[string]any{
			"clientAppTypes": []any{"all"}, "platforms": nil, "locations": map[string]any{"includeLocations": []any{"All"}, "excludeLocations": []any{"AllTrusted"}},
			"applications": map[string]any{"includeApplications": []any{"Office365"}, "excludeApplications": []any{}},
			"users":        map[string]any{"includeUsers": []any{"All"}, "excludeUsers": []any{}, "includeGroups": []any{}, "excludeGroups": []any{}, "excludeRoles": []any{}, "includeRoles": []any{}},
		},
		"grantControls": map[string]any{"operator": "OR", "builtInControls": []any{"compliantDevice", "riskRemediation", "approvedApplication"}, "customAuthenticationFactors": []any{}, "termsOfUse": []any{}},
	}
}
