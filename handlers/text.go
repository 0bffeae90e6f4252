package handlers

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line makes one line of at most n characters of a text from outside: valid
// UTF-8, without control characters, without the invisible ones that turn or
// split what a reader sees, and with single spaces. A cut text ends in "…".
//
// Names of devices and users, alert titles and the like may hold anything; what
// is shown of them to people goes through Line.
func Line(s string, n int) string {
	var b strings.Builder
	count, gap := 0, false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			gap = b.Len() > 0
			continue
		case r == utf8.RuneError, hidden(r):
			continue
		}
		if gap {
			count++
			b.WriteByte(' ')
			gap = false
		}
		if count++; count > n {
			return cut(b.String(), n)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// hidden reports whether r is not seen but changes what is: bidirectional
// overrides and isolates, byte order marks and line separators. The joiners stay,
// since some scripts and emoji are written with them.
func hidden(r rune) bool {
	switch {
	case r == '\u200c', r == '\u200d':
		return false
	case r == '\u2028', r == '\u2029':
		return true
	}
	return unicode.Is(unicode.Cf, r)
}

func cut(s string, n int) string {
	runes := []rune(s)
	if n < 1 || len(runes) == 0 {
		return ""
	}
	return strings.TrimSpace(string(runes[:min(len(runes), n-1)])) + "…"
}

// SafeLink returns the address if a person may be sent there, and else "": an
// absolute https address of at most 2,000 characters with no user in it.
func SafeLink(address string) string {
	if len(address) > 2000 {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}

// CheckAddress says why an address is none that secrets may be sent
// to, or nil.
func CheckAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return errors.New("its url is not an address")
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		return errors.New("its url must be https")
	case u.User != nil:
		return errors.New("its url must hold no user and password; send them as an Authorization header")
	}
	return nil
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
