package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRolesReadTheirOwnSecrets, and say what they cannot do without.
func TestRolesReadTheirOwnSecrets(t *testing.T) {
	const text = `
tls: {cert_file: nowhere.pem, key_file: nowhere.key}
public_url: https://curfew.contoso.example
templates: nowhere
tenants:
  - name: contoso
    id: 11111111-1111-4111-8111-111111111111
    auth: {client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, client_secret_file: watch}
    actuator: {client_id: 4a0e2d8b-3c5f-4b7a-9e6d-8f7a6b5c4d3e, client_secret_file: act}
    mail_from: it@contoso.example
destinations:
  desk: {kind: webhook, url_env: NOT_SET, secret_env: NOT_SET_EITHER}
policies:
  - name: threat
    when: device.os == "Windows" && device.threat >= medium
    ladder: [{do: [mail: {template: ours}, ticket: {destination: desk}]}, {after: 1h, do: [scan]}]
`
	dir := t.TempDir()
	file := write(t, dir, "curfew.yaml", text, 0o600)
	missing := func(as role) (keys []string) {
		_, problems := loadConfig(file, loadOptions{Templates: templateNames, Role: as, Getenv: nothingSet})
		for _, p := range mistakes(problems) {
			keys = append(keys, p.Path)
		}
		slices.Sort(keys)
		return keys
	}
	watcher := []string{"destinations.desk.secret_env", "destinations.desk.url_env", "templates", "tenants[0].auth.client_secret_file", "tls.cert_file", "tls.key_file"}
	for as, want := range map[role][]string{
		roleWatch: watcher,
		roleAct:   {"nats", "tenants[0].actuator.client_secret_file"},
		roleAll:   append(slices.Clone(watcher), "tenants[0].actuator.client_secret_file"),
		"":        append(slices.Clone(watcher), "tenants[0].actuator.client_secret_file"),
	} {
		if slices.Sort(want); !slices.Equal(missing(as), want) {
			t.Errorf("the role %q misses\n%q, not\n%q", as, missing(as), want)
		}
	}
	// One app is no two identities, and one identity is enough for either role.
	write(t, dir, "curfew.yaml", strings.ReplaceAll(text, siteActor, siteClient), 0o600)
	if keys := missing(roleWatch); !slices.Contains(keys, "tenants[0].actuator.client_id") {
		t.Errorf("%q", keys)
	}
	alone := strings.ReplaceAll(text, "    actuator: {client_id: "+siteActor+", client_secret_file: act}\n", "")
	write(t, dir, "curfew.yaml", alone+"role: act\n", 0o600)
	if keys := missing(""); !slices.Equal(keys, []string{"nats", "tenants[0].auth.client_secret_file"}) {
		t.Errorf("%q", keys)
	}
	// What is destructive needs a person's signed word where two processes share the work.
	for as, want := range map[role][]string{roleAll: nil, roleWatch: {"policies[0].ladder[1]"}, roleAct: {"approvals", "policies[0].ladder[1]"}} {
		write(t, dir, "resets.yaml", strings.ReplaceAll(strings.ReplaceAll(alone, "do: [scan]", "waits_for_investigation: true, do: [reset]"), "medium\n", "medium\n    grace: 1d\n"), 0o600)
		_, problems := loadConfig(filepath.Join(dir, "resets.yaml"), loadOptions{NoSecrets: true, Role: as, Getenv: nothingSet})
		var keys []string
		for _, p := range problems {
			if p.Warning && (strings.Contains(p.Text, "signed") || strings.Contains(p.Text, "key_file is missing")) {
				keys = append(keys, p.Path)
			}
		}
		if slices.Sort(keys); !slices.Equal(keys, want) {
			t.Errorf("the role %s is warned of %q, not %q: %v", as, keys, want, problems)
		}
	}
	_, stderr, code := call(t.Context(), nothingSet, "run", "-c", file)
	if code != exitWrong || !strings.Contains(stderr, "with role act the tasks come from the queue of the process that watches") {
		t.Errorf("%d %s", code, stderr)
	}
	if _, stderr, code := call(t.Context(), nothingSet, "check", "-c", file, "--role", "boss"); code != exitWrong || !strings.Contains(stderr, "it is all, watch or act") {
		t.Errorf("%d %s", code, stderr)
	}
}
