package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"curfew/events"
	"curfew/events/rules"
	"curfew/graph"
	"curfew/handlers/ticket"
	"curfew/handlers/ticket/maildesk"
)

// A deskSection is what the file says of a desk, in the terms of its vendor.
type deskSection interface {
	tenants() (named []string, triage bool)
	severities() []string
	reopenWithin() time.Duration
	desk(deskParts) ticket.Desk
}

// deskParts are what every desk is made of.
type deskParts struct {
	url    string
	secret func(name string) string
	client *http.Client
	mailer maildesk.Mailer
	ids    map[string]string // of tenants, by their names in small letters and by themselves
}

// deskBase is what all sections have. P is the vendor's kind of place, W what it
// calls a priority.
type deskBase[P, W any] struct {
	Customers map[string]P   `json:"customers"`
	Triage    *P             `json:"triage"`
	Fields    ticket.Fields  `json:"fields"`
	Priority  map[string]W   `json:"priority"` // by severity
	Reopen    rules.Duration `json:"reopen_within"`
}

func (b *deskBase[P, W]) tenants() (named []string, triage bool) {
	return slices.Sorted(maps.Keys(b.Customers)), b.Triage != nil
}

func (b *deskBase[P, W]) severities() []string { return slices.Sorted(maps.Keys(b.Priority)) }

func (b *deskBase[P, W]) reopenWithin() time.Duration { return time.Duration(b.Reopen) }

// places are the customers by the ids that cases have.
func (b *deskBase[P, W]) places(ids map[string]string) ticket.Customers[P] {
	out := ticket.Customers[P]{Routes: map[string]P{}, Triage: b.Triage}
	for name, place := range b.Customers {
		if id, ok := ids[strings.ToLower(name)]; ok {
			out.Routes[id] = place
		}
	}
	return out
}

// deskOf makes the desk of a destination, or nil if it is none.
func deskOf(conf *config, d destinationConfig, c *http.Client, m maildesk.Mailer) ticket.Desk {
	switch {
	case d.Kind == "webhook":
		desk := ticket.Webhook{URL: d.URL.reveal(), Secret: d.Secret.reveal(), Client: c}
		if d.Authorization.set() {
			desk.Header = map[string]string{"Authorization": d.Authorization.reveal()}
		}
		return desk
	case d.Desk != nil:
		return d.Desk.desk(deskParts{url: d.URL.reveal(), secret: func(name string) string { return d.Secrets[name].reveal() }, client: c, mailer: m, ids: tenantIDs(conf)})
	}
	return nil
}

// tenantIDs are the ids of tenants by what a file may call them, in small letters.
func tenantIDs(conf *config) map[string]string {
	out := map[string]string{}
	for _, t := range conf.Tenants {
		if t.ID != "" {
			out[strings.ToLower(t.Name)], out[t.ID] = t.ID, t.ID
		}
	}
	return out
}

// desk checks a destination that is a desk of a vendor.
func (c *checker) desk(conf *config, d *destinationConfig, path string, kind deskKind) {
	d.URL = newSecret(strings.TrimRight(c.url(path+"/url", d.URLPlain, loopbackToo), "/"))
	if d.URLPlain == "" && kind.example != "" && c.whole(path) {
		c.mistake(path+"/url", "this is missing: the address of the desk, such as %s", kind.example)
	}
	d.URLPlain = ""
	written, _ := lookup(c.value, pointerTokens(path)).(map[string]any)
	b, err := json.Marshal(written)
	d.Desk = kind.section()
	if err == nil {
		err = json.Unmarshal(b, d.Desk)
	}
	if err != nil {
		c.mistake(path, "this does not fit what Curfew expects: %v", err)
		return
	}
	before := len(mistakes(c.found))
	c.deskSecrets(d, path, written, kind)
	c.hookSecret(conf, d, path)
	c.customers(conf, d.Desk, path)
	c.fields(path)
	if m, ok := d.Desk.(*mailSection); ok {
		c.mailDesk(conf, m, path)
	}
	for _, s := range d.Desk.severities() {
		if !slices.Contains(severities(), s) {
			c.mistake(pointer(path+"/priority", s), "%.40q is no severity; there are %s", s, strings.Join(severities(), ", "))
		}
	}
	if len(mistakes(c.found)) > before || !c.whole(path) {
		return // what is told need not be told again by the desk itself
	}
	if err := c.complete(conf, *d).Check(); err != nil {
		for line := range strings.Lines(err.Error()) {
			c.mistake(path, "%s", strings.TrimSpace(line))
		}
	}
}

// complete is the desk as it will be when secrets that could not be read are there.
func (c *checker) complete(conf *config, d destinationConfig) ticket.Desk {
	all := maps.Clone(d.Secrets)
	for name, s := range all {
		if !s.set() {
			all[name] = newSecret("a secret that is not here")
		}
	}
	d.Secrets = all
	return deskOf(conf, d, client(nil), graph.Tenants{})
}

