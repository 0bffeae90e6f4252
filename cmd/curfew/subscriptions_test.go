package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"curfew/graph"
	"curfew/graph/graphtest"
)

// A site is a tenant, and a worker for it with a configuration of its own.
type site struct {
	t      *testing.T
	tenant *graphtest.Tenant
	file   string

	stop func()
}

const siteClient = "3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d"

// newSite makes a tenant on loopback and writes a configuration for it.
func newSite(t *testing.T) *site {
	t.Helper()
	cloud := graphtest.NewCloud()
	t.Cleanup(cloud.Close)
	tenant := cloud.AddTenant("contoso", contoso)
	tenant.AddApp(siteClient, environment("CURFEW_TEST_SECRET"), graphtest.AllRoles()...)
	check(t, cloud.Listen("127.0.0.1:0"))
	cert, key, err := cloud.Issue("127.0.0.1")
	check(t, err)
	dir := t.TempDir()
	for name, data := range map[string][]byte{"cloud.pem": cloud.CA(), "cert.pem": cert, "key.pem": key} {
		check(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	webhook := freeAddress(t)
	file := filepath.Join(dir, "curfew.yaml")
	check(t, os.WriteFile(file, fmt.Appendf(nil, `
data: ./data
queue: 127.0.0.1:0
listen: %[1]s
public_url: https://%[1]s
tls: {cert_file: cert.pem, key_file: key.pem}
admin: %[2]s
tenants:
  - name: contoso
    id: %[3]s
    endpoints: {graph: %[4]q, login: %[4]q, ca_file: cloud.pem}
    auth: {client_id: %[5]s, client_secret_env: CURFEW_TEST_SECRET}
    mail_from: it@contoso.example
    subscribe: [users, groups]
policies:
  - name: threat
    when: device.threat >= medium
    ladder: [{do: [mail: {template: threat-found}]}]
`, webhook, freeAddress(t), contoso, cloud.URL, siteClient), 0o600))
	return &site{t: t, tenant: tenant, file: file}
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	return l.Addr().String()
}

// run runs a command with the site's configuration.
func (s *site) run(args ...string) (stdout, stderr string, code int) {
	return call(s.t.Context(), environment, append(args, "-c", s.file)...)
}

// start runs the worker, as `curfew run` does, until stop.
func (s *site) start() {
	ctx, cancel := context.WithCancel(s.t.Context())
	var wg sync.WaitGroup
	var logs bytes.Buffer
	var code int
	wg.Go(func() { code = execute(ctx, []string{"run", "-c", s.file}, environment, &logs, &logs) })
	s.stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		if code != exitFine {
			s.t.Errorf("the worker ended with %d:\n%s", code, logs.String())
		}
	})
	s.t.Cleanup(s.stop)
	s.until("ready", func() bool {
		_, _, code := s.run("health")
		return code == exitFine
	})
}

func (s *site) until(what string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("not %s in time", what)
		}
	}
}

// TestSubscriptionsOfAWorker are listed while it runs, and removed when it does
// not.
func TestSubscriptionsOfAWorker(t *testing.T) {
	s := newSite(t)
	if _, stderr, code := s.run("subscriptions", "list"); code != exitNoWorker {
		t.Errorf("without a worker: %d %q", code, stderr)
	}
	s.start()
	s.until("subscribed", func() bool { return len(s.tenant.Subscriptions()) == 2 })
	s.until("live", func() bool {
		live := 0
		stdout, _, _ := s.run("subscriptions", "list", "--json")
		for line := range strings.Lines(stdout) {
			var st graph.SubscriptionStatus
			check(t, json.Unmarshal([]byte(line), &st))
			if st.State == "live" && st.Tenant == contoso && st.Expires.After(time.Now()) {
				live++
			}
		}
		return live == 2
	})
	stdout, stderr, code := s.run("subscriptions", "list", "--tenant", "contoso")
	if code != exitFine || !strings.Contains(stdout, "contoso  groups    live") || !strings.Contains(stdout, "contoso  users     live") {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	if _, stderr, code := s.run("subscriptions", "list", "--tenant", "fabrikam"); code != exitNotFound {
		t.Errorf("%d %q", code, stderr)
	}

	if _, stderr, code := s.run("subscriptions", "remove"); code != exitFailed || !strings.Contains(stderr, "stop it first") {
		t.Errorf("while the worker runs: %d %q", code, stderr)
	}
	if n := len(s.tenant.Subscriptions()); n != 2 {
		t.Fatalf("%d subscriptions are left", n)
	}
	s.stop()
	if stdout, stderr, code := s.run("subscriptions", "remove", "--tenant", "CONTOSO"); code != exitFine || stdout != "contoso: the subscriptions are removed\n" {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	if left := s.tenant.Subscriptions(); len(left) != 0 {
		t.Errorf("%d subscriptions are left", len(left))
	}
}

// TestQueueOfANATSServer is reached by the URL and the key of the configuration.
func TestQueueOfANATSServer(t *testing.T) {
	dir := workerIn(t) // serves as the NATS server
	access, err := os.ReadFile(filepath.Join(dir, "nats.json"))
	check(t, err)
	var at struct{ URL string }
	check(t, json.Unmarshal(access, &at))
	conf, err := os.ReadFile("testdata/cli/curfew.yaml")
	check(t, err)
	file := filepath.Join(t.TempDir(), "curfew.yaml")
	write := func(url, key string) {
		check(t, os.WriteFile(file, fmt.Appendf(conf, "nats: {url: %q, nkey_file: %q}\n", url, key), 0o600))
	}
	write(at.URL, filepath.Join(dir, "nats.nk"))
	for deadline := time.Now().Add(10 * time.Second); ; {
		stdout, stderr, code := call(t.Context(), environment, "cases", "-c", file)
		if code == exitFine && strings.Contains(stdout, "contoso  LT-042") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d %q %q", code, stdout, stderr)
		}
	}
	// Another key is refused at once.
	other := workerIn(t)
	write(at.URL, filepath.Join(other, "nats.nk"))
	if _, stderr, code := call(t.Context(), environment, "cases", "-c", file); code != exitNoWorker || !strings.Contains(stderr, "uthorization") {
		t.Errorf("%d %q", code, stderr)
	}
}
