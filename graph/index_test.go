package graph

import (
	"testing"

	"curfew/events"
)

// A notification names a device by Intune's id; the directory knows whom it means,
// in that tenant and for that kind of id only.
func TestDirectory(t *testing.T) {
	const tenant, intune, device = "5f9d3c1e-0000-4c4b-9c57-1d1f4ce4a8aa", "AAAAAAAA-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
	var x Directory
	if k, ok := x.Device(t.Context(), tenant, KindManagedDevice, intune); ok {
		t.Errorf("an empty directory knows %v", k)
	}
	x.Learn(tenant, KindManagedDevice, intune, device)
	x.Learn(tenant, KindManagedDevice, "../x", device)
	for _, c := range []struct {
		tenant, kind, id string
		want             bool
	}{
		{tenant, KindManagedDevice, intune, true},
		{tenant, KindManagedDevice, "aaaaaaaa-0000-4000-8000-000000000001", true},
		{tenant, KindDevice, intune, false},
		{"5f9d3c1e-0000-4c4b-9c57-1d1f4ce4a8ab", KindManagedDevice, intune, false},
		{tenant, KindManagedDevice, "../x", false},
	} {
		k, ok := x.Device(t.Context(), c.tenant, c.kind, c.id)
		if ok != c.want || ok && k != (events.Key{Tenant: tenant, Device: device}) {
			t.Errorf("%+v: %v %v", c, k, ok)
		}
	}
	x.Learn(tenant, KindManagedDevice, intune, "bbbbbbbb-0000-4000-8000-000000000003") // enrolled anew
	if k, _ := x.Device(t.Context(), tenant, KindManagedDevice, intune); k.Device != "bbbbbbbb-0000-4000-8000-000000000003" {
		t.Errorf("still %v", k)
	}
}
