package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"curfew/graph/baseline"
	"curfew/graph/graphtest"
)

// A plot is a tenant with nothing on it, and the files that say what is to be.
type plot struct {
	*site
	tenant *graphtest.Tenant
	dir    string
}

const smallBaseline = `baseline:
  pilot: Curfew pilot
  emergency: {accounts: [breakglass@contoso.example]}
  connector: {platforms: [windows]}
  notification: {name: At risk, default: en-US, messages: {en-US: {subject: At risk, body: "<p>{{DeviceName}}</p>"}}}
  compliance: {policies: {windows: {name: "Risk: Windows", level: low, block_after: 6h, notify: [{after: 0h}]}}}
  conditional_access: {name: Risk, variant: one}
tenants:
  contoso: {compliance: {policies: {windows: {level: clear}}}}
`

func newPlot(t *testing.T, identity string) *plot {
	t.Helper()
	cloud := graphtest.NewCloud()
	t.Cleanup(cloud.Close)
	check(t, cloud.Listen("127.0.0.1:0"))
	p := &plot{dir: t.TempDir(), tenant: cloud.AddTenant("contoso", contoso)}
	p.site = &site{t: t, file: filepath.Join(p.dir, "curfew.yaml")}
	p.tenant.AddApp(siteActor, "set-secret-0123456789", graphtest.BaselineRoles()...)
	p.tenant.AddUser(graphtest.User{UPN: "breakglass@contoso.example"})
	p.tenant.AddUser(graphtest.User{UPN: "ana@contoso.example", Groups: []string{"Curfew pilot"}})
	p.tenant.ConnectDefender()
	write(t, p.dir, "cloud.pem", string(cloud.CA()), 0o600)
	write(t, p.dir, "set", "set-secret-0123456789", 0o600)
	write(t, p.dir, "baseline.yaml", smallBaseline, 0o600)
	// The worker's secret is not here: whoever sets tenants up need not have it.
	write(t, p.dir, "curfew.yaml", fmt.Sprintf(`data: ./data
queue: 127.0.0.1:0
attention: []
tenants:
  - name: contoso
    id: %s
    endpoints: {graph: %[2]q, login: %[2]q, ca_file: cloud.pem}
    auth: {client_id: %s, client_secret_file: nowhere}
    %s
policies: [{name: threat, when: "device.threat >= high", ladder: [{do: [sync]}]}]
`, contoso, cloud.URL, siteClient, identity), 0o600)
	return p
}

const ownIdentity = "baseline: {client_id: " + siteActor + ", client_secret_file: set}"

// run runs one of the commands.
func (p *plot) run(args ...string) (stdout, stderr string, code int) {
	p.t.Helper()
	return call(p.t.Context(), nothingSet, append([]string{"baseline", args[0], "-c", p.file}, args[1:]...)...)
}

// says runs one and checks how it ends and what it says.
func (p *plot) says(code int, words string, args ...string) string {
	p.t.Helper()
	stdout, stderr, got := p.run(args...)
	if all := stdout + stderr; got != code || !strings.Contains(all, words) {
		p.t.Fatalf("curfew baseline %s: %d\n%s\nwant %d and %q", strings.Join(args, " "), got, all, code, words)
	}
	return stdout
}

