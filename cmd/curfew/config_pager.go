package main

import (
	"slices"
	"strings"

	"curfew/handlers/sign"
)

// pageKinds are the kinds of destinations that pages go to, each with its check.
func pageKinds() map[string]func(*checker, *config, *destinationConfig, string) {
	return map[string]func(*checker, *config, *destinationConfig, string){
		"pagerduty":    func(c *checker, _ *config, d *destinationConfig, path string) { c.pagerduty(d, path) },
		"opsgenie":     func(c *checker, _ *config, d *destinationConfig, path string) { c.apiKey(d, path); c.endpoint(d, path) },
		"jsm":          func(c *checker, _ *config, d *destinationConfig, path string) { c.apiKey(d, path); c.endpoint(d, path) },
		"goalert":      func(c *checker, _ *config, d *destinationConfig, path string) { c.apiKey(d, path); c.urls(d, path) },
		"grafana":      func(c *checker, _ *config, d *destinationConfig, path string) { c.urls(d, path) },
		"page-webhook": func(c *checker, _ *config, d *destinationConfig, path string) { c.webhook(d, path) },
		"rota":         (*checker).rotaOf,
	}
}

// pager checks a destination of pages, if it is one.
func (c *checker) pager(conf *config, d *destinationConfig, path string) {
	check, ok := pageKinds()[d.Kind]
	if !ok {
		return
	}
	check(c, conf, d, path)
	c.hookSecret(conf, d, path)
}

// hookSecret checks what a destination's own webhooks are known by.
func (c *checker) hookSecret(conf *config, d *destinationConfig, path string) {
	d.HookSecret = c.secret(path+"/hook_secret", &d.HookSecretFile, d.HookSecretEnv)
	if n := len(d.HookSecret.reveal()); d.HookSecret.set() && n < sign.MinSecret {
		c.mistake(path, "the hook secret has %d characters; it needs %d or more, or somebody guesses it", n, sign.MinSecret)
	}
	if (d.HookSecretFile != "" || d.HookSecretEnv != "") && conf.PublicURL == "" {
		c.warning(path, "it has a hook secret, but there is no public_url: what it posts to /hooks/... has to reach this machine")
	}
}

func (c *checker) apiKey(d *destinationConfig, path string) {
	c.required(path, "api_key", d.APIKeyFile, d.APIKeyEnv)
	d.APIKey = c.secret(path+"/api_key", &d.APIKeyFile, d.APIKeyEnv)
}

// endpoint checks what stands in for a vendor's own address.
func (c *checker) endpoint(d *destinationConfig, path string) {
	if d.Endpoint == "" {
		return
	}
	if d.Region != "" {
		c.mistake(path+"/endpoint", "region and endpoint: name one")
	}
	d.Endpoint = strings.TrimRight(c.url(path+"/endpoint", d.Endpoint, httpsOnly), "/")
}

// rotaOf checks a destination that wakes people by a rota of the file's own.
func (c *checker) rotaOf(conf *config, d *destinationConfig, path string) {
	if _, ok := conf.OnCall.Rotations[d.Rotation]; !ok && c.whole(path) && c.whole("/oncall/rotations") {
		c.mistake(path+"/rotation", "%.64q is none of oncall.rotations", d.Rotation)
		return
	}
	mails := slices.ContainsFunc(conf.OnCall.Rotations[d.Rotation].Order, func(p string) bool { return conf.OnCall.People[p].Mail != "" })
	for i, t := range conf.Tenants {
		if mails && t.MailFrom == "" && c.whole(pointerOf("/tenants", i)) {
			c.mistake(pointerOf("/tenants", i)+"/mail_from", "this is missing: the rota %s sends mails; name the mailbox they come from", d.Rotation)
		}
	}
}
