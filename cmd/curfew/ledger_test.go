package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestLedger keeps what was called, for nobody else to read, and never takes a
// file that it cannot read for an empty one.
func TestLedger(t *testing.T) {
	l := ledger{filepath.Join(t.TempDir(), "data", "called.json")}
	called, err := l.Load()
	if err != nil || len(called) != 0 {
		t.Fatal(called, err)
	}
	at := time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)
	check(t, l.Save(map[string]time.Time{"a task": at}))
	check(t, l.Save(map[string]time.Time{"a task": at, "another": at}))
	if called, err = l.Load(); err != nil || len(called) != 2 || !called["a task"].Equal(at) {
		t.Error(called, err)
	}
	if info, err := os.Stat(l.file); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if files, err := os.ReadDir(filepath.Dir(l.file)); err != nil || len(files) != 1 {
		t.Error(files, err)
	}
	check(t, os.WriteFile(l.file, []byte(`{"a task": "20`), 0o600))
	if called, err = l.Load(); err == nil {
		t.Errorf("half a file is read as %v", called)
	}
	if err := (ledger{filepath.Join(l.file, "called.json")}).Save(nil); err == nil {
		t.Error("saved in a file")
	}
}
