package main

import (
	"cmp"
	"strings"
	"time"

	"curfew/events/rules"
)

// baselineConfig is what the worker watches over: how the tenants are to be, and how
// often it looks whether they still are.
type baselineConfig struct {
	File  string         `json:"file"`
	Every rules.Duration `json:"every"`

	specs []tenantSpec
}

// The pace at which drift is looked for: a pass reads a few dozen objects, at the
// one request a second that Conditional Access lets through.
const (
	driftEvery = 24 * time.Hour
	driftLeast = 15 * time.Minute
)

// driftWatch reads the baseline that the worker watches over.
func (c *checker) driftWatch(conf *config) {
	b := &conf.Baseline
	if !c.written("/baseline") {
		return
	}
	b.File, b.Every = c.path(b.File), cmp.Or(b.Every, rules.Duration(driftEvery))
	if time.Duration(b.Every) < driftLeast {
		c.mistake("/baseline/every", "at least %s: each look takes a minute of what Microsoft lets one app ask", span(driftLeast))
	}
	if c.o.Baseline || !conf.Role.watches() {
		return // the commands about baselines read the file for themselves
	}
	specs, problems := loadBaseline(b.File, conf.tenantNames())
	if bad := mistakes(problems); len(bad) > 0 {
		c.missingFile("/baseline/file", "%s; `curfew baseline plan -f %s` says all", bad[0].Text, b.File)
	}
	for _, t := range conf.Tenants {
		for name, spec := range specs {
			if strings.EqualFold(name, t.Name) {
				b.specs = append(b.specs, tenantSpec{t, spec})
			}
		}
	}
}
