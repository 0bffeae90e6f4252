package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"curfew/events"
)

// What an action on many devices at once may find. More is for a person to choose
// from.
const (
	maxNeighbours = 200 // devices
	maxMembers    = 500 // of a group, users and devices
	maxLeftOut    = 50  // named one by one
)

// DevicesOfUser finds the devices whose primary user this is, by object id or
// principal name: as Intune's list shows them, which is their ids, name, system,
// user, compliance, management and last check-in, and nothing of what a [Client.Look]
// reads beside.
//
// Of DevicesOfUser, DevicesOfIncident and DevicesOfGroup alike: what cannot be
// resolved to exactly one managed device with an id in Entra is left out, and
// named there with the reason. More than 200 devices are an error, for which
// GiveUp reports true, beside the first 200. Any other error comes without
// devices.
func (c *Client) DevicesOfUser(ctx context.Context, user string) (found []events.Device, leftOut []string, err error) {
	n := c.neighbourhood("find the user's devices")
	return n.done(n.ofUser(ctx, user))
}

// DevicesOfIncident finds the devices that the alerts of an incident of Defender's
// are about. One that was merged into another stands for that other one. A device
// that its alert names only by its id in Defender is looked up there, where
// [Tenant].Defender is set.
func (c *Client) DevicesOfIncident(ctx context.Context, incident string) (found []events.Device, leftOut []string, err error) {
	n := c.neighbourhood("find the incident's devices")
	return n.done(n.ofIncident(ctx, incident))
}

// DevicesOfGroup finds the devices in a group of Entra and those of the users in
// it, members of groups within it included. The group is meant by its object id,
// or by its name if only one has it. It may have 500 such members.
func (c *Client) DevicesOfGroup(ctx context.Context, group string) (found []events.Device, leftOut []string, err error) {
	n := c.neighbourhood("find the group's devices")
	return n.done(n.ofGroup(ctx, group))
}

// A neighbourhood gathers devices.
type neighbourhood struct {
	*Client
	op   string
	rows map[string][]managedRow // by Entra id
	left []string
}

func (c *Client) neighbourhood(op string) *neighbourhood {
	return &neighbourhood{Client: c, op: op, rows: map[string][]managedRow{}}
}

func (n *neighbourhood) leave(format string, args ...any) {
	n.left = append(n.left, oneLine(fmt.Sprintf(format, args...), maxText))
}

// done is what was gathered, by name.
func (n *neighbourhood) done(err error) ([]events.Device, []string, error) {
	full := errors.Is(err, errStop)
	if err != nil && !full {
		return nil, nil, n.about(call{op: n.op}, err)
	}
	var found []events.Device
	for id, rows := range n.rows {
		if len(rows) > 1 {
			n.leave("%s: Intune has %d devices with the Entra id %s", rows[0].Name, len(rows), id)
			continue
		}
		d := events.Device{Key: events.Key{Tenant: n.tenant.ID, Device: id}, SeenAt: time.Now().UTC()}
		rows[0].fill(&d)
		found = append(found, d)
	}
	slices.SortFunc(found, func(a, b events.Device) int {
		return strings.Compare(strings.ToLower(a.Name)+a.Key.Device, strings.ToLower(b.Name)+b.Key.Device)
	})
	slices.Sort(n.left)
	n.left = slices.Compact(n.left)
	if more := len(n.left) - maxLeftOut; more > 0 {
		n.left = append(n.left[:maxLeftOut], fmt.Sprintf("and %d more", more))
	}
	if full {
		return found, n.left, n.told(call{op: n.op}, final("", "there are more than %d devices: choose fewer, or see to them by hand", maxNeighbours))
	}
	return found, n.left, nil
}

// take takes a device in, once.
func (n *neighbourhood) take(r managedRow) error {
	k, ok := n.key(string(r.EntraID))
	if !ok || !isGUID(string(r.ID)) {
		n.leave("%s (%s): it has no id in Entra", r.Name, r.ID)
		return nil
	}
	had := n.rows[k.Device]
	if slices.ContainsFunc(had, func(other managedRow) bool { return strings.EqualFold(string(other.ID), string(r.ID)) }) {
		return nil
	}
	if len(had) == 0 && len(n.rows) == maxNeighbours {
		return errStop
	}
	n.rows[k.Device] = append(had, r)
	return nil
}

// managedBy takes in what a list of managed devices has of what is meant; Intune
// ignores filters. It reports how many were.
func (n *neighbourhood) managedBy(ctx context.Context, path, filter string, meant func(managedRow) bool) (taken int, err error) {
	k := call{op: n.op, needs: needsDevices, service: intune}
	options := url.Values{"$select": {strings.Join(listProperties(), ",")}}
	if filter != "" {
		options.Set("$filter", filter)
	}
	pages := 0
	err = read(ctx, n.send, k.of(n.query(path, options), nil), n.follow(k), func(p page[managedRow]) error {
		if pages++; pages > findPages {
			return final("", "Intune sends more than was asked for, and there are too many devices to search")
		}
		if p.Value.bad > 0 {
			n.leave("rows that cannot be read: %d", p.Value.bad)
		}
		for _, r := range p.Value.list {
			if !meant(r) {
				continue
			}
			taken++
			if err := n.take(r); err != nil {
				return err
			}
		}
		return nil
	})
	return taken, err
}

