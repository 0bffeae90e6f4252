package vault

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	host  = "contoso.vault.azure.net"
	token = "token-of-the-worker"
	value = "hunter2-0123456789"
	one   = "11111111111111111111111111111111"
	two   = "22222222222222222222222222222222"
)

// identity hands out tokens, as Entra does, for the scope that the vault names.
type identity struct{ wrong error }

func (i identity) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if i.wrong != nil {
		return azcore.AccessToken{}, i.wrong
	}
	if len(o.Scopes) != 1 || o.Scopes[0] != "https://vault.azure.net/.default" || o.TenantID != "8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69" {
		return azcore.AccessToken{}, errors.New("a token for something else")
	}
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// A version is one of a secret.
type version struct {
	id, value string
	disabled  bool
}

// A keyVault is a pretended vault.
type keyVault struct {
	mu       sync.Mutex
	secrets  map[string][]version // the newest last
	resource string               // what its challenge names
	fail     int                  // a status that all requests get
	bare     int                  // requests that came without a token
}

func (v *keyVault) say(w http.ResponseWriter, code int, name, inner string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// Errors are {"error": {code, message}} (Key Vault docs: Common parameters and headers).
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": name, "message": "about " + value, "innererror": map[string]string{"code": inner}}})
}

func (v *keyVault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fail != 0 {
		v.say(w, v.fail, "Failed", "")
		return
	}
	// No token, or a wrong one: 401 with a challenge that names the authority and
	// the resource (Key Vault docs: Authentication, requests and responses).
	if r.Header.Get("Authorization") != "Bearer "+token {
		if r.Header.Get("Authorization") == "" {
			v.bare++
		}
		w.Header().Set("WWW-Authenticate", `Bearer authorization="https://login.microsoftonline.com/8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69", resource="`+v.resource+`"`)
		v.say(w, http.StatusUnauthorized, "Unauthorized", "")
		return
	}
	// Every call names the version of the API (Key Vault docs: Common parameters and headers).
	if r.Method != http.MethodGet || r.Host != host || r.URL.Query().Get("api-version") == "" {
		v.say(w, http.StatusBadRequest, "BadParameter", "")
		return
	}
	// GET /secrets/{name}/{version}; without a version, the newest (Key Vault docs: Get Secret).
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	var found *version
	for _, s := range v.secrets[parts[1]] {
		if len(parts) == 2 || parts[2] == s.id {
			found = &s
		}
	}
	switch {
	case found == nil:
		v.say(w, http.StatusNotFound, "SecretNotFound", "")
	case found.disabled: // "enabled" says whether a secret can be read (Key Vault docs: About secrets)
		v.say(w, http.StatusForbidden, "Forbidden", "SecretDisabled")
	default:
		_ = json.NewEncoder(w).Encode(map[string]any{"value": found.value, "id": "https://" + host + "/secrets/" + parts[1] + "/" + found.id, "attributes": map[string]any{"enabled": true}})
	}
}

// open serves a vault over TLS, and gives a reader that reaches nothing else.
func open(t *testing.T, v *keyVault, who azcore.TokenCredential) *Reader {
	t.Helper()
	s := httptest.NewUnstartedServer(v)
	s.StartTLS()
	t.Cleanup(s.Close)
	tr := s.Client().Transport.(*http.Transport).Clone()
	tr.TLSClientConfig.ServerName = "example.com" // whom the server's certificate is for
	tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.Listener.Addr().String())
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &Reader{Credential: who, Client: &http.Client{Transport: tr}}
}

func fresh() *keyVault {
	return &keyVault{resource: "https://vault.azure.net", secrets: map[string][]version{
		"desk":  {{id: one, value: "older"}, {id: two, value: value}},
		"off":   {{id: one, value: value, disabled: true}},
		"empty": {{id: one}},
		"big":   {{id: one, value: strings.Repeat("x", MaxSecret+1)}},
		"huge":  {{id: one, value: strings.Repeat("x", maxReply)}},
	}}
}

