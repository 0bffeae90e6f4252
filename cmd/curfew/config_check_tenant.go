package main

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// tenants checks the tenants one by one and against each other.
func (c *checker) tenants(conf *config) {
	names, ids := map[string]int{}, map[string]int{}
	managed := 0
	for i := range conf.Tenants {
		t, path := &conf.Tenants[i], fmt.Sprintf("/tenants/%d", i)
		if j, ok := names[strings.ToLower(t.Name)]; ok && t.Name != "" {
			c.mistake(path+"/name", "tenant %d has this name too; small and capital letters are the same here", j+1)
		} else {
			names[strings.ToLower(t.Name)] = i
		}
		t.ID = strings.ToLower(t.ID)
		if j, ok := ids[t.ID]; ok && t.ID != "" {
			c.mistake(path+"/id", "tenant %d has this id too", j+1)
		} else {
			ids[t.ID] = i
		}
		c.guid(path+"/id", t.ID)
		c.endpoints(t, path)
		c.defender(t, path)
		c.identities(conf, t, path)
		if t.Auth.ManagedIdentity != nil && t.Auth.ClientID == "" {
			if managed++; managed == 2 {
				c.warning(path+"/auth/managed_identity", "a managed identity gets tokens for its own tenant only: with client_id it stands for an app of this tenant")
			}
		}
		c.resources(t, path+"/subscribe")
		if t.Cloud == "china" && t.Look.Alerts {
			// Graph docs, national clouds: the security API is not there.
			if t.Look.Alerts = false; c.written(path + "/look/alerts") {
				c.mistake(path+"/look/alerts", "Microsoft's cloud in China has no alerts in Graph")
			}
		}
	}
}

// guid refuses the one GUID that names nothing.
func (c *checker) guid(path, id string) {
	if strings.Trim(id, "0-") == "" && id != "" {
		c.mistake(path, "this is a placeholder: put the real id in")
	}
}

// endpoints checks the addresses that stand in for a cloud's own. Tokens travel
// there, so nothing but https will do, for this machine neither.
func (c *checker) endpoints(t *tenantConfig, path string) {
	e := t.Endpoints
	if e == nil {
		return
	}
	if c.written(path + "/cloud") {
		c.mistake(path+"/endpoints", "cloud and endpoints: name one")
	}
	for _, end := range []struct {
		key  string
		addr *string
	}{{"graph", &e.Graph}, {"login", &e.Login}} {
		at := path + "/endpoints/" + end.key
		if *end.addr = strings.TrimRight(c.url(at, *end.addr, httpsOnly), "/"); *end.addr != "" {
			if u, err := url.Parse(*end.addr); err == nil && u.Path != "" {
				c.mistake(at, "this must be https://host or https://host:port, with nothing after it")
			}
		}
	}
	e.CA = c.authorities(path+"/endpoints/ca_file", &e.CAFile)
}

// auth checks how Curfew signs in, and reads the secrets for it if it has to.
func (c *checker) auth(a *authConfig, cloud, path string, read bool) {
	if a.WorkloadIdentity != nil && a.WorkloadIdentity.off {
		a.WorkloadIdentity = nil
	}
	if a.ManagedIdentity != nil && a.ManagedIdentity.off {
		a.ManagedIdentity = nil
	}
	var ways []string // the keys that were used, by the way they stand for
	for _, way := range []struct {
		key string
		set bool
	}{
		{"client_secret_file", a.ClientSecretFile != ""},
		{"client_secret_env", a.ClientSecretEnv != "" && a.ClientSecretFile == ""},
		{"certificate_file", a.CertificateFile != ""},
		{"workload_identity", a.WorkloadIdentity != nil},
		{"managed_identity", a.ManagedIdentity != nil},
	} {
		if way.set {
			ways = append(ways, way.key)
		}
	}
	switch {
	case len(ways) == 0 && c.whole(path) && c.written(path):
		c.mistake(path, "there is no way to sign in: name one of client_secret_file, client_secret_env, certificate_file, workload_identity and managed_identity")
	case len(ways) > 1:
		c.mistake(path+"/"+ways[1], "%s and %s: only one way to sign in can count", ways[0], ways[1])
	}
	c.guid(path+"/client_id", a.ClientID)
	if a.ClientID == "" && len(ways) > 0 && a.ManagedIdentity == nil {
		c.mistake(path+"/client_id", "this is missing: the application (client) id of the app registration")
	}
	if a.ManagedIdentity != nil {
		c.guid(path+"/managed_identity/client_id", a.ManagedIdentity.ClientID)
		if a.ClientID != "" && cloud != "global" {
			c.mistake(path+"/managed_identity", "a managed identity can stand for an app in the global cloud only: use a certificate")
		}
	}
	if read {
		c.credentials(a, path)
	}
}

func (c *checker) credentials(a *authConfig, path string) {
	a.ClientSecret = c.secret(path+"/client_secret", &a.ClientSecretFile, a.ClientSecretEnv)
	if day := a.ClientSecretExpires; day != "" {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			c.mistake(path+"/client_secret_expires", "there is no such day; write one such as 2027-01-31")
		}
	}
	a.CertificatePassword = c.secret(path+"/certificate_password", &a.CertificatePasswordFile, a.CertificatePasswordEnv)
	if a.CertificateFile != "" {
		a.Certificate = c.certificate(path+"/certificate_file", &a.CertificateFile)
	} else if at := path + "/certificate_password"; c.written(at+"_file") || c.written(at+"_env") {
		c.mistake(path, "there is a password for a certificate, but no certificate_file")
	}
	if w := a.WorkloadIdentity; w != nil {
		at := path + "/workload_identity"
		a.TokenFile = c.path(w.TokenFile)
		if w.TokenFile == "" {
			if a.TokenFile = c.o.Getenv("AZURE_FEDERATED_TOKEN_FILE"); a.TokenFile == "" {
				c.missingFile(at, "the environment variable AZURE_FEDERATED_TOKEN_FILE is not set: the platform sets it, or name a token_file")
			}
		}
		if a.TokenFile != "" && !isFile(a.TokenFile) {
			c.missingFile(at, "the file with the federated token is not there")
		}
	}
}

