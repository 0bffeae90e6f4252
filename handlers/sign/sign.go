// Package sign signs the requests of webhooks, and checks such signatures: those
// of tickets, of pages, and of what comes back.
//
// A signature holds the time at which it was made, so a request that somebody
// wrote down cannot be sent again later. Within [Tolerance] it can: whoever takes
// requests folds them by what they are about.
package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Header carries the signature of a request.
const Header = "Curfew-Signature"

// Tolerance is how far the time of a signature may be from a receiver's clock.
const Tolerance = 5 * time.Minute

// MinSecret is how long a secret must be, in bytes.
const MinSecret = 16

// Verify reports whether a request with this signature and raw body was made by
// somebody who has the secret, not more than [Tolerance] before or after now.
// Nil means yes.
func Verify(secret, signature string, body []byte, now time.Time) error {
	if secret == "" {
		return errors.New("verify: the secret is empty")
	}
	if len(signature) > 1000 {
		return errors.New("verify: the signature is too long")
	}
	var at string
	var macs []string
	for part := range strings.SplitSeq(signature, ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); name {
		case "t":
			at = value
		case "v1":
			macs = append(macs, value)
		}
	}
	sec, err := strconv.ParseInt(at, 10, 64)
	if err != nil || len(macs) == 0 {
		return errors.New("verify: the signature wants t=<unix seconds>,v1=<hex>")
	}
	want := mac(secret, at, body)
	good := false
	for _, m := range macs {
		got, err := hex.DecodeString(m)
		good = hmac.Equal(got, want) && err == nil || good
	}
	if !good {
		return errors.New("verify: the signature is not of this secret and body")
	}
	if off := now.Sub(time.Unix(sec, 0)).Abs(); off > Tolerance {
		return fmt.Errorf("verify: the signature's time is off by more than %v: an old request, or a wrong clock", Tolerance)
	}
	return nil
}

// Sign returns the signature of a body, made at that time: "t=" and the seconds
// since 1970, ",v1=" and, in hex, the HMAC-SHA256 of those digits, a dot and the
// body.
func Sign(secret string, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, t, body))
}

func mac(secret, at string, body []byte) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(at + "."))
	m.Write(body)
	return m.Sum(nil)
}
