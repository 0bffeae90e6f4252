package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"curfew/graph"
)

// A local is a check of what is no permission.
type local struct {
	Tenant   string `json:"tenant,omitempty"`
	Identity string `json:"identity,omitempty"`
	Check    string `json:"check"`
	State    string `json:"state"`
	Text     string `json:"text"`
}

// The states of a local check.
const (
	fine    = "fine"
	note    = "note" // nothing that must be done
	bad     = "bad"
	unknown = "unknown"
)

// soon is how long before a certificate runs out somebody should hear of it.
const soon = 30 * 24 * time.Hour

// localChecks looks at this machine.
func localChecks(ctx context.Context, conf *config, now time.Time) []local {
	var all []local
	for _, f := range privateFiles(conf) {
		if c, ok := f.mode(); ok {
			all = append(all, c)
		}
	}
	for _, t := range conf.Tenants {
		if conf.Role.watches() || t.Actuator == nil {
			all = append(all, credentialEnd(t.Name, "auth", t.Auth, now))
		}
		if t.Actuator != nil && conf.Role.acts() {
			all = append(all, credentialEnd(t.Name, "actuator", *t.Actuator, now))
		}
	}
	if conf.Role.watches() {
		if conf.TLS != nil {
			all = append(all, certificateEnd("tls.cert_file", conf.TLS.CertFile, now))
		}
		if conf.PublicURL != "" {
			all = append(all, reach(ctx, conf.PublicURL))
		}
	}
	if conf.NATS == nil || conf.Role == roleAct { // where it notes what it has called
		all = append(all, writable(conf.Data))
	}
	return all
}

// A private is a file that others should not read, and the key that names it.
type private struct{ key, file string }

// privateFiles are those that the role uses.
func privateFiles(conf *config) []private {
	var all []private
	add := func(key, file string) {
		if file != "" && !inVault(file) {
			all = append(all, private{key, file})
		}
	}
	auth := func(key string, a authConfig) {
		add(key+".client_secret_file", a.ClientSecretFile)
		add(key+".certificate_file", a.CertificateFile)
		add(key+".certificate_password_file", a.CertificatePasswordFile)
	}
	for i, t := range conf.Tenants {
		if conf.Role.watches() || t.Actuator == nil {
			auth(fmt.Sprintf("tenants[%d].auth", i), t.Auth)
		}
		if t.Actuator != nil && conf.Role.acts() {
			auth(fmt.Sprintf("tenants[%d].actuator", i), *t.Actuator)
		}
	}
	if n := conf.NATS; n != nil {
		add("nats.creds_file", n.CredsFile)
		add("nats.nkey_file", n.NKeyFile)
		add("nats.password_file", n.PasswordFile)
		add("nats.key_file", n.KeyFile)
	} else {
		add("the key of the queue", filepath.Join(conf.Data, "nats.nk"))
	}
	if conf.Role.watches() {
		if conf.TLS != nil {
			add("tls.key_file", conf.TLS.KeyFile)
		}
		for name, d := range conf.Destinations {
			for key, file := range map[string]string{"url_file": d.URLFile, "secret_file": d.SecretFile, "authorization_file": d.AuthorizationFile, "routing_key_file": d.RoutingKeyFile, "api_key_file": d.APIKeyFile, "hook_secret_file": d.HookSecretFile} {
				add("destinations."+name+"."+key, file)
			}
			for key, file := range d.SecretFiles {
				add("destinations."+name+"."+key, file)
			}
		}
		for name, p := range conf.OnCall.People {
			add("oncall.people."+name+".url_file", p.URLFile)
			add("oncall.people."+name+".secret_file", p.SecretFile)
		}
	}
	return all
}

// mode says who may read the file. One that is not there yet is made as it should be.
func (f private) mode() (local, bool) {
	info, err := os.Stat(f.file)
	c := local{Check: "file mode", State: fine}
	switch {
	case errors.Is(err, fs.ErrNotExist), runtime.GOOS == "windows": // where modes say nothing
		return c, false
	case err != nil:
		c.State, c.Text = unknown, f.key+": "+reason(err)
	case info.Mode().Perm()&0o007 != 0:
		c.State, c.Text = bad, fmt.Sprintf("%s: everybody on this machine can use the file (mode %04o): chmod o=", f.key, info.Mode().Perm())
	case info.Mode().Perm()&0o020 != 0:
		c.State, c.Text = note, fmt.Sprintf("%s: its group can write the file (mode %04o): chmod g-w", f.key, info.Mode().Perm())
	default:
		c.Text = f.key
	}
	return c, true
}

// credentialEnd says when an identity can sign in no more, as far as that can be known.
func credentialEnd(tenant, key string, a authConfig, now time.Time) local {
	c := local{Tenant: tenant, Check: key, State: fine}
	end, known := a.ends()
	switch {
	case a.ClientSecret.set() && known:
		return endAt(c, "client secret", end, now)
	case a.ClientSecret.set():
		c.State, c.Text = unknown, "no permission that Curfew has shows when a client secret runs out: see the app registration, Certificates & secrets, and write it as client_secret_expires; a certificate, or an identity of the platform, is better"
	case a.Certificate.set():
		return endOf(c, []byte(a.Certificate.reveal()), now)
	default:
		c.Text = "the platform keeps what it signs in with"
	}
	return c
}

