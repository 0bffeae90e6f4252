package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
)

const hidden = "<secret>"

// A secret is a text that no format verb, JSON encoder or logger shows. It is
// kept in a function, because reflection shows the fields of structs that a
// secret is a hidden field of. The zero secret is none.
type secret struct {
	get  func() string
	kept func() *kept // nil: it stays as it was read
}

func newSecret(s string) secret { return secret{get: func() string { return s }} }

// newKept is a secret from a file, or a vault, that may be exchanged there while
// Curfew runs: all copies of it show what it is now.
func newKept(file, value string, form func(string) (string, error)) secret {
	k := &kept{file: file, form: form}
	k.now.Store(&value)
	return secret{get: func() string { return *k.now.Load() }, kept: func() *kept { return k }}
}

// A kept secret is where one comes from, and what it is now.
type kept struct {
	file string                       // or an address in a vault
	form func(string) (string, error) // what of the text there is the secret
	now  atomic.Pointer[string]

	heard   string // what the vault said last; empty: nothing so far
	trouble error  // or why it said nothing
}

// read is what the secret is where it is kept. A vault is asked only if its time
// has come, and until then it says what it said last.
func (k *kept) read(ctx context.Context, keys readVault, ask bool) (string, error) {
	if !inVault(k.file) {
		b, err := readBounded(k.file, maxSecret+1)
		if err != nil {
			return "", errors.New(reason(err))
		}
		return k.formed(string(b))
	}
	if ask {
		k.heard, k.trouble = keys(ctx, k.file)
	}
	switch {
	case k.trouble != nil:
		return "", k.trouble
	case k.heard == "":
		return *k.now.Load(), nil
	}
	return k.formed(k.heard)
}

func (k *kept) formed(text string) (string, error) {
	switch {
	case len(text) > maxSecret:
		return "", fmt.Errorf("it has more than %d bytes", maxSecret)
	case strings.TrimSpace(text) == "":
		return "", errors.New("it is empty")
	}
	return k.form(text)
}

// keptOf are those of the secrets that can be exchanged.
func keptOf(all ...secret) (out []*kept) {
	for _, s := range all {
		if s.kept != nil {
			out = append(out, s.kept())
		}
	}
	return out
}

// reveal is the text, or "".
func (s secret) reveal() string {
	if s.get == nil {
		return ""
	}
	return s.get()
}

// set reports whether there is a secret.
func (s secret) set() bool { return s.reveal() != "" }

func (s secret) String() string {
	if !s.set() {
		return ""
	}
	return hidden
}

// Format implements [fmt.Formatter], for every verb.
func (s secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText implements [encoding.TextMarshaler], for JSON and its like.
func (s secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil } //nolint:unparam // the interface has an error

// LogValue implements [slog.LogValuer].
func (s secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
