package graph

import (
	"slices"
	"strings"
	"time"
)

// canonical is a resource's path in the one form that is compared.
func canonical(path string) string {
	return strings.ToLower(strings.Trim(strings.TrimSpace(path), "/"))
}

// family takes a path apart, a resource that is subscribed to or one that a
// notification names: the collection, and what follows it, of which the first may
// be the id of a member. Keys in brackets are segments: users('a') is users/a.
func family(path string) (name string, rest []string) {
	path, _, _ = strings.Cut(canonical(path), "?")
	path = brackets.Replace(path)
	segs := slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" })
	n := 1
	switch {
	case len(segs) == 0:
		return "", nil
	case segs[0] == "me":
		return "users", segs
	case slices.Contains([]string{"devicemanagement", "security", "communications", "reports", "solutions"}, segs[0]):
		n = min(2, len(segs)) // these are no collections but what holds them
	}
	return strings.Join(segs[:n], "/"), segs[n:]
}

// brackets are replaced in every notification, so this is made once.
var brackets = strings.NewReplacer("('", "/", "')", "", "(", "/", ")", "")

// covers reports whether what a notification names may be of the resource that
// was subscribed to. Graph writes ids where names were asked for and leaves parts
// out, so it is the collection that must be the same, and ids where both have one.
func covers(subscribed, named string) bool {
	a, restA := family(subscribed)
	b, restB := family(named)
	return a == b && (len(restA) == 0 || len(restB) == 0 ||
		!isGUID(restA[0]) || !isGUID(restB[0]) || restA[0] == restB[0])
}

// The kinds of ids that a notification may name a device by; see [Index].
const (
	KindManagedDevice = "managedDevice" // the id in Intune
	KindDevice        = "device"        // the id of the directory object, which is not the device id
)

// kindOf says what the ids in a resource's notifications are; "" is no device.
func kindOf(resource string) string {
	switch name, _ := family(resource); name {
	case "devicemanagement/manageddevices":
		return KindManagedDevice
	case "devices":
		return KindDevice
	}
	return ""
}

// isDirectory reports whether a resource is kept by Entra itself, rather than by
// Outlook or another service that goes by the same user or group.
func isDirectory(path string) bool {
	switch name, rest := family(path); name {
	case "users", "groups", "devices":
		return len(rest) < 2 || name == "groups" && (rest[1] == "members" || rest[1] == "owners")
	}
	return false
}

// changes are the changes to subscribe to. Users and groups have no "created":
// that comes as updated (Graph docs: change-notifications-supported-resources).
func (r Resource) changes() string {
	name, _ := family(r.Path)
	switch {
	case r.Changes != "":
		return strings.ToLower(strings.ReplaceAll(r.Changes, " ", ""))
	case isDirectory(r.Path) && name != "devices":
		return "updated,deleted"
	}
	return "created,updated,deleted"
}

// life is how long a subscription is asked for: a little less than Graph allows,
// for clocks differ and Graph refuses what is too long (docs-contrib#7726).
func (r Resource) life() time.Duration {
	life := r.Life
	if life == 0 {
		life = longest(r.Path)
	}
	return life - min(5*time.Minute, life/20)
}

// longest is the longest life of a subscription (Graph docs:
// change-notifications-subscription-lifetime). Of what is not listed there, the
// life is one that most allow.
func longest(path string) time.Duration {
	minutes := 4_230 // Outlook, call records, printers, to-dos
	switch name, rest := family(path); {
	case isDirectory(path):
		minutes = 41_760
	case name == "security/alerts":
		minutes = 43_200
	case name == "drives" || name == "sites" || slices.Contains(rest, "drive"):
		minutes = 42_300
	case name == "chats" || name == "teams":
		minutes = 4_320
	case name == "communications/presences":
		minutes = 60
	}
	return time.Duration(minutes) * time.Minute
}
