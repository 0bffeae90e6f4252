package graph_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"curfew/graph"
	"curfew/graph/graphtest"
)

// listening is a cloud on loopback HTTPS: the real azidentity, the real sockets.
func listening(t *testing.T) (*desk, *graph.Endpoint) {
	t.Helper()
	cloud := graphtest.NewCloud()
	t.Cleanup(cloud.Close)
	if err := cloud.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	tenant := cloud.AddTenant("contoso", contosoID)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cloud.CA())
	d := &desk{t: t, cloud: cloud, tenant: tenant, app: tenant.AddApp(clientID, secret, graphtest.AllRoles()...), ctx: t.Context()}
	return d, &graph.Endpoint{Graph: cloud.URL, Login: cloud.URL, CA: pool}
}

// over is a client without a transport of its own.
func (d *desk) over(e *graph.Endpoint, how graph.Auth) *graph.Client {
	d.t.Helper()
	c := d.reach(func(c *graph.Tenant) { c.Transport, c.Endpoint, c.Auth = nil, e, how })
	d.t.Cleanup(c.Close)
	return c
}

func TestEveryWayToSignIn(t *testing.T) {
	d, e := listening(t)
	laptop := d.tenant.AddDevice(ana("LT-042"))
	pemFile, cert := certificate(t)
	d.app.TrustCertificate(cert)
	d.app.TrustAssertion("a.platform.token")
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte("a.platform.token"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, auth := range map[string]graph.Auth{
		"secret":            {Client: clientID, Secret: secret},
		"certificate":       {Client: clientID, Certificate: pemFile},
		"workload identity": {Client: clientID, TokenFile: tokenFile},
	} {
		t.Run(name, func(t *testing.T) {
			d.client = d.over(e, auth)
			dev := d.look(laptop)
			if err := d.client.Scan(d.ctx, dev, true); err != nil {
				t.Error(err)
			}
			complete(t, d.sweep(newBook()).SweepDevices(d.ctx))
		})
	}
	wrong := d.over(e, graph.Auth{Client: clientID, Secret: "wrong"})
	if _, err := wrong.Look(d.ctx, d.kase(laptop)); asError(t, err).Code != "AADSTS7000215" || strings.Contains(err.Error(), "wrong;") == false {
		t.Error(err)
	}
	if strangers := d.cloud.Strangers(); len(strangers) != 0 {
		t.Errorf("asked without a token: %+v", strangers)
	}
}

func TestAMachinesOwnIdentity(t *testing.T) {
	d, _ := listening(t)
	laptop := d.tenant.AddDevice(ana("LT-042"))
	token := d.app.Token()
	d.app.TrustAssertion(token)
	for name, auth := range map[string]graph.Auth{
		"itself":              {Managed: &graph.ManagedIdentity{}},
		"one it was given":    {Managed: &graph.ManagedIdentity{Client: clientID}},
		"standing for an app": {Client: clientID, Managed: &graph.ManagedIdentity{}},
	} {
		t.Run(name, func(t *testing.T) {
			client := d.reach(func(c *graph.Tenant) {
				next := c.Transport
				c.Auth = auth
				c.Transport = wireTap(func(r *http.Request) (*http.Response, error) {
					if r.URL.Host != "169.254.169.254" { // the instance metadata service
						return next.RoundTrip(r)
					}
					audience := r.URL.Query().Get("resource")
					if standing := auth.Client != ""; standing != (audience == "api://AzureADTokenExchange") {
						t.Errorf("a token for %s", audience)
					}
					return jsonAnswer(`{"access_token":"` + token + `","expires_in":"3600","resource":"` + audience + `","token_type":"Bearer"}`), nil
				})
			})
			if dev, err := client.Look(d.ctx, d.kase(laptop)); err != nil || dev.Name != "LT-042" {
				t.Errorf("%v %+v", err, dev)
			}
		})
	}
}

func TestACloudsOwnNames(t *testing.T) {
	for name, want := range map[graph.Cloud][2]string{
		"":            {"graph.microsoft.com", "login.microsoftonline.com"},
		graph.Global:  {"graph.microsoft.com", "login.microsoftonline.com"},
		graph.USGovL4: {"graph.microsoft.us", "login.microsoftonline.us"},
		graph.USGovL5: {"dod-graph.microsoft.us", "login.microsoftonline.us"},
		graph.China:   {"microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn"},
	} {
		t.Run(string(name), func(t *testing.T) {
			story(t, func(t *testing.T, d *desk) {
				laptop := d.tenant.AddDevice(ana("LT-042"))
				scope := ""
				client := d.reach(func(c *graph.Tenant) {
					next := c.Transport
					c.Cloud = name
					c.Transport = wireTap(func(r *http.Request) (*http.Response, error) {
						if host := r.URL.Host; host != want[0] && host != want[1] {
							t.Errorf("%s was asked", host)
						}
						if strings.HasSuffix(r.URL.Path, "/token") {
							body, _ := io.ReadAll(r.Body)
							scope = string(body)
							r.Body = io.NopCloser(strings.NewReader(scope))
						}
						return next.RoundTrip(r)
					})
				})
				if _, err := client.Look(d.ctx, d.kase(laptop)); err != nil {
					t.Error(err)
				}
				if !strings.Contains(scope, "scope=https%3A%2F%2F"+want[0]+"%2F.default") {
					t.Errorf("asked for a token with %s", strings.ReplaceAll(scope, secret, ""))
				}
			})
		})
	}
}

func TestAnUntrustedServerHearsNothing(t *testing.T) {
	d, e := listening(t)
	e.CA = x509.NewCertPool()
	client := d.over(e, graph.Auth{Client: clientID, Secret: secret})
	if err := client.Sync(d.ctx, d.dev()); err == nil || asError(t, err).Unsure() {
		t.Error(err)
	}
	if n := d.tenant.Asked("", ""); n != 0 {
		t.Errorf("asked %d times", n)
	}
}

func TestNobodyListens(t *testing.T) {
	d, e := listening(t)
	dev := d.dev()
	client := d.over(e, graph.Auth{Client: clientID, Secret: secret})
	if err := client.Sync(d.ctx, dev); asError(t, err).Status != 404 {
		t.Fatal(err)
	}
	client.Close()
	d.cloud.Close()
	// The connection was never made: nothing can have been done.
	e1 := asError(t, client.Sync(d.ctx, dev))
	if e1.Unsure() || e1.GiveUp() || !strings.Contains(e1.Error(), "no answer") {
		t.Error(e1)
	}
}

func certificate(t *testing.T) ([]byte, *x509.Certificate) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "curfew"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pk, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pk}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...), cert
}
