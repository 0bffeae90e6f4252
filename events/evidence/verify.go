package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ErrNoBundle reports a file that is no bundle, or one of a newer version.
var ErrNoBundle = errors.New("not a bundle of evidence")

// Verify checks a bundle. Whatever is not as Curfew wrote it is a [Finding]; the
// error is about what cannot be read at all, or is [ErrNoBundle].
//
// Head, if it is not empty, is the hash of a record that was kept elsewhere: the
// bundle must hold that record, and so everything before it as it was then.
//
// Verify reads at most 1 GiB and needs a small part of that, also of a hostile
// file.
func Verify(r io.Reader, head string) (Report, error) {
	m := &meter{r: r, left: mostItem, all: mostBytes}
	v := &verifier{m: m, dec: json.NewDecoder(m)}
	err := v.begin()
	if m.err != nil {
		return Report{}, fmt.Errorf("evidence: %w", m.err)
	} else if err != nil {
		return Report{}, fmt.Errorf("evidence: %w", err)
	}
	err = v.body()
	if m.err != nil {
		return v.c.Report, fmt.Errorf("evidence: %w", m.err)
	} else if err != nil {
		v.c.find("bundle", Place{}, "is damaged %s: %v", v.where(), err)
	}
	v.c.known(head)
	return v.c.Report, nil
}

// A meter bounds what is read, of one thing and of all.
type meter struct {
	r         io.Reader
	left, all int64
	err       error // of the reader
}

var errLong = errors.New("it is longer than Curfew writes it")

func (m *meter) Read(p []byte) (int, error) {
	most := min(m.left, m.all, int64(len(p)))
	if most <= 0 {
		return 0, errLong
	}
	n, err := m.r.Read(p[:most])
	m.left -= int64(n)
	m.all -= int64(n)
	if err != nil && err != io.EOF {
		m.err = err
	}
	return n, err
}

type verifier struct {
	m   *meter
	dec *json.Decoder
	c   *checker

	derived []Finding // about what should follow from records and facts
}

// next reads one value into to. It must be written as [Writer] writes it, but for
// white space: a name that is there twice, or in other letters, would be read one
// way here and another way elsewhere.
func (v *verifier) next(to any) error {
	var raw json.RawMessage
	if err := v.dec.Decode(&raw); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends in the middle")
	} else if err != nil {
		return err
	}
	v.m.left = mostItem
	if err := json.Unmarshal(raw, to); err != nil {
		return err
	}
	must, err := marshal(to)
	if err != nil {
		return err
	}
	var is bytes.Buffer
	if err := json.Compact(&is, raw); err != nil {
		return err
	}
	if !bytes.Equal(is.Bytes(), must) {
		return errors.New("what stands there is not written as Curfew writes it")
	}
	return nil
}

// expect reads tokens that must be there.
func (v *verifier) expect(want ...json.Token) error {
	for _, w := range want {
		got, err := v.dec.Token()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("it ends in the middle")
		} else if err != nil {
			return err
		}
		if got != w {
			return fmt.Errorf("%.40q stands where %q must", fmt.Sprint(got), fmt.Sprint(w))
		}
	}
	return nil
}

// begin reads up to what the bundle is about.
func (v *verifier) begin() error {
	if err := v.expect(json.Delim('{'), "curfew", "evidence", "version"); err != nil {
		return fmt.Errorf("%w: %w", ErrNoBundle, err)
	}
	var n int
	var about About
	if err := v.next(&n); err != nil || n < 1 {
		return fmt.Errorf("%w: it does not say of which version", ErrNoBundle)
	}
	if n > version {
		return fmt.Errorf("%w that this version of Curfew knows: it has version %d, and up to %d is known; use the newer Curfew", ErrNoBundle, n, version)
	}
	if err := v.expect("about"); err != nil {
		return fmt.Errorf("%w: %w", ErrNoBundle, err)
	}
	if err := v.next(&about); err != nil || !about.Key.Valid() {
		return fmt.Errorf("%w: it does not say which device it is about", ErrNoBundle)
	}
	v.c = newChecker(about)
	return nil
}

func (v *verifier) body() error {
	if err := v.items("records", mostCases, v.c.record); err != nil {
		return err
	}
	v.c.allRecords()
	if err := v.items("facts", mostFacts, v.c.fact); err != nil {
		return err
	}
	v.c.allFacts()
	if err := derived(v, "decision", v.c.decisions); err != nil {
		return err
	}
	if err := derived(v, "task", v.c.order); err != nil {
		return err
	}
	return v.end()
}

// list reads a list, of which each reads one element.
func (v *verifier) list(name string, most int, each func() error) error {
	if err := v.expect(name, json.Delim('[')); err != nil {
		return err
	}
	for n := 0; v.dec.More(); n++ {
		if n == most {
			return fmt.Errorf("it has more than %d %s", most, name)
		}
		if err := each(); err != nil {
			return err
		}
	}
	return v.expect(json.Delim(']'))
}

func (v *verifier) items(name string, most int, take func(Item) error) error {
	return v.list(name, most, func() error {
		var it Item
		if err := v.next(&it); err != nil {
			return err
		}
		return take(it)
	})
}

// derived reads what is not new, but follows from records and facts as they were
// written.
func derived[T any](v *verifier, what string, want []T) error {
	n := 0
	differ := func(text string) {
		if len(v.derived) < MostFindings {
			v.derived = append(v.derived, Finding{what, Place{N: n}, text})
		}
	}
	err := v.list(what+"s", mostFacts, func() error {
		var got T
		if err := v.next(&got); err != nil {
			return err
		}
		if n++; n > len(want) {
			if n == len(want)+1 {
				differ("follows from no record: it was inserted")
			}
			return nil
		}
		is, err := marshal(got)
		must, err2 := marshal(want[n-1])
		if !bytes.Equal(is, must) {
			differ("does not say what the records and facts do: it was altered")
		}
		return errors.Join(err, err2)
	})
	if n < len(want) && err == nil {
		n++
		differ("is not there: it was removed")
	}
	return err
}

func (v *verifier) end() error {
	if err := v.expect("end"); err != nil {
		return err
	}
	var e end
	if err := v.next(&e); err != nil {
		return err
	}
	c := v.c
	c.Seal = c.sealed()
	switch {
	case !c.OK(): // it is said already what was altered
	case e.Records != c.Records:
		c.find("bundle", Place{}, "was made with %s and has %d: some were removed or inserted", count(e.Records, "record"), c.Records)
	case e.Facts != c.Facts:
		c.find("bundle", Place{}, "was made with %s and has %d: some were removed or inserted", count(e.Facts, "fact"), c.Facts)
	case e.Head != c.Head:
		c.find("bundle", Place{}, "was made with another last record")
	case len(v.derived) > 0:
		c.Findings = v.derived
	case e.Seal != c.Seal:
		c.find("bundle", Place{}, "was altered: its seal is another; what it is about, who made it and when is not as it was, or a record or fact was replaced with its hash")
	}
	if err := v.expect(json.Delim('}')); err != nil {
		return err
	}
	if _, err := v.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands after its end")
	}
	return nil
}

// where says how far the check came.
func (v *verifier) where() string {
	switch {
	case v.c.Facts > 0:
		return fmt.Sprintf("behind fact %s", v.c.lastf)
	case v.c.Records > 0:
		return fmt.Sprintf("behind record %s", v.c.last)
	}
	return "before the end of its first record"
}
