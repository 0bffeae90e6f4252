package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/graph"
	"curfew/handlers/ticket"
)

// aSection is a whole section of each kind of desk; a kind without one fails.
func aSection(kind string) string {
	return map[string]string{
		"jira":         `user: curfew@contoso.example, token_env: CURFEW_TEST_SECRET, labels: [security], triage: {project: SEC}, priority: {compromised: Highest}, resolution: Done`,
		"servicenow":   `user: curfew, client_id: abc, client_secret_env: CURFEW_TEST_SECRET, triage: {group: 0123456789abcdef0123456789abcdef}, priority: {high: {impact: 1, urgency: 2}}`,
		"zendesk":      `user: curfew@contoso.example, token_env: CURFEW_TEST_SECRET, triage: {group: 42}, tags: [security]`,
		"freshservice": `api_key_env: CURFEW_TEST_SECRET, triage: {group: 42}, priority: {high: 3}, ended: [6]`,
		"halopsa":      `client_id: abc, client_secret_env: CURFEW_TEST_SECRET, triage: {client: 12, type: 1}`,
		"autotask":     `user: curfew@contoso.example, secret_env: CURFEW_TEST_SECRET, integration_code: ABCDEFG, triage: {company: 7, queue: 8}`,
		"mail":         `triage: {to: desk@contoso.example, tag: contoso}`,
		"connectwise":  `company: contoso, public_key: abcdefgh, private_key_env: CURFEW_TEST_SECRET, client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, user: CurfewAPI, triage: {company: Contoso, board: Security}`,
	}[kind]
}

func TestEveryKindOfDeskCanBeConfigured(t *testing.T) {
	for _, kind := range slices.Sorted(maps.Keys(deskKinds())) {
		k := deskKinds()[kind]
		shared := fmt.Sprintf(`url: "%s/", reopen_within: 1d, fields: {x: "{{.Device.Serial}}"},`, cmp.Or(k.example, "https://webservices2.autotask.net"))
		if k.folds {
			shared = ""
		}
		text := fmt.Sprintf(`
tenants:
  - name: Contoso
    id: 8C2F6A1E-5D3B-4F0A-9B7C-1E2D3C4B5A69
    mail_from: it@contoso.example
    auth: {client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, client_secret_env: CURFEW_TEST_SECRET}
destinations:
  desk: {kind: %s, %s %s}
policies:
  - {name: threat, when: device.threat >= medium, ladder: [{do: [ticket: {destination: desk}]}]}
`, kind, shared, aSection(kind))
		conf, problems := parseConfig("curfew.yaml", []byte(text), testOptions())
		if conf == nil {
			t.Errorf("%s: %v", kind, mistakes(problems))
			continue
		}
		h := desks(conf, graph.Tenants{}, nil, quiet)
		if err := h.Desks["desk"].Check(); err != nil || !k.folds && h.Reopen["desk"] != 24*time.Hour {
			t.Errorf("%s: %v, %v", kind, err, h.Reopen)
		}
		if a := abilityOf(conf.Destinations["desk"]); a.ReadBack == k.folds || a.For != "tickets" {
			t.Errorf("%s: %+v", kind, a)
		}
		conf, problems = parseConfig("curfew.yaml", []byte(text), loadOptions{NoSecrets: true, Getenv: func(string) string { return "" }})
		if conf == nil {
			t.Errorf("%s, without its secrets: %v", kind, mistakes(problems))
		}
	}
}

// A site says how late its search is: 0s, that it is not, which Cloud may not say.
func TestHowLateASearchIs(t *testing.T) {
	for section, want := range map[string]time.Duration{
		"":                              10 * time.Second,
		"user: curfew@contoso.example,": 2 * time.Minute,
		"search_lag: 0s,":               0,
		"search_lag: 4m,":               4 * time.Minute,
		"search_lag: 0s, user: curfew@contoso.example,": -1,
	} {
		conf, problems := parseConfig("curfew.yaml", []byte(`
tenants:
  - name: Contoso
    id: 8C2F6A1E-5D3B-4F0A-9B7C-1E2D3C4B5A69
    auth: {client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, client_secret_env: CURFEW_TEST_SECRET}
destinations:
  desk: {kind: jira, url: "https://jira.contoso.example", `+section+` token_env: CURFEW_TEST_SECRET, triage: {project: SEC}}
policies:
  - {name: threat, when: device.threat >= medium, ladder: [{do: [ticket: {destination: desk}]}]}
`), testOptions())
		switch {
		case want < 0 && (conf != nil || !strings.Contains(fmt.Sprint(mistakes(problems)), "lag cannot be none")):
			t.Errorf("%s: %v", section, problems)
		case want < 0:
		case conf == nil:
			t.Errorf("%s: %v", section, mistakes(problems))
		default:
			if got := desks(conf, graph.Tenants{}, nil, quiet).Desks["desk"].(ticket.Late).Lag(); got != want {
				t.Errorf("%s: %v, want %v", section, got, want)
			}
		}
	}
}

// The README tells of every kind, and what it tells is so.
func TestTheTableOfDestinations(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	check(t, err)
	for kind := range deskKinds() {
		if want := fmt.Sprintf("\n| `%s` | tickets: ", kind); !strings.Contains(string(text), want) {
			t.Errorf("the README has no line %q", want)
		}
	}
	_, yaml, _ := strings.Cut(string(text), "```yaml\ndestinations:\n")
	yaml, _, ok := strings.Cut(yaml, "```")
	if !ok {
		t.Fatal("the README shows no destinations")
	}
	conf, problems := parseConfig("curfew.yaml", []byte(`
tenants:
  - {name: contoso, id: 8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69, auth: {client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, client_secret_env: CURFEW_TEST_SECRET}}
  - {name: fabrikam, id: 9d3f7b2e-6e4c-4a1b-8c8d-2f3e4d5c6b70, auth: {client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, client_secret_env: CURFEW_TEST_SECRET}}
policies:
  - {name: threat, when: device.threat >= medium, ladder: [{do: [ticket: {destination: desk}]}]}
destinations:
`+yaml), loadOptions{NoSecrets: true, Getenv: environment})
	if conf == nil {
		t.Errorf("what the README shows cannot be used: %v", mistakes(problems))
	}
}
