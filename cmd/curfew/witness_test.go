package main

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/graph/graphtest"
)

// TestASecondWitness: a wipe of which the answer was lost, and which Intune's record
// does not list, shows in the audit. It is followed, and not asked for again.
func TestASecondWitness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := graphtest.NewCloud()
		defer cloud.Close()
		tenant := cloud.AddTenant("contoso", contoso)
		tenant.AddApp(officeApp, officeSecret, append(graphtest.AllRoles(), graphtest.ActingRoles()...)...)
		laptop := tenant.AddDevice(graphtest.Device{Name: laptopName, User: "ana@contoso.example"})
		o := &office{t: t, cloud: cloud, tenant: tenant}
		w := witness{o.reach(officeApp)}
		seen, err := w.Look(t.Context(), events.Case{Key: events.Key{Tenant: contoso, Device: laptop.EntraID}})
		check(t, err)
		d, err := w.Record(t.Context(), seen)
		if check(t, err); len(d.Actions) != 0 {
			t.Fatalf("before anything was asked for: %+v", d.Actions)
		}
		tenant.SetRules(graphtest.Rules{HideResults: true})
		check(t, w.Reset(t.Context(), seen))
		time.Sleep(time.Minute)
		d, err = w.Record(t.Context(), seen)
		if check(t, err); len(d.Actions) != 1 || d.Actions[0].Name != "factoryResetKeepEnrollmentData" || d.Actions[0].Started.IsZero() {
			t.Fatalf("the audit shows %+v", d.Actions)
		}
		lift := tenant.Inject(graphtest.Fault{Kind: graphtest.Unavailable, Path: "deviceManagement/remoteActionAudits", Method: http.MethodGet})
		if _, err := w.Record(t.Context(), seen); err == nil {
			t.Error("nobody can tell while the audit cannot be read, and that is no error")
		}
		lift()
	})
}