func (n *neighbourhood) ofUser(ctx context.Context, user string) error {
	if !isGUID(user) && !isPrincipal(user) {
		return final("", "%q is neither the object id nor the principal name of a user", oneLine(user, 64))
	}
	_, err := n.managedBy(ctx, "v1.0/users/"+url.PathEscape(user)+"/managedDevices", "", func(r managedRow) bool {
		return strings.EqualFold(string(r.UserID), user) || strings.EqualFold(string(r.User), user)
	})
	return err
}

// withEntraID takes in the managed device that Entra knows by this id. name is for
// people.
func (n *neighbourhood) withEntraID(ctx context.Context, id, name string) error {
	if _, had := n.rows[strings.ToLower(id)]; !had && len(n.rows) == maxNeighbours {
		return errStop
	}
	taken, err := n.managedBy(ctx, "v1.0/deviceManagement/managedDevices", "azureADDeviceId eq "+quote(id), func(r managedRow) bool { return r.is(id) })
	if err == nil && taken == 0 {
		n.leave("%s (%s): Intune does not have it", name, id)
	}
	return err
}

type memberRow struct {
	Type     text `json:"@odata.type"`
	ID       text `json:"id"`
	Name     text `json:"displayName"`
	DeviceID text `json:"deviceId"`
}

func (n *neighbourhood) ofGroup(ctx context.Context, group string) error {
	id, err := n.groupID(ctx, group)
	if err != nil {
		return err
	}
	k := call{op: n.op, needs: needsMembers, service: identity}
	first := n.query("v1.0/groups/"+id+"/transitiveMembers", url.Values{"$select": {"id,displayName,deviceId"}, "$top": {"999"}})
	var members []memberRow
	err = read(ctx, n.send, k.of(first, nil), n.follow(k), func(p page[memberRow]) error {
		if p.Value.bad > 0 {
			n.leave("members that cannot be read: %d", p.Value.bad)
		}
		for _, m := range p.Value.list {
			if m.Type == "#microsoft.graph.device" || m.Type == "#microsoft.graph.user" {
				members = append(members, m)
			}
		}
		if len(members) > maxMembers {
			return final("", "the group has more than %d users and devices: choose a smaller one", maxMembers)
		}
		return nil
	})
	for i := 0; err == nil && i < len(members); i++ {
		err = n.ofMember(ctx, members[i])
	}
	return err
}

func (n *neighbourhood) ofMember(ctx context.Context, m memberRow) error {
	switch {
	case m.Type == "#microsoft.graph.user" && isGUID(string(m.ID)):
		err := n.ofUser(ctx, string(m.ID))
		if status(err) == http.StatusNotFound {
			n.leave("user %s: Intune does not know them", firstOf(m.Name, m.ID))
			return nil
		}
		return err
	case m.Type == "#microsoft.graph.device" && isGUID(string(m.DeviceID)):
		return n.withEntraID(ctx, string(m.DeviceID), string(m.Name))
	case m.Type == "#microsoft.graph.device":
		// Graph docs: group-list-transitivemembers, limited information.
		n.leave("%s: Entra does not show its device id; the app needs the application permission %s", firstOf(m.Name, m.ID), needsEntra)
	}
	return nil
}

// groupID finds the one group that is meant.
func (n *neighbourhood) groupID(ctx context.Context, group string) (string, error) {
	if isGUID(group) {
		return strings.ToLower(group), nil
	}
	if group == "" || group != oneLine(group, 256) { // Graph docs: group, displayName: at most 256 characters
		return "", final("", "%q is neither a group's object id nor a name", oneLine(group, 64))
	}
	k := call{op: n.op, needs: needsMembers, service: identity}
	var ids []string
	pages := 0
	first := n.query("v1.0/groups", url.Values{"$select": {"id,displayName"}, "$filter": {"displayName eq " + quote(group)}})
	err := read(ctx, n.send, k.of(first, nil), n.follow(k), func(p page[groupRow]) error {
		if pages++; pages > findPages {
			return final("", "the filter was ignored")
		}
		for _, g := range p.Value.list {
			if strings.EqualFold(string(g.Name), group) && isGUID(string(g.ID)) {
				ids = append(ids, strings.ToLower(string(g.ID)))
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", final("", "Entra has no group that is called %q", group)
	case len(ids) > 1:
		return "", final("", "Entra has %d groups that are called %q: say which by its object id, %s", len(ids), group, strings.Join(ids[:min(len(ids), 5)], " or "))
	}
	return ids[0], nil
}
