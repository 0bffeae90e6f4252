package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/handlers/page/pagerduty"
	"curfew/handlers/page/pagetest"
)

const withRota = `
tenants:
  - name: contoso
    id: 8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69
    auth: {client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, client_secret_env: TEST_SECRET}
    mail_from: it@contoso.example
destinations:
  night: {kind: rota, rotation: night, next_after: 2, hook_secret_env: TEST_SECRET}
  pd: {kind: pagerduty, routing_key_env: TEST_KEY, region: eu, hook_secret_env: TEST_SECRET}
  og: {kind: opsgenie, api_key_env: TEST_KEY, region: eu, hook_secret_env: TEST_SECRET}
  jsm: {kind: jsm, api_key_env: TEST_KEY, hook_secret_env: TEST_SECRET}
  ga: {kind: goalert, api_key_env: TEST_KEY, url: https://goalert.example, hook_secret_env: TEST_SECRET}
  irm: {kind: grafana, url_env: TEST_URL, hook_secret_env: TEST_SECRET}
  other: {kind: page-webhook, url: https://pager.example, secret_env: TEST_SECRET}
oncall:
  people:
    anna: {mail: anna@contoso.example}
    bo: {url: https://bo.example/wake, secret_env: TEST_SECRET}
  rotations:
    night: {time_zone: Europe/Berlin, hand_over: {day: monday, time: "09:00"}, order: [anna, bo], start: "2020-01-06"}
  overrides:
    - {rotation: night, from: "2026-12-24 18:00", until: "2026-12-26 08:00", person: anna}
policies:
  - name: threat
    when: device.threat >= high
    ladder:
      - do: [page: {destination: night}]
`

// rotaEnv is an environment with a configuration that has a rota.
func rotaEnv(t *testing.T) map[string]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "curfew.yaml")
	check(t, os.WriteFile(file, []byte(withRota), 0o600))
	return map[string]string{
		"CURFEW_CONFIG": file, "TEST_SECRET": "canary-secret-of-many-characters", "TEST_KEY": strings.Repeat("k", pagerduty.KeyLength),
		"TEST_URL": "https://irm.example/integrations/v1/formatted_webhook/key/",
	}
}

func onCall(t *testing.T, env map[string]string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = newApp(func(key string) string { return env[key] }, &out, &errs).execute(t.Context(), append([]string{"oncall", "show"}, args...))
	return out.String(), errs.String(), code
}

func TestOnCallShowsWhoIsOnCallAndWhoIsNext(t *testing.T) {
	out, errs, code := onCall(t, rotaEnv(t), "--at", "2026-12-24 12:00")
	want := `night (Europe/Berlin)
  on call  bo    Mon 2026-12-21 09:00 CET  to Thu 2026-12-24 18:00 CET
           anna  Thu 2026-12-24 18:00 CET  to Sat 2026-12-26 08:00 CET  stands in
           bo    Sat 2026-12-26 08:00 CET  to Mon 2026-12-28 09:00 CET
           anna  Mon 2026-12-28 09:00 CET  to Mon 2027-01-04 09:00 CET
           bo    Mon 2027-01-04 09:00 CET  to Mon 2027-01-11 09:00 CET
`
	if out != want || code != 0 {
		t.Errorf("exit %d, %s\n%s\nwant\n%s", code, errs, out, want)
	}
}

