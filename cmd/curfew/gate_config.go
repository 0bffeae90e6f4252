package main

import (
	"errors"
	"path"
	"strconv"
	"time"

	"curfew/events"
	"curfew/events/gate"
	"curfew/events/rules"
)

// protectConfig names the devices to which nothing destructive is ever done.
type protectConfig struct {
	Devices    []string `json:"devices"`
	Names      []string `json:"names"` // patterns
	When       string   `json:"when"`
	Users      []string `json:"users"`
	Categories []string `json:"categories"`
	Tags       []string `json:"tags"`
	Groups     []string `json:"groups"`
	BreakGlass []string `json:"break_glass"`
	Approvers  []string `json:"approvers"`

	Condition *rules.Condition `json:"-"` // nil: none
}

// limitsConfig is how much may be done in one tenant.
type limitsConfig struct {
	Reset    limitConfig   `json:"reset"`
	Retire   limitConfig   `json:"retire"`
	Wipe     limitConfig   `json:"wipe"`
	Isolate  limitConfig   `json:"isolate"`
	FullScan limitConfig   `json:"full_scan"`
	Breaker  breakerConfig `json:"breaker"`
}

type limitConfig struct {
	Count   int            `json:"count"`
	Within  rules.Duration `json:"within"`
	Percent float64        `json:"percent"` // of the tenant's devices; 0: whatever part
}

type breakerConfig struct {
	Percent float64        `json:"percent"`
	Devices int            `json:"devices"`
	Within  rules.Duration `json:"within"`
}

// defaultLimits are those of the gates, for what the file leaves out.
func defaultLimits() limitsConfig {
	limit := func(budget string) limitConfig {
		l := gate.DefaultLimits()[budget]
		return limitConfig{Count: l.Count, Within: rules.Duration(l.Window), Percent: 100 * l.Share}
	}
	return limitsConfig{
		Reset: limit(gate.BudgetReset), Retire: limit(gate.BudgetRetire), Wipe: limit(gate.BudgetWipe),
		Isolate: limit(gate.BudgetIsolate), FullScan: limit(gate.BudgetFullScan),
		Breaker: breakerConfig{Percent: 10, Devices: 5, Within: rules.Duration(time.Hour)},
	}
}

func (l limitConfig) limit() gate.Limit {
	return gate.Limit{Count: l.Count, Window: time.Duration(l.Within), Share: l.Percent / 100}
}

// limits are the budgets.
func (l limitsConfig) limits() map[string]gate.Limit {
	return map[string]gate.Limit{
		gate.BudgetReset: l.Reset.limit(), gate.BudgetRetire: l.Retire.limit(), gate.BudgetWipe: l.Wipe.limit(),
		gate.BudgetIsolate: l.Isolate.limit(), gate.BudgetFullScan: l.FullScan.limit(),
	}
}

func (b breakerConfig) breaker() gate.Breaker {
	return gate.Breaker{Share: b.Percent / 100, Least: b.Devices, Window: time.Duration(b.Within)}
}

func (p protectConfig) protected() gate.Protected {
	out := gate.Protected{
		Devices: p.Devices, Names: p.Names, Categories: p.Categories, Tags: p.Tags, Users: p.Users, Groups: p.Groups, BreakGlass: p.BreakGlass, Approvers: p.Approvers,
	}
	if p.Condition != nil { // or the interface would not be nil
		out.When = p.Condition
	}
	return out
}

// Beyond these, limits hold back so little that somebody may have slipped.
const (
	manyResets     = 20
	muchPercent    = 10
	breakerPercent = 30
)

// gates checks what may hold tasks back.
func (c *checker) gates(conf *config) {
	c.approvals(conf)
	for i, name := range conf.Protect.Names {
		if _, err := path.Match(name, ""); err != nil {
			c.mistake("/protect/names/"+strconv.Itoa(i), "this is not a pattern such as KIOSK-* or LT-0?2: %v", err)
		}
	}
	if conf.Protect.When != "" {
		c.protectWhen(conf)
	}
	if len(conf.Protect.Groups) > 0 {
		c.protectGroups(conf)
	}
	c.generous("/limits/reset", "resets", "reset", conf.Limits.Reset)
	c.generous("/limits/retire", "devices retired", "retired", conf.Limits.Retire)
	c.generous("/limits/wipe", "wipes", "wiped", conf.Limits.Wipe)
	switch b := conf.Limits.Breaker; {
	case !c.written("/limits/breaker/percent"):
	case b.Percent == 0:
		c.mistake("/limits/breaker/percent", "this must be above 0: the breaker would not know when")
	case b.Percent > breakerPercent:
		c.warning("/limits/breaker/percent", "with more than %d the breaker trips when most of the harm is done", breakerPercent)
	}
}

// generous warns of a limit that hardly limits what costs people their files.
func (c *checker) generous(path, many, done string, l limitConfig) {
	if l.Count > manyResets && c.written(path+"/count") {
		c.warning(path+"/count", "%d %s within %s: a mistake in a policy may cost that many people their files", l.Count, many, span(time.Duration(l.Within)))
	}
	if c.written(path+"/percent") && (l.Percent > muchPercent || l.Percent == 0) {
		c.warning(path+"/percent", "only the count limits how much of a small tenant is %s at once", done)
	}
}

func (c *checker) protectWhen(conf *config) {
	const at = "/protect/when"
	cond, err := rules.Compile(conf.Protect.When)
	var mistakes rules.Mistakes
	switch {
	case errors.As(err, &mistakes):
		for _, m := range mistakes {
			c.note(at, c.within(at, m.At), false, "%s", m.Text)
		}
		return
	case err != nil:
		c.mistake(at, "%v", err)
		return
	}
	conf.Protect.Condition = cond
	protection := events.Policy{Name: "protect", When: cond}
	for i := range conf.Tenants {
		t, path := &conf.Tenants[i], "/tenants/"+strconv.Itoa(i)+"/look"
		if cond.Reads("groups") && !c.written(path+"/groups") {
			t.Look.Groups = true
		}
		c.sees(*t, path, protection)
	}
}

// protectGroups has the groups of users read, without which nobody could be told
// apart from those who are protected.
func (c *checker) protectGroups(conf *config) {
	for i := range conf.Tenants {
		t, path := &conf.Tenants[i], "/tenants/"+strconv.Itoa(i)+"/look"
		switch {
		case !c.written(path + "/groups"):
			t.Look.Groups = true
		case !t.Look.Groups:
			c.warning(path+"/groups", "groups are protected, and look.groups is off: nothing is ever reset in tenant %s", t.Name)
		}
	}
}
