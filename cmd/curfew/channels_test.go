package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// channels is a configuration with two channels, whose addresses are in the
// environment.
func channels(t *testing.T, teams, slack string) (*config, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "curfew.yaml")
	check(t, os.WriteFile(file, []byte(`
dry_run: false
attention: [{page: {destination: techs, repeat: 0}}]
tenants:
  - name: contoso
    id: 8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69
    auth: {client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, client_secret_env: CURFEW_TEST_SECRET}
    mail_from: it@contoso.example
destinations:
  techs: {kind: teams, url_env: TEAMS}
  room: {kind: slack, url_env: SLACK}
mail: {language: de-AT, ask: the help desk, ask_in: {DE: der Helpdesk}}
policies:
  - name: threat
    details: plain
    when: device.threat >= high
    ladder:
      - do: [mail: {template: reminder}, page: {destination: techs, repeat: 0}, page: {destination: room, repeat: 0}]
`), 0o600))
	conf, problems := loadConfig(file, loadOptions{Templates: templates, Getenv: func(key string) string {
		return map[string]string{"TEAMS": teams, "SLACK": slack, "CURFEW_TEST_SECRET": "0123456789abcdef"}[key]
	}})
	var said []string
	for _, p := range problems {
		if !p.Warning {
			said = append(said, p.String())
		}
	}
	return conf, strings.Join(said, "\n")
}

const (
	workflow = "https://default.45.environment.api.powerplatform.com:443/workflows/canary/invoke?api-version=1&sig=canary"
	incoming = "https://hooks.slack.com/services/T0/B0/canary"
)

// A channel takes pages, and what is wrong with its address is said without it.
func TestChannels(t *testing.T) {
	conf, said := channels(t, workflow, incoming)
	if conf == nil {
		t.Fatal(said)
	}
	for _, name := range []string{"techs", "room"} {
		p := pagerOf(conf.Destinations[name])
		if p == nil || p.Check() != nil || abilityOf(conf.Destinations[name]).For != "pages" {
			t.Errorf("%s: %v", name, p)
		}
	}
	for want, address := range map[string][2]string{
		"techs.url_env: its url is of an Office 365 connector": {"https://contoso.webhook.office.com/webhookb2/canary", incoming},
		"techs.url_env: its url holds no signature":            {"https://x.example/canary", incoming},
		"room.url_env: its url must be https":                  {workflow, "http://hooks.slack.com/services/canary"},
		"room.url_env: the environment variable":               {workflow, ""},
	} {
		conf, said := channels(t, address[0], address[1])
		if conf != nil || !strings.Contains(said, want) || strings.Contains(said, "canary") {
			t.Errorf("want %q, got\n%s", want, said)
		}
	}
}

// Whatever else the library shoutrrr reaches is a channel, and what is wrong with its
// address is said without it.
func TestChannelsOfTheLibrary(t *testing.T) {
	for want, address := range map[string]string{
		"":                                     "discord://canary@123456789012345678",
		"desk.url_env: its url is for slack":   "slack://hook:canary@webhook",
		"desk.url_env: its url cannot be used": "nosuch://canary",
	} {
		conf, problems := parseConfig("x.yaml", []byte("tenants: [{name: contoso, id: 8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69, auth: {client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, client_secret_env: URL}}]\n"+
			"destinations: {desk: {kind: shoutrrr, url_env: URL}}\npolicies: [{name: p, when: device.threat >= high, ladder: [{do: [page: {destination: desk, repeat: 0}]}]}]\n"),
			loadOptions{Getenv: func(string) string { return address }})
		var said []string
		for _, p := range mistakes(problems) {
			said = append(said, p.String())
		}
		all := strings.Join(said, "\n")
		if (want == "") != (conf != nil) || !strings.Contains(all, want) || strings.Contains(all, "canary") {
			t.Errorf("want %q, got\n%s", want, all)
		}
		if conf != nil && abilityOf(conf.Destinations["desk"]).For != "pages" {
			t.Error("it takes no pages")
		}
	}
}

// What the configuration says of mails is what they are written by.
func TestHowMailsAreWritten(t *testing.T) {
	conf, said := channels(t, workflow, incoming)
	if conf == nil {
		t.Fatal(said)
	}
	ts, err := templatesOf("")
	check(t, err)
	c := samples(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))["threat"]
	m, err := writer(conf, ts).Preview("threat-found", c)
	check(t, err)
	for _, want := range []string{"Bedrohung", "Etwas Schädliches", "Guten Tag Anna Example", "der Helpdesk"} {
		if !strings.Contains(strings.ToLower(m.Subject+m.Text), strings.ToLower(want)) {
			t.Errorf("no %q in\n%s\n%s", want, m.Subject, m.Text)
		}
	}
	if strings.Contains(m.Text+m.HTML, "Wacatac") || strings.Contains(m.Text+m.HTML, "PowerShell") {
		t.Errorf("the threat is named:\n%s", m.Text)
	}
}
