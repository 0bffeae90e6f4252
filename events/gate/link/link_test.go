package link_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/gate/link"
)

type sinkFunc func(events.Fact)

func (s sinkFunc) Append(_ context.Context, _ events.Key, f events.Fact, _ string) error {
	s(f)
	return nil
}

func signer(t testing.TB, keys ...byte) *link.Signer {
	t.Helper()
	var all [][]byte
	for _, k := range keys {
		all = append(all, []byte(strings.Repeat(string(rune(k)), 32)))
	}
	s, err := link.NewSigner(all...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	task    = "8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69/0c1f5e7a-93b6-4a88-9f0d-5b3c2a1e4d60/5-reset"
	mailed  = "8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69/0c1f5e7a-93b6-4a88-9f0d-5b3c2a1e4d60/7-mail"
	outside = "another/one"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// TestTokens hold what was put into them, until they expire, for those keys.
func TestTokens(t *testing.T) {
	s := signer(t, 'a')
	for _, id := range []string{mailed, outside, task, ""} {
		want := link.Invitation{Task: task, Addressee: kim, ID: id, Expires: noon.Add(time.Hour)}
		token := s.Mint(task, kim, id, want.Expires)
		if got, err := s.Read(token, noon); err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
		if len(token) > 300 || strings.Trim(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			t.Errorf("%d characters: %s", len(token), token)
		}
		if got, err := s.Read(token, want.Expires); !errors.Is(err, link.ErrExpired) || got != want {
			t.Errorf("expired: %+v, %v", got, err)
		}
		if _, err := signer(t, 'b').Read(token, noon); !errors.Is(err, link.ErrForeign) {
			t.Errorf("another key: %v", err)
		}
		if got, err := signer(t, 'b', 'a').Read(token, noon); err != nil || got != want {
			t.Errorf("after the key has changed: %+v, %v", got, err)
		}
	}
	token := s.Mint(task, kim, mailed, noon.Add(time.Hour))
	for _, bad := range []string{"", "x", token + "=", token + "A", token[1:], token[:len(token)-1], token + "\n", "\n" + token, token[:9] + "\r\n" + token[9:], strings.Repeat("A", 2000), strings.Repeat("A", 300), " " + token, token + "/"} {
		if got, err := s.Read(bad, noon); !errors.Is(err, link.ErrForeign) || got != (link.Invitation{}) {
			t.Errorf("%.40q: %+v, %v", bad, got, err)
		}
	}
}

// TestOneBit: a token with any one bit changed, of the text or of what it stands
// for, is none.
func TestOneBit(t *testing.T) {
	s := signer(t, 'a')
	token := s.Mint(task, kim, mailed, noon.Add(time.Hour))
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(changed string) {
		if got, err := s.Read(changed, noon); err == nil || errors.Is(err, link.ErrExpired) {
			t.Errorf("%q is taken for %+v", changed, got)
		}
	}
	for i := range len(token) * 8 {
		b := []byte(token)
		b[i/8] ^= 1 << (i % 8)
		refused(string(b))
	}
	for i := range len(raw) * 8 {
		b := []byte(string(raw))
		b[i/8] ^= 1 << (i % 8)
		refused(base64.RawURLEncoding.EncodeToString(b))
	}
}

// FuzzRead: nothing but what was minted is ever taken.
func FuzzRead(f *testing.F) {
	s := signer(f, 'a')
	token := s.Mint(task, kim, mailed, noon.Add(time.Hour))
	f.Add(token)
	f.Add(token[:20] + "x" + token[21:])
	f.Add("AQ" + strings.Repeat("A", 100))
	f.Fuzz(func(t *testing.T, changed string) {
		if got, err := s.Read(changed, noon); err == nil && changed != token {
			t.Errorf("%q is taken for %+v", changed, got)
		}
	})
}

// TestSignatures: an approval counts for the task, person, risk, invitation and
// moment that it was signed for.
func TestSignatures(t *testing.T) {
	s := signer(t, 'a')
	fact := events.Approved{Task: task, By: kim, Seal: "threat=high", Link: mailed, Given: noon}
	fact.Sig = s.Sign(fact)
	tk := events.Task{ID: task, Seal: fact.Seal, Links: []string{outside, mailed}}
	a := events.Approval{By: kim, At: noon.Add(time.Second), Given: noon.In(time.FixedZone("x", 3600)), Sig: fact.Sig}
	if !s.Verify(tk, a) || !signer(t, 'b', 'a').Verify(tk, a) || signer(t, 'b').Verify(tk, a) {
		t.Fatal("a right approval does not count, or one by another key does")
	}
	for name, change := range map[string]func(*events.Task, *events.Approval){
		"another task":       func(t *events.Task, _ *events.Approval) { t.ID = strings.Replace(task, "/5-", "/6-", 1) },
		"another risk":       func(t *events.Task, _ *events.Approval) { t.Seal = "threat=low" },
		"another invitation": func(t *events.Task, _ *events.Approval) { t.Links = []string{outside} },
		"no invitation":      func(t *events.Task, _ *events.Approval) { t.Links = nil },
		"another person":     func(_ *events.Task, a *events.Approval) { a.By = jo },
		"another moment":     func(_ *events.Task, a *events.Approval) { a.Given = noon.Add(time.Second) },
		"no signature":       func(_ *events.Task, a *events.Approval) { a.Sig = "" },
		"half a signature":   func(_ *events.Task, a *events.Approval) { a.Sig = a.Sig[:20] },
		"another version":    func(_ *events.Task, a *events.Approval) { a.Sig = "2" + a.Sig[1:] },
		"a link's code":      func(_ *events.Task, a *events.Approval) { a.Sig = "1." + s.Mint(task, kim, mailed, noon) },
	} {
		tk2, a2 := tk, a
		if change(&tk2, &a2); s.Verify(tk2, a2) {
			t.Errorf("%s: it counts", name)
		}
	}
	for at, want := range map[time.Duration]bool{-2 * time.Minute: false, 0: true, 59 * time.Minute: true, 62 * time.Minute: false} {
		if got := s.Fresh(tk, a, noon.Add(at), time.Hour); got != want {
			t.Errorf("after %v: %v", at, got)
		}
	}
	byHand := events.Approved{Task: task, By: "kim", Seal: "threat=high", Given: noon}
	if !s.Verify(tk, events.Approval{By: "kim", Given: noon, Sig: s.Sign(byHand)}) {
		t.Error("one that came by no link does not count")
	}
}

// TestKeyFile: made once, whole and private, whoever comes first.
func TestKeyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data", "approval.key")
	if _, err := link.OpenKey(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is none yet: %v", err)
	}
	signers := make([]*link.Signer, 20)
	var wg sync.WaitGroup
	for i := range signers {
		wg.Go(func() {
			s, err := link.LoadKey(file)
			if err != nil {
				t.Error(err)
			}
			signers[i] = s
		})
	}
	wg.Wait()
	token := signers[0].Mint(task, kim, mailed, noon.Add(time.Hour))
	for _, s := range signers {
		if _, err := s.Read(token, noon); err != nil {
			t.Fatal("they do not have the same key: ", err)
		}
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
		t.Errorf("something is left behind: %v", left)
	}

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// A new key on top: the old links hold, and the new ones are made with it.
	fresh := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("n", 32)))
	put := func(s string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("# keys\n\n" + fresh + "\r\n" + string(text))
	both, err := link.LoadKey(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := both.Read(token, noon); err != nil {
		t.Error("an old link: ", err)
	}
	if _, err := signer(t, 'n').Read(both.Mint(task, kim, mailed, noon.Add(time.Hour)), noon); err != nil {
		t.Error("the first key does not sign: ", err)
	}

	secret := "c2VjcmV0LXRoYXQtaXMtdG9vLXNob3J0"
	for _, bad := range []string{"", "\n# nothing\n", secret, fresh + "=", fresh + "\n" + secret, strings.Repeat("x", 70000)} {
		put(bad)
		if _, err := link.LoadKey(file); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%.20q: %v", bad, err)
		}
		if now, _ := os.ReadFile(file); string(now) != bad {
			t.Error("a file that is no key was replaced")
		}
	}
	if _, err := link.NewSigner(); err == nil {
		t.Error("a signer without a key")
	}
	s := signer(t, 'k')
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if shown := fmt.Sprintf(verb, s); shown != "signer with 1 keys" {
			t.Errorf("%s shows %s", verb, shown)
		}
	}
}

// TestSame knows one person by two names, and no more.
func TestSame(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"kim", "KIM", true}, {"kim", kim, true}, {kim, "Kim", true}, {kim, "KIM@contoso.example", true},
		{kim, "kim@fabrikam.example", false}, {"kim", "kimberly@contoso.example", false}, {"", "", false}, {"", "@x", false}, {kim, jo, false},
	} {
		if got := link.Same(tt.a, tt.b); got != tt.want {
			t.Errorf("%q, %q: %v", tt.a, tt.b, got)
		}
	}
}
