package graphtest

import (
	"crypto/subtle"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// login answers for login.microsoftonline.com: the OpenID configuration, which
// MSAL reads first, and the v2.0 token endpoint (Entra docs:
// v2-oauth2-client-creds-grant-flow).
func (k *call) login() reply {
	tenant, rest := k.segs[0], strings.Join(k.segs[1:], "/")
	k.tenant = k.cloud.tenant(tenant)
	switch {
	case tenant == "common" && rest == "discovery/instance":
		return ok(object{
			{"tenant_discovery_endpoint", k.root + "/common/v2.0/.well-known/openid-configuration"},
			{"api-version", "1.1"},
			{"metadata", []object{{{"preferred_network", k.r.Host}, {"preferred_cache", k.r.Host}, {"aliases", []string{k.r.Host}}}}},
		})
	case k.tenant == nil && (rest == "v2.0/.well-known/openid-configuration" || rest == "oauth2/v2.0/token"):
		return k.refuse(http.StatusBadRequest, "invalid_request", 90002, fmt.Sprintf(
			"Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", tenant))
	case k.tenant == nil:
		return k.fail(http.StatusNotFound, "ResourceNotFound", "Invalid version: "+tenant)
	case !pause(k.r.Context(), k.tenant.latency()):
		return reply{cut: true}
	case rest == "v2.0/.well-known/openid-configuration" && k.r.Method == http.MethodGet:
		authority := k.root + "/" + tenant
		return ok(object{
			{"token_endpoint", authority + "/oauth2/v2.0/token"},
			{"token_endpoint_auth_methods_supported", []string{"client_secret_post", "private_key_jwt", "client_secret_basic"}},
			{"jwks_uri", authority + "/discovery/v2.0/keys"},
			{"issuer", authority + "/v2.0"},
			{"authorization_endpoint", authority + "/oauth2/v2.0/authorize"},
		})
	case rest == "oauth2/v2.0/token" && k.r.Method == http.MethodPost:
		return k.token()
	}
	return empty(http.StatusNotFound)
}

func (k *call) token() reply {
	form, err := url.ParseQuery(string(k.body))
	if err != nil {
		return k.refuse(http.StatusBadRequest, "invalid_request", 900144, "The request body is not a form.")
	}
	t := k.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := maps.Clone(form) // what the app proves itself with is not recorded
	kept.Del("client_secret")
	kept.Del("client_assertion")
	k.body = []byte(kept.Encode())
	if t.hit(k.now, func(f *fault) bool { return f.Kind == TokenDown }) != nil {
		return k.refuse(http.StatusServiceUnavailable, "temporarily_unavailable", 90033, "A transient error has occurred. Please try again.")
	}
	id := strings.ToLower(form.Get("client_id"))
	app := t.apps[id]
	if app == nil || t.hit(k.now, func(f *fault) bool { return f.Kind == ConsentRevoked }) != nil {
		return k.refuse(http.StatusBadRequest, "unauthorized_client", 700016, fmt.Sprintf(
			"Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been "+
				"installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your "+
				"authentication request to the wrong tenant.", id, t.Name))
	}
	if form.Get("grant_type") != "client_credentials" {
		return k.refuse(http.StatusBadRequest, "unsupported_grant_type", 70003, fmt.Sprintf(
			"The app requested an unsupported grant type '%s'.", form.Get("grant_type")))
	}
	if out := k.prove(app, form); out.status != 0 {
		return out
	}
	// MSAL adds openid, offline_access and profile to what was asked for.
	var resource string
	for scope := range strings.FieldsSeq(form.Get("scope")) {
		if r, ok := strings.CutSuffix(scope, "/.default"); ok {
			resource = r
		}
	}
	if resource == "" {
		return k.refuse(http.StatusBadRequest, "invalid_scope", 1002012, fmt.Sprintf(
			"The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default "+
				"suffixed to the resource identifier (application ID URI).", form.Get("scope")))
	}
	k.app = app
	life := t.tokenLife()
	out := ok(object{
		{"token_type", "Bearer"},
		{"expires_in", int(life.Seconds())},
		{"ext_expires_in", int(life.Seconds())},
		{"access_token", k.cloud.mint(app, resource, k.now, life)},
	})
	out.header = map[string]string{"Cache-Control": "no-store, no-cache"}
	return out
}

// prove checks the app's secret or assertion.
func (k *call) prove(app *App, form url.Values) reply {
	secret, assertion := form.Get("client_secret"), form.Get("client_assertion")
	switch {
	case assertion != "":
		if err := k.checkAssertion(app, assertion); err != nil {
			return k.refuse(http.StatusUnauthorized, "invalid_client", 700027, fmt.Sprintf(
				"The certificate with identifier used to sign the client assertion is not registered on application. [Reason - %v]", err))
		}
	case secret == "":
		return k.refuse(http.StatusUnauthorized, "invalid_client", 7000218,
			"The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	case app.secret == "" || subtle.ConstantTimeCompare([]byte(secret), []byte(app.secret)) != 1:
		return k.refuse(http.StatusUnauthorized, "invalid_client", 7000215, fmt.Sprintf(
			"Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the "+
				"client secret ID, for a secret added to app '%s'.", app.ID))
	case app.expired:
		return k.refuse(http.StatusUnauthorized, "invalid_client", 7000222, fmt.Sprintf(
			"The provided client secret keys for app '%s' are expired. Visit the Azure portal to create new keys for your app.", app.ID))
	}
	return reply{}
}

// refuse is Entra's error body (Entra docs: reference-error-codes; real ones are
// quoted in microsoft-365-agents-toolkit#8621 and TokenMan#1).
func (k *call) refuse(status int, kind string, code int, message string) reply {
	at := k.now.Format("2006-01-02 15:04:05Z")
	return reply{status: status, body: object{
		{"error", kind},
		{"error_description", fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", code, message, k.id, k.echo, at)},
		{"error_codes", []any{code}},
		{"timestamp", at},
		{"trace_id", k.id},
		{"correlation_id", k.echo},
		{"error_uri", fmt.Sprintf("%s/error?code=%d", k.root, code)},
	}.bytes()}
}
