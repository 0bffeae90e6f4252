package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/handlers/ticket/jira/jiratest"
	"curfew/handlers/ticket/tickettest"
)

func TestDestinationsAreListedWithHowTheyStand(t *testing.T) {
	inWard(t, func(w *ward) {
		laptop := w.admit(contoso, "d42", "LT-042", "anna@contoso.example")
		laptop.d.Threat = "mediumSeverity"
		laptop.look()
		laptop.done(events.Mail, "sent", "")
		time.Sleep(2 * time.Hour)
		laptop.look()
		stand := func() destination {
			w.t.Helper()
			var d destination
			first, _, _ := strings.Cut(w.must("destinations", "--json"), "\n")
			check(w.t, json.Unmarshal([]byte(first), &d))
			return d
		}
		if d := stand(); d.Name != "desk" || d.Kind != "webhook" || d.For != "tickets" || d.Find || d.ReadBack || !d.Resolve || d.Waiting != 1 || d.Open != 0 {
			w.t.Errorf("while a ticket is due: %+v", d)
		}
		w.giveUp(events.Ticket, "ticket: the desk refuses")
		if d := stand(); d.Waiting != 0 || d.Given != 2 || !strings.Contains(d.State, "given up") {
			w.t.Errorf("after it was given up, and the word to those in charge too: %+v", d)
		}
		if out := w.must("destinations"); !strings.Contains(out, "oncall  pagerduty  pages") || !strings.Contains(out, "READ BACK") {
			w.t.Errorf("it prints\n%s", out)
		}
	})
}

// tryDesk runs a test of a destination that is configured with this section.
func tryDesk(t *testing.T, section string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	file := write(t, t.TempDir(), "curfew.yaml", `
tenants:
  - name: contoso
    id: 8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69
    auth: {client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, client_secret_env: CURFEW_TEST_SECRET}
destinations:
  desk: `+section+`
policies:
  - {name: threat, when: device.threat >= medium, ladder: [{do: [ticket: {destination: desk}]}]}
`, 0o600)
	var out, errs bytes.Buffer
	code = execute(t.Context(), append([]string{"destinations", "test", "-c", file}, args...), environment, &out, &errs)
	return out.String(), errs.String(), code
}

func TestATestOfADeskLeavesNothingOpen(t *testing.T) {
	site := &jiratest.Site{Email: "curfew@contoso.example", Token: "0123456789abcdef"}
	server := httptest.NewServer(site)
	defer server.Close()
	section := fmt.Sprintf(`{kind: jira, url: %q, user: %s, token_env: CURFEW_TEST_SECRET, customers: {contoso: {project: SEC}}}`, server.URL, site.Email)
	stdout, stderr, code := tryDesk(t, section, "desk", "--json")
	if code != exitFine {
		t.Fatalf("it ended with %d: %s%s", code, stdout, stderr)
	}
	var steps []string
	for line := range strings.Lines(stdout) {
		var s step
		check(t, json.Unmarshal([]byte(line), &s))
		if !s.OK || s.Said == "" {
			t.Errorf("got %+v", s)
		}
		steps = append(steps, s.Step)
	}
	if got := strings.Join(steps, " "); got != "check find open read comment resolve read" {
		t.Errorf("the steps are %s", got)
	}
	all := site.Issues()
	if len(all) != 1 || all[0].Status != "Done" || !strings.HasPrefix(all[0].Summary, "TEST") || all[0].Priority == "Highest" {
		t.Errorf("it left %+v", all)
	}
}

func TestATestThatFailsSaysWhereAndWhatIsLeftOpen(t *testing.T) {
	site := &jiratest.Site{Email: "curfew@contoso.example", Token: "0123456789abcdef"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/transitions") {
			http.Error(w, `{"errorMessages": ["0123456789abcdef may not do that"]}`, http.StatusForbidden)
			return
		}
		site.ServeHTTP(w, r)
	}))
	defer server.Close()
	section := fmt.Sprintf(`{kind: jira, url: %q, user: %s, token_env: CURFEW_TEST_SECRET, triage: {project: TRIAGE}}`, server.URL, site.Email)
	stdout, stderr, code := tryDesk(t, section, "desk")
	if code != exitFailed || !strings.Contains(stderr, "step resolve") || !strings.Contains(stderr, "TRIAGE-1") || !strings.Contains(stderr, "left open") {
		t.Errorf("it ended with %d: %s", code, stderr)
	}
	if !strings.Contains(stdout, "403") || !strings.Contains(stdout, "went to triage") || strings.Contains(stdout+stderr, "0123456789abcdef") {
		t.Errorf("it says\n%s%s", stdout, stderr)
	}
}

func TestADeskThatKeepsItsTicketsIsToldOfATest(t *testing.T) {
	desk := &tickettest.Desk{Secret: "0123456789abcdef"}
	server := httptest.NewServer(desk)
	defer server.Close()
	stdout, stderr, code := tryDesk(t, fmt.Sprintf(`{kind: webhook, url: %q, secret_env: CURFEW_TEST_SECRET}`, server.URL), "desk")
	if code != exitFine || strings.Contains(stdout, "find") || !strings.Contains(stdout, "resolve") {
		t.Errorf("it ended with %d: %s%s", code, stdout, stderr)
	}
	if len(desk.Tickets()) != 1 || len(desk.Open()) != 0 {
		t.Errorf("it left %+v", desk.Tickets())
	}
}

func TestATestOfWhatIsNotThere(t *testing.T) {
	const section = `{kind: webhook, url: "http://127.0.0.1:1/", secret_env: CURFEW_TEST_SECRET}`
	if _, stderr, code := tryDesk(t, section, "dusk"); code != exitNotFound || !strings.Contains(stderr, "there are: desk") {
		t.Errorf("a name that is none ended with %d: %s", code, stderr)
	}
	if stdout, _, code := tryDesk(t, section, "desk"); code != exitFailed || !strings.Contains(stdout, "failed") {
		t.Errorf("a desk that nobody serves ended with %d: %s", code, stdout)
	}
}