func certificateEnd(key, file string, now time.Time) local {
	c := local{Check: key}
	b, err := readBounded(file, maxCA)
	if err != nil {
		c.State, c.Text = bad, reason(err)
		return c
	}
	return endOf(c, b, now)
}

// ends is when an identity can sign in no more, where that can be known.
func (a authConfig) ends() (time.Time, bool) {
	switch {
	case a.ClientSecret.set():
		end, err := time.Parse(time.DateOnly, a.ClientSecretExpires)
		return end, err == nil
	case a.Certificate.set():
		cert, err := firstCertificate([]byte(a.Certificate.reveal()))
		if err == nil && cert != nil {
			return cert.NotAfter, true
		}
	}
	return time.Time{}, false
}

// firstCertificate is the first certificate in PEM, or nil if there is none.
func firstCertificate(data []byte) (*x509.Certificate, error) {
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, nil
		}
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
}

// endOf says when the first certificate in PEM runs out.
func endOf(c local, data []byte, now time.Time) local {
	cert, err := firstCertificate(data)
	switch {
	case err != nil:
		c.State, c.Text = bad, "the certificate cannot be read"
	case cert == nil:
		c.State, c.Text = unknown, "when the certificate runs out can be read of PEM only"
	case now.Before(cert.NotBefore) && now.Before(cert.NotAfter):
		c.State, c.Text = bad, "the certificate is not valid before "+cert.NotBefore.UTC().Format(time.RFC3339)
	default:
		return endAt(c, "certificate", cert.NotAfter, now)
	}
	return c
}

// endAt says when something runs out.
func endAt(c local, what string, at, now time.Time) local {
	end := at.UTC().Format(time.DateOnly)
	switch left := at.Sub(now); {
	case left <= 0:
		c.State, c.Text = bad, "the "+what+" has run out on "+end
	case left < soon:
		c.State, c.Text = note, "the "+what+" runs out on "+end+", in "+span(left)
	default:
		c.State, c.Text = fine, "the "+what+" is good until "+end
	}
	return c
}

// A token is dated five minutes back, and is kept for a while by whoever issues
// it; more than that is a clock that is wrong.
const (
	slack = time.Minute
	stale = 15 * time.Minute
)

// clock compares this machine's clock with the times of a token that was just
// fetched.
func clock(g graph.Grant, a authConfig, now time.Time) local {
	c := local{Check: "clock", State: fine, Text: "this machine's clock and Microsoft's agree"}
	switch {
	case g.Issued.IsZero():
		c.State, c.Text = unknown, "the token does not say when it was issued"
	case now.Before(g.Issued.Add(-slack)):
		c.State, c.Text = bad, fmt.Sprintf("this machine's clock is behind Microsoft's by %s or more: set it by NTP", span(g.Issued.Sub(now)))
	case !now.Before(g.Expires):
		c.State, c.Text = bad, fmt.Sprintf("the token that was just fetched has expired: this machine's clock is ahead by %s or more: set it by NTP", span(now.Sub(g.Expires)))
	case now.Sub(g.Issued) > stale && a.ManagedIdentity == nil: // the platform keeps its tokens for a day
		c.State, c.Text = note, fmt.Sprintf("the token that was just fetched is %s old: this machine's clock may be ahead", span(now.Sub(g.Issued)))
	}
	return c
}

// writable says whether a worker can keep its data there. Nothing is left behind.
func writable(dir string) local {
	c := local{Check: "data directory", State: fine, Text: dir + " can be written"}
	at := dir
	for { // it is made when a worker starts
		if info, err := os.Stat(at); err == nil {
			if !info.IsDir() {
				c.State, c.Text = bad, at+" is a file"
				return c
			}
			break
		} else if parent := filepath.Dir(at); !errors.Is(err, fs.ErrNotExist) || parent == at {
			c.State, c.Text = bad, at+": "+reason(err)
			return c
		}
		at = filepath.Dir(at)
	}
	f, err := os.CreateTemp(at, ".curfew-doctor-*")
	if err != nil {
		c.State, c.Text = bad, "nothing can be written to "+at+": "+reason(err)
		return c
	}
	_, err = f.Write(make([]byte, 4096))
	if err = errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		c.State, c.Text = bad, "nothing can be written to "+at+": "+reason(err)
	}
	return c
}

// reach asks for the webhook as Graph does when it makes a subscription. From
// here it may fail although Graph gets through.
func reach(ctx context.Context, public string) local {
	c := local{Check: "public_url", State: note}
	hello := "doctor-" + rand.Text()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, public+"/graph/notifications?validationToken="+url.QueryEscape(hello), http.NoBody)
	if err != nil {
		c.Text = "it is no address"
		return c
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		if at, ok := errors.AsType[*url.Error](err); ok {
			err = at.Err // without the address
		}
		c.Text = "the webhook does not answer from here, which need not mean that Graph does not get through: " + oneLine(err)
		return c
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, 4096))
	if res.StatusCode != http.StatusOK || string(body) != hello {
		c.Text = fmt.Sprintf("something answers with %d, and not as a running worker does: does the proxy pass /graph/notifications on, with its query?", res.StatusCode)
		return c
	}
	c.State, c.Text = fine, "the webhook answers"
	return c
}
