package rules

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/events"
)

// Compile makes policies of the rules. It reports everything that is wrong or
// doubtful, all at once; if any of it is more than a warning, the policies must
// not be used: they are then all there, but may lack conditions.
//
// Besides what is plainly wrong it refuses what could do harm or nothing:
//
//   - a reset, retire or wipe without an unconditional mail on a rung before it and
//     a grace, and a wipe that nobody approves;
//   - one of them, or an isolation, in a policy that may match a device without any
//     threat;
//   - what is done to a device in attention or closing, where no rung guards it;
//   - a rung that can never be climbed, and a policy that can never match.
func (r Rules) Compile(k Known) (events.Policies, []Problem) {
	lang, err := newLanguage()
	if err != nil {
		return events.Policies{}, []Problem{{Text: "the rule language is broken: " + err.Error()}}
	}
	c := &compiler{lang: lang, known: k}
	out := events.Policies{
		Relook:    c.duration("/relook", &r.Relook, DefaultRelook),
		Answer:    c.duration("/answered_for", &r.Answered, ""),
		Gap:       c.duration("/page_again_after", &r.PageAgain, ""),
		Attention: c.orders("/attention", r.Attention, "attention"),
		Version:   r.version(),
	}
	for d, preset := range map[*time.Duration]string{&out.Relook: DefaultRelook, &out.Answer: DefaultAnswered, &out.Gap: DefaultPageAgain} {
		if *d == 0 {
			*d, _ = ParseDuration(preset)
		}
	}
	for i, p := range r.Policies {
		out.List = append(out.List, c.policy(fmt.Sprintf("/policies/%d", i), p))
	}
	c.shadowed()
	return out, c.problems
}