func TestOnCallAsJSON(t *testing.T) {
	out, _, code := onCall(t, rotaEnv(t), "night", "--json", "--at", "2026-12-24T19:00:00+01:00")
	first, _, _ := strings.Cut(out, "\n")
	var l onCallLine
	check(t, json.Unmarshal([]byte(first), &l))
	if code != 0 || l.Person != "anna" || !l.Override || !l.Now || !l.Until.Equal(time.Date(2026, 12, 26, 7, 0, 0, 0, time.UTC)) || strings.Count(out, "\n") != 1+nextShifts {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestOnCallSaysWhatItCannotShow(t *testing.T) {
	env := rotaEnv(t)
	for want, args := range map[string][]string{
		`no rotation is called "day"; there are night`: {"day"},
		`"tomorrow" is not a time`:                     {"--at", "tomorrow"},
	} {
		if _, errs, code := onCall(t, env, args...); code != exitWrong || !strings.Contains(errs, want) {
			t.Errorf("exit %d: %s, want %q", code, errs, want)
		}
	}
	env["CURFEW_CONFIG"] = "testdata/cli/curfew.yaml"
	if _, errs, code := onCall(t, env); code != exitWrong || !strings.Contains(errs, "has no rotations") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// Every kind of pager that a configuration can have can be used, and hears what
// people do there.
func TestEveryKindOfPagerWorks(t *testing.T) {
	env := rotaEnv(t)
	conf, problems := loadConfig(env["CURFEW_CONFIG"], loadOptions{Getenv: func(k string) string { return env[k] }})
	if conf == nil {
		t.Fatal(problems)
	}
	seen := map[string]bool{}
	pagers := pagersOf(conf, noMail{}, nil)
	for name, d := range conf.Destinations {
		seen[d.Kind] = true
		if err := pagers[name].Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if r := readerOf(d); (r == nil) != (name == "other") {
			t.Errorf("%s has the door %v", name, r)
		}
	}
	for kind := range pageKinds() {
		if !seen[kind] {
			t.Errorf("no destination of kind %s was tried", kind)
		}
	}
}

type noMail struct{}

func (noMail) SendMail(context.Context, string, string, string, string, string, string) error {
	return nil
}
func (noMail) Sent(context.Context, string, string) (bool, error) { return true, nil }

// An acknowledgement at PagerDuty puts the case on hold, so that neither the
// ladder nor the pages go on; delivered twice, it is one.
func TestAnAnswerAtThePagerAcknowledgesTheCase(t *testing.T) {
	inWard(t, func(w *ward) {
		t := w.t
		const secret = "the-secret-of-the-subscription"
		conf := &config{Destinations: map[string]destinationConfig{"oncall": {Kind: "pagerduty", HookSecret: newSecret(secret)}}}
		front := doorsOf(conf, w.j, nil, nil, http.NotFoundHandler(), quiet)
		post := func(header http.Header, body []byte) int {
			r := httptest.NewRequest(http.MethodPost, "/hooks/oncall", bytes.NewReader(body))
			r.Header = header
			rec := httptest.NewRecorder()
			front.ServeHTTP(rec, r)
			return rec.Code
		}
		laptop := w.admit(contoso, "d42", "LT-042", "anna@contoso.example")
		laptop.d.Threat = "highSeverity"
		laptop.look()
		laptop.done(events.Mail, "sent", "")
		for range 24 {
			time.Sleep(time.Hour)
			c := laptop.look()
			pends := func(a events.Action) bool {
				return slices.ContainsFunc(c.Pending, func(t events.Task) bool { return t.Action == a })
			}
			if pends(events.Ticket) {
				laptop.done(events.Ticket, "T-1", "")
				laptop.done(events.Scan, "", "")
			}
			if pends(events.Page) {
				break
			}
		}
		id := laptop.settled().ID()
		laptop.done(events.Page, id, "")

		p := &pagetest.PagerDuty{}
		header, body := p.Webhook("another secret", "incident.acknowledged", id, "Bo")
		if code := post(header, body); code != http.StatusForbidden || laptop.settled().Hold != nil {
			t.Fatalf("a stranger: %d, %+v", code, laptop.settled().Hold)
		}
		header, body = p.Webhook(secret, "incident.acknowledged", id, "Bo")
		if code := post(header, body); code != http.StatusAccepted {
			t.Fatal(code)
		}
		c := laptop.settled()
		if c.Hold == nil || c.Hold.By != "Bo" || c.State() != "acknowledged" {
			t.Fatalf("the case is nobody's: %s, %+v", c.State(), c.Hold)
		}
		time.Sleep(10 * time.Minute)
		if code := post(header, body); code != http.StatusAccepted || !laptop.settled().Hold.Until.Equal(c.Hold.Until) {
			t.Errorf("delivered again: %d, %+v", code, laptop.settled().Hold)
		}
		if code := post(header, []byte("{}")); code != http.StatusForbidden {
			t.Errorf("another body under the signature: %d", code)
		}
	})
}

func TestWithoutAHookSecretThereIsNoDoor(t *testing.T) {
	conf := &config{Destinations: map[string]destinationConfig{"oncall": {Kind: "pagerduty"}}}
	rec := httptest.NewRecorder()
	doorsOf(conf, nil, nil, nil, http.NotFoundHandler(), quiet).ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/hooks/oncall", nil))
	if rec.Code != http.StatusNotFound {
		t.Errorf("got %d", rec.Code)
	}
}

// The rota that the README shows can be used as it stands.
func TestTheRotaOfTheReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	check(t, err)
	_, yaml, _ := strings.Cut(string(text), "```yaml\noncall:\n")
	yaml, _, ok := strings.Cut(yaml, "```")
	if !ok {
		t.Fatal("the README shows no rota")
	}
	head, _, _ := strings.Cut(withRota, "destinations:")
	conf, problems := parseConfig("curfew.yaml", []byte(head+`
policies:
  - {name: threat, when: device.threat >= medium, ladder: [{do: [page: {destination: night}]}]}
oncall:
`+yaml), loadOptions{NoSecrets: true, Getenv: func(string) string { return "" }})
	if conf == nil {
		t.Errorf("what the README shows cannot be used: %v", mistakes(problems))
	}
}
