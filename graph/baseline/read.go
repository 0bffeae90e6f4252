package baseline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The service plans that a baseline needs (Microsoft's list of products and service
// plans); names of products change, these do not.
const (
	planIntune           = "c1ec4a95-1f05-45b3-a911-aa3fa01094f5" // INTUNE_A
	planIntuneSmall      = "8e9ff0ff-aa7a-4b20-83c1-2f636b600ac2" // INTUNE_SMBIZ
	planEntraP1          = "41781fb2-bc02-4b7c-bd55-b576c07bb09d" // AAD_PREMIUM
	planEntraP2          = "eec0eb4f-6444-4f95-aba0-50c24d67f998" // AAD_PREMIUM_P2, which holds P1
	planDefenderBusiness = "bfc1bbd9-981b-4f71-9b82-17c35fd0e2a4" // MDE_SMB
	planDefenderP2       = "871d91ec-ec1a-452b-a83f-bd76c7d770ef" // WINDEFATP
	planDefenderP1       = "292cc034-7b7c-4950-aaf5-943befd3f1d4" // MDE_LITE: no automated investigation
)

// A part is what is read at once, and which kinds of objects nothing is planned
// about where it cannot be.
type part struct {
	name  string
	kinds []Kind
	read  func(*reader) error
}

func partsInOrder() []part {
	return []part{
		{"licences", nil, (*reader).licences},
		{"connector", []Kind{KindConnector}, (*reader).connector},
		{"templates", []Kind{KindNotification}, (*reader).templates},
		{"compliance", []Kind{KindCompliance}, (*reader).compliance},
		{"settings", []Kind{KindSettings}, (*reader).settings},
		{"protection", []Kind{KindProtection}, (*reader).protection},
		{"access", []Kind{KindAccess}, (*reader).access},
		{"groups", []Kind{KindCompliance, KindProtection, KindAccess}, (*reader).groups},
		{"accounts", []Kind{KindAccess}, (*reader).accounts},
	}
}

// Read fetches what a tenant has, as far as the spec is about it, and changes
// nothing. What Microsoft refuses is noted in [State].Unread; an error means that
// the state is not known.
func Read(ctx context.Context, api API, tenant string, spec Spec) (*State, error) {
	r := &reader{ctx: ctx, api: api, spec: spec, State: &State{
		Tenant: tenant, Read: time.Now().UTC(),
		Groups: map[string]Group{}, Accounts: map[string]Account{}, Unread: map[string]string{},
	}}
	wants := &desire{spec: spec}
	for _, p := range partsInOrder() {
		if p.kinds != nil && !wants.wants(p.kinds...) {
			continue
		}
		if err := p.read(r); err != nil {
			if !givesUp(err) {
				return nil, fmt.Errorf("read the baseline: %s: %w", p.name, err)
			}
			r.Unread[p.name] = err.Error()
		}
	}
	return r.State, nil
}

// A reader is a [Read] under way.
type reader struct {
	*State
	ctx  context.Context // it lives as long as one call of Read
	api  API
	spec Spec
}

// get reads one object; false: there is none.
func (r *reader) get(path string) (Raw, bool, error) {
	b, err := ask(r.ctx, r.api, http.MethodGet, path, nil, nil)
	if isGone(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	var o Raw
	if err := json.Unmarshal(b, &o); err != nil {
		return nil, false, fmt.Errorf("an answer that cannot be read: %w", err)
	}
	return o, true, nil
}

// most is more objects than any part has; more means that pages go in circles.
const most = 5000

// list reads a list to its end.
func (r *reader) list(path string) ([]Raw, error) {
	var all []Raw
	for path != "" {
		b, err := ask(r.ctx, r.api, http.MethodGet, path, nil, nil)
		if err != nil {
			return nil, err
		}
		var page struct {
			Value *[]Raw
			Next  string `json:"@odata.nextLink"`
		}
		if err := json.Unmarshal(b, &page); err != nil || page.Value == nil {
			return nil, errors.New("an answer that is no list")
		}
		all = append(all, *page.Value...)
		if path = page.Next; len(all) > most {
			return nil, fmt.Errorf("more than %d objects", most)
		}
	}
	return all, nil
}

const (
	pathConnector  = "beta/deviceManagement/mobileThreatDefenseConnectors"
	pathTemplates  = "v1.0/deviceManagement/notificationMessageTemplates"
	pathCompliance = "beta/deviceManagement/deviceCompliancePolicies"
	pathSettings   = "beta/deviceManagement"
	pathProtection = "beta/deviceAppManagement/"
	pathAccess     = "v1.0/identity/conditionalAccess/policies"
)

func (r *reader) connector() (err error) {
	r.Connector, _, err = r.get(pathConnector + "/" + DefenderConnector)
	return err
}

// templates are listed, and those that may be Curfew's read with their messages,
// which the list leaves out.
func (r *reader) templates() (err error) {
	all, err := r.list(pathTemplates)
	for i, t := range all {
		ours := keyOf(t.text("displayName")) != "" || r.spec.Adopt["notification"] == t.ID()
		if !ours || err != nil {
			continue
		}
		var whole Raw
		var there bool
		if whole, there, err = r.get(pathTemplates + "/" + url.PathEscape(t.ID()) + "?$expand=localizedNotificationMessages"); there {
			all[i] = whole
		}
	}
	r.Templates = all
	return err
}

// compliance: without $expand Graph leaves the scheduled actions out, and refuses
// to list them on their own.
func (r *reader) compliance() (err error) {
	r.Compliance, err = r.list(pathCompliance + "?$expand=assignments,scheduledActionsForRule($expand=scheduledActionConfigurations)")
	return err
}

func (r *reader) settings() (err error) {
	r.Settings, _, err = r.get(pathSettings + "?$select=settings")
	return err
}

func (r *reader) protection() error {
	for _, p := range slices.Sorted(maps.Keys(r.spec.AppProtection)) {
		t := protectionTypes[p]
		all, err := r.list(pathProtection + t.set + "?$expand=apps,assignments")
		if err != nil {
			return err
		}
		for _, o := range all {
			o["@odata.type"] = typePrefix + t.kind // a list of one type need not say it
			r.Protection = append(r.Protection, o)
		}
	}
	return nil
}

func (r *reader) access() (err error) {
	r.Access, err = r.list(pathAccess)
	return err
}

func (r *reader) licences() error {
	skus, err := r.list("v1.0/subscribedSkus")
	if err != nil {
		return err
	}
	has := map[string]bool{}
	for _, sku := range skus {
		// A subscription in its grace period (Warning) still works.
		if s := sku.text("capabilityStatus"); s != "Enabled" && s != "Warning" {
			continue
		}
		for _, plan := range sku.list("servicePlans") {
			if s := plan.text("provisioningStatus"); s != "Disabled" {
				has[strings.ToLower(plan.text("servicePlanId"))] = true
			}
		}
	}
	r.Licences = Licences{
		Intune:   has[planIntune] || has[planIntuneSmall],
		EntraP1:  has[planEntraP1] || has[planEntraP2],
		Defender: has[planDefenderBusiness] || has[planDefenderP2],
	}
	r.Licences.Plan1Only = has[planDefenderP1] && !r.Licences.Defender
	return nil
}

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)

// named are all groups that the file names.
func (s Spec) named() []string {
	all := slices.Concat([]string{s.Pilot}, s.Exclude, s.Emergency.Groups)
	if s.Compliance != nil {
		for _, c := range s.Compliance.Policies {
			for _, n := range c.Notify {
				all = append(all, n.CC...)
			}
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(n string) bool { return n == "" })
}

func (r *reader) groups() error {
	for _, name := range r.spec.named() {
		var found []Raw
		var err error
		if guid.MatchString(name) {
			var g Raw
			if g, _, err = r.get("v1.0/groups/" + name + "?$select=id,displayName"); g != nil {
				found = append(found, g)
			}
		} else {
			filter := "displayName eq '" + strings.ReplaceAll(name, "'", "''") + "'"
			found, err = r.list("v1.0/groups?$select=id,displayName&$filter=" + strings.ReplaceAll(url.QueryEscape(filter), "+", "%20"))
		}
		if err != nil {
			return err
		}
		g := Group{Several: len(found) > 1}
		if len(found) == 1 {
			g.ID, g.Name = strings.ToLower(found[0].ID()), found[0].text("displayName")
		}
		r.Groups[name] = g
	}
	return nil
}

func (r *reader) accounts() error {
	for _, name := range r.spec.Emergency.Accounts {
		u, _, err := r.get("v1.0/users/" + url.PathEscape(name) + "?$select=id,userPrincipalName,accountEnabled,onPremisesSyncEnabled")
		if err != nil {
			return err
		}
		r.Accounts[name] = Account{
			ID: strings.ToLower(u.ID()), UPN: u.text("userPrincipalName"),
			Enabled: u["accountEnabled"] == true, Synced: u["onPremisesSyncEnabled"] == true,
		}
	}
	return nil
}