// version names the rules: the same for the same rules, however they are laid
// out or commented.
func (r Rules) version() string {
	b, err := json.Marshal(r)
	if err != nil {
		return "unknown" // nothing in Rules fails to marshal
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// A compiler goes through the rules and notes what is wrong.
type compiler struct {
	lang     *language
	known    Known
	problems []Problem
	done     []compiled // the policies so far
}

// compiled is what later checks need to know of a policy.
type compiled struct {
	path, name string
	when       *Condition // nil: broken
	tenants    []string   // ids; nil: all
}

func (c *compiler) say(path string, at int, format string, args ...any) {
	c.problems = append(c.problems, Problem{Path: path, At: at, Text: fmt.Sprintf(format, args...)})
}

func (c *compiler) warn(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{Path: path, Text: fmt.Sprintf(format, args...), Warning: true})
}

func (c *compiler) policy(path string, p Policy) events.Policy {
	this := compiled{path: path, name: p.Name, tenants: c.tenants(path+"/tenants", p.Tenants)}
	if p.Name == "" {
		c.say(path+"/name", 0, "the policy has no name")
	} else if i := slices.IndexFunc(c.done, func(d compiled) bool { return d.name == p.Name }); i >= 0 {
		c.say(path+"/name", 0, "two policies are named %s: cases remember their policy by its name, so each needs its own", p.Name)
	}
	this.when = c.condition(path+"/when", p.When)

	out := events.Policy{
		Name:             p.Name,
		Grace:            c.duration(path+"/grace", &p.Grace, ""),
		ClearFor:         c.duration(path+"/clear_for", p.ClearFor, DefaultClearFor),
		ReopenWithin:     c.duration(path+"/reopen_within", p.ReopenWithin, DefaultReopenWithin),
		InvestigationCap: c.duration(path+"/wait_for_investigation", p.InvestigationCap, DefaultInvestigationCap),
		Closing:          c.orders(path+"/closing", p.Closing, "closing"),
		Plain:            c.details(path+"/details", p.Details),
	}
	if this.when != nil {
		out.When = within(this.when, p.Tenants, this.tenants)
		out.About = this.when.signals()
	}
	if p.Closing == nil && slices.ContainsFunc(p.Ladder, func(r Rung) bool { return r.does(events.Mail) }) {
		out.Closing = []events.Order{{Action: events.Mail, Template: DefaultCleared}}
	}
	if len(p.Ladder) == 0 {
		c.say(path+"/ladder", 0, "the ladder has no rungs: a policy that does nothing can be left out")
	}
	when := this.when
	if when != nil && when.never() { // which is said below; what follows from it is not
		when = nil
	}
	conditions := make([]*Condition, len(p.Ladder))
	for i, r := range p.Ladder {
		rung := fmt.Sprintf("%s/ladder/%d", path, i)
		conditions[i] = c.rungIf(rung+"/if", r.If, when)
		out.Ladder = append(out.Ladder, c.rung(rung, r, conditions[i]))
	}
	c.guard(path, p, when, conditions)
	c.waits(path, p, out.InvestigationCap)
	c.done = append(c.done, this)
	return out
}

func (c *compiler) rung(path string, r Rung, cond *Condition) events.Rung {
	out := events.Rung{
		After:              c.duration(path+"/after", &r.After, ""),
		WaitsInvestigation: r.WaitsInvestigation,
		Approvals:          c.approvals(path+"/approval", r),
		Do:                 c.orders(path+"/do", r.Do, "ladder"),
	}
	if cond != nil { // or the interface would not be nil
		out.If = cond
	}
	if len(r.Do) == 0 {
		c.say(path+"/do", 0, "the rung does nothing")
	}
	return out
}

// approvals is how many people must allow what the rung does.
func (c *compiler) approvals(path string, r Rung) int {
	choice := []string{"one", "two"}
	n := slices.Index(choice, r.Approval) + 1
	switch {
	case r.Approval == "":
	case n == 0:
		c.say(path, 0, "an approval is by one person or by two, not %q%s", r.Approval, hint(r.Approval, choice))
	case !r.doesAny(events.Action.Grave) && !r.unreadable():
		c.say(path, 0, "nothing on this rung is destructive or isolates, so nobody is asked to approve it: put the approval on the rung that does, or leave it out")
	}
	if n == 0 && r.Approval == "" && r.does(events.Wipe) {
		c.say(path, 0, "a factory wipe takes the device from the company too, so somebody has to approve it: write approval: one, or better two")
	}
	return n
}

// details is whether the user is told plainly.
func (c *compiler) details(path, s string) bool {
	choice := []string{"full", "plain"}
	if s != "" && !slices.Contains(choice, s) {
		c.say(path, 0, "the user is told in full or plain, not %q%s", s, hint(s, choice))
	}
	return s != "" && s != "full" // a mistake says too little rather than too much
}

// waits checks the waiting for Defender's investigation.
func (c *compiler) waits(path string, p Policy, limit time.Duration) {
	i := slices.IndexFunc(p.Ladder, func(r Rung) bool { return r.WaitsInvestigation })
	switch {
	case i >= 0 && limit == 0:
		c.say(path+"/wait_for_investigation", 0, "rung %d waits for the investigation, but no longer than 0: name a time, or take waits_for_investigation off the rung", i+1)
	case i < 0 && p.InvestigationCap != nil:
		c.warn(path+"/wait_for_investigation", "no rung of the ladder has waits_for_investigation, so this has no effect")
	}
}

// duration checks a duration; nil means the default.
func (c *compiler) duration(path string, d *Duration, preset string) time.Duration {
	if d == nil {
		v, _ := ParseDuration(preset)
		return v
	}
	if *d < 0 {
		c.say(path, 0, "a duration cannot be negative")
		return 0
	}
	return time.Duration(*d)
}

// tenants returns the ids of the tenants with these names or ids.
func (c *compiler) tenants(path string, names []string) []string {
	var ids, choice []string
	for name := range c.known.Tenants {
		choice = append(choice, name)
	}
	slices.Sort(choice)
	for i, name := range names {
		id, ok := c.known.Tenants[name]
		for _, known := range c.known.Tenants {
			if !ok && strings.EqualFold(known, name) {
				id, ok = known, true
			}
		}
		switch {
		case name == "": // unreadable
		case !ok:
			c.say(fmt.Sprintf("%s/%d", path, i), 0, "there is no tenant %q%s", name, hint(name, choice))
		case id != "" && slices.Contains(ids, id):
			c.warn(fmt.Sprintf("%s/%d", path, i), "tenant %s is named twice", name)
			continue
		}
		ids = append(ids, id)
	}
	return ids
}

// orders checks what is to be done at a place: on a ladder, in attention or at
// closing.
func (c *compiler) orders(path string, orders []Order, place string) []events.Order {
	var out []events.Order
	for i, o := range orders {
		at := fmt.Sprintf("%s/%d", path, i)
		if j := slices.Index(orders, o); j < i && o.Action != "" {
			c.say(at, 0, "this is the same as entry %d: once is enough", j+1)
		}
		out = append(out, events.Order(c.order(at, o, place)))
	}
	return out
}

func (c *compiler) order(at string, o Order, place string) Order {
	in := at + "/" + string(o.Action)
	switch o.Action {
	case "":
		c.say(at, 0, "the entry names no action")
	case events.Look, events.Close, events.Resolve, events.Unisolate, events.Restore:
		c.say(at, 0, "%s is done by itself when its time comes and cannot be ordered", o.Action)
	case events.Ticket, events.Page:
		c.destination(in, o)
		if o.Repeat < 0 || o.Repeat > 10 {
			c.say(in+"/repeat", 0, "a page comes again up to 10 times, not %d", o.Repeat)
		}
	case events.Mail:
		if o.Template != "" && c.known.Templates != nil && !slices.Contains(c.known.Templates, o.Template) {
			c.say(in+"/template", 0, "there is no template %q%s", o.Template, hint(o.Template, c.known.Templates))
		}
		if o.Destination != "" {
			c.say(in+"/destination", 0, "mail goes to the device's user and takes no destination")
		}
	case events.Scan, events.Neighbours:
		o = c.scan(in, o)
	case events.Notify, events.Push, events.Sync, events.Investigate, events.Lock, events.Restart, events.Isolate, events.Reset, events.Retire, events.Wipe:
	default:
		c.say(at, 0, "there is no action %q%s", o.Action, hint(string(o.Action), Orderable()))
	}
	if o.Action.OnDevice() && place != "ladder" {
		c.say(at, 0, "%s is not possible in %s: only a rung of a ladder, with its guards, may do something to a device", o.Action, place)
	}
	return o
}

// scan checks what a scan is like, of the device or of its neighbours.
func (c *compiler) scan(in string, o Order) Order {
	o.Kind = cmp.Or(o.Kind, DefaultScan)
	if o.Kind != "quick" && o.Kind != "full" {
		c.say(in+"/kind", 0, "a scan is quick or full, not %q", o.Kind)
	}
	switch {
	case o.Action == events.Scan && o.Via == "intune":
		o.Via = "" // which is what it is without
	case o.Action == events.Scan && o.Via != "" && o.Via != "defender":
		c.say(in+"/via", 0, "a scan goes by way of intune or defender, not %q%s", o.Via, hint(o.Via, []string{"intune", "defender"}))
	case o.Action == events.Neighbours:
		if group, ok := strings.CutPrefix(o.Scope, "group:"); ok && strings.TrimSpace(group) != "" {
			break
		}
		if scopes := []string{"user", "incident", "group:NAME"}; !slices.Contains(scopes[:2], o.Scope) {
			c.say(in+"/scope", 0, "the neighbours are those of the user, of the incident or of a group: scope is user, incident or group:NAME, not %q%s", o.Scope, hint(o.Scope, scopes))
		}
	}
	return o
}

// destination checks where a ticket or page goes.
func (c *compiler) destination(in string, o Order) {
	var fit []string
	for name, takes := range c.known.Destinations {
		if takes == o.Action {
			fit = append(fit, name)
		}
	}
	slices.Sort(fit)
	takes, ok := c.known.Destinations[o.Destination]
	switch {
	case o.Destination == "":
		c.say(in, 0, "%s needs a destination: write %s: {destination: …}%s", o.Action, o.Action, hint("", fit))
	case !ok:
		c.say(in+"/destination", 0, "there is no destination %q%s", o.Destination, hint(o.Destination, fit))
	case takes != o.Action && takes != "":
		c.say(in+"/destination", 0, "destination %s takes a %s, not a %s%s", o.Destination, takes, o.Action, hint("", fit))
	}
}

// Orderable are the actions that rules can order.
func Orderable() []string {
	return []string{
		string(events.Mail), string(events.Notify), string(events.Push), string(events.Ticket), string(events.Page), string(events.Sync), string(events.Scan), string(events.Neighbours),
		string(events.Investigate), string(events.Lock), string(events.Restart), string(events.Isolate),
		string(events.Reset), string(events.Retire), string(events.Wipe),
	}
}

func (r Rung) doesAny(which func(events.Action) bool) bool {
	return slices.ContainsFunc(r.Do, func(o Order) bool { return which(o.Action) })
}

func (r Rung) does(a events.Action) bool {
	return slices.ContainsFunc(r.Do, func(o Order) bool { return o.Action == a })
}

// unreadable reports whether part of the rung could not be read.
func (r Rung) unreadable() bool { return len(r.Do) == 0 || r.does("") }
