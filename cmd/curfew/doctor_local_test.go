package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"curfew/graph"
)

// TestClock: what a token's times say about this machine's.
func TestClock(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	fresh := graph.Grant{Issued: now.Add(-5 * time.Minute), Expires: now.Add(time.Hour)}
	managed := authConfig{ManagedIdentity: &managedConfig{}}
	for _, c := range []struct {
		name  string
		grant graph.Grant
		auth  authConfig
		state string
		text  string
	}{
		{"in step", fresh, authConfig{}, fine, "agree"},
		{"behind", graph.Grant{Issued: now.Add(10 * time.Minute), Expires: now.Add(time.Hour)}, authConfig{}, bad, "behind Microsoft's by 10m"},
		{"ahead", graph.Grant{Issued: now.Add(-3 * time.Hour), Expires: now.Add(-2 * time.Hour)}, authConfig{}, bad, "ahead by 2h"},
		{"a little ahead", graph.Grant{Issued: now.Add(-30 * time.Minute), Expires: now.Add(time.Hour)}, authConfig{}, note, "30m old"},
		{"a token that the platform had", graph.Grant{Issued: now.Add(-20 * time.Hour), Expires: now.Add(time.Hour)}, managed, fine, "agree"},
		{"no date", graph.Grant{Expires: now.Add(time.Hour)}, authConfig{}, unknown, "does not say"},
	} {
		if l := clock(c.grant, c.auth, now); l.State != c.state || !strings.Contains(l.Text, c.text) {
			t.Errorf("%s: %+v", c.name, l)
		}
	}
}

// TestThisMachine: files that others can read, certificates that run out, a data
// directory that is none.
func TestThisMachine(t *testing.T) {
	s := newSite(t)
	dir := filepath.Dir(s.file)
	write(t, dir, "open", "0123456789abcdef", 0o604)
	conf, problems := loadConfig(s.file, loadOptions{Templates: templateNames, Getenv: environment})
	if conf == nil {
		t.Fatal(problems)
	}
	conf.PublicURL = ""
	conf.Tenants[0].Auth.ClientSecretFile = filepath.Join(dir, "open")
	find := func(now time.Time, checkName, text string) string {
		t.Helper()
		for _, l := range localChecks(t.Context(), conf, now) {
			if l.Check == checkName && strings.Contains(l.Text, text) {
				return l.State
			}
		}
		return "not said"
	}
	now := time.Now()
	if state := find(now, "file mode", "tenants[0].auth.client_secret_file: everybody"); state != bad {
		t.Error(state)
	}
	check(t, os.Chmod(filepath.Join(dir, "open"), 0o660))
	if state := find(now, "file mode", "its group can write"); state != note {
		t.Error(state)
	}
	if state := find(now, "auth", "client secret"); state != unknown {
		t.Error(state)
	}
	conf.Tenants[0].Auth.ClientSecretExpires = "2027-01-31"
	for at, want := range map[time.Time]string{
		time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC):  fine,
		time.Date(2027, 1, 20, 0, 0, 0, 0, time.UTC): note,
		time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC):  bad,
	} {
		if state := find(at, "auth", "2027-01-31"); state != want {
			t.Errorf("a secret that runs out on 2027-01-31 is %s on %v", state, at)
		}
	}
	if state := find(now, "data directory", "can be written"); state != fine {
		t.Error(state)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		t.Error("the doctor has made the data directory")
	}
	conf.Data = filepath.Join(s.file, "data")
	if state := find(now, "data directory", s.file); state != bad {
		t.Error(state)
	}
	pair, err := os.ReadFile(conf.TLS.CertFile)
	check(t, err)
	conf.Tenants[0].Auth = authConfig{Certificate: newSecret(string(pair))}
	for _, key := range []string{"tls.cert_file", "auth"} {
		for text, at := range map[string]time.Time{"good until": now, "has run out": now.AddDate(50, 0, 0), "not valid before": now.AddDate(-50, 0, 0)} {
			want := bad
			if text == "good until" {
				want = "not bad"
			}
			if state := find(at, key, ""); (state == bad) != (want == bad) || want == bad && find(at, key, text) != bad {
				t.Errorf("%s at %v: %s", key, at, state)
			}
		}
	}
	conf.Tenants[0].Auth.Certificate = newSecret("PKCS#12")
	if state := find(now, "auth", "PEM only"); state != unknown {
		t.Error(state)
	}
}

// TestPublicURL: whether the webhook answers as one does, which is only a note.
func TestPublicURL(t *testing.T) {
	answer := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Query().Get("validationToken"))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/ours/graph/notifications" {
			answer(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	if l := reach(t.Context(), server.URL+"/ours"); l.State != fine {
		t.Errorf("%+v", l)
	}
	if l := reach(t.Context(), server.URL); l.State != note || !strings.Contains(l.Text, "404") {
		t.Errorf("%+v", l)
	}
	server.Close()
	if l := reach(t.Context(), server.URL); l.State != note || !strings.Contains(l.Text, "need not mean") || strings.Contains(l.Text, "doctor-") {
		t.Errorf("%+v", l)
	}
}