func TestRead(t *testing.T) {
	v := fresh()
	r := open(t, v, identity{})
	for path, want := range map[string]string{
		"desk/" + one: "older", "desk": value, "desk/" + two: value,
	} {
		if got, err := r.Read(t.Context(), "https://"+host+"/secrets/"+path); got != want || err != nil {
			t.Errorf("%s: got %q: %v", path, got, err)
		}
	}
	if v.bare != 1 {
		t.Errorf("the vault was asked %d times without a token", v.bare)
	}
	for path, want := range map[string]string{
		"off": "(403)", "nothing": "(404)", "desk/33333333333333333333333333333333": "(404)", "empty": "is empty",
		"big": "more than 25600 bytes", "huge": "too long",
	} {
		got, err := r.Read(t.Context(), "https://"+host+"/secrets/"+path)
		if got != "" || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %q: %v", path, got, err)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), token)) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A secret is exchanged: the next Read has the new one.
func TestAnExchangedSecretIsRead(t *testing.T) {
	v := fresh()
	r := open(t, v, identity{})
	address := "https://" + host + "/secrets/desk"
	if got, err := r.Read(t.Context(), address); got != value {
		t.Fatal(got, err)
	}
	v.mu.Lock()
	v.secrets["desk"] = append(v.secrets["desk"], version{id: strings.Repeat("3", 32), value: "newest"})
	v.mu.Unlock()
	if got, err := r.Read(t.Context(), address); got != "newest" {
		t.Error(got, err)
	}
}

func TestWhoeverIsNotLetIn(t *testing.T) {
	address := "https://" + host + "/secrets/desk"
	for want, how := range map[string]func(*keyVault) azcore.TokenCredential{
		"cannot be reached or did not answer": func(*keyVault) azcore.TokenCredential { return identity{wrong: errors.New(value)} },
		"as a vault does": func(v *keyVault) azcore.TokenCredential {
			v.resource = "https://vault.example" // a token for it would be another's
			return identity{}
		},
		"(400)":               func(v *keyVault) azcore.TokenCredential { v.fail = http.StatusBadRequest; return identity{} },
		"let this machine in": func(v *keyVault) azcore.TokenCredential { v.fail = http.StatusForbidden; return identity{} },
	} {
		v := fresh()
		who := how(v)
		_, err := open(t, v, who).Read(t.Context(), address)
		if want = strings.Trim(want, "()"); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), value) {
			t.Errorf("want %s: %v", want, err)
		}
	}
}

// Nothing but a vault's own host is ever asked.
func TestAddresses(t *testing.T) {
	for _, good := range []string{
		"https://contoso.vault.azure.net/secrets/desk", "https://contoso.vault.azure.cn/secrets/Desk-2/" + one, "https://Contoso-1.vault.usgovcloudapi.net/secrets/desk",
	} {
		if err := Check(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "hunter2", "http://contoso.vault.azure.net/secrets/x", "https://vault.azure.net/secrets/x", "https://contoso.vault.azure.net.example/secrets/x",
		"https://a@contoso.vault.azure.net/secrets/x", "https://contoso.vault.azure.net:8443/secrets/x", "https://x.contoso.vault.azure.net/secrets/x",
		"https://127.0.0.1/secrets/x", "https://contoso.vault.azure.net/keys/x", "https://contoso.vault.azure.net/secrets/", "https://contoso.vault.azure.net/secrets/x/../y",
		"https://contoso.vault.azure.net/secrets/x/1", "https://contoso.vault.azure.net/secrets/x?y", "https://contoso.vault.azure.net/secrets/x#y", "https://contoso.vault.azure.net/secrets/%78",
	} {
		r := Reader{Client: &http.Client{Transport: nobody{t}}}
		if _, err := r.Read(t.Context(), bad); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

type nobody struct{ t *testing.T }

func (n nobody) RoundTrip(*http.Request) (*http.Response, error) {
	n.t.Error("somebody was asked")
	return nil, errors.New("nobody is there")
}
