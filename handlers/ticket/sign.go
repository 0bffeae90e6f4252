package ticket

import (
	"fmt"
	"time"

	"curfew/handlers/sign"
)

// SignatureHeader carries the signature of a request.
const SignatureHeader = sign.Header

// Tolerance is how far the time of a signature may be from a receiver's clock.
const Tolerance = sign.Tolerance

// Verify reports whether a request with this signature and raw body was made by
// somebody who has the secret, not more than [Tolerance] before or after now.
// Nil means yes.
func Verify(secret, signature string, body []byte, now time.Time) error {
	if err := sign.Verify(secret, signature, body, now); err != nil {
		return fmt.Errorf("ticket: %w", err)
	}
	return nil
}