// resources checks what to subscribe to. Graph offers change notifications for
// users and groups, but for neither managed devices, Entra's devices nor alerts
// (Graph docs: change-notifications-overview, resources).
func (c *checker) resources(t *tenantConfig, path string) {
	for i, r := range t.Subscribe {
		at := fmt.Sprintf("%s/%d", path, i)
		r = strings.Trim(r, "/")
		t.Subscribe[i] = r
		first, rest, _ := strings.Cut(strings.ToLower(r), "/")
		switch {
		case slices.Contains(t.Subscribe[:i], r):
			c.mistake(at, "%s is in the list twice", r)
		case first == "devices", first == "devicemanagement", first == "security" && !strings.HasPrefix(rest, "alerts?") && rest != "alerts":
			c.warning(at, "Graph is not known to send notifications for %s; where a tenant refuses, the sweeps find what is new there", r)
		case first == "security":
			c.warning(at, "Microsoft has announced the end of security/alerts: the sweep of alerts does not need it")
		}
	}
}

// destinations checks where tickets and pages go.
func (c *checker) destinations(conf *config) {
	for _, name := range slices.Sorted(maps.Keys(conf.Destinations)) {
		d, path := conf.Destinations[name], pointer("/destinations", name)
		if d.Kind == "webhook" {
			c.webhook(&d, path)
		}
		c.pager(conf, &d, path)
		if kind, ok := deskKinds()[d.Kind]; ok {
			c.desk(conf, &d, path, kind)
		}
		if channelOf(d) != nil {
			c.channel(&d, path)
		}
		d.CA = c.authorities(path+"/ca_file", &d.CAFile)
		conf.Destinations[name] = d
	}
}

// urls reads an address that may hold a secret.
func (c *checker) urls(d *destinationConfig, path string) {
	ways := 0
	for _, set := range []string{d.URLPlain, d.URLFile, d.URLEnv} {
		if set != "" {
			ways++
		}
	}
	switch {
	case ways == 0 && c.whole(path):
		c.mistake(path+"/url", "this is missing: name the address by url, url_file or url_env")
	case ways > 1:
		c.mistake(path, "the address is there more than once: name one of url, url_file and url_env")
	case d.URLPlain != "":
		d.URL = newSecret(c.url(path+"/url", d.URLPlain, loopbackToo))
	case ways == 1:
		if d.URL = c.secret(path+"/url", &d.URLFile, d.URLEnv); d.URL.set() {
			at := path + "/url_file"
			if d.URLEnv != "" {
				at = path + "/url_env"
			}
			c.url(at, d.URL.reveal(), loopbackToo)
		}
	}
	d.URLPlain = "" // it may hold a secret, and is not shown from here on
}

func (c *checker) webhook(d *destinationConfig, path string) {
	c.urls(d, path)
	c.required(path, "secret", d.SecretFile, d.SecretEnv)
	d.Secret = c.secret(path+"/secret", &d.SecretFile, d.SecretEnv)
	if n := len(d.Secret.reveal()); d.Secret.set() && n < minSecret {
		c.mistake(path, "the secret has %d characters; it needs %d or more to sign with", n, minSecret)
	}
	d.Authorization = c.secret(path+"/authorization", &d.AuthorizationFile, d.AuthorizationEnv)
}

// Lengths of secrets: what a signature needs, and what PagerDuty's integration
// keys have (PagerDuty docs: Events API v2).
const (
	minSecret     = 16
	routingKeyLen = 32
)

func (c *checker) pagerduty(d *destinationConfig, path string) {
	c.required(path, "routing_key", d.RoutingKeyFile, d.RoutingKeyEnv)
	d.RoutingKey = c.secret(path+"/routing_key", &d.RoutingKeyFile, d.RoutingKeyEnv)
	if n := len(d.RoutingKey.reveal()); d.RoutingKey.set() && n != routingKeyLen {
		c.mistake(path, "the routing key has %d characters; an integration key of PagerDuty has %d", n, routingKeyLen)
	}
	c.endpoint(d, path)
}

// required checks that a secret is named.
func (c *checker) required(path, key, file, env string) {
	if file == "" && env == "" && c.whole(path) {
		c.mistake(path+"/"+key+"_file", "this is missing, and so is %s_env: name one", key)
	}
}

// Which addresses will do besides https.
const (
	httpsOnly   = false
	loopbackToo = true
)

// url checks an address and gives it back, or "". It is never quoted: it may
// hold a token.
func (c *checker) url(path, raw string, local bool) string {
	if raw == "" {
		return ""
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		c.mistake(path, "this is not an address such as https://curfew.example.com")
	case u.User != nil:
		c.mistake(path, "credentials do not belong into an address")
	case u.Fragment != "":
		c.mistake(path, "an address has no # part")
	case u.Scheme == "http" && !local:
		c.mistake(path, "http:// is not safe: use https://")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		c.mistake(path, "http:// is not safe beyond this machine: use https://")
	case u.RawQuery != "" && (strings.HasSuffix(path, "/public_url") || !local):
		c.mistake(path, "this address has no ? part")
	default:
		return raw
	}
	return ""
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
