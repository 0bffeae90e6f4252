package gate

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"curfew/events"
)

// Protected are the devices to which nothing destructive is ever done. Names of
// all kinds are compared without regard to case.
type Protected struct {
	Devices    []string         // ids in Entra, Intune or Defender, or serial numbers
	Names      []string         // patterns of device names, with * ? and [a-z] (see [path.Match])
	When       events.Condition // nil: none; a device for which it has no clear answer is protected
	Users      []string         // principal names, object ids or mail addresses
	Categories []string         // of devices, by their names in Intune
	Tags       []string         // of machines, as Defender has them
	Groups     []string         // of users, by display name or id
	BreakGlass []string         // users, like Users
	Approvers  []string         // users who may approve, like Users
}

// Why says why a device is protected, or "". The approvals of the task are those
// of people whose own devices must not be the price.
func (p Protected) Why(c events.Case, t events.Task) string {
	d := c.Inhabited()
	d.Key = c.Key // a device that was never seen has none of its own
	for _, why := range []string{p.device(d), p.class(d), p.server(d), p.user(d, c.Person, t), p.group(d), p.condition(d)} {
		if why != "" {
			return why
		}
	}
	return ""
}

func (p Protected) device(d events.Device) string {
	for _, id := range []string{d.Device, d.IntuneID, d.DefenderID, d.EntraID, d.Serial} {
		if id != "" && has(p.Devices, id) {
			return "the device is protected by its id " + id
		}
	}
	name := strings.ToLower(d.Name)
	for _, pattern := range p.Names {
		// A pattern that is none matches everything: it was meant to protect.
		if ok, err := path.Match(strings.ToLower(pattern), strings.ReplaceAll(name, "/", "_")); ok || err != nil {
			return fmt.Sprintf("the device's name is protected by %q", pattern)
		}
	}
	if d.Name == "" && len(p.Names) > 0 {
		return "some names are protected, and the device's is not known"
	}
	return ""
}

// class protects devices by their category and their tags, and those of which the
// tags are not known.
func (p Protected) class(d events.Device) string {
	if d.Category != "" && has(p.Categories, d.Category) {
		return "the device's category " + d.Category + " is protected"
	}
	for _, tag := range d.Tags {
		if has(p.Tags, tag) {
			return "the device's tag " + tag + " is protected"
		}
	}
	unread := func(what string) bool {
		return slices.ContainsFunc(d.Missing, func(m string) bool { return strings.Contains(strings.ToLower(m), what) })
	}
	switch {
	case len(p.Tags) > 0 && unread("tags"):
		return "some tags are protected, and which ones the device has could not be read"
	case len(p.Categories) > 0 && d.IntuneID == "":
		return "some categories are protected, and which one the device has is not known"
	}
	return ""
}

// server protects every server. Intune's operatingSystem says Windows for some;
// builds 20348 (Server 2022) and 25398 (Server, version 23H2) are no client's
// (Windows Server docs: release information).
func (p Protected) server(d events.Device) string {
	build := ""
	if parts := strings.Split(d.OSVersion, "."); len(parts) > 2 {
		build = parts[2]
	}
	if strings.Contains(strings.ToLower(d.OS), "server") || build == "20348" || build == "25398" {
		return "the device is a server: " + strings.TrimSpace(d.OS+" "+d.OSVersion)
	}
	return ""
}

func (p Protected) user(d events.Device, last events.Person, t events.Task) string {
	names := []string{d.User, d.UserID, d.UserMail, last.User, last.UserID, last.Mail}
	for _, name := range names {
		switch {
		case name == "":
		case has(p.Users, name):
			return "the user " + name + " is protected"
		case has(p.BreakGlass, name):
			return "the device is of the break-glass user " + name
		case has(p.Approvers, name), slices.ContainsFunc(t.Approvals, func(a events.Approval) bool { return is(a.By, name) }):
			return "the device is of " + name + ", who may approve"
		}
	}
	return ""
}

// is reports whether an approver's name may be a user's principal name: accounts
// of machines are often the part before the @.
func is(who, user string) bool {
	local, _, _ := strings.Cut(user, "@")
	return strings.EqualFold(who, user) || strings.EqualFold(who, local)
}

// group protects the members of groups, and everybody who may be one.
func (p Protected) group(d events.Device) string {
	if len(p.Groups) == 0 {
		return ""
	}
	for _, g := range d.Groups {
		if has(p.Groups, g) {
			return "the user is in the protected group " + g
		}
	}
	missing := slices.ContainsFunc(d.Missing, func(m string) bool {
		m = strings.ToLower(m)
		return strings.Contains(m, "group") || strings.Contains(m, "user")
	})
	if missing || len(d.Groups) == 0 {
		return "some groups are protected, and which ones the user is in could not be read"
	}
	return ""
}

func (p Protected) condition(d events.Device) string {
	if p.When == nil {
		return ""
	}
	switch ok, err := p.When.Holds(d); {
	case err != nil:
		return "whether the device is protected has no clear answer: " + err.Error()
	case ok:
		return fmt.Sprintf("the device is protected: %v", p.When)
	}
	return ""
}

func has(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(strings.TrimSpace(x), s) })
}
