package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/evidence"
	"curfew/events/journal"
)

// TestEvidenceIsGivenAway and checked by somebody who has nothing but the file.
func TestEvidenceIsGivenAway(t *testing.T) {
	inWard(t, func(w *ward) {
		w.fill()
		file := filepath.Join(t.TempDir(), "LT-042.json")
		out := strings.ReplaceAll(w.must("evidence", "contoso/LT-042", "--out", file), file, "FILE")
		golden(t, "evidence.txt", steady(out))
		info, err := os.Stat(file)
		check(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%v", info.Mode())
		}
		head := strings.Fields(w.must("evidence", "head", "d42"))[0]
		if !strings.Contains(out, head) {
			t.Errorf("%s is not the head of\n%s", head, out)
		}
		stdout, stderr, code := call(t.Context(), func(string) string { return "" }, "evidence", "verify", file, "--head", strings.ToUpper(head), "--json")
		var r evidence.Report
		if check(t, json.Unmarshal([]byte(stdout), &r)); code != exitFine || stderr != "" || r.Head != head || r.Known.N != r.Records || r.Begins != evidence.BeginsFirst || r.By != "jo" || r.Device != "LT-042" {
			t.Errorf("%d %q %s", code, stderr, stdout)
		}
		w.admit(contoso, "d42", "LT-042", "").tell(events.Noted{By: "kim", Text: "I keep this"})
		w.must("evidence", "d42", "--out", file, "--force")
		if out := w.must("evidence", "verify", file, "--head", head); !strings.Contains(out, "what is up to it is as it was then; 1 record came after it") {
			t.Error(out)
		}
		golden(t, "evidence-verify.txt", steady(w.must("evidence", "verify", file)))

		data, err := os.ReadFile(file)
		check(t, err)
		stdout, stderr, code = w.run("evidence", "d42", "--out", "-")
		if code != exitFine || !strings.HasPrefix(stderr, "LT-042  nothing was altered\n") || len(stdout) != len(data) {
			t.Errorf("%d %q, %d bytes and not %d", code, stderr, len(stdout), len(data))
		}
		var bundle struct{ Tasks []evidence.Task }
		check(t, json.Unmarshal(data, &bundle))
		if ticket := bundle.Tasks[3]; ticket.Action != "ticket" || ticket.Result != "done" || ticket.Receipt != "INC-7" || ticket.Rules == "" || len(ticket.Attempts) != 1 {
			t.Errorf("%+v", ticket)
		}
		check(t, os.WriteFile(file, bytes.Replace(data, []byte("INC-7"), []byte("INC-8"), 1), 0o600))
		stdout, stderr, code = w.run("evidence", "verify", file)
		if code != exitFailed || stderr != "curfew: the evidence is not as Curfew wrote it: 1 finding\n" {
			t.Errorf("%d %q", code, stderr)
		}
		golden(t, "evidence-altered.txt", steady(stdout))
	})
}

