package graph_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/graph"
	"curfew/graph/graphtest"
)

// edited tells a story in a tenant where both kinds of policies were changed.
func edited(t *testing.T, tell func(t *testing.T, d *desk)) {
	t.Helper()
	story(t, func(t *testing.T, d *desk) {
		ago := func(d time.Duration) time.Time { return time.Now().Add(-d).UTC() }
		for _, e := range []graphtest.PolicyEdit{
			{What: "Windows baseline", At: ago(time.Hour)},
			{What: "Require a compliant device", Access: true, App: "Baseline bot", At: ago(2 * time.Hour)},
			{What: "Windows baseline", Did: "assigned", Who: "ines@contoso.example", At: ago(3 * time.Hour)},
			{What: "Block legacy", Access: true, Did: "deleted", At: ago(4 * time.Hour)},
			{What: "macOS baseline", Did: "created", App: "Baseline bot", At: ago(5 * time.Hour)},
			{What: "Not done", Failed: true, At: ago(time.Hour)},
			{What: "Not done either", Access: true, Failed: true, At: ago(time.Hour)},
			{What: "Long ago", At: ago(50 * time.Hour)},
			{What: "Long ago", Access: true, At: ago(50 * time.Hour)},
		} {
			d.tenant.EditPolicy(e)
		}
		d.tenant.Bustle(250) // most of both logs is about other things
		tell(t, d)
	})
}

func names(edits []graph.Edit) string {
	var all []string
	for _, e := range edits {
		all = append(all, e.What+" "+e.Did)
	}
	return strings.Join(all, ", ")
}

func TestEditsOfAllThatABaselineHas(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		for i, kind := range []string{"MobileThreatDefenseConnector", "LocalizedNotificationMessage", "IosManagedAppProtection", "DeviceCompliancePolicy", "DeviceConfiguration"} {
			d.tenant.EditPolicy(graphtest.PolicyEdit{What: kind, Type: kind, Who: "mo@contoso.example", At: time.Now().Add(-time.Duration(i+1) * time.Minute)})
		}
		edits, err := d.client.PolicyEdits(d.ctx, time.Now().Add(-time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range edits {
			got = append(got, e.Who+" "+e.Did+" the "+e.Kind)
		}
		var want []string
		for _, kind := range []string{graph.Connector, graph.Notification, graph.Protection, graph.CompliancePolicy} {
			want = append(want, "mo@contoso.example updated the "+kind)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
	})
}

func TestHalfOfTheEditsComeWithTheReason(t *testing.T) {
	for name, c := range map[string]struct {
		revoke, kind, says string
	}{
		"no audit log":    {"AuditLog.Read.All", graph.CompliancePolicy, "AuditLog.Read.All"},
		"no Intune audit": {"DeviceManagementApps.Read.All", graph.AccessPolicy, "DeviceManagementApps.Read.All"},
	} {
		t.Run(name, func(t *testing.T) {
			edited(t, func(t *testing.T, d *desk) {
				d.app.Revoke(c.revoke)
				edits, err := d.client.PolicyEdits(d.ctx, time.Now().Add(-24*time.Hour))
				want{giveUp: true, status: 403, says: c.says}.check(t, err)
				if len(edits) == 0 {
					t.Error("what could be read is gone")
				}
				for _, e := range edits {
					if e.Kind != c.kind {
						t.Errorf("%+v", e)
					}
				}
			})
		})
	}
	edited(t, func(t *testing.T, d *desk) { // one is refused for good, the other for a minute: come back
		d.app.Revoke("AuditLog.Read.All")
		d.tenant.Throttle("deviceManagement/auditEvents", 1, time.Minute)
		edits, err := d.client.PolicyEdits(d.ctx, time.Now().Add(-24*time.Hour))
		want{status: 429, after: time.Minute}.check(t, err)
		if len(edits) != 0 || !strings.Contains(err.Error(), "AuditLog.Read.All") {
			t.Errorf("%q %v", names(edits), err)
		}
	})
}

func TestEntriesThatCannotBeReadAreSaid(t *testing.T) {
	edited(t, func(t *testing.T, d *desk) {
		d.client = d.instead(func(r *http.Request) *http.Response {
			if !strings.HasSuffix(r.URL.Path, "/auditEvents") {
				return nil
			}
			return jsonAnswer(`{"value":[7,{"activityDateTime":"yesterday","activityType":"Patch DeviceCompliancePolicy"},
				{"activityDateTime":"` + time.Now().UTC().Format(time.RFC3339) + `","activityType":"Bless DeviceCompliancePolicy"}]}`)
		})
		edits, err := d.client.PolicyEdits(d.ctx, time.Now().Add(-time.Hour))
		want{says: "2 entries that cannot be read"}.check(t, err)
		if len(edits) != 1 || edits[0] != (graph.Edit{At: edits[0].At, Kind: graph.CompliancePolicy, Did: "Bless DeviceCompliancePolicy"}) {
			t.Errorf("%+v", edits)
		}
	})
}

func TestAnEndlessLogIsNotReadToItsEnd(t *testing.T) {
	edited(t, func(t *testing.T, d *desk) {
		pages := 0
		d.client = d.instead(func(r *http.Request) *http.Response {
			if !strings.HasSuffix(r.URL.Path, "/auditEvents") {
				return nil
			}
			pages++ // the oldest first, whatever was asked for
			return jsonAnswer(`{"@odata.nextLink":"https://graph.microsoft.com/v1.0/deviceManagement/auditEvents?p=` + strings.Repeat("x", pages) + `","value":[
				{"activityDateTime":"` + time.Now().Add(time.Duration(pages)*time.Second).UTC().Format(time.RFC3339) + `","activityType":"syncDevice ManagedDevice"}]}`)
		})
		edits, err := d.client.PolicyEdits(d.ctx, time.Now().Add(-24*time.Hour))
		want{giveUp: true, says: "more than 20 pages"}.check(t, err)
		if pages != 21 && pages != 20 || !strings.Contains(names(edits), "Require a compliant device") {
			t.Errorf("%d pages, %q", pages, names(edits))
		}
	})
}

func TestALogThatIgnoresWhatItWasAsked(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		entry := func(ago time.Duration) string {
			return `{"activityDateTime":"` + time.Now().Add(-ago).UTC().Format(time.RFC3339) + `","activityType":"Patch DeviceCompliancePolicy"}`
		}
		d.client = d.instead(func(r *http.Request) *http.Response {
			switch {
			case !strings.HasSuffix(r.URL.Path, "/auditEvents"):
				return nil
			case r.URL.Query().Get("p") == "":
				return jsonAnswer(`{"@odata.nextLink":"https://graph.microsoft.com/v1.0/deviceManagement/auditEvents?p=2","value":[` + entry(9*time.Hour) + "," + entry(8*time.Hour) + `]}`)
			}
			return jsonAnswer(`{"value":[` + entry(2*time.Hour) + "," + entry(time.Minute) + `]}`)
		})
		edits, err := d.client.PolicyEdits(d.ctx, time.Now().Add(-time.Hour))
		if err != nil || len(edits) != 1 || time.Since(edits[0].At) != time.Minute {
			t.Errorf("%+v %v", edits, err)
		}
	})
}

