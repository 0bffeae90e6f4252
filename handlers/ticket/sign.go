package ticket

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

// SignatureHeader carries the signature of a request.
const SignatureHeader = "Curfew-Signature"

// Tolerance is how far the time of a signature may be from a receiver's clock.
const Tolerance = 5 * time.Minute

// Verify reports whether a request with this signature and raw body was made by
// somebody who has the secret, not more than [Tolerance] before or after now.
// Nil means yes.
func Verify(secret, signature string, body []byte, now time.Time) error {
	if secret == "" {
		return errors.New("ticket: verify: the secret is empty")
	}
	if len(signature) > 1000 {
		return errors.New("ticket: verify: the signature is too long")
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
		return errors.New("ticket: verify: the signature wants t=<unix seconds>,v1=<hex>")
	}
	want := mac(secret, at, body)
	good := false
	for _, m := range macs {
		got, err := hex.DecodeString(m)
		good = hmac.Equal(got, want) && err == nil || good
	}
	if !good {
		return errors.New("ticket: verify: the signature is not of this secret and body")
	}
	if off := now.Sub(time.Unix(sec, 0)).Abs(); off > Tolerance {
		return fmt.Errorf("ticket: verify: the signature's time is off by more than %v: an old request, or a wrong clock", Tolerance)
	}
	return nil
}

func sign(secret string, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, t, body))
}

func mac(secret, at string, body []byte) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(at + "."))
	m.Write(body)
	return m.Sum(nil)
}
