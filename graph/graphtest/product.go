package graphtest

import "strings"

// The service plans of the products there are here, by the ids of the products
// (Entra docs: licensing-service-plan-reference).
var productPlans = map[string][]struct{ id, name string }{
	BusinessPremium: {
		{"c1ec4a95-1f05-45b3-a911-aa3fa01094f5", "INTUNE_A"}, {"41781fb2-bc02-4b7c-bd55-b576c07bb09d", "AAD_PREMIUM"},
		{"bfc1bbd9-981b-4f71-9b82-17c35fd0e2a4", "MDE_SMB"},
	},
	DefenderForBusiness: {{"bfc1bbd9-981b-4f71-9b82-17c35fd0e2a4", "MDE_SMB"}},
}

// DefenderForBusiness is the id of the standalone product, which has neither Intune
// nor Entra ID P1 (the same page).
const DefenderForBusiness = "3dd6cf57-d688-4eed-ba52-9e40b5468c3e"

// SetProducts replaces what the tenant has bought, which is [BusinessPremium].
func (t *Tenant) SetProducts(ids ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.products = append([]string{}, ids...)
}

// listProducts lists subscribedSku (Graph v1.0 metadata, 2026-08); it is not paged
// (Graph docs: subscribedsku-list).
func (k *call) listProducts() reply {
	ids, rows := k.tenant.products, []object{}
	if ids == nil {
		ids = []string{BusinessPremium}
	}
	for _, id := range ids {
		plans := []object{}
		for _, p := range productPlans[strings.ToLower(id)] {
			plans = append(plans, object{{"servicePlanId", p.id}, {"servicePlanName", p.name}, {"provisioningStatus", "Success"}, {"appliesTo", "User"}})
		}
		rows = append(rows, object{{"id", k.tenant.ID + "_" + id}, {"skuId", id}, {"skuPartNumber", strings.ToUpper(id[:3])}, {"capabilityStatus", "Enabled"},
			{"appliesTo", "User"}, {"consumedUnits", 1}, {"prepaidUnits", object{{"enabled", 25}, {"suspended", 0}, {"warning", 0}}}, {"servicePlans", plans}})
	}
	return k.list("subscribedSkus", rows)
}
