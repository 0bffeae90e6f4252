package graphtest

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is defined by it (RFC 7515, 4.1.7)
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// b64 is the encoding of JWTs.
var b64 = base64.RawURLEncoding

// claims are those of an app-only access token, version 1.0, which is what Graph
// gets (Entra docs: access-token-claims-reference).
type claims struct {
	Audience string   `json:"aud"`
	Issuer   string   `json:"iss"`
	IssuedAt int64    `json:"iat"`
	From     int64    `json:"nbf"`
	Expires  int64    `json:"exp"`
	AppID    string   `json:"appid"`
	IDType   string   `json:"idtyp"`
	ObjectID string   `json:"oid"`
	Roles    []string `json:"roles,omitempty"`
	Subject  string   `json:"sub"`
	TenantID string   `json:"tid"`
	Number   int64    `json:"xms_number"` // this cloud's own: how many it issued before
	Version  string   `json:"ver"`
}

// mint issues a token. Clients must treat it as opaque (Entra docs: access
// tokens), so what signs it is the cloud's own business. The tenant's lock is
// held.
func (c *Cloud) mint(a *App, resource string, now time.Time, life time.Duration) string {
	body, _ := json.Marshal(claims{ // strings and numbers always marshal
		Audience: resource, Issuer: "https://sts.windows.net/" + a.t.ID + "/",
		IssuedAt: now.Unix(), From: now.Unix(), Expires: now.Add(life).Unix(),
		AppID: a.ID, IDType: "app", ObjectID: a.object, Roles: a.rolesOf(resource), Subject: a.object, TenantID: a.t.ID,
		Number: c.nextToken(), Version: "1.0",
	})
	signed := b64.EncodeToString([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + b64.EncodeToString(body)
	return signed + "." + b64.EncodeToString(c.sign(signed))
}

// rolesOf are those of the roles that the API has; a token has no others (Entra
// docs: access-token-claims-reference, roles). Of Defender's, those that this
// cloud knows begin with Machine or Alert.
func (a *App) rolesOf(resource string) []string {
	var roles []string
	for _, r := range a.roles {
		defender := strings.HasPrefix(r, "Machine.") || strings.HasPrefix(r, "Alert.")
		if defender == (resource == defenderAudience) {
			roles = append(roles, r)
		}
	}
	return roles
}

func (t *Tenant) tokenLife() time.Duration {
	if t.timing.Token <= 0 {
		return time.Hour
	}
	return t.timing.Token
}

func (c *Cloud) nextToken() int64 { return c.tokens.Add(1) }

func (c *Cloud) sign(s string) []byte {
	mac := hmac.New(sha256.New, c.secret)
	mac.Write([]byte(s))
	return mac.Sum(nil)
}

// authenticate finds out by the bearer token who asks, and in which tenant.
func (k *call) authenticate() reply {
	scheme, token, _ := strings.Cut(k.r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return k.unauthorized("Access token is empty.", "")
	}
	i := strings.LastIndexByte(token, '.')
	if i < 0 {
		return k.unauthorized("CompactToken parsing failed with error code: 80049217", "")
	}
	mac, err := b64.DecodeString(token[i+1:])
	if err != nil || !hmac.Equal(mac, k.cloud.sign(token[:i])) {
		return k.unauthorized("Access token validation failure. Invalid signature.", "")
	}
	var has claims
	_, middle, _ := strings.Cut(token[:i], ".")
	body, err := b64.DecodeString(middle)
	if err == nil {
		err = json.Unmarshal(body, &has)
	}
	t := k.cloud.tenant(has.TenantID)
	if err != nil || t == nil {
		return k.unauthorized("Access token validation failure.", "")
	}
	t.mu.Lock()
	app := t.apps[has.AppID]
	revoked := app != nil && has.Number < app.since
	t.mu.Unlock()
	if app == nil {
		return k.unauthorized("Access token validation failure.", "")
	}
	k.tenant, k.app, k.tokenRoles, k.audience = t, app, has.Roles, has.Audience
	if k.now.Unix() >= has.Expires {
		return k.unauthorized("Lifetime validation failed, the token is expired.", "")
	}
	if revoked { // Entra docs: claims-challenge
		want := fmt.Sprintf(`{"access_token":{"nbf":{"essential":true,"value":"%d"}}}`, k.now.Unix())
		return k.unauthorized("Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp",
			`, error="insufficient_claims", claims="`+base64.StdEncoding.EncodeToString([]byte(want))+`"`)
	}
	return reply{}
}

// unauthorized is Graph's 401; the code and messages are those quoted in
// msgraph-training-dotnet#31, console-java-connect-sample#1 and others.
func (k *call) unauthorized(message, challenge string) reply {
	out := k.fail(http.StatusUnauthorized, "InvalidAuthenticationToken", message)
	out.header = map[string]string{"WWW-Authenticate": `Bearer realm="", authorization_uri="` + k.root +
		`/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"` + challenge}
	return out
}

// checkAssertion checks a client assertion: one that is believed as it is, or a
// JWT signed by a registered certificate (Entra docs: certificate-credentials).
func (k *call) checkAssertion(app *App, assertion string) error {
	if app.proof != "" && subtle.ConstantTimeCompare([]byte(app.proof), []byte(assertion)) == 1 {
		return nil
	}
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return errors.New("the assertion is not a JWT")
	}
	var header struct {
		Alg    string `json:"alg"`
		SHA1   string `json:"x5t"`
		SHA256 string `json:"x5t#S256"`
	}
	var body struct {
		Audience string `json:"aud"`
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Expires  int64  `json:"exp"`
		From     int64  `json:"nbf"`
	}
	if err := errors.Join(decodePart(parts[0], &header), decodePart(parts[1], &body)); err != nil {
		return err
	}
	cert := app.certificate(header.SHA1, header.SHA256)
	if cert == nil {
		return errors.New("the key was not found")
	}
	signature, err := b64.DecodeString(parts[2])
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	key := cert.PublicKey.(*rsa.PublicKey) // TrustCertificate takes no other
	switch header.Alg {
	case "PS256":
		err = rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, nil)
	case "RS256":
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature)
	default:
		err = fmt.Errorf("the algorithm %q is not supported", header.Alg)
	}
	now := k.now.Unix()
	switch {
	case err != nil:
		return err
	case !strings.EqualFold(body.Issuer, app.ID) || !strings.EqualFold(body.Subject, app.ID):
		return errors.New("iss and sub must be the client id")
	case body.Audience != k.root+k.r.URL.Path:
		return errors.New("aud must be the token endpoint")
	case now >= body.Expires || now+300 < body.From:
		return errors.New("the assertion is not within its valid time range")
	}
	return nil
}

func decodePart(part string, into any) error {
	b, err := b64.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// certificate finds the certificate an assertion's header names by thumbprint.
func (a *App) certificate(x5t, x5tS256 string) *x509.Certificate {
	for _, cert := range a.certs {
		s1, s256 := sha1.Sum(cert.Raw), sha256.Sum256(cert.Raw) //nolint:gosec // see the import
		if named(x5tS256, s256[:]) || named(x5t, s1[:]) {
			return cert
		}
	}
	return nil
}

// named compares a thumbprint; MSAL for Go writes it in padded standard base64.
func named(thumbprint string, sum []byte) bool {
	s := strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(thumbprint, "="))
	b, err := b64.DecodeString(s)
	return err == nil && bytes.Equal(b, sum)
}
