package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"curfew/events"
	"curfew/events/backup"
	"curfew/events/broker"
	"curfew/events/journal"
)

// TestBackupAndRestore: while a worker runs its journal goes into one file, which is
// checked, brought back elsewhere, and moved on from there.
func TestBackupAndRestore(t *testing.T) {
	dir := workerIn(t)
	say(t, dir, 40)
	file := filepath.Join(t.TempDir(), "curfew.backup")
	run := func(want int, args ...string) string {
		t.Helper()
		stdout, stderr, code := call(t.Context(), nothingSet, args...)
		if code != want {
			t.Fatalf("curfew %s ended with %d: %s", strings.Join(args, " "), code, stderr)
		}
		return stdout + stderr
	}
	expect := func(out, want string) {
		t.Helper()
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	expect(run(exitFine, "backup", file, "--data", dir), "FACTS")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	expect(run(exitWrong, "backup", file, "--data", dir), "is there already")
	var m backup.Manifest
	check(t, json.Unmarshal([]byte(run(exitFine, "backup", file, "--data", dir, "--force", "--json")), &m))
	if m.Exact || len(m.Streams) != 4 || m.Streams[2].Name != "FACTS" || m.Streams[2].Messages < 40 {
		t.Errorf("%+v", m)
	}
	expect(run(exitNoWorker, "backup", file+"2", "--data", t.TempDir()), "there is no journal in")
	expect(run(exitFine, "backup", "verify", file), "is whole. It was made at")

	whole, err := os.ReadFile(file)
	check(t, err)
	check(t, os.WriteFile(file+".cut", whole[:len(whole)-1000], 0o600))
	expect(run(exitFailed, "backup", "verify", file+".cut"), "it was cut off")

	// Not where a worker runs, nor over what is there.
	expect(run(exitFailed, "restore", file, "--data", dir), "in use by process")
	second, third := filepath.Join(t.TempDir(), "second"), filepath.Join(t.TempDir(), "third")
	expect(run(exitFine, "restore", file, "--data", second), "Restored to "+second)
	expect(run(exitWrong, "restore", file, "--data", second), "to delete it say --replace")
	run(exitFine, "restore", file, "--data", second, "--replace")
	if n := remarks(t, second); n != 40 {
		t.Errorf("%d remarks", n)
	}

	expect(run(exitNotFound, "journal", "reopen", second), "was not moved")
	expect(run(exitFine, "journal", "copy", second, third), "everything is there")
	if n := remarks(t, third); n != 40 {
		t.Errorf("%d remarks", n)
	}
	expect(run(exitFailed, "journal", "copy", second, third, "--replace"), "was moved (to "+third)
	run(exitFine, "journal", "reopen", second)
	expect(run(exitWrong, "journal", "copy", "nowhere.yaml", third), "nowhere.yaml")
}

// say leaves remarks with the worker.
func say(t *testing.T, dir string, n int) {
	t.Helper()
	b, err := broker.Local(dir, slog.New(slog.DiscardHandler))
	check(t, err)
	j, err := journal.Attach(t.Context(), b.Conn(), slog.New(slog.DiscardHandler))
	check(t, err)
	for range n {
		check(t, j.Append(t.Context(), events.Key{Tenant: "contoso", Device: "d42"}, events.Noted{By: "kim", Text: "so"}, ""))
	}
	check(t, b.Stop(t.Context()))
}

// remarks counts those in a data directory where no worker runs.
func remarks(t *testing.T, dir string) (n int) {
	t.Helper()
	a := newApp(nothingSet, io.Discard, io.Discard)
	at, err := a.seatAt(t.Context(), dir, slog.New(slog.DiscardHandler))
	check(t, err)
	j, err := journal.Open(t.Context(), at.Conn(), journal.Options{}, slog.New(slog.DiscardHandler))
	check(t, err)
	for f, err := range j.Facts(t.Context(), events.Key{Tenant: "contoso", Device: "d42"}) {
		check(t, err)
		if _, ok := f.Fact.(events.Noted); ok {
			n++
		}
	}
	check(t, at.leave(t.Context()))
	return n
}
