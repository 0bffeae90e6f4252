package graphtest_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"curfew/graph/graphtest"
)

// listening is a cloud on loopback HTTPS, and azidentity's options for it.
func listening(t *testing.T) (*desk, azcore.ClientOptions) {
	c := graphtest.NewCloud()
	t.Cleanup(c.Close)
	if err := c.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	client := c.Client()
	t.Cleanup(client.CloseIdleConnections)
	return newDesk(t, c, "contoso", contosoID), azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: c.URL, Services: map[cloud.ServiceName]cloud.ServiceConfiguration{}},
		Transport: client,
		Retry:     policy.RetryOptions{MaxRetries: -1},
	}
}

func scope() policy.TokenRequestOptions {
	return policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}}
}

// The real azidentity gets a token over TLS and Graph takes it.
func TestAzidentityWithASecret(t *testing.T) {
	d, opts := listening(t)
	d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
	cred, err := azidentity.NewClientSecretCredential(contosoID, clientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: opts, DisableInstanceDiscovery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	token, err := cred.GetToken(context.Background(), scope())
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequest("GET", d.cloud.URL+"/v1.0/deviceManagement/managedDevices", nil)
	req.Header.Set("Authorization", "Bearer "+token.Token)
	res, err := opts.Transport.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || d.tenant.Asked("POST", "/"+contosoID+"/oauth2/v2.0/token") != 1 {
		t.Fatalf("status %d; requests %+v", res.StatusCode, d.tenant.Requests())
	}
	for _, r := range d.tenant.Requests() {
		if strings.Contains(string(r.Body), "s3cret") {
			t.Errorf("the secret is in the record: %s", r.Body)
		}
	}
}

func TestAzidentityIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		secret, tenant, want string
		prepare              func(*desk)
	}{
		"a wrong secret":     {"guess", contosoID, "AADSTS7000215", nil},
		"an expired secret":  {secret, contosoID, "AADSTS7000222", func(d *desk) { d.app.ExpireSecret() }},
		"no such tenant":     {secret, fabrikID, "AADSTS90002", nil},
		"consent is revoked": {secret, contosoID, "AADSTS700016", func(d *desk) { d.tenant.RevokeConsent() }},
		"Entra is down": {secret, contosoID, "AADSTS90033", func(d *desk) {
			d.tenant.Inject(graphtest.Fault{Kind: graphtest.TokenDown})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d, opts := listening(t)
			if c.prepare != nil {
				c.prepare(d)
			}
			cred, err := azidentity.NewClientSecretCredential(c.tenant, clientID, c.secret, &azidentity.ClientSecretCredentialOptions{
				ClientOptions: opts, DisableInstanceDiscovery: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err = cred.GetToken(context.Background(), scope()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestAzidentityWithACertificate(t *testing.T) {
	d, opts := listening(t)
	key, cert := selfSigned(t)
	_, other := selfSigned(t)
	d.app.TrustCertificate(cert)
	get := func(cert *x509.Certificate) error {
		cred, err := azidentity.NewClientCertificateCredential(contosoID, clientID, []*x509.Certificate{cert}, key,
			&azidentity.ClientCertificateCredentialOptions{ClientOptions: opts, DisableInstanceDiscovery: true})
		if err != nil {
			return err
		}
		_, err = cred.GetToken(context.Background(), scope())
		return err
	}
	if err := get(cert); err != nil {
		t.Error(err)
	}
	other.PublicKey = cert.PublicKey // the right key under the wrong name
	if err := get(other); err == nil || !strings.Contains(err.Error(), "AADSTS700027") {
		t.Errorf("an unknown certificate: %v", err)
	}
}

func TestAzidentityWithAnAssertion(t *testing.T) {
	d, opts := listening(t)
	d.app.TrustAssertion("header.claims.signature")
	for assertion, good := range map[string]bool{"header.claims.signature": true, "header.claims.forged": false} {
		cred, err := azidentity.NewClientAssertionCredential(contosoID, clientID,
			func(context.Context) (string, error) { return assertion, nil },
			&azidentity.ClientAssertionCredentialOptions{ClientOptions: opts, DisableInstanceDiscovery: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cred.GetToken(context.Background(), scope()); (err == nil) != good {
			t.Errorf("%s: %v", assertion, err)
		}
	}
}

func selfSigned(t *testing.T) (*rsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "curfew"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}

func TestGraphChecksTheToken(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.get("deviceManagement/managedDevices").wants(200)
		good := d.token
		for name, token := range map[string]string{"none": "", "nonsense": "x", "forged": good[:len(good)-4] + "AAAA"} {
			d.token = token
			a := d.get("deviceManagement/managedDevices").wants(401).is("InvalidAuthenticationToken", "error", "code")
			if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("%s: no challenge: %v", name, a.header)
			}
		}
		d.token = good
		time.Sleep(time.Hour)
		d.get("deviceManagement/managedDevices").wants(401).is("Lifetime validation failed, the token is expired.", "error", "message")
	})
}

func TestATokenHasTheRolesOfItsDay(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		app := d.tenant.AddApp("c0ffee00-0000-4000-8000-000000000001", "x", "Device.Read.All")
		d.token = app.Token()
		d.get("devices").wants(200)
		d.get("security/alerts_v2").wants(403).is("Forbidden", "error", "code")
		d.get("deviceManagement/managedDevices").wants(403)
		app.Grant("SecurityAlert.Read.All")
		d.get("security/alerts_v2").wants(403) // an old token
		d.token = app.Token()
		d.get("security/alerts_v2").wants(200)
		app.Revoke("SecurityAlert.Read.All")
		d.get("security/alerts_v2").wants(403)
	})
}

func TestEndedSessionsAreChallenged(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.app.EndSessions()
		a := d.get("devices").wants(401)
		if !strings.Contains(a.header.Get("WWW-Authenticate"), `error="insufficient_claims"`) {
			t.Errorf("no claims challenge: %v", a.header)
		}
		d.token = d.app.Token()
		d.get("devices").wants(200)
	})
}

func TestTheTokenDecidesTheTenant(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		other := newDesk(t, d.cloud, "fabrik", fabrikID)
		lt := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		other.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		d.get("deviceManagement/managedDevices/" + lt.ID).wants(200)
		other.get("deviceManagement/managedDevices/" + lt.ID).wants(404)
	})
}

// In a bubble, azidentity needs no option but the transport: the cloud answers
// for login.microsoftonline.com, instance discovery included.
func TestAzidentityInABubble(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		client := &http.Client{Transport: d.cloud.Transport()}
		cred, err := azidentity.NewClientSecretCredential(contosoID, clientID, secret, &azidentity.ClientSecretCredentialOptions{
			ClientOptions: azcore.ClientOptions{Transport: client},
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // the second comes from the cache, the third does not
			token, err := cred.GetToken(t.Context(), scope())
			if err != nil {
				t.Fatal(err)
			}
			d.token = token.Token
			d.get("devices").wants(200)
			time.Sleep(40 * time.Minute)
		}
		if n := d.tenant.Asked("POST", "/"+contosoID); n != 2 {
			t.Errorf("%d tokens asked for", n)
		}
	})
}

func TestStrangersAreRecorded(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.token = ""
		d.get("devices").wants(401)
		d.get("https://login.microsoftonline.com/" + fabrikID + "/v2.0/.well-known/openid-configuration").wants(400)
		d.get("https://graph.microsoft.com/").wants(404)
		d.get("https://graph.microsoft.com/v2.0/devices").wants(404)
		if all := d.cloud.Strangers(); len(all) != 4 || all[0].Status != 401 {
			t.Errorf("%+v", all)
		}
	})
}
