package evidence_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"curfew/events/evidence"
)

// A flood repeats a text without an end, and counts what is read of it.
type flood struct {
	text string
	n    int
}

func (f *flood) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], f.text[(f.n+n)%len(f.text):])
	}
	f.n += n
	return n, nil
}

// What is no bundle is refused, or at least not believed, before it has cost much.
func TestHostileFiles(t *testing.T) {
	const start = `{"curfew": "evidence", "version": 1, "about": {"key":{"tenant":"contoso","device":"d42"},"made":"2026-03-02T09:00:00Z","keeps":1000}, `
	for _, c := range []struct {
		name, start, flood string
		want               string
	}{
		{"nothing", "", "", "not a bundle of evidence"},
		{"something else", "PK\x03\x04", "", "not a bundle of evidence"},
		{"other JSON", `{"records": []}`, "", "not a bundle of evidence"},
		{"a list", "[]", "", "not a bundle of evidence"},
		{"no version", `{"curfew": "evidence", "version": "x"`, "", "does not say of which version"},
		{"a newer one", `{"curfew": "evidence", "version": 2, "abouts": `, "", "it has version 2, and up to 1 is known; use the newer Curfew"},
		{"no device", `{"curfew": "evidence", "version": 1, "about": {"key":{"tenant":"*","device":"d42"},"made":"2026-03-02T09:00:00Z","keeps":1000}`, "", "does not say which device"},
		{"white space without an end", "", "  \n", "longer than Curfew writes it"},
		{"a name without an end", `{"`, "a", "longer than Curfew writes it"},
		{"a text without an end", start + `"records": [{"text":"`, "a", "longer than Curfew writes it"},
		{"depth without an end", start + `"records": [`, "[", "exceeded max depth"},
		{"other depth", start + `"records": [`, `{"a":`, "exceeded max depth"},
		{"records without an end", start + `"records": [` + "{}", ",{}", "not written as Curfew writes it"},
		{"names in other letters", start + `"records": [{"Seq":1,"at":"0001-01-01T00:00:00Z","sum":""}`, "", "not written as Curfew writes it"},
		{"a name twice", start + `"records": [{"seq":2,"seq":1,"at":"0001-01-01T00:00:00Z","sum":""}`, "", "not written as Curfew writes it"},
		{"a name that is none", start + `"records": [], "extra": 7`, "", `"extra" stands where "facts" must`},
		{"a wrong type", start + `"records": [{"seq":"x"}`, "", "cannot unmarshal"},
		{"a number that is too big", start + `"records": [{"seq":1e99}`, "", "cannot unmarshal"},
		{"it ends", start + `"records": [], "facts": [`, "", "it ends in the middle"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &flood{text: c.flood + " "}
			var r io.Reader = strings.NewReader(c.start)
			if c.flood != "" {
				f.text = c.flood
				r = io.MultiReader(r, f)
			}
			got, err := evidence.Verify(r, "")
			text := says(got)
			if err != nil {
				text = err.Error()
			}
			if err == nil && got.OK() || !strings.Contains(text, c.want) {
				t.Errorf("got %q", text)
			}
			if f.n > 32<<20 {
				t.Errorf("%d bytes were read", f.n)
			}
		})
	}
}

// More of what could be a bundle than Curfew ever writes.
func TestTooMuch(t *testing.T) {
	j := story(t)
	file := string(j.write(t))
	first := file[strings.Index(file, `{"seq"`):]
	first = first[:strings.Index(first, "\n")]
	head := file[:strings.Index(file, `{"seq"`)]
	f := &flood{text: first}
	r, err := evidence.Verify(io.MultiReader(strings.NewReader(head), f), "")
	if err != nil || !strings.Contains(says(r), "it has more than 10000 records") && len(r.Findings) < evidence.MostFindings || r.Records > 10_000 || len(r.Findings) > evidence.MostFindings {
		t.Errorf("%v %d records, %d findings", err, r.Records, len(r.Findings))
	}
	if f.n > 64<<20 {
		t.Errorf("%d bytes were read", f.n)
	}
}

// What stands after the end could be read by somebody else as the bundle.
func TestAfterTheEnd(t *testing.T) {
	file := story(t).write(t)
	for _, more := range []string{"{}", "x", string(file)} {
		if r := verify(t, append(bytes.Clone(file), more...), ""); r.OK() {
			t.Errorf("%q passes", more)
		}
	}
}

var errDisk = errors.New("input/output error")

// A disk that fails says nothing about the bundle.
func TestFailingDisk(t *testing.T) {
	file := story(t).write(t)
	for n := 0; n < len(file); n += 31 {
		r := io.MultiReader(bytes.NewReader(file[:n]), failing{})
		if _, err := evidence.Verify(r, ""); !errors.Is(err, errDisk) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
	w := evidence.NewWriter(failing{}, about)
	if _, err := w.Close(); !errors.Is(err, errDisk) {
		t.Errorf("got %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error)  { return 0, errDisk }
func (failing) Write([]byte) (int, error) { return 0, errDisk }

// FuzzVerify holds Verify to never panicking, and to believing nothing but what
// the writer writes.
func FuzzVerify(f *testing.F) {
	file := story(f).write(f)
	f.Add(file)
	f.Add(file[:len(file)/2])
	f.Add(bytes.ReplaceAll(file, []byte("kim"), []byte("eve")))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := evidence.Verify(bytes.NewReader(data), "")
		if err == nil && r.OK() && r.Seal == "" {
			t.Errorf("believed without a seal: %+v", r)
		}
	})
}
