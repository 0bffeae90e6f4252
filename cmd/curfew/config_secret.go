package main

import (
	"fmt"
	"io"
	"log/slog"
)

const hidden = "<secret>"

// A secret is a text that no format verb, JSON encoder or logger shows. It is
// kept in a function, because reflection shows the fields of structs that a
// secret is a hidden field of. The zero secret is none.
type secret struct{ get func() string }

func newSecret(s string) secret { return secret{get: func() string { return s }} }

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
