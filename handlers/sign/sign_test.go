package sign_test

import (
	"strings"
	"testing"
	"time"

	"curfew/handlers/sign"
)

const secret = "a secret of enough characters"

func TestASignatureIsOfItsSecretBodyAndTime(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	good := sign.Sign(secret, []byte("body"), now)
	if !strings.HasPrefix(good, "t=1800000000,v1=") {
		t.Errorf("its form has changed: %s", good)
	}
	for name, tt := range map[string]struct {
		secret, signature, body string
		at                      time.Time
		ok                      bool
	}{
		"good":           {secret, good, "body", now, true},
		"a slow clock":   {secret, good, "body", now.Add(-sign.Tolerance), true},
		"old":            {secret, good, "body", now.Add(sign.Tolerance + time.Second), false},
		"another secret": {secret + "!", good, "body", now, false},
		"another body":   {secret, good, "body ", now, false},
		"another time":   {secret, strings.Replace(good, "t=18", "t=19", 1), "body", now.Add(100_000_000 * time.Second), false},
		"no secret":      {"", sign.Sign("", []byte("body"), now), "body", now, false},
		"cut":            {secret, good[:len(good)-2], "body", now, false},
		"empty":          {secret, "", "body", now, false},
		"endless":        {secret, strings.Repeat(good+",", 50), "body", now, false},
	} {
		if err := sign.Verify(tt.secret, tt.signature, []byte(tt.body), tt.at); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
