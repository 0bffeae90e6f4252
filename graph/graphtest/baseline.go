package graphtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The collections of what makes up a tenant's baseline, for Place, Placed and
// Alter.
const (
	Templates          = "notificationMessageTemplates"
	CompliancePolicies = "deviceCompliancePolicies"
	IOSProtections     = "iosManagedAppProtections"
	AndroidProtections = "androidManagedAppProtections"
	WindowsProtections = "windowsManagedAppProtections"
	AccessPolicies     = "policies"
)

// The service plans of Business Premium that a baseline is about (Microsoft's list
// of products and service plans).
const (
	PlanIntune   = "c1ec4a95-1f05-45b3-a911-aa3fa01094f5" // INTUNE_A
	PlanEntraP1  = "41781fb2-bc02-4b7c-bd55-b576c07bb09d" // AAD_PREMIUM
	PlanDefender = "bfc1bbd9-981b-4f71-9b82-17c35fd0e2a4" // MDE_SMB
)

// baseline is what a tenant's policies and settings are.
type baseline struct {
	connector thing // nil: Defender was never connected
	dropAfter int   // writes of the connector until the link drops; 0: it never does
	connected bool
	settings  thing
	shelves   map[string][]thing
	shown     map[string]time.Time // since when lists show an object, by its id
	plans     []string
	planned   bool // plans were set
}

// A thing is one object, as its JSON.
type thing map[string]any

func (o thing) text(key string) string { s, _ := o[key].(string); return s }

// clone is a copy that shares nothing.
func (o thing) clone() thing {
	b, _ := json.Marshal(o) // of what came as JSON
	var out thing
	_ = json.Unmarshal(b, &out)
	return out
}

// Place puts an object into a collection as if a person had made it in the portal,
// whatever it is made of, and returns its id.
func (t *Tenant) Place(collection string, o map[string]any) (id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	made := thing(o).clone()
	if made.text("id") == "" {
		made["id"] = newGUID()
	}
	t.shelve(collection, made)
	return made.text("id")
}

func (t *Tenant) shelve(collection string, o thing) {
	if t.baseline.shelves == nil {
		t.baseline.shelves, t.baseline.shown = map[string][]thing{}, map[string]time.Time{}
	}
	t.baseline.shelves[collection] = append(t.baseline.shelves[collection], o)
}

// Placed are copies of a collection's objects, in the order they came.
func (t *Tenant) Placed(collection string) []map[string]any {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []map[string]any
	for _, o := range t.baseline.shelves[collection] {
		all = append(all, o.clone())
	}
	return all
}

// Alter changes an object as a person would in the portal, and the audit tells.
func (t *Tenant) Alter(collection, id string, change func(o map[string]any)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.baseline.shelves[collection] {
		if o.text("id") == id {
			change(o)
			t.tellEdit(collection, o, "updated", PolicyEdit{Who: "admin@" + t.Domain})
			return
		}
	}
	panic(fmt.Sprintf("graphtest: %s has no %s in %s", t.Name, id, collection))
}

// Discard deletes an object as a person would.
func (t *Tenant) Discard(collection, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.baseline.shelves[collection] = slices.DeleteFunc(t.baseline.shelves[collection], func(o thing) bool { return o.text("id") == id })
}

// tellEdit writes what the audit logs say of a change.
func (t *Tenant) tellEdit(collection string, o thing, did string, e PolicyEdit) {
	e.What, e.Did, e.At, e.Access = o.text("displayName"), did, time.Now().UTC(), collection == AccessPolicies
	switch {
	case e.Access:
		verb := map[string]string{"created": "Add", "updated": "Update", "deleted": "Delete"}[did]
		t.auditEntra(e, "Policy", "Conditional Access", verb, verb+" conditional access policy")
	case collection == CompliancePolicies:
		verb := map[string]string{"created": "Create", "updated": "Patch", "deleted": "Delete"}[did]
		t.auditIntune(e, "Compliance", verb, verb+" DeviceCompliancePolicy", "DeviceCompliancePolicy")
	}
}

// SetPlans replaces the service plans that the tenant has; without any it has no
// licence. The default is Business Premium's.
func (t *Tenant) SetPlans(ids ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.baseline.plans, t.baseline.planned = ids, true
}

