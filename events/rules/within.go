package rules

import (
	"slices"
	"strconv"
	"strings"

	"curfew/events"
)

// A limited condition holds for devices of some tenants only.
type limited struct {
	*Condition
	names, ids []string
}

// within limits a condition to tenants; none means all.
func within(c *Condition, names, ids []string) events.Condition {
	if len(ids) == 0 {
		return c
	}
	return limited{Condition: c, names: names, ids: ids}
}

// Holds is [Condition.Holds] for the devices of these tenants, and no for others.
func (l limited) Holds(d events.Device) (bool, error) {
	if !slices.ContainsFunc(l.ids, func(id string) bool { return strings.EqualFold(id, d.Tenant) }) {
		return false, nil
	}
	return l.Condition.Holds(d)
}

func (l limited) String() string {
	return "tenant in (" + strings.Join(l.names, ", ") + "): " + l.Condition.String()
}

// Reads reports whether any condition of the policy asks about this field of
// the device.
func Reads(p events.Policy, field string) bool {
	reads := func(c events.Condition) bool {
		r, ok := c.(interface{ Reads(string) bool })
		return ok && r.Reads(field)
	}
	return reads(p.When) || slices.ContainsFunc(p.Ladder, func(r events.Rung) bool { return reads(r.If) })
}

// Applies reports whether the policy is about devices of this tenant.
func Applies(p events.Policy, tenant string) bool {
	l, ok := p.When.(limited)
	return !ok || slices.ContainsFunc(l.ids, func(id string) bool { return strings.EqualFold(id, tenant) })
}

func itoa(n int) string { return strconv.Itoa(n) }
