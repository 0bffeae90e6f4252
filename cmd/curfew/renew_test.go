package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/events/gate/link"
	"curfew/handlers"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/page"
	"curfew/handlers/page/oncall"
	"curfew/handlers/page/opsgenie"
	"curfew/handlers/page/rota"
	slackpager "curfew/handlers/page/slack"
	"curfew/handlers/ticket"
	"curfew/handlers/ticket/jira"
	"curfew/handlers/ticket/jira/jiratest"
)

// following has secrets followed until the function it returns is called.
func following(t *testing.T, r *renewals) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func TestASecretIsExchangedWhileTheWorkerRuns(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		const before, after = "token-before-0123456789", "token-after-0123456789"
		site := &jiratest.Site{Email: "curfew@contoso.example", Token: before}
		wire, err := fake.Pipe(site)
		check(t, err)
		defer wire.Close()
		client := handlers.NewClient(handlers.Reach{Roots: wire.Roots, Dial: wire.Dial})
		defer client.CloseIdleConnections()
		file := write(t, dir, "token", before+"\n", 0o600)
		d := destinationConfig{
			Kind: "jira", URL: newSecret(wire.URL), Secrets: map[string]secret{"token": newKept(file, before, secretLine)},
			Desk: &jiraSection{User: site.Email, deskBase: deskBase[jira.Route, string]{Triage: &jira.Route{Project: "SEC"}}},
		}
		var log lines
		r := &renewals{log: slog.New(slog.NewTextHandler(&log, nil))}
		desk := r.desk("desk", d, func() ticket.Desk { return deskOf(&config{}, d, client, nil) })
		defer following(t, r)()
		works := func(want bool) {
			t.Helper()
			time.Sleep(renewEvery + time.Second)
			if _, err := desk.Find(t.Context(), "curfew-0123456789"); (err == nil) != want {
				t.Errorf("the desk works: %v, want %v: %v", err == nil, want, err)
			}
		}
		works(true)
		check(t, os.WriteFile(file, nil, 0o600)) // it is being written
		works(true)
		works(true)
		if n := strings.Count(log.String(), "cannot be read again"); n != 1 {
			t.Errorf("it was told %d times: %s", n, &log)
		}
		site.Token = after
		works(false)
		check(t, os.WriteFile(file, []byte(after+"\n"), 0o600))
		works(true)
		check(t, os.Rename(file, filepath.Join(dir, "elsewhere")))
		works(true)
		if strings.Contains(log.String(), "token-") || strings.Contains(log.String(), dir) {
			t.Errorf("the log holds a secret or where it is: %s", &log)
		}
		if got := r.troubles(); len(got) != 1 || got[0].Check != "secrets of destination desk" || !strings.Contains(got[0].Reason, "there is no such file") {
			t.Errorf("to those who ask it says %v", got)
		}
		check(t, os.Rename(filepath.Join(dir, "elsewhere"), file))
		works(true)
		if got := r.troubles(); len(got) != 0 {
			t.Errorf("it does not forget that it was ill: %v", got)
		}
		if l, ok := desk.(ticket.Late); !ok || l.Lag() != 2*time.Minute || folds(desk) {
			t.Error("it is another kind of desk")
		}
	})
}

// Everything that is made of secrets follows them: pagers, channels, the people of
// a rota, and the doors of what comes back.
func TestEverythingFollowsItsSecrets(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		const long = "a-secret-that-is-long-enough"
		keep := func(name string) secret { return newKept(write(t, dir, name, long, 0o600), long, secretLine) }
		conf := &config{
			Destinations: map[string]destinationConfig{
				"pager":   {Kind: "opsgenie", APIKey: keep("key")},
				"channel": {Kind: "slack", URL: newKept(write(t, dir, "url", "https://hooks.slack.com/services/a", 0o600), "https://hooks.slack.com/services/a", secretLine)},
				"rota":    {Kind: "rota", Rotation: "night"},
				"hooked":  {Kind: "goalert", URL: newSecret("https://goalert.example"), APIKey: newSecret(long), HookSecret: keep("hook")},
			},
			OnCall: onCallConfig{
				Rota:   rota.Rota{Rotations: map[string]rota.Rotation{"night": {Zone: time.UTC, Order: []string{"bo"}, Start: time.Now()}}},
				People: map[string]personConfig{"bo": {URL: newSecret("https://bo.example"), Secret: keep("bo")}},
			},
		}
		r := &renewals{log: quiet}
		pagers := pagersOf(conf, noMail{}, r)
		door := doorsOf(conf, nil, nil, r, http.NotFoundHandler(), quiet)
		defer following(t, r)()
		knock := func(token string) int {
			req := httptest.NewRequest(http.MethodPost, "/hooks/hooked", strings.NewReader("{}"))
			req.Header.Set("Authorization", "Bearer "+token)
			rec := httptest.NewRecorder()
			door.ServeHTTP(rec, req)
			return rec.Code
		}
		is := func(name string) page.Pager { return pagers[name].(renewedPager).get() }
		const next = "another-secret-that-is-long"
		if code := knock(next); code != http.StatusForbidden {
			t.Fatalf("a door opens to anything: %d", code)
		}
		for _, name := range []string{"key", "hook", "bo"} {
			check(t, os.WriteFile(filepath.Join(dir, name), []byte(next+"\n"), 0o600))
		}
		check(t, os.WriteFile(filepath.Join(dir, "url"), []byte("http://hooks.slack.com/services/b"), 0o600)) // which is not safe
		time.Sleep(renewEvery + time.Second)
		if got := is("pager").(opsgenie.Integration).Key; got != next {
			t.Errorf("the pager has %q", got)
		}
		if got := is("rota").(oncall.Pager).People["bo"].Hook.Secret; got != next {
			t.Errorf("the rota has %q", got)
		}
		if got := is("channel").(slackpager.Channel).URL; !strings.HasSuffix(got, "/a") {
			t.Errorf("the channel has %q", got)
		}
		if knock(next) == http.StatusForbidden || knock(long) != http.StatusForbidden {
			t.Error("the door does not know the new secret, or knows the old one still")
		}
		if got := r.troubles(); len(got) != 1 || got[0].Check != "secrets of destination channel" || !strings.Contains(got[0].Reason, "https") || strings.Contains(got[0].Reason, "slack.com") {
			t.Errorf("those who ask are told %v", got)
		}
		check(t, os.WriteFile(filepath.Join(dir, "url"), []byte("https://hooks.slack.com/services/c"), 0o600))
		check(t, os.WriteFile(filepath.Join(dir, "hook"), []byte("short"), 0o600))
		time.Sleep(renewEvery + time.Second)
		if got := is("channel").(slackpager.Channel).URL; !strings.HasSuffix(got, "/c") || knock("short") != http.StatusForbidden || knock(next) == http.StatusForbidden {
			t.Errorf("the channel has %q", got)
		}
	})
}

