package graphtest

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A User is somebody in the tenant, or a mailbox to send from.
type User struct {
	UPN      string
	Name     string // displayName; the UPN's first part if empty
	Language string // preferredLanguage, such as de-DE
	Groups   []string
	Disabled bool
	Synced   bool // from a directory on premises
	Guest    bool
	SKUs     []string // the ids of the products that are assigned; nil: [BusinessPremium], empty: none
}

// BusinessPremium is the id of the product Microsoft 365 Business Premium, SPB
// (Entra docs: licensing-service-plan-reference).
const BusinessPremium = "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"

type user struct {
	User
	n int
}

// ownUsers is where the numbers of users that were added begin; below are the
// fleets'.
const ownUsers = 1 << 40

// AddUser adds a user, or changes one that is there, and returns the object id.
func (t *Tenant) AddUser(u User) (id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	had := t.users[strings.ToLower(u.UPN)]
	if had != nil {
		had.User = t.withName(u)
		return t.guid(idUser, had.n)
	}
	t.addUser(u)
	return t.userID(u.UPN)
}

func (t *Tenant) withName(u User) User {
	if u.Name == "" {
		u.Name, _, _ = strings.Cut(u.UPN, "@")
	}
	return u
}

func (t *Tenant) addUser(u User) {
	key := strings.ToLower(u.UPN)
	if t.users[key] != nil || t.fleetNumber(u.UPN) >= 0 {
		return
	}
	t.users[key] = &user{User: t.withName(u), n: ownUsers + t.userSize}
	t.userSize++
}

// user finds somebody by UPN or object id; nil if there is no such user.
func (t *Tenant) user(key string) *user {
	key = strings.ToLower(key)
	if u := t.users[key]; u != nil {
		return u
	}
	if n, ok := t.number(idUser, key); ok && n >= ownUsers {
		for _, u := range t.users {
			if u.n == n {
				return u
			}
		}
	} else if ok {
		key = t.fleetUPN(n)
	}
	if n := t.fleetNumber(key); n >= 0 {
		return &user{User: t.withName(User{UPN: t.fleetUPN(n), Groups: t.fleetGroups(n)}), n: n}
	}
	return nil
}

func (t *Tenant) fleetUPN(n int) string { return fmt.Sprintf("%s%06d@%s", fleetUser, n, t.Domain) }

// fleetNumber is the number of the fleet's device whose user that is, or -1.
func (t *Tenant) fleetNumber(upn string) int {
	digits, ok := strings.CutPrefix(strings.ToLower(upn), fleetUser)
	digits, mine := strings.CutSuffix(digits, "@"+t.Domain)
	n, err := strconv.Atoi(digits)
	if !ok || !mine || err != nil || t.fleetUPN(n) != strings.ToLower(upn) ||
		!slices.ContainsFunc(t.fleets, func(f fleet) bool { return n >= f.first && n < f.lastUser() }) {
		return -1
	}
	return n
}

func (t *Tenant) userID(upn string) string {
	if upn == "" {
		return ""
	}
	if u := t.users[strings.ToLower(upn)]; u != nil {
		return t.guid(idUser, u.n)
	}
	if n := t.fleetNumber(upn); n >= 0 {
		return t.guid(idUser, n)
	}
	return ""
}

func (t *Tenant) displayName(upn string) string {
	if u := t.users[strings.ToLower(upn)]; u != nil {
		return u.Name
	}
	name, _, _ := strings.Cut(upn, "@")
	return name
}

// named is an id that follows from a name.
func (t *Tenant) named(kind, name string) string {
	h := sha256.Sum256([]byte(t.ID + "/" + kind + "/" + strings.ToLower(name)))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// userProperties are user's; those that come without $select first (Graph docs:
// user-get, "only a subset of user properties are returned by default").
var userProperties = []property[userView]{
	{name: "id", get: func(u userView) any { return u.t.guid(idUser, u.n) }},
	{name: "businessPhones", get: func(userView) any { return []string{} }},
	{name: "displayName", get: func(u userView) any { return u.Name }},
	{name: "givenName", get: none},
	{name: "jobTitle", get: none},
	{name: "mail", get: func(u userView) any { return u.UPN }},
	{name: "mobilePhone", get: none},
	{name: "officeLocation", get: none},
	{name: "preferredLanguage", get: func(u userView) any { return orNull(u.Language) }},
	{name: "surname", get: none},
	{name: "userPrincipalName", get: func(u userView) any { return u.UPN }},
	{name: "accountEnabled", get: func(u userView) any { return !u.Disabled }, only: true},
	{name: "userType", get: userView.kind, only: true},
	{name: "assignedLicenses", get: userView.licences, only: true},
	{name: "onPremisesSyncEnabled", get: userView.synced, only: true},
	{name: "usageLocation", get: none, only: true},
	{name: "department", get: none, only: true},
}

type userView struct {
	*user
	t *Tenant
}

func none(userView) any { return nil }

// synced is true or null (Graph docs: user, onPremisesSyncEnabled).
func (u userView) synced() any {
	if u.Synced {
		return true
	}
	return nil
}

func (u userView) kind() any {
	if u.Guest {
		return "Guest"
	}
	return "Member"
}

// licences are assignedLicense (Graph v1.0 metadata, 2026-08).
func (u userView) licences() any {
	skus, rows := u.SKUs, []object{}
	if skus == nil {
		skus = []string{BusinessPremium}
	}
	for _, id := range skus {
		rows = append(rows, object{{"disabledPlans", []string{}}, {"skuId", id}})
	}
	return rows
}

func (k *call) pathUser() (*user, reply) {
	if u := k.tenant.user(k.args[0]); u != nil {
		return u, reply{}
	}
	return nil, k.noObject()
}

func (k *call) getUser() reply {
	u, out := k.pathUser()
	if out.status != 0 {
		return out
	}
	chosen, unknown := pick(userProperties, k.query.Get("$select"), k.beta)
	if unknown != "" {
		return k.badRequest("Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.user'.", unknown)
	}
	return reply{status: http.StatusOK, body: k.entity("users", appendRow(nil, userView{u, k.tenant}, chosen, nil, false))}
}

// listGroups pages by 100, or up to 999 (Graph docs: user-list-transitivememberof).
func (k *call) listGroups() reply {
	u, out := k.pathUser()
	if out.status != 0 {
		return out
	}
	size, from, out := k.page(100, 999)
	if out.status != 0 {
		return out
	}
	rows := []object{}
	end := min(from+size, len(u.Groups))
	for _, name := range u.Groups[min(from, end):end] {
		rows = append(rows, object{
			{"@odata.type", "#microsoft.graph.group"}, {"id", k.tenant.GroupID(name)}, {"displayName", name},
			{"securityEnabled", true}, {"mailEnabled", false}, {"groupTypes", []string{}},
		})
	}
	page := object{{"@odata.context", k.base + "/$metadata#directoryObjects"}}
	if end < len(u.Groups) {
		page = append(page, pair{"@odata.nextLink", k.next("$skiptoken", pageToken(end))})
	}
	return ok(append(page, pair{"value", rows}))
}

// GroupID is the object id of the group of that name.
func (t *Tenant) GroupID(name string) string { return t.named("group", name) }
