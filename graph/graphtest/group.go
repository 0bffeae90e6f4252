package graphtest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A Group is one of Entra's. Users are in a group by [User].Groups, which names it;
// AddGroup is for everything else.
type Group struct {
	Name    string
	ID      string   // made up from the name if empty; two groups may have one name
	Devices []string // names of devices
	Groups  []string // names of groups within it
}

type group struct {
	Group
	devices []int
}

// AddGroup adds a group and returns its object id.
func (t *Tenant) AddGroup(g Group) (id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g.ID = strings.ToLower(cmp.Or(g.ID, t.GroupID(g.Name)))
	if slices.ContainsFunc(t.groups, func(other *group) bool { return other.ID == g.ID }) {
		panic(fmt.Sprintf("graphtest: %s has a group %s already", t.Name, g.ID))
	}
	made := &group{Group: g}
	for _, name := range g.Devices {
		made.devices = append(made.devices, t.find(name).n)
	}
	t.groups = append(t.groups, made)
	return g.ID
}

// allGroups are those that were added, and those that users are in.
func (t *Tenant) allGroups() []*group {
	all := slices.Clone(t.groups)
	named := []string{}
	for _, u := range t.ownUsers() {
		named = append(named, u.Groups...)
	}
	for _, f := range t.fleets {
		named = append(named, f.groups...)
	}
	for _, name := range named {
		id := t.GroupID(name)
		if !slices.ContainsFunc(all, func(g *group) bool { return g.ID == id }) {
			all = append(all, &group{Group: Group{Name: name, ID: id}})
		}
	}
	return all
}

// ownUsers are the users but those of fleets, in the order they came.
func (t *Tenant) ownUsers() []*user {
	var all []*user
	for _, u := range t.users {
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b *user) int { return a.n - b.n })
	return all
}

func (g *group) row() object {
	return object{{"@odata.type", "#microsoft.graph.group"}, {"id", g.ID}, {"displayName", g.Name}, {"securityEnabled", true}, {"mailEnabled", false}, {"groupTypes", []string{}}}
}

// listAllGroups pages by 100, or up to 999 (Graph docs: group-list). Of the filters
// it has that on displayName.
func (k *call) listAllGroups() reply {
	where, err := parseFilter(k.query.Get("$filter"))
	if err != nil || !only(where, []string{"displayName", "id"}) {
		return k.fail(http.StatusBadRequest, "Request_UnsupportedQuery", "Unsupported Query.")
	}
	var rows []object
	for _, g := range k.tenant.allGroups() {
		if row := g.row(); where == nil || where.match(row.get) {
			rows = append(rows, row)
		}
	}
	return k.directoryPage("groups", rows)
}

func (k *call) pathGroup() (*group, reply) {
	for _, g := range k.tenant.allGroups() {
		if strings.EqualFold(g.ID, k.args[0]) {
			return g, reply{}
		}
	}
	return nil, k.noObject()
}

func (k *call) getGroup() reply {
	g, out := k.pathGroup()
	if out.status != 0 {
		return out
	}
	return reply{status: http.StatusOK, body: k.entity("groups", g.row().bytes())}
}

// listMembers is a flat list of all members, nested ones included, each once. What
// the app may not read comes as its type and id and null for all else (Graph docs:
// group-list-transitivemembers, "limited information").
func (k *call) listMembers() reply {
	g, out := k.pathGroup()
	if out.status != 0 {
		return out
	}
	t := k.tenant
	seen := map[*group]bool{}
	var groups []*group
	var gather func(*group)
	gather = func(g *group) {
		if seen[g] {
			return
		}
		seen[g] = true
		groups = append(groups, g)
		for _, inner := range t.allGroups() {
			if slices.Contains(g.Groups, inner.Name) {
				gather(inner)
			}
		}
	}
	gather(g)
	var rows []object
	once := map[string]bool{}
	add := func(row object) {
		kind, _ := row.get("@odata.type").(string)
		if id := row.get("id").(string); !once[id] && (k.only == "" || strings.HasSuffix(kind, "."+k.only)) {
			once[id] = true
			rows = append(rows, row)
		}
	}
	readsDevices, readsUsers := k.app.holds(k.tokenRoles, readDirectoryDevices), k.app.holds(k.tokenRoles, readUsers)
	for _, inner := range groups {
		if inner != g {
			add(inner.row())
		}
		for _, n := range inner.devices {
			if d := t.at(n); d != nil && d.inEntra() {
				add(known(readsDevices, object{{"@odata.type", "#microsoft.graph.device"}, {"id", d.ObjectID}, {"displayName", d.Name}, {"deviceId", d.EntraID}}))
			}
		}
		mine := func(name string) bool { return strings.EqualFold(name, inner.Name) }
		if inner.ID != t.GroupID(inner.Name) { // another of that name
			continue
		}
		for u := range t.everybody() {
			if slices.ContainsFunc(u.Groups, mine) {
				add(known(readsUsers, t.member(u)))
			}
		}
	}
	return k.directoryPage("directoryObjects", rows)
}

func known(readable bool, row object) object {
	if readable {
		return row
	}
	for i, p := range row {
		if p.key != "@odata.type" && p.key != "id" {
			row[i].value = nil
		}
	}
	return row
}

// directoryPage is a page of what the directory lists, with the properties that
// $select asks for.
func (k *call) directoryPage(set string, rows []object) reply {
	size, from, out := k.page(100, 999)
	if out.status != 0 {
		return out
	}
	end := min(from+size, len(rows))
	shown := []object{}
	for _, row := range rows[min(from, end):end] {
		if s := k.query.Get("$select"); s != "" {
			row = slices.DeleteFunc(slices.Clone(row), func(p pair) bool {
				return p.key != "@odata.type" && p.key != "id" && !slices.Contains(strings.Split(s, ","), p.key)
			})
		}
		shown = append(shown, row)
	}
	page := object{{"@odata.context", k.base + "/$metadata#" + set}}
	if end < len(rows) {
		page = append(page, pair{"@odata.nextLink", k.next("$skiptoken", pageToken(end))})
	}
	return ok(append(page, pair{"value", shown}))
}