// TestSettingATenantUp by the commands of the README, and taking it back.
func TestSettingATenantUp(t *testing.T) {
	p := newPlot(t, ownIdentity)
	file := filepath.Join(p.dir, "plan.json")
	text := p.says(exitWrong, `+ create access/pilot`, "plan", "--out", file)
	for _, words := range []string{"state: enabledForReportingButNotEnforced", "group Curfew pilot", "excludeUsers: [breakglass@contoso.example]", "RequiredSecurityLevel: secured", "3 to create, 1 to change, 0 as they should be."} {
		if !strings.Contains(text, words) {
			t.Errorf("the plan does not say %q:\n%s", words, text)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if len(p.tenant.Placed(graphtest.AccessPolicies)) > 0 {
		t.Fatal("a plan has written")
	}
	p.says(exitWrong, "--yes", "apply")
	text = p.says(exitFine, "4 steps done in run", "apply", file, "--by", "ana")
	if !strings.Contains(text, `[3/4] create compliance/windows "Risk: Windows"`) || !strings.Contains(text, "[3/4] done compliance/windows") {
		t.Errorf("progress:\n%s", text)
	}
	var plan baseline.Plan
	out := p.says(exitFine, `"action":"nothing"`, "plan", "--json")
	if err := json.Unmarshal([]byte(out), &plan); err != nil || len(plan.Work()) > 0 || plan.Stage != baseline.PilotReport {
		t.Errorf("%v\n%s", err, out)
	}
	p.says(exitFine, "contoso: nothing to do.", "apply", file) // a plan that was applied
	p.says(exitFine, "ana", "runs")
	p.says(exitFine, "is taken back", "undo", "--tenant", "contoso")
	p.says(exitFine, "taken back by", "runs")
	if got := p.tenant.Placed(graphtest.CompliancePolicies); len(got) > 0 {
		t.Errorf("left behind: %v", got)
	}
}

// TestOnlyItsOwnIdentityWrites: the worker's app never does, and its secret is not
// asked for.
func TestOnlyItsOwnIdentityWrites(t *testing.T) {
	p := newPlot(t, "")
	p.says(exitFailed, "client_secret_file: cannot read the file", "plan")
	write(t, p.dir, "nowhere", "set-secret-0123456789", 0o600)
	p.says(exitWrong, "must not be able to change policies", "apply", "--yes")
	p = newPlot(t, "baseline: {client_id: "+siteClient+", client_secret_file: set}")
	p.says(exitFailed, "this is an app of the worker's", "plan")
}

// TestBaselineMistakes are told all at once, where they are.
func TestBaselineMistakes(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"a key":               {"  pilot:", "  pilott:", `2:3: baseline.pilott: unknown key "pilott"; did you mean pilot?`},
		"a tenant":            {"  contoso:", "  contosso:", "9:3: tenants.contosso: the configuration has no tenant of this name"},
		"a level":             {"level: clear", "level: none", `tenants.contoso.compliance.policies.windows.level: "none" is not possible here`},
		"a time":              {"block_after: 6h", "block_after: 90m", "block_after: \"90m\" is not whole hours or days"},
		"a year":              {"block_after: 6h", "block_after: 366d", "this is up to 8760 hours"},
		"no way out":          {"accounts: [breakglass@contoso.example]", "groups: [x]", "emergency.accounts: this is missing"},
		"a tag":               {"<p>", "<h1>", "the tag <h1> makes Intune send the whole mail as plain text"},
		"a style":             {"<p>", "<p style='x'>", "styles make Intune send"},
		"a token":             {"{{DeviceName}}", "{{Device}}", "Intune puts nothing in for {{Device}}"},
		"a subject":           {"subject: At risk", "subject: " + strings.Repeat("x", 79), "this has 79 characters; Intune takes 78"},
		"a body":              {"<p>{{DeviceName}}</p>", strings.Repeat("ä", 2001), "this has 2001 characters; Intune takes 2000"},
		"no default":          {"default: en-US", "default: de-DE", "there is no message in de-DE"},
		"adopting nobody":     {"  contoso: {", "  contoso: {adopt: {compliance/linux: new}, ", `this file makes no "compliance/linux"`},
		"adopting by name":    {"  contoso: {", "  contoso: {adopt: {notification: Mine}, ", "this is the id of what is to be adopted, or new"},
		"a mail without text": {"notification: {name", "x: {name", "unknown key \"x\""},
		"nothing to send":     {"  contoso: {", "  contoso: {notification: null, ", "there is no notification to send"},
	} {
		text := strings.Replace(smallBaseline, c.from, c.to, 1)
		specs, problems := parseBaseline("baseline.yaml", []byte(text), []string{"contoso"})
		if specs != nil || !slices.ContainsFunc(problems, func(p problem) bool { return strings.Contains(p.String(), c.want) }) {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

// TestCheckLooksAtTheBaseline that lies beside the configuration.
func TestCheckLooksAtTheBaseline(t *testing.T) {
	p := newPlot(t, ownIdentity)
	check := func(want int, words string) {
		t.Helper()
		stdout, stderr, code := call(t.Context(), nothingSet, "check", "--no-secrets", "-c", p.file)
		if code != want || !strings.Contains(stdout+stderr, words) {
			t.Errorf("%d\n%s%s\nwant %d and %q", code, stdout, stderr, want, words)
		}
	}
	check(exitFine, "can be used")
	write(t, p.dir, "baseline.yaml", strings.Replace(smallBaseline, "  pilot:", "  pilott:", 1), 0o600)
	check(exitWrong, `baseline.yaml:2:3: baseline.pilott: unknown key "pilott"; did you mean pilot?`)
	check(exitWrong, "baseline.yaml cannot be used: 2 mistakes")
	if err := os.Remove(filepath.Join(p.dir, "baseline.yaml")); err != nil {
		t.Fatal(err)
	}
	check(exitFine, "can be used")
}

// TestTheExampleBaseline is right, but for the second account that Microsoft advises.
func TestTheExampleBaseline(t *testing.T) {
	specs, problems := parseBaseline("baseline.yaml", exampleBaseline, []string{"contoso"})
	if len(specs) != 1 || len(problems) != 1 || !problems[0].Warning {
		t.Errorf("%v", problems)
	}
	if keys := specs["contoso"].Keys(); len(keys) != 16 {
		t.Errorf("%d: %v", len(keys), keys)
	}
}

// TestWhatATenantHasOfItsOwn is put over what is the same for all.
func TestWhatATenantHasOfItsOwn(t *testing.T) {
	specs, problems := parseBaseline("baseline.yaml", []byte(strings.Replace(smallBaseline, "  contoso: {compliance", `  fabrikam:
    pilot: IT
    notification: {messages: {de-DE: {subject: Gefahr, body: x}}}
    conditional_access: null
  contoso: {compliance`, 1)), []string{"Contoso", "Fabrikam"})
	if len(mistakes(problems)) > 0 {
		t.Fatal(problems)
	}
	us, them := specs["contoso"], specs["fabrikam"]
	if us.Pilot != "Curfew pilot" || us.Access == nil || us.Compliance.Policies[baseline.Windows].Level != baseline.Clear || len(us.Notification.Messages) != 1 ||
		them.Pilot != "IT" || them.Access != nil || them.Compliance.Policies[baseline.Windows].Level != baseline.Low || len(them.Notification.Messages) != 2 {
		t.Errorf("%+v\n%+v", us, them)
	}
}
