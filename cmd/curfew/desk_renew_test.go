package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/handlers"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/ticket"
	"curfew/handlers/ticket/jira"
	"curfew/handlers/ticket/jira/jiratest"
)

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
			Kind: "jira", URL: newSecret(wire.URL), Secrets: map[string]secret{"token": newSecret(before)}, SecretFiles: map[string]string{"token_file": file},
			Desk: &jiraSection{User: site.Email, deskBase: deskBase[jira.Route, string]{Triage: &jira.Route{Project: "SEC"}}},
		}
		var log bytes.Buffer
		desk := renew("desk", d, slog.New(slog.NewTextHandler(&log, nil)), nil, func(d destinationConfig) ticket.Desk { return deskOf(&config{}, d, client, nil) })
		works := func(want bool) {
			t.Helper()
			time.Sleep(renewEvery)
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
		if l, ok := desk.(ticket.Late); !ok || l.Lag() != 2*time.Minute || folds(desk) {
			t.Error("it is another kind of desk")
		}
	})
}
