package graphtest

import (
	"fmt"
	"strings"
	"time"
)

// shortest is the life every subscription gets at least: "shorter … is set to 45
// minutes" (Graph v1.0 metadata: Subscription.expirationDateTime).
const shortest = 45 * time.Minute

// A kindOfResource is a family of resources that can be subscribed to.
type kindOfResource struct {
	pattern string
	role    string
	longest time.Duration
	changes string // the changeTypes it has
}

// subscribable are the resources of Microsoft's list that a tenant like these
// has, their permissions and longest lives (Graph docs:
// change-notifications-supported-resources, subscription-post-subscriptions,
// change-notifications-subscription-lifetime). managedDevices, devices, alerts_v2
// and incidents are not on it; legacy /security/alerts is past its end
// (alertsv1-alertsv2-migration, 2026-05).
var subscribable = []kindOfResource{
	{"users", "User.Read.All", 41_760 * time.Minute, "updated,deleted"},
	{"users/*", "User.Read.All", 41_760 * time.Minute, "updated,deleted"},
	{"groups", "Group.Read.All", 41_760 * time.Minute, "updated,deleted"},
	{"groups/*", "Group.Read.All", 41_760 * time.Minute, "updated,deleted"},
	{"groups/*/members", "Group.Read.All", 41_760 * time.Minute, "updated,deleted"},
	{"users/*/messages", "Mail.Read", 4_230 * time.Minute, "created,updated,deleted"},
	{"users/*/mailFolders/*/messages", "Mail.Read", 4_230 * time.Minute, "created,updated,deleted"},
}

func (t *Tenant) kind(resource string) (kindOfResource, bool) {
	bare, _, _ := strings.Cut(resource, "?")
	segs := unfold(bare)
	for extra, role := range t.rules.Subscribable {
		if _, ok := matches(extra, segs, true); ok {
			return kindOfResource{extra, role, 41_760 * time.Minute, "created,updated,deleted"}, true
		}
	}
	for _, kind := range subscribable {
		if _, ok := matches(kind.pattern, segs, false); ok {
			return kind, true
		}
	}
	return kindOfResource{}, false
}

// lifetime fits the life asked for into what the resource allows.
func (t *Tenant) lifetime(kind kindOfResource, asked, now time.Time) (expires time.Time, refused string) {
	switch {
	case !asked.After(now):
		return asked, "Subscription expiration must be in the future."
	case asked.Before(now.Add(shortest)):
		asked = now.Add(shortest)
	case asked.After(now.Add(kind.longest)):
		if !t.rules.ClampLifetime { // docs-contrib#7726 quotes the refusal
			return asked, fmt.Sprintf("Subscription expiration can only be %d minutes in the future.", int(kind.longest.Minutes()))
		}
		asked = now.Add(kind.longest)
	}
	return asked.UTC(), ""
}
