package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/journal"
)

func nothingSet(string) string { return "" }

// call runs the program as a process would, but for the process.
func call(ctx context.Context, getenv func(string) string, args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	code = execute(ctx, args, getenv, &out, &errs)
	return out.String(), errs.String(), code
}

// TestExitCodes are what `curfew help exit-codes` says.
func TestExitCodes(t *testing.T) {
	empty := t.TempDir()
	for _, c := range []struct {
		name  string
		args  []string
		code  int
		about string
	}{
		{"no worker in an empty directory", []string{"cases", "--data", empty}, exitNoWorker, "no worker is running with the data directory " + empty + ": start it with `curfew run -c FILE`"},
		{"no worker, to act", []string{"ack", "LT-042", "--for", "1h", "--data", empty}, exitNoWorker, "start it with"},
		{"no worker, for dead letters", []string{"dead", "list", "--data", empty}, exitNoWorker, "start it with"},
		{"no worker, for the journal", []string{"journal", "--data", empty}, exitNoWorker, "start it with"},
		{"no admin server", []string{"health", "--admin", "127.0.0.1:1"}, exitNoWorker, "no worker answers at 127.0.0.1:1"},
		{"no such command", []string{"casses"}, exitWrong, `unknown command "casses" for "curfew"; Did you mean this?; case; cases; pauses; see ` + "`curfew --help`"},
		{"no such subcommand", []string{"dead", "lisst"}, exitWrong, `unknown command "lisst" for "curfew dead"`},
		{"no such flag", []string{"cases", "--opened"}, exitWrong, "unknown flag: --opened; see `curfew cases --help`"},
		{"no device", []string{"case"}, exitWrong, "accepts 1 arg(s), received 0; see `curfew case --help`"},
		{"no such log format", []string{"version", "--log", "xml"}, exitWrong, "it is json or text"},
		{"no such level", []string{"version", "--level", "loud"}, exitWrong, "it is debug, info, warn or error"},
		{"no such configuration", []string{"cases", "-c", "nowhere.yaml"}, exitWrong, "nowhere.yaml:1:1: cannot read the configuration: there is no such file; mend it (`curfew check -c nowhere.yaml` says all), or name the worker's data directory with --data"},
		{"no configuration to check", []string{"check"}, exitWrong, "`curfew example > curfew.yaml` writes one to begin with"},
		{"no configuration to run", []string{"run"}, exitWrong, "use -c FILE"},
		{"no such template", []string{"template", "preview", "nice"}, exitNotFound, `no template is called "nice"; there are: approve, approve-in-intune, cleared,`},
		{"no such sample", []string{"template", "preview", "cleared", "--sample", "nice"}, exitWrong, "there are: approval, healthy, noncompliant, threat"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, stderr, code := call(t.Context(), nothingSet, c.args...)
			if code != c.code || stdout != "" || !strings.Contains(stderr, c.about) {
				t.Errorf("ended with %d, want %d; %q; %q, want %q", code, c.code, stdout, stderr, c.about)
			}
			if strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "curfew: ") {
				t.Errorf("the message is not one line: %q", stderr)
			}
		})
	}
}

// TestInterruptedCommands say so, and do not blame the worker.
func TestInterruptedCommands(t *testing.T) {
	dir := workerIn(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, stderr, code := call(ctx, nothingSet, "cases", "--data", dir); code != exitInterrupted || stderr != "curfew: interrupted\n" {
		t.Errorf("%d %q", code, stderr)
	}
}

// workerIn runs what a worker has for others to connect to, on a real port, and
// returns its data directory. It keeps cases; nobody handles tasks.
func workerIn(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	b, err := broker.Embed(t.Context(), broker.Embedded{Dir: dir, Listen: "127.0.0.1:0"}, quiet)
	check(t, err)
	j, err := journal.Open(t.Context(), b.Conn(), journal.Options{Partitions: 1}, quiet)
	check(t, err)
	conf, problems := loadConfig("testdata/cli/curfew.yaml", testOptions())
	if conf == nil {
		t.Fatal(problems)
	}
	ctx, cancel := context.WithCancel(t.Context())
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		_ = j.Keep(ctx, func() events.Policies { return conf.Policies })
	}()
	t.Cleanup(func() {
		cancel()
		<-kept
		check(t, b.Stop(context.WithoutCancel(ctx)))
	})
	k := events.Key{Tenant: contoso, Device: "d42"}
	d := events.Device{Key: k, Name: "LT-042", User: "anna@contoso.example", OS: "Windows", Threat: "highSeverity", SeenAt: time.Now(), LastSync: time.Now()}
	check(t, j.Append(t.Context(), k, events.Seen{Device: d}, ""))
	return dir
}

