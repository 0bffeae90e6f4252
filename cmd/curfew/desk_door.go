package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"

	"curfew/handlers/page/hook"
)

// A deskDoor hears that something changed at a desk. What it hears is a hint which
// tickets to read now, and nothing more.
type deskDoor struct {
	kind   string
	secret string
	nudge  func(hint []byte)
}

// doorOfDesk is that of a desk that has a hook secret and can be read, or nil.
func doorOfDesk(name string, d destinationConfig, nudge func(destination string, hint []byte)) hook.Reader {
	if k, ok := deskKinds()[d.Kind]; ok && !k.folds && d.HookSecret.set() {
		return deskDoor{d.Kind, d.HookSecret.reveal(), func(hint []byte) { nudge(name, hint) }}
	}
	return nil
}

// Read implements [hook.Reader].
func (d deskDoor) Read(r hook.Request) ([]hook.Said, error) {
	if !d.knows(r.Header, r.Rest, r.Body) {
		return nil, hook.ErrStranger
	}
	d.nudge(r.Body)
	return nil, nil
}

// knows reports whether a request is signed as its vendor documents it, or bears
// the secret: as a bearer token, or, where no header can be set, behind the
// destination in the path.
//
//   - Jira Cloud: X-Hub-Signature, sha256= and the hex HMAC-SHA256 of the body (Jira
//     Cloud docs: webhooks, secure admin webhooks, 2025).
//   - Zendesk: X-Zendesk-Webhook-Signature, the base64 HMAC-SHA256 of the header
//     X-Zendesk-Webhook-Signature-Timestamp and the body (Zendesk docs: verifying
//     webhooks, 2025).
//   - ConnectWise: x-content-signature, the base64 HMAC-SHA256 of the body under the
//     SHA-256 of the key (ConnectWise docs: callbacks, verifying, 2025).
//
// A request that is signed wrongly is not believed for a token.
func (d deskDoor) knows(h http.Header, rest string, body []byte) bool {
	key := []byte(d.secret)
	switch {
	case d.kind == "jira" && h.Get("X-Hub-Signature") != "":
		mac, ok := strings.CutPrefix(h.Get("X-Hub-Signature"), "sha256=")
		return ok && same(mac, hex.EncodeToString(hmacOf(key, body)))
	case d.kind == "zendesk" && h.Get("X-Zendesk-Webhook-Signature") != "":
		at := []byte(h.Get("X-Zendesk-Webhook-Signature-Timestamp"))
		return same(h.Get("X-Zendesk-Webhook-Signature"), base64.StdEncoding.EncodeToString(hmacOf(key, at, body)))
	case d.kind == "connectwise" && h.Get("X-Content-Signature") != "":
		hashed := sha256.Sum256(key)
		return same(h.Get("X-Content-Signature"), base64.StdEncoding.EncodeToString(hmacOf(hashed[:], body)))
	}
	token, ok := strings.CutPrefix(h.Get("Authorization"), "Bearer ")
	return ok && same(token, d.secret) || same(rest, d.secret)
}

func hmacOf(key []byte, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, key)
	for _, p := range parts {
		m.Write(p) // which never fails
	}
	return m.Sum(nil)
}

// same compares two texts in a time that depends on neither.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return b != "" && subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
