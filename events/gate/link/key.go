package link

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"curfew/events"
)

// keySize is the length of a key, in bytes.
const keySize = 32

const macSize = sha256.Size

// What a code is for, so that one kind can never pass for the other.
const (
	forLinks     = "curfew approval link\x00"
	forApprovals = "curfew approval\x00"
)

// A Signer makes links and signs approvals, and checks both. It shows its keys to
// nobody. It is safe for concurrent use.
type Signer struct{ keys atomic.Pointer[[][]byte] }

// NewSigner makes a signer of keys of 32 random bytes: the first signs, all verify.
func NewSigner(keys ...[]byte) (*Signer, error) {
	if len(keys) == 0 {
		return nil, errors.New("link: there is no key")
	}
	s, all := &Signer{}, [][]byte(nil)
	for i, k := range keys {
		if len(k) != keySize {
			return nil, fmt.Errorf("link: key %d has %d bytes; it must have %d", i+1, len(k), keySize)
		}
		all = append(all, bytes.Clone(k))
	}
	s.keys.Store(&all)
	return s, nil
}

// Adopt takes the keys of another signer in place of its own.
func (s *Signer) Adopt(other *Signer) { s.keys.Store(other.keys.Load()) }

// String says nothing about the keys.
func (s *Signer) String() string { return fmt.Sprintf("signer with %d keys", len(*s.keys.Load())) }

// Format is String, for every verb.
func (s *Signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// sign is a code by the first key.
func (s *Signer) sign(purpose string, data []byte) []byte {
	return code((*s.keys.Load())[0], purpose, data)
}

func code(key []byte, purpose string, data []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose))
	h.Write(data)
	return h.Sum(nil)
}

const sigPrefix = "1."

// Sign signs an approval: its task, who gave it, the risk they saw, the
// invitation they answered, and when. It is for [events.Approved.Sig].
func (s *Signer) Sign(a events.Approved) string {
	return sigPrefix + base64.RawURLEncoding.EncodeToString(s.sign(forApprovals, signed(a)))
}

// Verify reports whether an approval of a task, as its case has it, was signed by
// one of the keys for this task, with the risk it has now. Whether it has run out
// is not looked at: see [events.Approval.Given].
func (s *Signer) Verify(t events.Task, a events.Approval) bool {
	text, ok := strings.CutPrefix(a.Sig, sigPrefix)
	mac, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !ok || err != nil || len(mac) != macSize {
		return false
	}
	// The case does not say which of the task's links this approval came by.
	for _, link := range append([]string{""}, t.Links...) {
		if s.made(forApprovals, signed(events.Approved{Task: t.ID, By: a.By, Seal: t.Seal, Link: link, Given: a.Given}), mac) {
			return true
		}
	}
	return false
}

// Fresh is [Signer.Verify] for those who hold back what is old: it wants the
// approval to have been given no longer ago than valid, and not in the future,
// so that nobody can store again what has run out.
func (s *Signer) Fresh(t events.Task, a events.Approval, now time.Time, valid time.Duration) bool {
	const skew = time.Minute // between the clocks of two machines
	return s.Verify(t, a) && now.Before(a.Given.Add(valid+skew)) && !a.Given.After(now.Add(skew))
}

func signed(a events.Approved) []byte {
	var b []byte
	for _, s := range []string{a.Task, a.By, a.Seal, a.Link, a.Given.UTC().Format(time.RFC3339Nano)} {
		b = appendText(b, s)
	}
	return b
}

// LoadKey reads the keys of a file, and makes the file with a new key, readable
// by nobody else, if there is none. Several processes may do so at once: all get
// the same key.
//
// A file has a key on each line, 32 bytes in base64 (URL alphabet, no padding).
// The first signs and all verify: to change keys put a new one on top, and take
// the old one out when what it signed has run out. Empty lines and those that
// begin with # do not count.
func LoadKey(file string) (*Signer, error) {
	s, err := OpenKey(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	if err := makeKey(file); err != nil {
		return nil, fmt.Errorf("link: make the key for approvals: %w", err)
	}
	return OpenKey(file)
}

// OpenKey is LoadKey for those who make no key: that there is none is
// [fs.ErrNotExist].
func OpenKey(file string) (*Signer, error) {
	const most = 64 << 10
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("link: the key for approvals: %w", err)
	}
	defer f.Close()
	var keys [][]byte
	lines := bufio.NewScanner(io.LimitReader(f, most))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, err := base64.RawURLEncoding.Strict().DecodeString(line)
		if err != nil || len(key) != keySize { // and no word about what it is instead
			return nil, fmt.Errorf("link: %s: line %d is not a key: 32 bytes in base64, with - and _ and without =", file, n)
		}
		keys = append(keys, key)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("link: %s: %w", file, err)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("link: %s holds no key; remove it, and a new one is made", file)
	}
	return NewSigner(keys...)
}

// makeKey writes a whole new file, or leaves the one that somebody else has made
// meanwhile.
func makeKey(file string) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".approval-*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // it is the other name of the file, or in nobody's way
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	_, err = f.WriteString(base64.RawURLEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	err = os.Link(f.Name(), file) // which replaces nothing
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	if _, there := os.Lstat(file); there == nil { // a file system without links
		return nil
	}
	return os.Rename(f.Name(), file)
}
