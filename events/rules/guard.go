package rules

import (
	"slices"
	"strings"

	"curfew/events"
)

// condition compiles a condition and reports its mistakes, or returns nil.
func (c *compiler) condition(path, text string) *Condition {
	cond, mistakes := c.lang.compile(text)
	for _, m := range mistakes {
		c.say(path, m.At, "%s", m.Text)
	}
	return cond
}

// rungIf compiles a rung's condition; the empty text is none.
func (c *compiler) rungIf(path, text string, when *Condition) *Condition {
	if text == "" {
		return nil
	}
	cond := c.condition(path, text)
	if cond == nil {
		return nil
	}
	switch {
	case cond.never():
		c.say(path, 0, "this never holds, so the rung is never climbed")
	case when != nil && !possible(when, cond):
		c.say(path, 0, "this holds for no device that the policy is about, so the rung is never climbed: compare it with the policy's `when`")
	case cond.always():
		c.warn(path, "this always holds: leave it out")
	}
	return cond
}

// guard refuses what could reset a device that should not be.
func (c *compiler) guard(path string, p Policy, when *Condition, conds []*Condition) {
	for i, r := range p.Ladder {
		rung := path + "/ladder/" + itoa(i)
		if deviceAction(r) != "" {
			mac := events.Device{OS: "macOS"}
			if when != nil && !excluded(mac, []string{"os"}, when, conds[i]) {
				c.warn(rung, "%s works on Windows only, but this rung is climbed for other systems too: add device.os == \"Windows\" to the policy's `when` or the rung's `if`", deviceAction(r))
			}
		}
		last := destroys(r)
		if last == "" {
			continue
		}
		c.noticed(rung, last, p.Ladder[:i])
		if p.Grace <= 0 {
			c.say(path+"/grace", 0, "rung %d has a %s, so the policy needs a grace: the least time between telling the user and the %s, 24h say", i+1, last, last)
		}
		if !r.WaitsInvestigation {
			c.warn(rung, "this %s does not wait for Defender's own investigation: add waits_for_investigation: true", last)
		}
	}
	destroyed := slices.ContainsFunc(p.Ladder, func(r Rung) bool { return destroys(r) != "" })
	if when != nil {
		for _, r := range p.Ladder {
			if i := slices.IndexFunc(r.Do, func(o Order) bool { return o.Action.Grave() }); i >= 0 {
				c.threatOnly(path+"/when", r.Do[i].Action, when)
				break
			}
		}
	}
	switch {
	case !destroyed && p.Grace > 0 && !slices.ContainsFunc(p.Ladder, Rung.unreadable):
		c.warn(path+"/grace", "the grace is the time a user has before a reset, and no rung resets: to delay a rung, use its `after`")
	}
}

// noticed checks that the user is told on one of the rungs below a reset.
func (c *compiler) noticed(path, last string, below []Rung) {
	var perhaps bool
	for _, r := range below {
		switch {
		case r.unreadable():
			return // its mistake comes first
		case r.does(events.Mail) && r.If == "":
			return
		case r.does(events.Mail):
			perhaps = true
		}
	}
	if perhaps {
		c.say(path, 0, "the user may not have been told before this %s: every rung below it with a mail has an `if` and may be passed over; put a mail on a rung without one", last)
		return
	}
	c.say(path, 0, "nobody is told before this %s: put a mail on a rung below it", last)
}

// threatOnly checks that the policy is about threats: one that could match a
// device without any may not do grave things to it.
func (c *compiler) threatOnly(path string, grave events.Action, when *Condition) {
	for _, t := range []events.Threat{"", "secured"} {
		if !excluded(events.Device{Threat: t}, threatFields[:], when) {
			c.say(path, 0, "only threats may reach %s, but a device without any could match this: it must ask for device.threat, device.alerts or device.malware in any case; keep compliance in a policy of its own", withArticle(grave))
			return
		}
	}
	over := events.Device{
		Threat:  "secured",
		Alerts:  []events.Alert{{Severity: "high", Status: "resolved", Class: "truePositive", Investigation: "successfullyRemediated", Remediation: "remediated", Verdict: "malicious"}},
		Malware: []events.Malware{{Severity: "severe", State: "removed"}},
	}
	if !excluded(over, threatFields[:], when) {
		c.warn(path, "this still holds when every alert is resolved and all malware is gone, so the case would go on to the %s: ask for a.open and m.active", noun(grave))
	}
}

// excluded reports whether one of the conditions does not hold for any device
// that is like d in these fields.
func excluded(d events.Device, fields []string, conds ...*Condition) bool {
	return slices.ContainsFunc(conds, func(c *Condition) bool {
		if c == nil {
			return false
		}
		a := c.anyDevice(d, fields...)
		return a == no || a == unclear
	})
}

// shadowed refuses policies that can never match, because they hold for no
// device or policies above them take every device they are about.
func (c *compiler) shadowed() {
	for i, p := range c.done {
		if p.when == nil {
			continue
		}
		if p.when.never() {
			c.say(p.path+"/when", 0, "this never holds, so the policy matches no device")
			continue
		}
		if p.when.always() {
			c.warn(p.path+"/when", "this always holds: every device is at risk by this policy")
		}
		var names []string
		var above []*Condition
		for _, q := range c.done[:i] {
			if q.when == nil || !c.covers(q.tenants, p.tenants) {
				continue
			}
			if !leaves(p.when, q.when) {
				names, above = []string{q.name}, []*Condition{q.when}
				break
			}
			names, above = append(names, q.name), append(above, q.when)
		}
		if len(above) > 0 && !leaves(p.when, above...) {
			c.say(p.path+"/when", 0, "this policy can never match: the first policy that matches counts, and %s above matches whatever this one does; put the gravest first, or narrow it", strings.Join(names, " or "))
		}
	}
}

// covers reports whether the tenants of one policy include those of another.
func (c *compiler) covers(a, b []string) bool {
	if a == nil {
		return true
	}
	if b == nil {
		for _, id := range c.known.Tenants {
			if !slices.Contains(a, id) {
				return false
			}
		}
		return true
	}
	return !slices.ContainsFunc(b, func(id string) bool { return !slices.Contains(a, id) })
}

// deviceAction names what the rung does on Windows only, or is empty.
func deviceAction(r Rung) string {
	switch {
	case r.does(events.Reset):
		return "reset"
	case slices.ContainsFunc(r.Do, func(o Order) bool { return o.Action == events.Scan && o.Via != "defender" }):
		return "scan"
	}
	return ""
}

// destroys names what on the rung cannot be taken back, or is empty.
func destroys(r Rung) string {
	i := slices.IndexFunc(r.Do, func(o Order) bool { return o.Action.Destructive() })
	if i < 0 {
		return ""
	}
	return noun(r.Do[i].Action)
}

func noun(a events.Action) string {
	switch a {
	case events.Isolate:
		return "isolation"
	case events.Wipe:
		return "factory wipe"
	}
	return string(a)
}

func withArticle(a events.Action) string {
	if a == events.Isolate {
		return "an " + noun(a)
	}
	return "a " + noun(a)
}
