package graphtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// access is a Conditional Access policy as its JSON.
type access map[string]any

func (p access) at(path string) any {
	var v any = map[string]any(p)
	for step := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[step]
	}
	return v
}

func (p access) text(path string) string { s, _ := p.at(path).(string); return s }

func (p access) list(path string) []string {
	var out []string
	all, _ := p.at(path).([]any)
	for _, v := range all {
		if s, is := v.(string); is {
			out = append(out, s)
		}
	}
	return out
}

func (p access) id() string         { return p.text("id") }
func (p access) name() string       { return p.text("displayName") }
func (p access) state() string      { return p.text("state") }
func (p access) controls() []string { return p.list("grantControls.builtInControls") }

// circumstances are those of a sign-in, as far as policies here look at them.
type circumstances struct {
	user      string // an object id
	groupIDs  []string
	app       string
	platform  string // as conditions name it; "" is not known
	client    string // likewise
	compliant bool   // the device is
}

// circumstances are those of a user who signs in to an app.
func (t *Tenant) circumstances(u *user, app string) circumstances {
	c := circumstances{user: t.guid(idUser, u.n), app: app}
	for _, name := range u.Groups {
		c.groupIDs = append(c.groupIDs, t.GroupID(name))
	}
	return c
}

// officeApps are those that Office365 stands for, the first ones of a long list
// (Entra docs: reference-office-365-application-contents).
var officeApps = []string{"00000002-0000-0ff1-ce00-000000000000", "00000003-0000-0ff1-ce00-000000000000"}

// hit tells whether a policy applies, and if not, why: a member of
// whatIfAnalysisReasons (Graph docs: whatifanalysisresult).
func (c circumstances) hit(p access) (applies bool, reason string) {
	has := func(path string, values ...string) bool {
		return slices.ContainsFunc(p.list(path), func(s string) bool {
			return slices.ContainsFunc(values, func(v string) bool { return v != "" && strings.EqualFold(s, v) })
		})
	}
	switch {
	case p.state() == "disabled" || p.state() == "":
		return false, "policyNotEnabled"
	case has("conditions.users.excludeUsers", c.user) || has("conditions.users.excludeGroups", c.groupIDs...),
		!has("conditions.users.includeUsers", "All", c.user) && !has("conditions.users.includeGroups", c.groupIDs...):
		return false, "users"
	}
	apps := []string{c.app, "All"}
	if slices.Contains(officeApps, c.app) || c.app == "Office365" {
		apps = append(apps, "Office365")
	}
	if has("conditions.applications.excludeApplications", apps...) || !has("conditions.applications.includeApplications", apps...) {
		return false, "application"
	}
	if include := p.list("conditions.platforms.includePlatforms"); len(include) > 0 {
		switch {
		case c.platform == "":
			return false, "notEnoughInformation"
		case !has("conditions.platforms.includePlatforms", "all", c.platform), has("conditions.platforms.excludePlatforms", c.platform):
			return false, "devicePlatform"
		}
	}
	if types := p.list("conditions.clientAppTypes"); len(types) > 0 && !has("conditions.clientAppTypes", "all", c.client) {
		if c.client == "" {
			return false, "notEnoughInformation"
		}
		return false, "clientApps"
	}
	return true, "notSet"
}

// satisfies tells whether the sign-in meets the policy's controls. App protection
// is met by nobody here.
func (c circumstances) satisfies(p access, mfa bool) bool {
	met := func(control string) bool {
		return control == "compliantDevice" && c.compliant || control == "mfa" && mfa
	}
	if strings.EqualFold(p.text("grantControls.operator"), "OR") {
		return slices.ContainsFunc(p.controls(), met)
	}
	return !slices.ContainsFunc(p.controls(), func(control string) bool { return !met(control) })
}

func conditionPlatform(os string) string {
	return map[string]string{"windows": "windows", "ios": "iOS", "android": "android", "macos": "macOS", "linux": "linux"}[strings.ToLower(os)]
}

func clientType(used string) string {
	if strings.HasPrefix(used, "Mobile") {
		return "mobileAppsAndDesktopClients"
	}
	return "browser"
}

// evaluate is the what-if tool (Graph docs: conditionalaccessroot-evaluate): which
// policies would apply, report-only ones too; not what would come of it. Of the
// identities it has users.
func (k *call) evaluate() reply {
	var asked struct {
		Identity struct {
			Kind string `json:"@odata.type"`
			User string `json:"userId"`
		} `json:"signInIdentity"`
		Context struct {
			Kind string   `json:"@odata.type"`
			Apps []string `json:"includeApplications"`
		} `json:"signInContext"`
		Conditions struct {
			Platform string `json:"devicePlatform"`
			Client   string `json:"clientAppType"`
			Device   struct {
				Compliant bool `json:"isCompliant"`
			} `json:"deviceInfo"`
		} `json:"signInConditions"`
		AppliedOnly bool `json:"appliedPoliciesOnly"`
	}
	if err := json.Unmarshal(k.body, &asked); err != nil {
		return k.badRequest("Unable to read JSON request payload: %v", err)
	}
	switch {
	case asked.Identity.Kind != "#microsoft.graph.userSignIn" || asked.Identity.User == "":
		return k.badRequest("1000: signInIdentity is required.")
	case asked.Context.Kind != "#microsoft.graph.applicationContext" || len(asked.Context.Apps) == 0:
		return k.badRequest("1001: signInContext is required.")
	}
	u := k.tenant.user(asked.Identity.User)
	if u == nil {
		return k.fail(http.StatusNotFound, "Request_ResourceNotFound", "Resource '"+asked.Identity.User+"' does not exist or one of its queried reference-property objects are not present.")
	}
	c := k.tenant.circumstances(u, asked.Context.Apps[0])
	c.platform, c.client, c.compliant = asked.Conditions.Platform, asked.Conditions.Client, asked.Conditions.Device.Compliant
	rows := []object{}
	for _, p := range k.tenant.accessPolicies() {
		applies, reason := c.hit(p)
		if !applies && asked.AppliedOnly {
			continue
		}
		row := object{{"policyApplies", applies}, {"analysisReasons", reason}}
		for _, name := range []string{"id", "displayName", "state", "conditions", "grantControls", "sessionControls", "createdDateTime", "modifiedDateTime"} {
			if v, has := p[name]; has {
				row = append(row, pair{name, v})
			}
		}
		rows = append(rows, row)
	}
	return ok(object{{"@odata.context", k.base + "/$metadata#Collection(microsoft.graph.whatIfAnalysisResult)"}, {"value", rows}})
}

// SetAccess replaces the tenant's Conditional Access policies, which are given in
// JSON.
func (t *Tenant) SetAccess(policies ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.baseline.shelves != nil {
		t.baseline.shelves[AccessPolicies] = nil
	}
	for _, text := range policies {
		var p thing
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			panic("graphtest: a policy that is no JSON: " + err.Error())
		}
		t.shelve(AccessPolicies, p)
	}
}
