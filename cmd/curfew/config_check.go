package main

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"curfew/events"
	"curfew/events/rules"
)

// A checker looks at what a file of the right shape means, and notes what is
// wrong with it.
type checker struct {
	*yamlFile
	dir     string // of the file
	o       loadOptions
	misfits []string // what the schema has told of already
	found   []problem
	vaulted map[string]bool // paths of what was written as _vault and is _file now
}

func (c *checker) mistake(path, format string, args ...any) {
	c.note(path, c.at(path), false, format, args...)
}

func (c *checker) warning(path, format string, args ...any) {
	c.note(path, c.at(path), true, format, args...)
}

func (c *checker) note(path string, at position, warning bool, format string, args ...any) {
	if c.vaulted[path] {
		path = strings.TrimSuffix(path, "_file") + "_vault"
	}
	if !covered(path, c.misfits) {
		c.found = append(c.found, problem{File: c.name, Line: at.line, Column: at.column, Path: dotted(path), Text: fmt.Sprintf(format, args...), Warning: warning})
	}
}

// written reports whether the file has a value at this path.
func (c *checker) written(path string) bool { _, ok := c.places[path]; return ok }

// whole reports whether all that is below the path has the right shape, so that
// what is missing there is really missing.
func (c *checker) whole(path string) bool {
	return !slices.ContainsFunc(c.misfits, func(m string) bool { return m == path || strings.HasPrefix(m, path+"/") })
}

// general checks what is not about tenants, destinations and rules.
func (c *checker) general(conf *config) {
	conf.Data, conf.Templates = c.path(conf.Data), c.path(conf.Templates)
	if isFile(conf.Data) {
		c.mistake("/data", "this is a file; name a directory")
	}
	c.addresses(conf)
	if conf.DryRun {
		c.warning("/dry_run", "on, so nothing is done to a device that its user feels or that cannot be taken back; set it to false when the cases show what you expect")
	}
	switch {
	case !conf.Role.watches():
	case conf.PublicURL != "":
		conf.PublicURL = strings.TrimRight(c.url("/public_url", conf.PublicURL, loopbackToo), "/")
	case !c.written("/public_url"):
		c.warning("/public_url", "this is missing: no subscriptions are made, and only the sweeps find what is new")
	}
	if !c.written("/attention") && conf.Role.watches() {
		c.warning("/attention", "this is missing: nobody is told when only a person can help")
	}
	if conf.TLS != nil && conf.Role.watches() {
		c.keyPair("/tls", &conf.TLS.CertFile, &conf.TLS.KeyFile, true)
	}
	if conf.NATS != nil {
		c.nats(conf.NATS)
	}
	zone, err := time.LoadLocation(conf.Mail.TimeZone)
	if err != nil {
		c.mistake("/mail/time_zone", "there is no time zone of this name; use one such as Europe/Berlin")
		zone = time.UTC
	}
	conf.Mail.Zone = zone
}

// addresses checks what Curfew listens on.
func (c *checker) addresses(conf *config) {
	split := func(path, address string) (host, port string) {
		host, port, err := net.SplitHostPort(address)
		n, err2 := strconv.Atoi(port)
		if err != nil || err2 != nil || n > 65535 || strings.ContainsAny(host, "/@") {
			c.mistake(path, "this is not an address to listen on, such as :8443 or 127.0.0.1:8081")
			return "", ""
		}
		if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
			host = ""
		}
		return host, port
	}
	if host, port := split("/queue", conf.Queue); port != "" && !loopback(host) {
		c.mistake("/queue", "the embedded queue listens on this machine only, such as 127.0.0.1:4222; for several machines use a NATS server and the section nats")
	}
	host, port := split("/listen", conf.Listen)
	adminHost, adminPort := split("/admin", conf.Admin)
	if port != "" && port != "0" && port == adminPort && (host == adminHost || host == "" || adminHost == "") {
		c.mistake("/admin", "admin and listen cannot share port %s", port)
	}
	if conf.Pprof && adminPort != "" && !loopback(adminHost) {
		c.mistake("/pprof", "profiles show what is in memory, secrets too: let admin listen on this machine only, such as 127.0.0.1:8081")
	}
}

// nats checks how to reach a server that runs elsewhere.
func (c *checker) nats(n *natsConfig) {
	plain := false
	for u := range strings.SplitSeq(n.URL, ",") {
		p, err := url.Parse(strings.TrimSpace(u))
		switch {
		case err != nil || p.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, p.Scheme):
			c.mistake("/nats/url", "this is not an address such as nats://host:4222; several are divided by commas")
			continue
		case p.User != nil:
			c.mistake("/nats/url", "credentials do not belong into the address: use creds_file, nkey_file, or user and password_file")
		}
		plain = plain || (p.Scheme == "nats" || p.Scheme == "ws") && !loopback(p.Hostname())
	}
	var ways []string
	for _, way := range []struct{ key, value string }{{"creds_file", n.CredsFile}, {"nkey_file", n.NKeyFile}, {"user", n.User}} {
		if way.value != "" {
			ways = append(ways, way.key)
		}
	}
	if len(ways) > 1 {
		c.mistake("/nats/"+ways[1], "%s and %s: name one way to sign in", ways[0], ways[1])
	}
	if (n.User == "") != (n.PasswordFile == "") && c.whole("/nats") {
		c.mistake("/nats", "user and password_file go together")
	}
	if n.User != "" && plain && n.CAFile == "" {
		c.warning("/nats/url", "the password travels in the clear: use tls:// or an nkey")
	}
	c.secretFile("/nats/creds_file", &n.CredsFile)
	c.secretFile("/nats/nkey_file", &n.NKeyFile)
	c.secretFile("/nats/password_file", &n.PasswordFile)
	c.authorities("/nats/ca_file", &n.CAFile)
	if (n.CertFile == "") != (n.KeyFile == "") && c.whole("/nats") {
		c.mistake("/nats", "cert_file and key_file go together")
	} else if n.CertFile != "" {
		c.keyPair("/nats", &n.CertFile, &n.KeyFile, false)
	}
	if n.Replicas == 0 {
		n.Replicas = 1
	}
}