// listSKUs is subscribedSkus (Graph docs: subscribedsku-list).
func (k *call) listSKUs() reply {
	plans := k.tenant.baseline.plans
	if !k.tenant.baseline.planned {
		plans = []string{PlanIntune, PlanEntraP1, PlanDefender}
	}
	rows := []object{}
	if len(plans) > 0 {
		var list []object
		for _, id := range plans {
			list = append(list, object{{"servicePlanId", id}, {"servicePlanName", id[:8]}, {"provisioningStatus", "Success"}, {"appliesTo", "User"}})
		}
		rows = append(rows, object{{"id", k.tenant.ID + "_" + BusinessPremium}, {"skuId", BusinessPremium}, {"skuPartNumber", "SPB"},
			{"capabilityStatus", "Enabled"}, {"consumedUnits", 10}, {"prepaidUnits", object{{"enabled", 25}, {"suspended", 0}, {"warning", 0}}}, {"servicePlans", list}})
	}
	return k.list("subscribedSkus", rows)
}

// find is an object of a collection that the path names.
func (k *call) find(collection string) (thing, reply) {
	for _, o := range k.tenant.baseline.shelves[collection] {
		if strings.EqualFold(o.text("id"), k.args[0]) {
			return o, reply{}
		}
	}
	if collection == AccessPolicies {
		return nil, k.fail(http.StatusNotFound, "ResourceNotFound", "The policy "+k.args[0]+" does not exist in the directory.")
	}
	return nil, k.failIntune(http.StatusNotFound, "ResourceNotFound", "An error has occurred")
}

// shelved are the objects of a collection that lists show already.
func (k *call) shelved(collection string) []thing {
	return slices.DeleteFunc(slices.Clone(k.tenant.baseline.shelves[collection]), func(o thing) bool {
		return k.now.Before(k.tenant.baseline.shown[o.text("id")])
	})
}

// make adds an object, which lists show after the tenant's lag.
func (k *call) make(collection string, o thing) {
	o["id"] = newGUID()
	o["createdDateTime"] = stamp(k.now)
	k.tenant.shelve(collection, o)
	if lag := k.tenant.timing.ListLag; lag > 0 {
		k.tenant.baseline.shown[o.text("id")] = k.now.Add(lag)
	}
	k.tenant.tellEdit(collection, o, "created", PolicyEdit{App: k.app.ID})
}

func (k *call) remove(collection string) reply {
	o, out := k.find(collection)
	if out.status != 0 {
		return out
	}
	k.tenant.baseline.shelves[collection] = slices.DeleteFunc(k.tenant.baseline.shelves[collection], func(other thing) bool { return other.text("id") == o.text("id") })
	k.tenant.tellEdit(collection, o, "deleted", PolicyEdit{App: k.app.ID})
	return empty(http.StatusNoContent)
}

// read is the request's body as an object.
func (k *call) read() (thing, reply) {
	var o thing
	if err := json.Unmarshal(k.body, &o); err != nil || o == nil {
		return nil, k.badRequest("Empty Payload. JSON content expected.")
	}
	return o, reply{}
}

// only refuses properties that a type does not have, as OData does.
func (k *call) onlyKnown(o thing, kind string, known []string) reply {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if !strings.HasPrefix(name, "@odata.") && !slices.Contains(known, name) {
			return k.badRequest("The property '%s' does not exist on type 'microsoft.graph.%s'. Make sure to only use property names that are defined by the type.", name, kind)
		}
	}
	return reply{}
}

// things is a list of objects, each without what the version does not have and what
// comes by $expand only.
func (k *call) things(set string, all []thing, show func(thing) thing) reply {
	rows := []any{}
	for _, o := range all {
		rows = append(rows, map[string]any(show(o.clone())))
	}
	return ok(object{{"@odata.context", k.base + "/$metadata#" + set}, {"value", rows}})
}

func (k *call) thing(status int, o thing) reply {
	b, _ := json.Marshal(o) // of what came as JSON
	return reply{status: status, body: b}
}

// expands reports whether $expand names a property.
func (k *call) expands(name string) bool { return strings.Contains(k.query.Get("$expand"), name) }