func TestWhoChangedWhichPolicy(t *testing.T) {
	edited(t, func(t *testing.T, d *desk) {
		edits, err := d.client.PolicyEdits(d.ctx, time.Now().Add(-24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if got := names(edits); got != "Windows baseline updated, Require a compliant device updated, Windows baseline assigned, Block legacy deleted, macOS baseline created" {
			t.Errorf("%q", got)
		}
		if e := edits[0]; e.Who != "admin@contoso.example" || e.Kind != graph.CompliancePolicy || time.Since(e.At) != time.Hour {
			t.Errorf("%+v", e)
		}
		if e := edits[1]; e.Who != "Baseline bot" || e.Kind != graph.AccessPolicy {
			t.Errorf("%+v", e)
		}
		if edits, err = d.client.PolicyEdits(d.ctx, time.Now().Add(-150*time.Minute)); err != nil || len(edits) != 2 {
			t.Errorf("%q %v", names(edits), err)
		}
	})
}

func TestAtMostTwentyEdits(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		for i := range 70 {
			d.tenant.EditPolicy(graphtest.PolicyEdit{What: "P", Access: i%2 == 0, At: time.Now().Add(-time.Duration(i) * time.Minute)})
		}
		d.tenant.EditPolicy(graphtest.PolicyEdit{What: "older than the log", At: time.Now().Add(-40 * 24 * time.Hour)})
		edits, err := d.client.PolicyEdits(d.ctx, time.Time{})
		if err != nil || len(edits) != 20 || time.Since(edits[0].At) != 0 || time.Since(edits[19].At) != 19*time.Minute {
			t.Errorf("%d %v", len(edits), err)
		}
		for _, r := range d.tenant.Requests() {
			if f := r.Query.Get("$filter"); strings.Contains(r.Path, "udit") && !strings.Contains(f, time.Now().Add(-30*24*time.Hour).UTC().Format("2006-01-")) {
				t.Errorf("asked for %q", f)
			}
		}
	})
}

func TestTheAuditLogsLimitIsKept(t *testing.T) {
	edited(t, func(t *testing.T, d *desk) {
		since, soon := time.Now().Add(-24*time.Hour), 0
		for range 10 {
			_, err := d.client.PolicyEdits(d.ctx, since)
			e, ok := errors.AsType[*graph.Error](err)
			if err == nil {
				continue
			}
			if !ok || e.Status != 0 || e.GiveUp() || e.RetryAfter() <= 0 {
				t.Fatalf("%v", err)
			}
			soon++
		}
		if soon == 0 {
			t.Error("the budget let everything through")
		}
		for _, r := range d.tenant.Requests() {
			if r.Status == http.StatusTooManyRequests {
				t.Error("Microsoft had to throttle")
			}
		}
		stranger := graph.Tenants{contosoID: d.client}
		want{giveUp: true, says: "no tenant"}.check(t, second(stranger.PolicyEdits(d.ctx, fabrikID, since)))
		time.Sleep(time.Minute)
		if edits, err := stranger.PolicyEdits(d.ctx, strings.ToUpper(contosoID), since); err != nil || len(edits) != 5 {
			t.Errorf("%q %v", names(edits), err)
		}
	})
}