// rules compiles the policies and puts their problems where they stand.
func (c *checker) rules(conf *config, written rules.Rules) {
	known := rules.Known{Tenants: map[string]string{}, Destinations: map[string]events.Action{}}
	for _, t := range conf.Tenants {
		if t.Name != "" {
			known.Tenants[t.Name] = t.ID
		}
	}
	for name, d := range conf.Destinations {
		known.Destinations[name] = map[string]events.Action{"webhook": events.Ticket}[d.Kind]
		if _, ok := pageKinds()[d.Kind]; ok {
			known.Destinations[name] = events.Page
		}
		if _, ok := deskKinds()[d.Kind]; ok {
			known.Destinations[name] = events.Ticket
		}
		if channelOf(d) != nil {
			known.Destinations[name] = events.Page
		}
	}
	// What a destination is called counts even if the rest of it is wrong.
	for path := range c.places {
		if t := pointerTokens(path); len(t) == 2 && t[0] == "destinations" {
			known.Destinations[t[1]] += ""
		}
	}
	if conf.Role.watches() {
		known.Templates = c.templates(conf.Templates)
	}
	var ps []rules.Problem
	conf.Policies, ps = written.Compile(known)
	for _, p := range ps {
		if isOrder(p.Path) && !c.whole(p.Path) {
			continue // what is wrong with it has been told
		}
		c.note(p.Path, c.within(p.Path, p.At), p.Warning, "%s", p.Text)
	}
	c.needs(conf)
}

// isOrder reports whether a path names one of the things to do.
func isOrder(path string) bool {
	t := pointerTokens(path)
	return len(t) > 1 && slices.Contains([]string{"do", "attention", "closing"}, t[len(t)-2])
}

// templates are the names of the mail templates, or nil if they are not known.
func (c *checker) templates(dir string) []string {
	if dir != "" && !isDir(dir) {
		c.missingFile("/templates", "there is no such directory")
		return nil
	}
	if c.o.Templates == nil {
		return nil
	}
	names, err := c.o.Templates(dir)
	if err != nil {
		c.mistake("/templates", "%v", err)
		return nil
	}
	return names
}

// needs checks that tenants have what the policies about them need.
func (c *checker) needs(conf *config) {
	for i := range conf.Tenants {
		t, path := &conf.Tenants[i], fmt.Sprintf("/tenants/%d", i)
		if t.ID == "" {
			continue
		}
		var about []events.Policy
		for _, p := range conf.Policies.List {
			if rules.Applies(p, t.ID) {
				about = append(about, p)
			}
		}
		if len(about) == 0 && c.whole("/policies") {
			c.warning(path, "no policy is about tenant %s", t.Name)
		}
		c.sender(*t, path, about, conf.Policies.Attention)
		c.needsDefender(t, path, about, conf)
		if !c.written(path + "/look/groups") {
			t.Look.Groups = slices.ContainsFunc(about, func(p events.Policy) bool { return rules.Reads(p, "groups") })
		}
		for _, p := range about {
			c.sees(*t, path+"/look", p)
		}
	}
}

// sender checks that a tenant can send mails if it has to.
func (c *checker) sender(t tenantConfig, path string, about []events.Policy, attention []events.Order) {
	mails := func(os []events.Order) bool {
		return slices.ContainsFunc(os, func(o events.Order) bool { return o.Action == events.Mail })
	}
	for _, p := range about {
		if t.MailFrom == "" && (mails(p.Closing) || mails(attention) || slices.ContainsFunc(p.Ladder, func(r events.Rung) bool { return mails(r.Do) })) {
			c.mistake(path+"/mail_from", "this is missing: policy %s sends mails; name the mailbox they come from", p.Name)
			return
		}
	}
}

// sees checks that what a policy asks for is read of the tenant's devices.
func (c *checker) sees(t tenantConfig, path string, p events.Policy) {
	look := map[string]struct {
		key string
		on  bool
	}{
		"settings": {"settings", t.Look.Settings}, "malware": {"protection", t.Look.Protection},
		"alerts": {"alerts", t.Look.Alerts}, "investigating": {"alerts", t.Look.Alerts},
		"join": {"entra", t.Look.Entra}, "language": {"user", t.Look.User}, "groups": {"groups", t.Look.Groups},
	}
	for _, field := range slices.Sorted(maps.Keys(look)) {
		if l := look[field]; !l.on && rules.Reads(p, field) {
			why := "look." + l.key + " is off"
			if l.key == "alerts" && t.Cloud == "china" {
				why = "Microsoft's cloud in China has no alerts in Graph; leave this tenant out of the policy's tenants"
			}
			c.mistake(path+"/"+l.key, "policy %s asks for device.%s, which is not read of tenant %s: %s", p.Name, field, t.Name, why)
		}
	}
}