func severities() []string {
	var out []string
	for l := events.Compromised; l >= events.Clear; l-- {
		out = append(out, l.String())
	}
	return out
}

// deskSecrets reads those secrets that the section names.
func (c *checker) deskSecrets(d *destinationConfig, path string, written map[string]any, kind deskKind) {
	d.Secrets, d.SecretFiles = map[string]secret{}, map[string]string{}
	for _, s := range kind.secrets {
		file, _ := written[s.key+"_file"].(string)
		env, _ := written[s.key+"_env"].(string)
		if s.required {
			c.required(path, s.key, file, env)
		}
		if file != "" || env != "" {
			d.Secrets[s.key] = c.secret(path+"/"+s.key, &file, env)
			d.SecretFiles[s.key+"_file"] = file // empty: it is not in a file
		}
	}
}

// customers checks that every tenant's tickets have a place, and that every place
// is a tenant's.
func (c *checker) customers(conf *config, s deskSection, path string) {
	ids := tenantIDs(conf)
	named, triage := s.tenants()
	has := map[string]string{}
	for _, name := range named {
		at := pointer(path+"/customers", name)
		id, ok := ids[strings.ToLower(name)]
		switch {
		case !ok:
			var known []string
			for _, t := range conf.Tenants {
				known = append(known, t.Name)
			}
			hint := "; there are " + strings.Join(known, ", ")
			if n := rules.Nearest(name, known); n != "" {
				hint = "; did you mean " + n + "?"
			}
			c.mistake(at, "no tenant is called %.64q%s", name, hint)
		case has[id] != "":
			c.mistake(at, "the tenant is in the map twice, also as %s", has[id])
		default:
			has[id] = name
		}
	}
	var without []string
	for _, t := range conf.Tenants {
		if t.ID != "" && has[t.ID] == "" {
			without = append(without, t.Name)
		}
	}
	switch text := strings.Join(without, ", "); {
	case len(without) == 0 || !c.whole(path+"/customers") || !c.whole(path+"/triage"):
	case triage:
		c.warning(path+"/customers", "no place for the tickets of %s: they go to triage", text)
	default:
		c.mistake(path+"/customers", "no place for the tickets of %s: add it, or a place for triage", text)
	}
}

// mailDesk checks that there are mailboxes for the mails to a desk to come from.
func (c *checker) mailDesk(conf *config, s *mailSection, path string) {
	ids, from := tenantIDs(conf), map[string]string{}
	for _, t := range conf.Tenants {
		from[t.ID] = t.MailFrom
	}
	sends := func(at, name string) {
		if id := ids[strings.ToLower(name)]; id == "" {
			c.mistake(at, "no tenant is called %.64q", name)
		} else if from[id] == "" {
			c.mistake(at, "tenant %s has no mailbox to send from: give it a mail_from, or name another tenant by from", name)
		}
	}
	for name, p := range s.Customers {
		if at := pointer(path+"/customers", name); p.From != "" {
			sends(at+"/from", p.From)
		} else if ids[strings.ToLower(name)] != "" {
			sends(at, name)
		}
	}
	switch named, _ := s.tenants(); {
	case s.Triage == nil:
	case s.Triage.From != "":
		sends(path+"/triage/from", s.Triage.From)
	default:
		for _, t := range conf.Tenants {
			if t.ID != "" && !slices.ContainsFunc(named, func(name string) bool { return ids[strings.ToLower(name)] == t.ID }) {
				sends(path+"/triage", t.Name)
			}
		}
	}
}

// fields checks the templates of a desk's own fields, and of those of each place.
func (c *checker) fields(path string) {
	all := []string{path + "/fields", path + "/triage/fields"}
	places, _ := lookup(c.value, pointerTokens(path+"/customers")).(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(places)) {
		all = append(all, pointer(path+"/customers", name)+"/fields")
	}
	for _, at := range all {
		fields, _ := lookup(c.value, pointerTokens(at)).(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if err := (ticket.Fields{name: fields[name]}).Check(); err != nil {
				c.mistake(pointer(at, name), "the template cannot be used: %s", templateError(err))
			}
		}
	}
}

// templateError is what is wrong with a template, without the words of the
// library around it.
func templateError(err error) string {
	text := err.Error()
	if _, field, ok := strings.Cut(text, "can't evaluate field "); ok {
		field, _, _ = strings.Cut(field, " ")
		return fmt.Sprintf("there is no .%s here; there are .Case, .Asked, .Summary, .Severity, .Policy, .Template, .Findings, .Attention, .Links, .Device.Tenant, .Device.ID, .Device.IntuneID, .Device.Name, .Device.Serial, .Device.OS, .Device.Version, .Device.User and .Device.UserName", field)
	}
	if _, rest, ok := strings.Cut(text, "template: field:"); ok {
		return rest
	}
	return text
}
