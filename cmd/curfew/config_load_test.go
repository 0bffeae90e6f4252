package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lmittmann/tint"

	"curfew/events"
)

// write makes a file in a directory, with all that is above it.
func write(t *testing.T, dir, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// told returns the problems whose line has this in it.
func told(ps []problem, what string) []problem {
	return slices.DeleteFunc(slices.Clone(ps), func(p problem) bool { return !strings.Contains(p.String(), what) })
}

const (
	deskSecret = "desk-secret-0123456789"
	appSecret  = "app-secret-0123456789"
	pagerKey   = "0123456789abcdef0123456789abcdef"
)

// example puts the shipped example into a directory, with the secrets it names.
func example(t *testing.T) (path string) {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile("example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "secrets/contoso", appSecret+"\n", 0o600)
	write(t, dir, "secrets/desk", deskSecret+"\r\n", 0o600)
	write(t, dir, "secrets/oncall", pagerKey, 0o600)
	return write(t, dir, "curfew.yaml", string(text), 0o644)
}

// TestExample: the shipped example is right, and does what its comments say.
func TestExample(t *testing.T) {
	path := example(t)
	conf, problems := loadConfig(path, testOptions())
	if conf == nil || len(problems) != 1 || len(told(problems, "dry_run: on")) != 1 {
		t.Fatalf("%v", problems)
	}
	if !conf.DryRun || conf.Listen != ":8443" || conf.Data != filepath.Join(filepath.Dir(path), "data") {
		t.Errorf("got %+v", conf)
	}
	tenant := conf.Tenants[0]
	if tenant.Auth.ClientSecret.reveal() != appSecret || conf.Destinations["desk"].Secret.reveal() != deskSecret || conf.Destinations["oncall"].RoutingKey.reveal() != pagerKey {
		t.Error("the secrets are not those of the files, without the newline")
	}
	if tenant.Look.Groups || !tenant.Look.Alerts || tenant.Cloud != "global" || !slices.Equal(tenant.Subscribe, []string{"users", "groups"}) {
		t.Errorf("got %+v", tenant)
	}
	for _, p := range conf.Policies.List {
		resets := slices.ContainsFunc(p.Ladder, events.Rung.Destructive)
		if threat := slices.Contains(p.About, events.ThreatState); resets && !threat || resets && p.Name != "threat" {
			t.Errorf("policy %s resets", p.Name)
		}
	}
	if conf, problems := loadConfig("example.yaml", loadOptions{Templates: templates, NoSecrets: true}); conf == nil {
		t.Errorf("without the secrets: %v", problems)
	}
	if _, problems := loadConfig("example.yaml", testOptions()); len(told(mistakes(problems), "no such file")) != 3 {
		t.Errorf("the worker would start without its secrets: %v", problems)
	}
}

// TestExamplePolicies: which policy of the example a device comes under.
func TestExamplePolicies(t *testing.T) {
	conf, problems := loadConfig(example(t), testOptions())
	if conf == nil {
		t.Fatal(problems)
	}
	windows := events.Device{OS: "Windows", Owner: "company", Compliance: "compliant", Threat: "secured"}
	windows.Tenant = conf.Tenants[0].ID
	for _, tt := range []struct {
		name   string
		change func(*events.Device)
		want   string
	}{
		{"healthy", func(*events.Device) {}, ""},
		{"infected", func(d *events.Device) { d.Threat = "mediumSeverity" }, "threat"},
		{"malware that is still there", func(d *events.Device) { d.Malware = []events.Malware{{Name: "x", State: "active"}} }, "threat"},
		{"infected and not compliant", func(d *events.Device) { d.Threat, d.Compliance = "highSeverity", "noncompliant" }, "threat"},
		{"an infected phone", func(d *events.Device) { d.OS, d.Threat = "iOS", "highSeverity" }, "threat-elsewhere"},
		{"an infected private laptop", func(d *events.Device) { d.Owner, d.Threat = "personal", "compromised" }, "threat-elsewhere"},
		{"an alert that was resolved", func(d *events.Device) { d.Alerts = []events.Alert{{Severity: "high", Status: "resolved"}} }, ""},
		{"bitlocker off", func(d *events.Device) {
			d.Compliance, d.Settings = "noncompliant", []events.Setting{{Name: "Require BitLocker", State: "nonCompliant"}}
		}, "bitlocker"},
		{"is active", func(d *events.Device) {
			d.Compliance, d.Settings = "noncompliant", []events.Setting{{Name: "Is active", State: "nonCompliant"}}
		}, "noncompliant"},
		{"no policy assigned", func(d *events.Device) { d.Compliance = "noncompliant" }, "noncompliant"},
		{"compliance that nobody knows", func(d *events.Device) { d.Compliance = "quarantined" }, ""},
		{"a threat that nobody knows", func(d *events.Device) { d.Threat = "catastrophic" }, ""},
	} {
		d := windows
		tt.change(&d)
		got := ""
		for _, p := range conf.Policies.List {
			if ok, _ := p.When.Holds(d); ok {
				got = p.Name
				break
			}
		}
		if got != tt.want {
			t.Errorf("%s comes under %q, not %q", tt.name, got, tt.want)
		}
	}
}

// TestShared: what anchors and merge keys bring is what was written.
func TestShared(t *testing.T) {
	conf, problems := loadConfig("testdata/config/shared.yaml", testOptions())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	one, two := conf.Tenants[0], conf.Tenants[1]
	if one.Sweep != (sweepConfig{Devices: 30 * time.Minute, Alerts: time.Minute}) || two.Sweep != (sweepConfig{7 * time.Minute, 7 * time.Minute, 7 * time.Minute}) {
		t.Errorf("got %v and %v", one.Sweep, two.Sweep)
	}
	if two.Name != "fabrikam" || two.Auth.ClientSecret.reveal() != "0123456789abcdef" || two.Subscribe == nil || len(two.Subscribe) != 0 {
		t.Errorf("got %+v", two)
	}
	if !one.Look.Groups || !two.Look.Groups {
		t.Error("a condition asks for the groups, and they are not read")
	}
	if u := conf.Destinations["desk"].URL.reveal(); u != "https://desk.example.com/token-that-is-secret" {
		t.Errorf("got %q", u)
	}
	if conf.DryRun || conf.Policies.Version == "" || len(conf.Policies.List) != 2 || conf.Policies.Relook != time.Hour {
		t.Errorf("got %+v", conf.Policies)
	}
}

// TestNothingShowsASecret: neither a configuration nor its problems do, however
// they are printed.
func TestNothingShowsASecret(t *testing.T) {
	conf, problems := loadConfig(example(t), testOptions())
	if conf == nil {
		t.Fatal(problems)
	}
	d := conf.Destinations["desk"]
	d.URL = newSecret("https://desk.example.com/token-that-is-secret")
	conf.Destinations["desk"] = d
	holder := struct {
		hidden config
		Shown  *config
	}{*conf, conf}
	var out bytes.Buffer
	for _, v := range []any{conf, *conf, holder, &holder, conf.Tenants, conf.Tenants[0].Auth, d, d.Secret, &d.Secret, []secret{d.Secret}, map[string]secret{"x": d.Secret}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil), tint.NewTextHandler(&out, nil)} {
			slog.New(h).Info("x", "v", v)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	fmt.Fprintln(&out, problems)
	for _, s := range []string{deskSecret, appSecret, pagerKey, "token-that-is-secret", fmt.Sprintf("%x", deskSecret)} {
		if strings.Contains(strings.ToLower(out.String()), s) {
			t.Errorf("%s is shown", s)
		}
	}
	if !strings.Contains(out.String(), hidden) {
		t.Error("it is not shown that there are secrets")
	}
	if fmt.Sprint(secret{}) != "" || (secret{}).set() || (secret{}).reveal() != "" {
		t.Error("the zero secret is one")
	}
}

// TestSecretsInTheWrongPlace: what is put where it does not belong is not quoted.
func TestSecretsInTheWrongPlace(t *testing.T) {
	const s = "hunter2"
	for _, line := range []string{
		"client_secret: " + s, "client_secret_file: " + s, "client_secret_env: " + s, `client_secret_env: "` + s + `!"`, s,
		"client_secret_file: [" + s + "]", "client_secret_file: {" + s + ": x}", "workload_identity: {token_file: " + s + "}", "workload_identity: " + s,
	} {
		file := "tenants:\n  - name: contoso\n    id: 8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69\n    auth:\n      " + line + "\n"
		_, problems := parseConfig("x.yaml", []byte(file), testOptions())
		if len(mistakes(problems)) == 0 || len(told(problems, s)) > 0 && !strings.Contains(line, "{"+s) {
			t.Errorf("%s: %v", line, problems)
		}
	}
	for _, url := range []string{"https://user:" + s + "@x.example/", "ftp://" + s, "http://x.example/" + s, s, "https://x.example/\x7f" + s, "nats://x:" + s + "@y"} {
		file := fmt.Sprintf("public_url: %q\nnats: {url: %q}\ndestinations: {desk: {kind: webhook, url: %q}, oncall: {kind: pagerduty, endpoint: %q}}\n", url, url, url, url)
		if _, problems := parseConfig("x.yaml", []byte(file), testOptions()); len(told(problems, s)) > 0 {
			t.Errorf("%s: %v", url, told(problems, s))
		}
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for path, want := range map[string]string{
		filepath.Join(t.TempDir(), "curfew.yaml"): "there is no such file", t.TempDir(): "it is a directory",
	} {
		conf, problems := loadConfig(path, testOptions())
		if conf != nil || len(problems) != 1 || !strings.Contains(problems[0].Text, want) || problems[0].Line != 1 {
			t.Errorf("%v", problems)
		}
	}
}

// TestProblemsAsJSON: what a program reads of a problem.
func TestProblemsAsJSON(t *testing.T) {
	_, problems := parseConfig("x.yaml", []byte("tenants: []\nrelook: 5\n"), testOptions())
	got, err := json.Marshal(problems[len(problems)-1])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"file":"x.yaml","line":2,"column":9,"path":"relook","message":"found the number 5, expected a duration above zero, such as 90s, 2h30m, 3d or 1w"}`
	if string(got) != want {
		t.Errorf("got %s", got)
	}
}

// TestTooManyProblems: a hopeless file does not fill the screen.
func TestTooManyProblems(t *testing.T) {
	_, problems := parseConfig("x.yaml", []byte("tenants:\n"+strings.Repeat("  - name: 7\n", 300)), testOptions())
	if len(problems) != maxProblems+1 || len(told(problems, "more; they are told when these are gone")) != 1 {
		t.Errorf("%d problems: %v", len(problems), problems[len(problems)-1])
	}
}
