package pagerduty_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/handlers/page/hook"
	"curfew/handlers/page/pagerduty"
	"curfew/handlers/page/pagetest"
)

const (
	hookSecret = "canary-webhook-secret"
	aCase      = "contoso/d-1/3"
)

func TestAPersonsAnswersAreRead(t *testing.T) {
	p := &pagetest.PagerDuty{}
	h := &pagerduty.Hook{Secret: hookSecret}
	for _, tt := range []struct {
		event, person string
		want          events.Answer
	}{
		{"incident.annotated", "Bo", ""}, // of an incident that was never heard of
		{"incident.triggered", "", ""},
		{"incident.annotated", "Bo", events.Commented},
		{"incident.acknowledged", "Bo", events.Took},
		{"incident.acknowledged", "", ""}, // automation
		{"incident.reassigned", "Bo", events.Commented},
		{"incident.resolved", "Bo", events.Ended},
		{"incident.resolved", "", ""}, // by an event, such as Curfew's
		{"incident.priority_updated", "Bo", ""},
		{"pagey.ping", "Bo", ""},
	} {
		header, body := p.Webhook(hookSecret, tt.event, aCase, tt.person)
		got, err := h.Read(hook.Request{Header: header, Body: body, At: time.Now()})
		switch {
		case err != nil:
			t.Errorf("%s by %q: %v", tt.event, tt.person, err)
		case tt.want == "" && len(got) > 0:
			t.Errorf("%s by %q is read as %+v", tt.event, tt.person, got)
		case tt.want != "" && (len(got) != 1 || got[0].Case != aCase || got[0].Did != tt.want || got[0].By != "Bo" || got[0].ID == "" || got[0].At.IsZero()):
			t.Errorf("%s: got %+v", tt.event, got)
		}
	}
}

// While the secret changes, there are several signatures; one is enough, and
// what is of no known version does not count.
func TestSignatures(t *testing.T) {
	p := &pagetest.PagerDuty{}
	header, body := p.Webhook(hookSecret, "incident.acknowledged", aCase, "Bo")
	good := header.Get(pagerduty.SignatureHeader)
	for name, tt := range map[string]struct {
		signature string
		body      string
		ok        bool
	}{
		"one":             {good, string(body), true},
		"two":             {"v1=" + strings.Repeat("0", 64) + "," + good, string(body), true},
		"with a space":    {"v1=00, " + good, string(body), true},
		"of the future":   {"v2=" + strings.TrimPrefix(good, "v1="), string(body), false},
		"cut":             {good[:20], string(body), false},
		"none":            {"", string(body), false},
		"of another body": {good, string(body) + " ", false},
		"endless":         {strings.Repeat(good+",", 1000), string(body), false},
	} {
		h := &pagerduty.Hook{Secret: hookSecret}
		r := hook.Request{Header: http.Header{}, Body: []byte(tt.body)}
		r.Header.Set(pagerduty.SignatureHeader, tt.signature)
		if _, err := h.Read(r); errors.Is(err, hook.ErrStranger) == tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := hook.Request{Header: header, Body: body}
	if _, err := (&pagerduty.Hook{}).Read(r); !errors.Is(err, hook.ErrStranger) {
		t.Errorf("without a secret: %v", err)
	}
}

func FuzzHook(f *testing.F) {
	p := &pagetest.PagerDuty{}
	_, body := p.Webhook(hookSecret, "incident.acknowledged", aCase, "Bo")
	f.Add(body, "v1=00")
	f.Fuzz(func(t *testing.T, body []byte, signature string) {
		h := &pagerduty.Hook{Secret: hookSecret}
		r := hook.Request{Header: http.Header{}, Body: body}
		r.Header.Set(pagerduty.SignatureHeader, signature)
		if got, err := h.Read(r); !errors.Is(err, hook.ErrStranger) {
			t.Errorf("a forged signature is taken: %v, %v", got, err)
		}
		r.Header.Set(pagerduty.SignatureHeader, pagetest.Sign(hookSecret, body))
		got, err := h.Read(r)
		if errors.Is(err, hook.ErrStranger) || err != nil && len(got) > 0 || len(got) > 0 && (got[0].Did == "" || got[0].Case == "") {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}
