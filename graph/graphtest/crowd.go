package graphtest

import (
	"fmt"
	"iter"
	"net/http"
	"slices"
	"time"
)

// AddCrowd enrols n healthy devices of all platforms, which so many users share
// evenly, at no cost until something happens to one. The users are in the groups
// named. Names are as [Tenant.AddFleet] has them; user gives the principal names.
func (t *Tenant) AddCrowd(n, users int, groups ...string) (name, user func(i int) string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first := t.count
	t.count += n
	t.fleets = append(t.fleets, fleet{first: first, end: t.count, users: min(users, n), groups: groups})
	return func(i int) string { return fleetName(first + i) }, func(i int) string { return t.fleetUPN(first + i) }
}

// lastUser is one beyond the number of the fleet's last user.
func (f fleet) lastUser() int {
	if f.users > 0 {
		return f.first + f.users
	}
	return f.end
}

// device is the fleet's device of that number. Of ten devices of a crowd six run
// Windows, two iOS, one Android and one macOS; every other phone is personal.
func (f fleet) device(t *Tenant, n int) Device {
	if f.users == 0 {
		return Device{Name: fleetName(n), User: t.fleetUPN(n)}
	}
	i := n - f.first
	d := Device{Name: fleetName(n), User: t.fleetUPN(f.first + i%f.users), OS: "Windows"}
	switch nth := i / f.users % 10; nth {
	case 1, 4:
		d.OS = "iOS"
	case 2:
		d.OS = "Android"
	case 6:
		d.OS = "macOS"
	}
	if d.mobile() {
		d.Join = Registered
		if i%2 == 1 {
			d.Owner = "personal"
		}
	}
	return d
}

func (d Device) mobile() bool { return d.OS == "iOS" || d.OS == "Android" }

func (t *Tenant) fleetGroups(n int) []string {
	for _, f := range t.fleets {
		if n >= f.first && n < f.lastUser() {
			return f.groups
		}
	}
	return nil
}

// everybody are the tenant's users: those that were added, then the fleets'.
func (t *Tenant) everybody() iter.Seq[*user] {
	return func(yield func(*user) bool) {
		for _, u := range t.ownUsers() {
			if !yield(u) {
				return
			}
		}
		for _, f := range t.fleets {
			for n := f.first; n < f.lastUser(); n++ {
				if u := t.user(t.fleetUPN(n)); u.n == n && !yield(u) {
					return
				}
			}
		}
	}
}

// member is a user as a group's members show it.
func (t *Tenant) member(u *user) object {
	v := userView{u, t}
	return object{
		{"@odata.type", "#microsoft.graph.user"}, {"id", t.guid(idUser, u.n)}, {"displayName", u.User.Name}, {"userPrincipalName", u.UPN},
		{"accountEnabled", !u.Disabled}, {"userType", v.kind()}, {"assignedLicenses", v.licences()},
	}
}

// listUsers pages by 100, or up to 999 (Graph docs: user-list).
func (k *call) listUsers() reply {
	if k.query.Has("$filter") {
		return k.fail(http.StatusBadRequest, "Request_UnsupportedQuery", "Unsupported Query.")
	}
	chosen, unknown := pick(userProperties, k.query.Get("$select"), k.beta)
	if unknown != "" {
		return k.badRequest("Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.user'.", unknown)
	}
	size, from, out := k.page(100, 999)
	if out.status != 0 {
		return out
	}
	var rows []byte
	i, more := 0, false
	for u := range k.tenant.everybody() {
		if i++; i <= from {
			continue
		}
		if more = i > from+size; more {
			break
		}
		if i > from+1 {
			rows = append(rows, ',')
		}
		rows = appendRow(rows, userView{u, k.tenant}, chosen, nil, false)
	}
	head := object{{"@odata.context", k.base + "/$metadata#users"}}
	if more {
		head = append(head, pair{"@odata.nextLink", k.next("$skiptoken", pageToken(from+size))})
	}
	return reply{status: http.StatusOK, body: collection(head, rows)}
}

// listUserMembers is transitiveMembers/microsoft.graph.user: users only (Graph
// docs: group-list-transitivemembers, OData cast; they ask for ConsistencyLevel
// and $count=true with it).
func (k *call) listUserMembers() reply { return k.castMembers("user") }

// listDeviceMembers is transitiveMembers/microsoft.graph.device.
func (k *call) listDeviceMembers() reply { return k.castMembers("device") }

func (k *call) castMembers(kind string) reply {
	if k.r.Header.Get("ConsistencyLevel") != "eventual" || k.query.Get("$count") != "true" {
		return k.fail(http.StatusBadRequest, "Request_UnsupportedQuery", "Request to the $count or OData cast requires the header ConsistencyLevel: eventual and $count=true.")
	}
	k.only = kind
	return k.listMembers()
}

// Unassign takes every compliance policy from a device: Intune counts it as
// compliant all the same, unless the tenant says otherwise (Intune docs:
// create-compliance-policy, "mark devices with no compliance policy assigned as").
func (t *Tenant) Unassign(name string) {
	t.tell(name, func(d *device, _ time.Time) { d.unassigned = true })
}

// AddTwin adds an object to the directory that Intune has no device for, of the
// same name as a device: what is left of it from before, or a second registration,
// last used at seen.
func (t *Tenant) AddTwin(of string, seen time.Time) Device {
	t.mu.Lock()
	twin := Device{Name: fmt.Sprintf("%s (%d)", of, t.count), OS: t.find(of).OS, Join: Registered, LastSync: seen, Offline: true}
	t.mu.Unlock()
	made := t.AddDevice(twin)
	t.mu.Lock()
	defer t.mu.Unlock()
	d := t.find(made.Name)
	d.shownAs, d.retired, d.compliant, d.offlineAt = of, true, false, seen
	t.changes.add(change{device: d.n, at: d.onlineAt, compliant: &d.compliant})
	t.changes.publish(d.onlineAt)
	return made
}

// has tells whether the device has the app; see [Tenant.Uninstall].
func (d *device) has(app string) bool { return !slices.Contains(d.missing, app) }
