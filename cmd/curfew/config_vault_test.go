package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"curfew/handlers"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/ticket"
	"curfew/handlers/ticket/jira"
	"curfew/handlers/ticket/jira/jiratest"
)

const deskVault = "https://contoso.vault.azure.net/secrets/desk"

// vaulted is a configuration whose desk has this of its secret.
func vaulted(secret string) []byte {
	return []byte("public_url: https://x.example\ndry_run: false\nattention: [{ticket: {destination: desk}}]\n" +
		"tenants:\n  - name: contoso\n    id: 8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69\n" +
		"    auth: {client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, client_secret_vault: https://contoso.vault.azure.net/secrets/app}\n" +
		"destinations:\n  desk:\n    kind: webhook\n    url: https://x.example\n    " + secret + "\n" +
		"policies: [{name: p, when: device.threat > low, ladder: [{do: [sync]}]}]\n")
}

// keys are what a pretended vault holds, by address.
type keys map[string]string

func (k keys) read(address string) (string, error) {
	if v, ok := k[address]; ok {
		return v, nil
	}
	return "", errors.New("the vault refuses (403)")
}

func TestASecretIsInAVault(t *testing.T) {
	o := testOptions()
	o.Vault = keys{deskVault: deskSecret + "\n", "https://contoso.vault.azure.net/secrets/app": appSecret}.read
	conf, problems := parseConfig("x.yaml", vaulted("secret_vault: "+deskVault), o)
	if conf == nil || len(problems) > 0 {
		t.Fatal(problems)
	}
	if conf.Tenants[0].Auth.ClientSecret.reveal() != appSecret || conf.Destinations["desk"].Secret.reveal() != deskSecret {
		t.Error("the secrets are not those of the vault")
	}
	for _, f := range privateFiles(conf) {
		if strings.Contains(f.file, "vault.azure.net") {
			t.Errorf("%s is looked for among the files", f.key)
		}
	}
}

// What cannot be read has its line and column, and stops the worker, but not a
// check on another machine.
func TestVaultsThatGiveNothing(t *testing.T) {
	at := func(text string) string { return "x.yaml:12:19: destinations.desk.secret_vault: " + text }
	for line, want := range map[string]string{
		"secret_vault: " + deskVault:                                          at("cannot read the secret that is named here: the vault refuses (403)"),
		"secret_vault: https://contoso.vault.azure.net/secrets/empty":         at("the secret that is named here is empty"),
		"secret_vault: https://contoso.vault.azure.net/secrets/lines":         at("the secret has more than one line"),
		"secret_vault: https://hunter2.example/secrets/desk":                  at("this is not the address of a secret in Azure Key Vault"),
		"secret_vault: hunter2":                                               at("this is not the address of a secret in Azure Key Vault"),
		"secret_vault: " + deskVault + "\n    secret_env: CURFEW_TEST_SECRET": at("secret_env and secret_vault: name one"),
	} {
		o := testOptions()
		o.Vault = keys{
			"https://contoso.vault.azure.net/secrets/app": appSecret, "https://contoso.vault.azure.net/secrets/empty": " \n",
			"https://contoso.vault.azure.net/secrets/lines": "one\ntwo",
		}.read
		_, problems := parseConfig("x.yaml", vaulted(line), o)
		if len(told(mistakes(problems), want)) != 1 || len(told(problems, "hunter2")) > 0 {
			t.Errorf("%s: %v", line, problems)
		}
		o.NoSecrets = true
		refused := strings.Contains(want, "403")
		conf, problems := parseConfig("x.yaml", vaulted(line), o)
		if refused != (conf != nil) || refused && len(told(problems, "warning: destinations.desk.secret_vault: cannot read")) != 1 {
			t.Errorf("%s, without secrets: %v", line, problems)
		}
	}
	if _, problems := parseConfig("x.yaml", vaulted("secret: x"), testOptions()); len(told(problems, "write secret_file, secret_env or secret_vault")) != 1 {
		t.Error(problems)
	}
	other := slices.Concat(vaulted("secret_env: CURFEW_TEST_SECRET"), []byte("nats: {url: 'tls://n.example:4222', user: u, password_vault: '"+deskVault+"'}\n"))
	if _, problems := parseConfig("x.yaml", other, testOptions()); len(told(problems, `unknown key "password_vault"`)) != 1 {
		t.Error(problems)
	}
}

// A field of a desk may be called like a key of ours.
func TestAFieldIsNoSecret(t *testing.T) {
	f := readYAML("x.yaml", []byte("fields: {u_vault: 'https://x.example'}\nmine: {u_vault: 'https://x.example'}\n"))
	c := checker{yamlFile: f, vaulted: map[string]bool{}}
	c.vaults(c.value, "")
	if lookup(c.value, []string{"fields", "u_vault"}) == nil || lookup(c.value, []string{"mine", "u_file"}) == nil || len(c.vaulted) != 1 {
		t.Error(c.value, c.vaulted)
	}
}

func TestASecretInAVaultIsExchangedWhileTheWorkerRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const before, after = "token-before-0123456789", "token-after-0123456789"
		site := &jiratest.Site{Email: "curfew@contoso.example", Token: before}
		wire, err := fake.Pipe(site)
		check(t, err)
		defer wire.Close()
		client := handlers.NewClient(handlers.Reach{Roots: wire.Roots, Dial: wire.Dial})
		defer client.CloseIdleConnections()
		d := destinationConfig{
			Kind: "jira", URL: newSecret(wire.URL), Secrets: map[string]secret{"token": newKept(deskVault, before, secretLine)},
			Desk: &jiraSection{User: site.Email, deskBase: deskBase[jira.Route, string]{Triage: &jira.Route{Project: "SEC"}}},
		}
		var mu sync.Mutex
		in, asked := keys{deskVault: before}, 0
		read := func(_ context.Context, address string) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return in.read(address)
		}
		times := func() int { mu.Lock(); defer mu.Unlock(); return asked }
		holds := func(secret string) {
			mu.Lock()
			defer mu.Unlock()
			if delete(in, deskVault); secret != "" {
				in[deskVault] = secret
			}
		}
		var log lines
		r := &renewals{keys: read, log: slog.New(slog.NewTextHandler(&log, nil))}
		desk := r.desk("desk", d, func() ticket.Desk { return deskOf(&config{}, d, client, nil) })
		defer following(t, r)()
		works := func(after time.Duration, want bool) {
			t.Helper()
			time.Sleep(after)
			if _, err := desk.Find(t.Context(), "curfew-0123456789"); (err == nil) != want {
				t.Errorf("the desk works: %v, want %v: %v", err == nil, want, err)
			}
		}
		works(renewEvery, true)
		if n := times(); n != 0 {
			t.Errorf("the vault was asked %d times before its time", n)
		}
		holds("") // the vault refuses
		works(renewVaultEvery, true)
		if n := times(); n != 1 || strings.Count(log.String(), "the vault refuses (403)") != 1 {
			t.Errorf("asked %d times: %s", n, &log)
		}
		site.Token = after
		holds(after)
		works(renewEvery, false)
		works(renewVaultEvery, true)
		if strings.Contains(log.String(), before) || strings.Contains(log.String(), after) || strings.Count(log.String(), "are used from now on") != 1 {
			t.Errorf("the log says %s", &log)
		}
	})
}