// What one worker notes of secrets, `curfew destinations` shows.
func TestSecretsThatCannotBeUsedAreNoted(t *testing.T) {
	dir := t.TempDir()
	inWard(t, func(w *ward) {
		file := write(w.t, dir, "token", "before", 0o600)
		r := &renewals{log: quiet}
		r.told(w.t.Context(), w.j.State())
		r.add(ofDestination("desk"), keptOf(newKept(file, "before", secretLine)), func(context.Context) error { return errors.New("it is too short") })
		defer following(w.t, r)()
		check(w.t, os.WriteFile(file, []byte("after"), 0o600))
		time.Sleep(renewEvery + time.Second)
		if out := w.must("destinations"); !strings.Contains(out, "its new secret cannot be used") || !strings.Contains(out, "too short") {
			w.t.Errorf("it prints\n%s", out)
		}
		check(w.t, os.WriteFile(file, []byte("before"), 0o600))
		time.Sleep(renewEvery + time.Second)
		if out := w.must("destinations"); strings.Contains(out, "too short") {
			w.t.Errorf("it prints\n%s", out)
		}
	})
}

// A new key for approvals signs, and with the old one below it the old links count.
func TestTheKeyForApprovalsIsExchanged(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(dir, "approval.key")
		signer, err := link.LoadKey(file)
		check(t, err)
		a := &approvals{conf: &config{Approvals: approvalsConfig{KeyFile: file}}, signer: signer}
		r := &renewals{log: quiet}
		a.renew(r)
		defer following(t, r)()
		task := events.Task{ID: "contoso/d/1-reset", Seal: "risk"}
		given := func() events.Approval {
			at := time.Now()
			return events.Approval{By: "kim", Given: at, Sig: signer.Sign(events.Approved{Task: task.ID, By: "kim", Seal: task.Seal, Given: at})}
		}
		old, key := given(), func() string { b, err := os.ReadFile(file); check(t, err); return string(b) }
		next, err := link.LoadKey(filepath.Join(dir, "other.key"))
		check(t, err)
		other, err := os.ReadFile(filepath.Join(dir, "other.key"))
		check(t, err)
		check(t, os.WriteFile(file, []byte(string(other)+key()), 0o600))
		time.Sleep(renewEvery + time.Second)
		if young := given(); !next.Verify(task, young) || !a.signed(task, old) || !a.signed(task, young) {
			t.Error("the new key does not sign, or the old one does not count any more")
		}
		check(t, os.WriteFile(file, []byte("rubbish"), 0o600))
		time.Sleep(renewEvery + time.Second)
		if !a.signed(task, old) || len(r.troubles()) != 1 || strings.Contains(r.troubles()[0].Reason, dir) {
			t.Errorf("a bad file changes something, or nobody is told: %v", r.troubles())
		}
		check(t, os.WriteFile(file, other, 0o600))
		time.Sleep(renewEvery + time.Second)
		if a.signed(task, old) || !a.signed(task, given()) {
			t.Error("a key that was taken out counts")
		}
	})
}

func TestTheHeartbeatFollowsItsAddress(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		const before, after = "https://ping.contoso.example/one", "https://ping.contoso.example/two"
		file := write(t, dir, "ping", before+"\n", 0o600)
		var log lines
		r := &renewals{log: slog.New(slog.NewTextHandler(&log, nil))}
		h := &heartbeatConfig{URL: newKept(file, before, secretLine)}
		h.renew(r)
		(*heartbeatConfig)(nil).renew(r) // there is none
		defer following(t, r)()
		for text, want := range map[string]string{"no address": before, after: after} {
			check(t, os.WriteFile(file, []byte(text), 0o600))
			time.Sleep(2 * time.Minute)
			if got := h.URL.reveal(); text == after && got != want || text != after && got == text {
				t.Errorf("%q leads to %q", text, got)
			}
		}
		if strings.Contains(log.String(), "contoso") || !strings.Contains(log.String(), "the heartbeat") {
			t.Error(log.String())
		}
	})
}