// TestWorkerIsFound through its data directory, by the credentials that are
// there, or by the configuration that names it.
func TestWorkerIsFound(t *testing.T) {
	dir := workerIn(t)
	run := func(args ...string) string {
		t.Helper()
		stdout, stderr, code := call(t.Context(), nothingSet, append([]string{args[0], "--data", dir}, args[1:]...)...)
		if code != exitFine || stderr != "" && args[0] != "__complete" {
			t.Fatalf("%q ended with %d: %s", args, code, stderr)
		}
		return stdout
	}
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(run("cases", "--json"), `"LT-042"`); {
		if time.Now().After(deadline) {
			t.Fatal("the case does not come")
		}
	}
	if out := run("ack", "lt-042", "--for", "1h"); !strings.HasPrefix(out, "LT-042: acknowledged until ") {
		t.Error(out)
	}
	if out := run("cases", "--open"); !strings.Contains(out, "acknowledged") || !strings.Contains(out, contoso) {
		t.Error(out) // the tenant's name is not known without the configuration
	}
	if out := run("__complete", "ack", "L"); !strings.HasPrefix(out, "LT-042\tacknowledged, anna@contoso.example\n") {
		t.Error(out)
	}
	// A broken configuration is said to be, but keeps nobody from asking.
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	check(t, os.WriteFile(broken, []byte("tenants: 7\n"), 0o600))
	stdout, stderr, code := call(t.Context(), nothingSet, "cases", "--data", dir, "-c", broken)
	if code != exitFine || !strings.Contains(stdout, "LT-042") || !strings.Contains(stderr, "the configuration is not used") {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
}

// TestCheckSaysEverything at once, with lines, and ends with 2 if anything is wrong.
func TestCheckSaysEverything(t *testing.T) {
	stdout, stderr, code := call(t.Context(), environment, "check", "-c", "testdata/cli/curfew.yaml")
	if code != exitFine || stderr != "" || stdout != "testdata/cli/curfew.yaml can be used: 2 tenants, 2 policies, 2 destinations, not a dry run: devices are reset\n" {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	stdout, stderr, code = call(t.Context(), environment, "check", "-c", "testdata/config/slips.yaml")
	want, err := os.ReadFile("testdata/config/slips.problems")
	check(t, err)
	if code != exitWrong || stdout != strings.ReplaceAll("\n"+string(want), "\nslips.yaml:", "\ntestdata/config/slips.yaml:")[1:] {
		t.Errorf("%d %q", code, stdout)
	}
	mistakes := strings.Count(stdout, "\n") - strings.Count(stdout, ": warning: ")
	if stderr != "curfew: testdata/config/slips.yaml cannot be used: "+count(mistakes, "mistake")+"\n" {
		t.Error(stderr)
	}
	stdout, _, code = call(t.Context(), environment, "check", "-c", "testdata/config/slips.yaml", "--json")
	for line := range strings.Lines(stdout) {
		var p problem
		if check(t, json.Unmarshal([]byte(line), &p)); p.Line == 0 || p.Column == 0 || p.Text == "" {
			t.Errorf("%q", line)
		}
	}
	if code != exitWrong || strings.Count(stdout, "\n") != strings.Count(string(want), "\n") {
		t.Errorf("%d %q", code, stdout)
	}
}

// TestCheckWithoutSecrets is for machines that have none.
func TestCheckWithoutSecrets(t *testing.T) {
	if _, _, code := call(t.Context(), nothingSet, "check", "-c", "testdata/cli/curfew.yaml"); code != exitWrong {
		t.Errorf("secrets are missing, but check ends with %d", code)
	}
	stdout, _, code := call(t.Context(), nothingSet, "check", "-c", "testdata/cli/curfew.yaml", "--no-secrets")
	if code != exitFine || !strings.Contains(stdout, "warning: ") || !strings.Contains(stdout, "4 warnings\n") {
		t.Errorf("%d %q", code, stdout)
	}
}

// TestExampleAndSchema are printed as they are, and the example is right.
func TestExampleAndSchema(t *testing.T) {
	stdout, _, code := call(t.Context(), nothingSet, "example")
	if code != exitFine || stdout != string(exampleConfig) {
		t.Errorf("%d, %d bytes", code, len(stdout))
	}
	file := filepath.Join(t.TempDir(), "curfew.yaml")
	check(t, os.WriteFile(file, []byte(stdout), 0o600))
	if stdout, stderr, code := call(t.Context(), nothingSet, "check", "-c", file, "--no-secrets"); code != exitFine || !strings.Contains(stdout, "a dry run: nothing is reset") {
		t.Errorf("%d %s %s", code, stdout, stderr)
	}
	stdout, _, code = call(t.Context(), nothingSet, "schema")
	if code != exitFine || !json.Valid([]byte(stdout)) || stdout != string(configSchema) {
		t.Errorf("%d, %d bytes", code, len(stdout))
	}
}

// TestVersion says what the binary was made of.
func TestVersion(t *testing.T) {
	stdout, _, code := call(t.Context(), nothingSet, "version")
	if code != exitFine || !strings.HasPrefix(stdout, "curfew ") || !strings.Contains(stdout, "built by  go1.") {
		t.Errorf("%d %q", code, stdout)
	}
	var b build
	stdout, _, _ = call(t.Context(), nothingSet, "version", "--json")
	if check(t, json.Unmarshal([]byte(stdout), &b)); b.Go == "" || b.Platform == "" || b.Version == "" {
		t.Errorf("%q", stdout)
	}
}

// TestEveryCommandExplainsItself with a line, a text, an example, and what its
// arguments are.
func TestEveryCommandExplainsItself(t *testing.T) {
	a := newApp(nothingSet, io.Discard, io.Discard)
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Name() == "completion" || c.Name() == "help" {
			return // cobra's own
		}
		path := c.CommandPath()
		if c.Short == "" || c.Long == "" || c.Runnable() && (c.Example == "" || c.Args == nil) {
			t.Errorf("%s does not explain itself", path)
		}
		for line := range strings.Lines(c.Long + "\n" + c.Example) {
			if len([]rune(line)) > 110 {
				t.Errorf("%s has a line of %d characters: %s", path, len([]rune(line)), line)
			}
		}
		for line := range strings.Lines(c.Example) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "curfew") {
				t.Errorf("%s has an example that is no command: %s", path, line)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRootCmd(a))
	stdout, _, code := call(t.Context(), nothingSet, "help", "exit-codes")
	if code != exitFine || !strings.Contains(stdout, "  4  no worker or no queue can be reached\n") {
		t.Errorf("%d %q", code, stdout)
	}
	if stdout, _, code := call(t.Context(), nothingSet); code != exitFine || !strings.Contains(stdout, "See how things stand:") {
		t.Errorf("%d %q", code, stdout)
	}
}

// TestTemplates are listed and read like the mail.
func TestTemplates(t *testing.T) {
	stdout, _, code := call(t.Context(), nothingSet, "template", "list", "--json")
	if code != exitFine || !strings.Contains(stdout, `{"languages":["de","en","es","fr","nl"],"name":"threat-found","subject":"`) || !strings.Contains(stdout, `{"languages":["de","en","es","fr","nl"],"name":"approve","subject":"`) {
		t.Errorf("%d %q", code, stdout)
	}
	stdout, _, _ = call(t.Context(), nothingSet, "template", "preview", "noncompliant")
	if !strings.HasPrefix(stdout, "Subject: ") || !strings.Contains(stdout, "BitLocker") {
		t.Error(stdout)
	}
	stdout, _, _ = call(t.Context(), nothingSet, "template", "preview", "threat-found", "--sample", "threat", "--json")
	var m struct{ Subject, Text, HTML string }
	if check(t, json.Unmarshal([]byte(stdout), &m)); m.Subject == "" || !strings.Contains(m.Text, "LT-042") || !strings.Contains(m.HTML, "LT-042") {
		t.Error(stdout)
	}
	for language, want := range map[string]string{"de": "Was Sie tun können:", "de-AT": "Was Sie tun können:", "FR": "Ce que vous pouvez faire :", "es": "Qué puede hacer:", "nl": "Wat u kunt doen:"} {
		if stdout, _, code := call(t.Context(), nothingSet, "template", "preview", "threat-found", "--lang", language); code != exitFine || !strings.Contains(stdout, want) {
			t.Errorf("%s: %d %s", language, code, stdout)
		}
	}
	for _, language := range []string{"pl", "../de", "d"} {
		if _, stderr, code := call(t.Context(), nothingSet, "template", "preview", "threat-found", "--lang", language); code != exitNotFound || !strings.Contains(stderr, "comes in: de, en, es, fr, nl") {
			t.Errorf("%s: %d %s", language, code, stderr)
		}
	}
	inWard(t, func(w *ward) {
		w.fill()
		if out := w.must("template", "preview", "last-warning", "--case", "d42"); !strings.Contains(out, "Anna Example") || !strings.Contains(out, "2 January 2000 at 09:00 CET") {
			t.Error(out)
		}
		if out := w.must("template", "preview", "last-warning", "--case", "d42", "--lang", "de"); !strings.Contains(out, "Anna Example") || !strings.Contains(out, "2. Januar 2000 um 09:00 Uhr (CET)") {
			t.Error(out)
		}
	})
}
