// Package link lets people approve from a mail: a signed link that names one
// task and one person, a page that says what would be lost, and a form by which
// that person allows or forbids it.
//
// What holds:
//
//   - Looking changes nothing. GET and HEAD only show the page, however often a
//     mail scanner or a preview opens the link; only the form's POST is an answer.
//   - A link answers for the person it was sent to. Whoever has it can use it, as
//     with any mail that is passed on, and it is the addressee whose word it
//     counts as, once.
//   - An answer is for the risk that the page has shown. If the device is another
//     one by then, nothing is recorded, and the page asks again.
//   - "Recorded" is said only after the case has shown it.
//   - What is recorded is signed ([Signer.Sign]), so that whoever holds the key can
//     tell it from what somebody else has written into the journal.
//   - No token is ever logged: the invitation's id is.
//
// What may not be assumed: that the person who opens a link is who it was sent
// to; that a link is still worth something when it arrives; that the page is the
// only door, for people approve at the command line too.
package link

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// Path comes before the token in the path of a link.
const Path = "/approve/"

// maxToken bounds a token, in characters. Ours have about 250.
const maxToken = 1024

// Why a token is worth nothing.
var (
	ErrForeign = errors.New("link: this is no link of ours, or a part of it is missing")
	ErrExpired = errors.New("link: it has expired")
)

// An Invitation is what a link says: who was asked about which task.
type Invitation struct {
	Task      string // by its id
	Addressee string // the mail address that it was sent to
	ID        string // names the invitation; each is answered at most once
	Expires   time.Time
}

const version = 1

// Mint makes the token of a link. It holds until expires, in whole seconds. The
// texts must not have more than about 700 bytes together, or nobody can read it.
func (s *Signer) Mint(task, addressee, invitation string, expires time.Time) string {
	b := binary.AppendUvarint([]byte{version}, uint64(max(expires.Unix(), 0)))
	b = appendText(appendText(b, task), addressee)
	shared := sharedPrefix(task, invitation)
	b = appendText(binary.AppendUvarint(b, uint64(shared)), invitation[shared:])
	return base64.RawURLEncoding.EncodeToString(append(b, s.sign(forLinks, b)...))
}

// Read checks a token and says what it holds. With [ErrExpired] that is said all
// the same; any other error is [ErrForeign].
func (s *Signer) Read(token string, now time.Time) (Invitation, error) {
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") { // which the decoder would pass over
		return Invitation{}, ErrForeign
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) <= macSize || b[0] != version {
		return Invitation{}, ErrForeign
	}
	b, mac := b[:len(b)-macSize], b[len(b)-macSize:]
	if !s.made(forLinks, b, mac) {
		return Invitation{}, ErrForeign
	}
	r := reader{b[1:], true}
	inv := Invitation{Expires: time.Unix(int64(r.number()), 0).UTC()}
	inv.Task, inv.Addressee = r.text(), r.text()
	shared := r.number()
	rest := r.text()
	if !r.ok || len(r.b) > 0 || shared > uint64(len(inv.Task)) {
		return Invitation{}, ErrForeign
	}
	inv.ID = inv.Task[:shared] + rest
	if !now.Before(inv.Expires) {
		return inv, ErrExpired
	}
	return inv, nil
}

// made reports whether one of the keys has made this code, in constant time.
func (s *Signer) made(purpose string, data, mac []byte) bool {
	ok := false
	for _, key := range *s.keys.Load() {
		ok = hmac.Equal(code(key, purpose, data), mac) || ok
	}
	return ok
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// sharedPrefix is how many bytes two ids have in common at their start.
func sharedPrefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// A reader takes apart what was put together by appendText and its like.
type reader struct {
	b  []byte
	ok bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.b, r.ok = nil, false
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) text() string {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.b, r.ok = nil, false
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}
