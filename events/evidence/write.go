package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

const (
	version   = 1
	mostBytes = 1 << 30 // of a bundle
	mostItem  = 8 << 20 // of one thing in it
	mostCases = 10_000  // records
	mostFacts = 2_000_000
)

// An end is what a bundle ends with.
type end struct {
	Records int    `json:"records"`
	Facts   int    `json:"facts"`
	Head    string `json:"head,omitempty"`
	Seal    string `json:"seal"`
}

// A Writer writes a bundle: all records, oldest first, then all facts. It checks
// the chain as it goes, and keeps no item in memory.
type Writer struct {
	w     io.Writer
	c     *checker
	size  int64
	lists int // begun so far
	items int // in this list
	err   error
}

// NewWriter begins a bundle.
func NewWriter(w io.Writer, about About) *Writer {
	about.Made = about.Made.UTC()
	b := &Writer{w: w, c: newChecker(about)}
	b.print("{\"curfew\": \"evidence\", \"version\": %d,\n\"about\": ", version)
	b.json(about)
	b.list("records")
	return b
}

// Record adds a record.
func (b *Writer) Record(it Item) error {
	b.element(it)
	b.note(b.c.record(it))
	return b.err
}

// Fact adds a fact. There are no more records then.
func (b *Writer) Fact(it Item) error {
	b.endRecords()
	b.element(it)
	b.note(b.c.fact(it))
	return b.err
}

func (b *Writer) endRecords() {
	if b.lists == 1 {
		b.c.allRecords()
		b.list("facts")
	}
}

// Close ends the bundle, but not what it is written to, and says how the chain
// is. A chain that was altered is no error: it is evidence too.
func (b *Writer) Close() (Report, error) {
	b.endRecords()
	b.c.allFacts()
	b.list("decisions")
	for _, d := range b.c.decisions {
		b.element(d)
	}
	b.list("tasks")
	for _, t := range b.c.order {
		b.element(t)
	}
	b.c.Seal = b.c.sealed()
	b.print("\n],\n\"end\": ")
	b.json(end{b.c.Records, b.c.Facts, b.c.Head, b.c.Seal})
	b.print("}\n")
	return b.c.Report, b.err
}

// list begins the next list, and ends the one before.
func (b *Writer) list(name string) {
	if b.lists > 0 {
		b.print("\n]")
	}
	b.print(",\n%q: [", name)
	b.lists++
	b.items = 0
}

func (b *Writer) element(v any) {
	if b.items++; b.items > 1 {
		b.print(",")
	}
	b.print("\n")
	b.json(v)
}

func (b *Writer) json(v any) {
	data, err := marshal(v)
	if err == nil && len(data) > mostItem {
		err = fmt.Errorf("one thing in it has %d bytes, and at most %d are read again", len(data), mostItem)
	}
	b.note(err)
	b.print("%s", data)
}

var errBig = fmt.Errorf("a bundle has at most %d MiB, %d records and %d facts", mostBytes>>20, mostCases, mostFacts)

func (b *Writer) print(format string, args ...any) {
	if b.err != nil {
		return
	}
	n, err := fmt.Fprintf(b.w, format, args...)
	b.note(err)
	if b.size += int64(n); b.size > mostBytes || b.c.Records > mostCases || b.c.Facts > mostFacts {
		b.note(errBig)
	}
}

// note remembers the first error.
func (b *Writer) note(err error) {
	if b.err == nil && err != nil {
		b.err = fmt.Errorf("evidence: %w", err)
	}
}

// marshal is JSON as a bundle has it: on one line, without escapes that JSON does
// not ask for.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
