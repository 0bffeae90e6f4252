package graph_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/graph/graphtest"
)

const accessPath = "v1.0/identity/conditionalAccess/policies"

// An access policy as the portal writes it, with a control newer than this program.
const newerPolicy = `{"displayName":"x","state":"disabled","conditions":{"clientAppTypes":["all"],"applications":{"includeApplications":["Office365"]},
"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["compliantDevice","riskRemediation"]}}`

// TestRawRequestsLoseNothing: what the SDK's models would turn into "block" comes and
// goes as it is, also when Graph has no body to answer with.
func TestRawRequestsLoseNothing(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.app.Grant(graphtest.BaselineRoles()...)
		made, err := d.client.Do(d.ctx, http.MethodPost, accessPath, nil, []byte(newerPolicy))
		if err != nil || !strings.Contains(string(made), `"riskRemediation"`) {
			t.Fatalf("%s %v", made, err)
		}
		var o struct{ ID string }
		if err := json.Unmarshal(made, &o); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if b, err := d.client.Do(d.ctx, http.MethodPatch, accessPath+"/"+o.ID, nil, []byte(`{"state":"enabledForReportingButNotEnforced"}`)); b != nil || err != nil {
			t.Errorf("%s %v", b, err)
		}
		time.Sleep(time.Minute)
		if b, err := d.client.Do(d.ctx, http.MethodGet, accessPath, nil, nil); err != nil || !strings.Contains(string(b), `"riskRemediation"`) {
			t.Errorf("%s %v", b, err)
		}
	})
}

// TestRawRequestsStayInTheTenant: no path and no link leads elsewhere.
func TestRawRequestsStayInTheTenant(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		for _, path := range []string{"https://evil.example/v1.0/users", "//evil.example/v1.0/users", "v1.0/../../x", "users", "v2.0/users", "v1.0/users#x", "https://graph.microsoft.com.evil.example/v1.0/users", "v1.0/groups/%2e%2e/%2e%2e/x"} {
			if _, err := d.client.Do(d.ctx, http.MethodGet, path, nil, nil); err == nil || !refusal(t, err).GiveUp() {
				t.Errorf("%s: %v", path, err)
			}
		}
		if _, err := d.client.Do(d.ctx, "BREW", "v1.0/users", nil, nil); err == nil {
			t.Error("a method of one's own")
		}
		for _, r := range d.tenant.Requests() {
			if r.Method == http.MethodGet {
				t.Errorf("it was asked for %s", r.Path)
			}
		}
	})
}

// TestConditionalAccessIsAskedSlowly: one request a second passes, and the next is
// told to wait rather than refused by Microsoft.
func TestConditionalAccessIsAskedSlowly(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.app.Grant(graphtest.BaselineRoles()...)
		for range 5 {
			for {
				_, err := d.client.Do(d.ctx, http.MethodGet, accessPath, nil, nil)
				if err == nil {
					break
				}
				e := refusal(t, err)
				if e.Status != 0 || e.RetryAfter() == 0 {
					t.Fatal(err)
				}
				time.Sleep(e.RetryAfter())
			}
		}
	})
	story(t, func(t *testing.T, d *desk) { // where it was another process that was quick
		d.app.Grant(graphtest.BaselineRoles()...)
		lift := d.tenant.Throttle("identity/conditionalAccess", 1, 0)
		defer lift()
		_, err := d.client.Do(d.ctx, http.MethodGet, accessPath, nil, nil)
		if e := refusal(t, err); e.Status != 429 || e.RetryAfter() != 2*time.Second {
			t.Errorf("%v, again in %v", err, e.RetryAfter())
		}
	})
}

// TestARefusedRawRequestSaysWhatIsNeeded, and one whose end is unknown says so.
func TestARefusedRawRequestSaysWhatIsNeeded(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		for path, role := range map[string]string{
			accessPath: "Policy.Read.All", "v1.0/subscribedSkus": "LicenseAssignment.Read.All",
			"beta/deviceManagement/deviceCompliancePolicies": "DeviceManagementConfiguration.Read.All",
			"beta/deviceManagement?$select=settings":         "DeviceManagementConfiguration.Read.All",
		} {
			if _, err := d.client.Do(d.ctx, http.MethodGet, path, nil, nil); err == nil || !strings.Contains(err.Error(), role) {
				t.Errorf("%s: %v", path, err)
			}
		}
		d.app.Grant(graphtest.BaselineRoles()...)
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.TimedOutButDone, Method: http.MethodPost, Times: 1})
		time.Sleep(time.Minute)
		_, err := d.client.Do(d.ctx, http.MethodPost, accessPath, nil, []byte(newerPolicy))
		if e := refusal(t, err); !e.Unsure() {
			t.Error(err)
		}
	})
}
