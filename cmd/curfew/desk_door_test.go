package main

import (
	"errors"
	"net/http"
	"testing"

	"curfew/handlers/page/hook"
)

func TestTheDoorOfADesk(t *testing.T) {
	// Made by openssl: dgst -sha256 -hmac 'a-secret-of-the-hook' over {"issue":1}, with
	// 1700000000 before it, and under the SHA-256 of the secret.
	const secret, body = "a-secret-of-the-hook", `{"issue":1}`
	head := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	for name, tt := range map[string]struct {
		kind string
		head http.Header
		rest string
		body string
		ok   bool
	}{
		"Jira's signature":           {"jira", head("X-Hub-Signature", "sha256=ae2ba130cda45c41861f3beb1882a8a58017302691b3d1de1ee5fe14353256fa"), "", body, true},
		"of another body":            {"jira", head("X-Hub-Signature", "sha256=ae2ba130cda45c41861f3beb1882a8a58017302691b3d1de1ee5fe14353256fa"), "", body + " ", false},
		"of another kind":            {"jira", head("X-Hub-Signature", "sha1=ae2ba130cda45c41861f3beb1882a8a58017302691b3d1de1ee5fe14353256fa"), "", body, false},
		"a wrong one, with a token":  {"jira", head("X-Hub-Signature", "sha256=00"), secret, body, false},
		"Zendesk's signature":        {"zendesk", head("X-Zendesk-Webhook-Signature", "K0033hihuUQ+Be4BZZM6Af8BOR+MpRhUKkY/xAFKQUM=", "X-Zendesk-Webhook-Signature-Timestamp", "1700000000"), "", body, true},
		"of another time":            {"zendesk", head("X-Zendesk-Webhook-Signature", "K0033hihuUQ+Be4BZZM6Af8BOR+MpRhUKkY/xAFKQUM=", "X-Zendesk-Webhook-Signature-Timestamp", "1700000001"), "", body, false},
		"ConnectWise's signature":    {"connectwise", head("X-Content-Signature", "GNvjKfjXvCFU/l2fk+o8J5fS1xK9wyeEu39mnU5OPg0="), "", body, true},
		"a signature of another key": {"connectwise", head("X-Content-Signature", "ae2ba130cda45c41861f3beb1882a8a58017302691b3d1de1ee5fe14353256fa"), "", body, false},
		"a bearer token":             {"servicenow", head("Authorization", "Bearer "+secret), "", body, true},
		"another token":              {"servicenow", head("Authorization", "Bearer another-secret-here"), "", body, false},
		"a token in the path":        {"jira", head(), secret, body, true},
		"nothing":                    {"halopsa", head(), "", body, false},
	} {
		nudges := 0
		door := deskDoor{tt.kind, secret, func([]byte) { nudges++ }}
		said, err := door.Read(hook.Request{Header: tt.head, Rest: tt.rest, Body: []byte(tt.body)})
		if len(said) != 0 || tt.ok != (err == nil) || tt.ok != (nudges == 1) || !tt.ok && !errors.Is(err, hook.ErrStranger) {
			t.Errorf("%s: %v, %v, %d nudges", name, said, err, nudges)
		}
	}
}
