package main

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// aSection is a whole section of each kind of desk; a kind without one fails.
func aSection(kind string) string {
	return map[string]string{
		"jira":         `user: curfew@contoso.example, token_env: CURFEW_TEST_SECRET, labels: [security], triage: {project: SEC}, priority: {compromised: Highest}, resolution: Done`,
		"servicenow":   `user: curfew, client_id: abc, client_secret_env: CURFEW_TEST_SECRET, triage: {group: 0123456789abcdef0123456789abcdef}, priority: {high: {impact: 1, urgency: 2}}`,
		"zendesk":      `user: curfew@contoso.example, token_env: CURFEW_TEST_SECRET, triage: {group: 42}, tags: [security]`,
		"freshservice": `api_key_env: CURFEW_TEST_SECRET, triage: {group: 42}, priority: {high: 3}, ended: [6]`,
		"halopsa":      `client_id: abc, client_secret_env: CURFEW_TEST_SECRET, triage: {client: 12, type: 1}`,
		"connectwise":  `company: contoso, public_key: abcdefgh, private_key_env: CURFEW_TEST_SECRET, client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, user: CurfewAPI, triage: {company: Contoso, board: Security}`,
	}[kind]
}

func TestEveryKindOfDeskCanBeConfigured(t *testing.T) {
	for _, kind := range slices.Sorted(maps.Keys(deskKinds())) {
		text := fmt.Sprintf(`
tenants:
  - name: Contoso
    id: 8C2F6A1E-5D3B-4F0A-9B7C-1E2D3C4B5A69
    auth: {client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, client_secret_env: CURFEW_TEST_SECRET}
destinations:
  desk: {kind: %s, url: "%s/", %s, reopen_within: 1d, fields: {x: "{{.Device.Serial}}"}}
policies:
  - {name: threat, when: device.threat >= medium, ladder: [{do: [ticket: {destination: desk}]}]}
`, kind, deskKinds()[kind].example, aSection(kind))
		conf, problems := parseConfig("curfew.yaml", []byte(text), testOptions())
		if conf == nil {
			t.Errorf("%s: %v", kind, mistakes(problems))
			continue
		}
		h := desks(conf, quiet)
		if err := h.Desks["desk"].Check(); err != nil || h.Reopen["desk"] != 24*time.Hour {
			t.Errorf("%s: %v, %v", kind, err, h.Reopen)
		}
		if a := abilityOf(conf.Destinations["desk"]); !a.ReadBack || a.For != "tickets" {
			t.Errorf("%s: %+v", kind, a)
		}
		conf, problems = parseConfig("curfew.yaml", []byte(text), loadOptions{NoSecrets: true, Getenv: func(string) string { return "" }})
		if conf == nil {
			t.Errorf("%s, without its secrets: %v", kind, mistakes(problems))
		}
	}
}