// steady leaves out the hashes, the user's random ids and the program's version.
func steady(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "head" || name == "seal" {
			line = "  " + name + " …\n"
		}
		if made, _, ok := strings.Cut(line, ", with curfew "); ok {
			line = made + ", with curfew …\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

// TestEvidenceIsNotLost by writing over it, nor half written.
func TestEvidenceIsNotLost(t *testing.T) {
	inWard(t, func(w *ward) {
		w.fill()
		dir := t.TempDir()
		file := filepath.Join(dir, "kept.json")
		check(t, os.WriteFile(file, []byte("precious"), 0o600))
		w.fails(exitWrong, "kept.json is there already; name another file, or replace it with --force", "evidence", "d42", "--out", file)
		w.fails(exitWrong, "is a directory; name a file", "evidence", "d42", "--out", dir, "--force")
		w.fails(exitWrong, "cannot be written there", "evidence", "d42", "--out", filepath.Join(dir, "no", "x.json"))
		w.fails(exitNotFound, `no device is called "LT-777"`, "evidence", "LT-777", "--out", filepath.Join(dir, "x.json"))
		w.fails(exitNotFound, `no device is called "LT-777"`, "evidence", "LT-777", "--out", file, "--force")
		w.fails(exitWrong, `required flag(s) "out" not set`, "evidence", "d42")
		w.fails(exitWrong, "accepts 1 arg(s), received 0", "evidence")
		if data, _ := os.ReadFile(file); string(data) != "precious" {
			t.Errorf("%q", data)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("left behind: %v", left)
		}
		var out, errs screen
		if code := w.app(&out, &errs).execute(t.Context(), []string{"evidence", "d42", "--out", "-"}); code != exitWrong || !strings.Contains(errs.String(), "not for reading on a terminal") || out.Len() > 0 {
			t.Errorf("%d %s", code, errs.String())
		}
	})
}

// TestEvidenceOfWhatCannotBeRead can be written, too: that is when it is needed.
func TestEvidenceOfWhatCannotBeRead(t *testing.T) {
	b, err := broker.Embed(t.Context(), broker.Embedded{Dir: t.TempDir(), DontListen: true}, quiet)
	check(t, err)
	defer func() { check(t, b.Stop(context.WithoutCancel(t.Context()))) }()
	j, err := journal.Open(t.Context(), b.Conn(), journal.Options{Partitions: 1}, quiet)
	check(t, err)
	_, err = b.Conn().Request("case."+contoso+".d42", []byte("\xff, not a record"), 5*time.Second)
	check(t, err)
	var out, errs bytes.Buffer
	a := newApp(nothingSet, &out, &errs)
	a.attach = func(context.Context) (*journal.Journal, func(), error) { return j, func() {}, nil }
	file := filepath.Join(t.TempDir(), "d42.json")
	if code := a.execute(t.Context(), []string{"evidence", contoso + "/d42", "--out", file}); code != exitFailed || !strings.Contains(out.String(), "record 1 (sequence 1, ") || !strings.Contains(out.String(), "cannot be read: invalid character") {
		t.Errorf("%d %s%s", code, out.String(), errs.String())
	}
	var bundle struct{ Records []evidence.Item }
	data, err := os.ReadFile(file)
	check(t, errors.Join(err, json.Unmarshal(data, &bundle)))
	if got := string(bundle.Records[0].Data()); got != "\xff, not a record" {
		t.Errorf("%q", got)
	}
}

// TestWhatIsNoEvidence is refused with its reason.
func TestWhatIsNoEvidence(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name, holds string
		args        []string
		code        int
		about       string
	}{
		{"nothing.json", "", nil, exitWrong, "nothing.json: evidence: not a bundle of evidence: it ends in the middle"},
		{"other.json", `{"id": 7}`, nil, exitWrong, "not a bundle of evidence"},
		{"newer.json", `{"curfew": "evidence", "version": 99, `, nil, exitWrong, "use the newer Curfew"},
		{"head.json", "", []string{"--head", "9f86d0"}, exitWrong, "--head is a hash of 64 hexadecimal digits"},
	} {
		file := filepath.Join(dir, c.name)
		check(t, os.WriteFile(file, []byte(c.holds), 0o600))
		stdout, stderr, code := call(t.Context(), nothingSet, append([]string{"evidence", "verify", file}, c.args...)...)
		if code != c.code || stdout != "" || !strings.Contains(stderr, c.about) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: %d %q %q", c.name, code, stdout, stderr)
		}
	}
	if _, stderr, code := call(t.Context(), nothingSet, "evidence", "verify", filepath.Join(dir, "none")); code != exitWrong || !strings.Contains(stderr, "no such file") {
		t.Errorf("%d %q", code, stderr)
	}
	if _, stderr, code := call(t.Context(), nothingSet, "evidence", "verify", dir); code != exitFailed || !strings.Contains(stderr, "is a directory") {
		t.Errorf("%d %q", code, stderr)
	}
}
