package graphtest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// A SignIn is one of a user's to Office 365. Which Conditional Access policies
// applied to it, and with what result, follows from the tenant's policies as they
// were then.
type SignIn struct {
	User     string // a UPN
	Device   string // by name; "": one that Entra does not know
	Platform string // of a device that it does not know; Windows if empty
	Client   string // clientAppUsed: Browser (the default) or Mobile Apps and Desktop clients
	App      string // Office 365 Exchange Online if empty
	MFA      bool   // satisfied
	At       time.Time
}

type signIn struct {
	at      time.Time
	row     object
	applied []object
}

// SignsIn records a sign-in.
func (t *Tenant) SignsIn(s SignIn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.At.IsZero() {
		s.At = time.Now().UTC()
	}
	u := t.user(s.User)
	if u == nil {
		panic("graphtest: " + t.Name + " has no user " + s.User)
	}
	device := object{{"deviceId", ""}, {"displayName", ""}, {"operatingSystem", orWindows(s.Platform)}, {"browser", "Edge 131.0.0"},
		{"isCompliant", nil}, {"isManaged", nil}, {"trustType", nil}}
	c := t.circumstances(u, officeApps[0])
	c.platform, c.client = conditionPlatform(orWindows(s.Platform)), clientType(s.Client)
	if s.Device != "" {
		d := t.find(s.Device)
		m := managed{device: d, t: t, now: s.At}
		c.compliant, c.platform = t.changes.compliant(d), conditionPlatform(d.OS)
		device = object{{"deviceId", d.EntraID}, {"displayName", d.Name}, {"operatingSystem", d.OS}, {"browser", "Edge 131.0.0"},
			{"isCompliant", m.entraProperty("isCompliant")}, {"isManaged", !d.retired}, {"trustType", m.entraProperty("trustType")}}
	}
	in := signIn{at: s.At, row: object{
		{"id", newGUID()}, {"createdDateTime", s.At}, {"userDisplayName", u.User.Name}, {"userPrincipalName", u.UPN}, {"userId", t.guid(idUser, u.n)},
		{"appId", c.app}, {"appDisplayName", "Office 365 Exchange Online"}, {"clientAppUsed", orBrowser(s.Client)},
		{"conditionalAccessStatus", "notApplied"}, {"isInteractive", true}, {"deviceDetail", device},
	}}
	for _, p := range t.accessPolicies() {
		in.applied = append(in.applied, c.result(p, s.MFA))
	}
	t.signIns = append(t.signIns, in)
	slices.SortStableFunc(t.signIns, func(a, b signIn) int { return a.at.Compare(b.at) })
}

func orWindows(os string) string {
	if os == "" {
		return "Windows"
	}
	return os
}

func orBrowser(client string) string {
	if client == "" {
		return "Browser"
	}
	return client
}

// result is an appliedConditionalAccessPolicy (Graph v1.0 metadata, 2026-08): the
// members of a report-only policy begin with reportOnly. One that asks a device
// which is asked nothing at sign-in, as for a certificate, interrupts (Entra docs:
// concept-conditional-access-report-only).
func (c circumstances) result(p access, mfa bool) object {
	applies, _ := c.hit(p)
	report := p.state() == "enabledForReportingButNotEnforced"
	result := "notApplied"
	switch {
	case p.state() == "disabled":
		result = "notEnabled"
	case !applies:
	case c.satisfies(p, mfa):
		result = "success"
	case report && c.platform != "windows" && slices.Contains(p.controls(), "compliantDevice") && !c.compliant:
		result = "interrupted"
	default:
		result = "failure"
	}
	if report {
		result = "reportOnly" + strings.ToUpper(result[:1]) + result[1:]
	} else if result == "interrupted" {
		result = "failure"
	}
	return object{{"id", p.id()}, {"displayName", p.name()}, {"enforcedGrantControls", p.controls()}, {"enforcedSessionControls", []string{}}, {"result", result}}
}

// The properties that sign-ins can be filtered by, as far as this product could
// want to (Graph docs: signIn, "Supports $filter").
var signInFilters = []string{"createdDateTime", "userId", "userPrincipalName", "appId", "appDisplayName", "conditionalAccessStatus", "clientAppUsed", "id", "correlationId"}

// listSignIns pages by 1,000 at most, the newest first (Graph docs: signin-list).
// Without a permission to read policies the applied ones are left out (the same
// page: "to view applied Conditional Access policies").
func (k *call) listSignIns() reply {
	where, err := parseFilter(k.query.Get("$filter"))
	if err != nil || !only(where, signInFilters) {
		return k.fail(http.StatusBadRequest, "BadRequest", "Invalid filter clause")
	}
	size, from, out := k.page(1000, 1000)
	if out.status != 0 {
		return out
	}
	sees := k.app.holds(k.tokenRoles, readAccess)
	rows, found := []object{}, 0
	for _, s := range slices.Backward(k.tenant.signIns) {
		if s.at.After(k.now) || where != nil && !where.match(s.row.get) {
			continue
		}
		if found++; found <= from || len(rows) == size {
			continue
		}
		applied := s.applied
		if !sees || applied == nil {
			applied = []object{}
		}
		row := append(slices.Clone(s.row), pair{"appliedConditionalAccessPolicies", applied})
		if sel := k.query.Get("$select"); sel != "" {
			row = slices.DeleteFunc(row, func(p pair) bool { return p.key != "id" && !slices.Contains(strings.Split(sel, ","), p.key) })
		}
		rows = append(rows, row)
	}
	page := object{{"@odata.context", k.base + "/$metadata#auditLogs/signIns"}}
	if found > from+size {
		page = append(page, pair{"@odata.nextLink", k.next("$skiptoken", pageToken(from+size))})
	}
	return ok(append(page, pair{"value", rows}))
}
