package main

import (
	"net/url"
	"strings"
	"time"

	"curfew/events"
	"curfew/events/rules"
	"curfew/graph"
)

// defenderConfig is how a tenant's Defender for Endpoint is reached, which has an
// API, tokens and permissions of its own.
type defenderConfig struct {
	API   string `json:"api"`   // an origin; empty: Microsoft's own in the global cloud
	Scope string `json:"scope"` // of tokens; empty: Microsoft's own in the global cloud
	off   bool   // defender: false
}

// UnmarshalJSON takes true and false as well.
func (d *defenderConfig) UnmarshalJSON(b []byte) (err error) {
	type plain defenderConfig
	d.off, err = yesOr(b, (*plain)(d))
	return err
}

// endpoint is the way to Defender, as package graph wants it; nil: it is not used.
func (d *defenderConfig) endpoint() *graph.DefenderEndpoint {
	if d == nil {
		return nil
	}
	return &graph.DefenderEndpoint{API: d.API, Scope: d.Scope}
}

// isolationConfig is for how long a device is isolated before somebody is asked.
type isolationConfig struct {
	AskAfter rules.Duration `json:"ask_after"` // 0: a day
}

// defender checks how Defender is reached. Where Graph is somewhere else than in
// the global cloud, nobody but the file can say where Defender is.
func (c *checker) defender(t *tenantConfig, path string) {
	path += "/defender"
	if t.Defender != nil && t.Defender.off {
		t.Defender = nil
	}
	d := t.Defender
	if d == nil {
		return
	}
	wrote := d.API != ""
	if d.API = strings.TrimRight(c.url(path+"/api", d.API, httpsOnly), "/"); d.API != "" {
		if u, err := url.Parse(d.API); err == nil && u.Path != "" {
			c.mistake(path+"/api", "this must be https://host or https://host:port, with nothing after it")
		}
	}
	switch national := t.Cloud != "" && t.Cloud != string(graph.Global); {
	case t.Endpoints != nil && !wrote:
		c.mistake(path, "endpoints stands in for Graph, so the address of Defender must be named too: defender: {api: https://host}")
	case national && (!wrote || d.Scope == ""):
		c.mistake(path, "in the cloud %s, the address of Defender and the scope of its tokens must be named: defender: {api: https://host, scope: https://…/.default}", t.Cloud)
	}
}

// byDefender says what an order asks of Defender, or "".
func byDefender(o events.Order) string {
	switch {
	case o.Action == events.Isolate:
		return "isolates devices"
	case o.Action == events.Investigate:
		return "has Defender investigate"
	case o.Action == events.Scan && o.Via == "defender":
		return "scans by way of Defender"
	}
	return ""
}

// needsDefender checks that a tenant uses Defender if the policies about it do, or
// what is protected goes by Defender's tags.
func (c *checker) needsDefender(t *tenantConfig, path string, about []events.Policy, conf *config) {
	path += "/defender"
	t.Look.Tags = t.Defender != nil && len(conf.Protect.Tags) > 0
	if t.Defender != nil {
		return
	}
	const mend = "Defender for Endpoint is not used in tenant %s: turn it on with defender: true, and see the README for its permissions"
	for _, p := range about {
		for _, r := range p.Ladder {
			for _, o := range r.Do {
				if does := byDefender(o); does != "" {
					c.mistake(path, "policy %s %s, and "+mend, p.Name, does, t.Name)
					return
				}
			}
		}
	}
	if len(conf.Protect.Tags) > 0 {
		c.mistake(path, "devices are protected by Defender's tags, and "+mend, t.Name)
	}
}

// isolation takes over how long a device may be isolated.
func (c *checker) isolation(conf *config) {
	conf.Policies.Isolation = time.Duration(conf.Isolation.AskAfter)
}
