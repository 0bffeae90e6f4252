package graph

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"curfew/events"
)

func TestOddValuesDoNotHideADevice(t *testing.T) {
	const body = `{"@odata.context":"x","value":[
		{"id":"a","azureADDeviceId":null,"complianceState":17,"partnerReportedThreatState":{"odd":["one"]},"lastSyncDateTime":"yesterday",
		 "complianceGracePeriodExpirationDateTime":"9999-12-31T23:59:59Z","deviceActionResults":"none","managementState":true},
		{"id":"b","lastSyncDateTime":"0001-01-01T00:00:00Z","deviceActionResults":[{"actionName":"wipe","actionState":"pending","startDateTime":"2026-11-22T10:00:00.1234567+02:00"},3]},
		null, [], "x"], "@odata.nextLink":17}`
	var p page[managedRow]
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err)
	}
	a, b := p.Value.list[0], p.Value.list[1]
	if p.Value.bad != 3 || len(p.Value.list) != 2 || p.Next != "17" {
		t.Errorf("%+v", p)
	}
	if a.ID != "a" || a.EntraID != "" || a.Compliance != "17" || a.Threat != `{"odd":["one"]}` || a.Management != "true" ||
		!a.LastSync.time().IsZero() || !a.Grace.time().IsZero() || a.Actions.bad != 1 || !a.unwell() {
		t.Errorf("%+v", a)
	}
	done := b.actions()
	if !b.LastSync.time().IsZero() || len(done) != 1 || !done[0].Started.Equal(time.Date(2026, 11, 22, 8, 0, 0, 123456700, time.UTC)) || b.unwell() {
		t.Errorf("%+v", b)
	}
	for _, body := range []string{`{}`, `{"value":null}`} {
		var p page[managedRow]
		if err := json.Unmarshal([]byte(body), &p); err != nil || p.Value != nil {
			t.Errorf("%s: %v %+v", body, err, p)
		}
	}
	if err := json.Unmarshal([]byte(`{"value":{}}`), &p); err == nil {
		t.Error("an object passes for a list")
	}
}

func TestWhoIsUnwell(t *testing.T) {
	for _, c := range []struct {
		compliance, threat text
		unwell             bool
	}{
		{"", "", false}, {"compliant", "secured", false}, {"unknown", "unknown", false}, {"configManager", "activated", false},
		{"compliant", "unresponsive", false}, {"compliant", "deactivated", false},
		{"noncompliant", "", true}, {"inGracePeriod", "secured", true}, {"conflict", "", true}, {"error", "", true}, {"half", "", true},
		{"compliant", "lowSeverity", true}, {"compliant", "compromised", true}, {"compliant", "cosmicSeverity", true},
	} {
		if got := (managedRow{Compliance: c.compliance, Threat: c.threat}).unwell(); got != c.unwell {
			t.Errorf("%q, %q: %v", c.compliance, c.threat, got)
		}
	}
}

func TestAMarkStaysSmall(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	m := alertMark{At: now, Told: map[string]time.Time{}}
	for i := range 20_000 {
		m.Told[digest(i)] = now.Add(-time.Duration(i) * 20 * time.Millisecond)
	}
	m.Told["old"] = now.Add(-time.Hour)
	m = m.trimmed()
	raw, err := json.Marshal(m)
	if err != nil || len(m.Told) > maxToldAlerts || len(m.Told) < maxToldAlerts/2 || len(raw) > 512<<10 {
		t.Errorf("%d versions in %d bytes, %v", len(m.Told), len(raw), err)
	}
	if _, ok := m.Told[digest(0)]; !ok {
		t.Error("the newest is gone")
	}
}

// FuzzDevice: whatever a row is, it is read without a panic into a device whose
// values are bounded and on one line, and only an id can become a key.
func FuzzDevice(f *testing.F) {
	f.Add([]byte(`{"id":"99999999-2222-3333-4444-555555555555","azureADDeviceId":"11111111-2222-3333-4444-555555555555","complianceState":"noncompliant","deviceActionResults":[{"actionName":"wipe"}]}`))
	f.Add([]byte(`{"id":null,"lastSyncDateTime":"9999-12-31T23:59:59Z","deviceActionResults":{},"deviceName":"a\u202eb\n"}`))
	f.Add([]byte(`[]`))
	c := &Client{tenant: Tenant{ID: "0e3b7f0e-5a51-4c1e-9d0c-6f6a6f3c2a11"}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p page[managedRow]
		if json.Unmarshal([]byte(`{"value":[`+string(raw)+`]}`), &p) != nil || p.Value == nil {
			return
		}
		for _, r := range p.Value.list {
			var d events.Device
			r.fill(&d)
			if k, ok := c.key(string(r.EntraID)); ok && !k.Valid() {
				t.Errorf("%q is no key", k)
			}
			for _, s := range []string{d.Name, d.User, d.Compliance, string(d.Threat), d.OS, d.IntuneID} {
				short(t, s)
			}
			if len(d.Actions) > maxActions {
				t.Errorf("%d actions", len(d.Actions))
			}
			_, _, _ = r.unwell(), d.Risk(), d.Strange()
		}
	})
}

// FuzzAlert: the same of alerts; every fact that comes of one has a valid key.
func FuzzAlert(f *testing.F) {
	f.Add([]byte(`{"id":"a","severity":"high","evidence":[{"@odata.type":"#microsoft.graph.security.deviceEvidence","azureAdDeviceId":"11111111-2222-3333-4444-555555555555","mdeDeviceId":"4899036531e374137f63289c3267bad772c13fef"}]}`))
	f.Add([]byte(`{"id":7,"evidence":[{"@odata.type":"#microsoft.graph.security.deviceEvidence","azureAdDeviceId":"*.>"},null]}`))
	c := &Client{tenant: Tenant{ID: "0e3b7f0e-5a51-4c1e-9d0c-6f6a6f3c2a11"}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r alertRow
		if json.Unmarshal(raw, &r) != nil {
			return
		}
		about, _ := c.devices(r)
		for k, e := range about {
			if !k.Valid() || !isGUID(k.Device) && !isMachine(strings.TrimPrefix(k.Device, events.UnresolvedPrefix)) {
				t.Errorf("%q is no key", k)
			}
			a := r.alert(e, time.Time{})
			for _, s := range []string{a.ID, a.Title, a.Severity, a.Status, a.URL, a.Remediation, a.DefenderDevice} {
				short(t, s)
			}
		}
	})
}

func short(t *testing.T, s string) {
	t.Helper()
	if len(s) > maxText || strings.ContainsAny(s, "\r\n\x00\u202e") || !utf8.ValidString(s) {
		t.Errorf("%d bytes: %q", len(s), s)
	}
}
