package graphtest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Notify sends a notification about each name, a device's or a user's UPN, to
// every subscription it matches. What goes to one URL goes in one POST (Graph
// docs, change-notifications-delivery-webhooks, 2025-01: "a collection of change
// notifications"). It returns how many notifications were sent off, lost ones
// included; they arrive on their own time, see Deliveries.
//
// Nothing is sent by itself: a story says when Microsoft notices.
func (t *Tenant) Notify(names ...string) int {
	t.mu.Lock()
	now := time.Now().UTC()
	t.settle(now)
	var parcels []parcel
	sent := 0
	for _, s := range t.live(now) {
		if !s.challenged.IsZero() && now.Sub(s.challenged) >= t.timing.Reauthorize {
			continue // delivery is paused, what happens now is lost
		}
		if !strings.Contains(strings.ToLower(s.changes), "updated") {
			continue
		}
		for _, name := range names {
			item, ok := t.about(s, name)
			if !ok {
				continue
			}
			sent++
			i := slices.IndexFunc(parcels, func(p parcel) bool { return p.url == s.url })
			if i < 0 {
				i, parcels = len(parcels), append(parcels, parcel{url: s.url, kind: "change"})
			}
			parcels[i].items = append(parcels[i].items, item)
		}
	}
	var off []parcel
	for _, p := range parcels {
		off = append(off, t.mishandle(p, now)...)
	}
	t.mu.Unlock()
	t.cloud.deliver(t, off)
	return sent
}

// about is the notification that a subscription gets about a device or user, if
// its resource covers it. resourceData.id is the Intune id for managedDevices,
// the object id for devices and users, the newest open alert's id for alerts.
func (t *Tenant) about(s *subscription, name string) (object, bool) {
	bare, _, _ := strings.Cut(s.resource, "?")
	segs := unfold(bare)
	for _, c := range t.covered(name) {
		args, ok := matches(c.path+"/*", append(slices.Clone(segs), c.id), false)
		if !ok { // a subscription to the one object
			args, ok = matches(c.path+"/*", segs, false)
		}
		if !ok || !slices.ContainsFunc(c.ids, func(id string) bool { return strings.EqualFold(id, args[0]) }) {
			continue
		}
		resource := c.path + "/" + c.id
		return object{
			{"id", strings.ReplaceAll(newGUID(), "-", "")[:16]}, {"subscriptionId", s.id},
			{"subscriptionExpirationDateTime", s.expires}, {"clientState", orNull(s.state)}, {"changeType", "updated"},
			{"resource", resource}, {"tenantId", t.ID},
			{"resourceData", object{
				{"@odata.type", c.kind}, {"@odata.id", resource}, {"@odata.etag", `W/"` + newGUID() + `"`}, {"id", c.id},
			}},
		}, true
	}
	return nil, false
}

// A cover is one way to name a thing that changed.
type cover struct {
	path, kind, id string
	ids            []string // other keys a subscription may have used, and id
}

func (t *Tenant) covered(name string) []cover {
	if strings.Contains(name, "@") {
		u := t.user(name)
		if u == nil {
			panic(fmt.Sprintf("graphtest: %s has no user %q", t.Name, name))
		}
		id := t.guid(idUser, u.n)
		return []cover{{"Users", "#Microsoft.Graph.User", id, []string{id, u.UPN}}}
	}
	d := t.find(name)
	all := []cover{
		{"deviceManagement/managedDevices", "#Microsoft.Graph.managedDevice", d.ID, []string{d.ID}},
		{"Devices", "#Microsoft.Graph.Device", d.ObjectID, []string{d.ObjectID}},
	}
	for _, a := range slices.Backward(t.alerts) {
		if a.n == d.n && a.status != "resolved" {
			return append(all, cover{"security/alerts_v2", "#Microsoft.Graph.Security.Alert", a.ID, []string{a.ID}})
		}
	}
	return all
}

// RequireReauthorization sends reauthorizationRequired for every subscription.
// One that is not answered by a renewal or reauthorize within Timing.Reauthorize
// gets no notifications any more, and those are lost (Graph docs:
// change-notifications-lifecycle-events, 2024-12).
func (t *Tenant) RequireReauthorization() {
	t.lifecycle("reauthorizationRequired", func(s *subscription, now time.Time) {
		if s.challenged.IsZero() {
			s.challenged = now
		}
	})
}

// RemoveSubscriptions removes every subscription and sends subscriptionRemoved.
// (Microsoft does so for Outlook and Teams resources only.)
func (t *Tenant) RemoveSubscriptions() {
	t.lifecycle("subscriptionRemoved", func(s *subscription, _ time.Time) { delete(t.subs, s.id) })
}

// ForgetSubscriptions removes every subscription without a word.
func (t *Tenant) ForgetSubscriptions() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.subs)
}

// Missed sends missed for every subscription. (Microsoft does so for Outlook
// resources only.)
func (t *Tenant) Missed() { t.lifecycle("missed", func(*subscription, time.Time) {}) }

func (t *Tenant) lifecycle(event string, happen func(*subscription, time.Time)) {
	t.mu.Lock()
	now := time.Now().UTC()
	var parcels []parcel
	for _, s := range t.live(now) {
		if s.lifecycle != "" {
			parcels = append(parcels, parcel{url: s.lifecycle, kind: "lifecycle", items: []object{{
				{"subscriptionId", s.id}, {"subscriptionExpirationDateTime", s.expires}, {"tenantId", t.ID},
				{"clientState", orNull(s.state)}, {"lifecycleEvent", event},
			}}})
		}
		happen(s, now)
	}
	t.mu.Unlock()
	t.cloud.deliver(t, parcels)
}
