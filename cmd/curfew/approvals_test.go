package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/events/gate/link"
	"curfew/graph"
	"curfew/handlers/mail"
)

// asking is a right configuration in which people are asked, with its key in a
// directory of the test.
func asking(t *testing.T, more string) *config {
	t.Helper()
	conf := gated(t, "data: "+t.TempDir()+"\n"+more)
	return conf
}

const kimAndJo = "approvals: {valid_for: 2h, people: [kim@contoso.example, jo@contoso.example]}\n"

// TestApproversOfTheConfiguration are asked where they belong, and protected.
func TestApproversOfTheConfiguration(t *testing.T) {
	conf := asking(t, kimAndJo)
	conf.Tenants[1].Approvers = []string{"lee@fabrikam.example"}
	c := &checker{yamlFile: readYAML("x.yaml", []byte("tenants: []"))}
	c.approvals(conf)
	if got := conf.Policies.Approvers.Of(contoso); !slices.Equal(got, []string{"kim@contoso.example", "jo@contoso.example"}) {
		t.Errorf("%v", got)
	}
	if got := conf.Policies.Approvers.Of(fabrikam); !slices.Equal(got, []string{"lee@fabrikam.example"}) {
		t.Errorf("%v", got)
	}
	p := conf.Protect.protected()
	for _, user := range []string{"kim@contoso.example", "LEE@fabrikam.example"} {
		if why := p.Why(events.Case{Device: events.Device{User: user}}, events.Task{}); !strings.Contains(why, "who may approve") {
			t.Errorf("%s is not protected: %q", user, why)
		}
	}
	if conf := gated(t, ""); conf.Policies.Approvers != nil || conf.links() {
		t.Errorf("somebody is asked, and nobody is named: %v", conf.Policies.Approvers)
	}
}

// TestInvitationsOfTheWorker: what the mail links to is answered on the same
// listener as the webhook, and is signed with the key that was made.
func TestInvitationsOfTheWorker(t *testing.T) {
	inWard(t, func(w *ward) {
		w.resetting(1)
		laptop := w.atReset(contoso, "d42", "LT-042", "anna@contoso.example")
		conf := asking(t, kimAndJo)
		asks, err := approvalsOf(conf, noTenants{}, quiet)
		check(t, err)
		if _, err := os.Stat(filepath.Join(conf.Data, defaultKey)); err != nil || asks.counts() != nil {
			t.Errorf("%v; unsigned approvals count: %v", err, asks.counts() == nil)
		}
		id := laptop.task(events.Reset).ID
		address, expires := asks.into(mail.Handler{}).Invite(id, "kim@contoso.example", "x/y/7-mail")
		path, ours := strings.CutPrefix(address, "https://curfew.contoso.example")
		if !ours || !link.Is(path) || time.Until(expires) != 2*time.Hour {
			t.Fatalf("%s, %v", address, expires)
		}
		webhook := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
		front := asks.front(w.j, webhook, quiet)
		ask := func(method, path, form string) (int, string) {
			r := httptest.NewRequest(method, "https://curfew.contoso.example"+path, strings.NewReader(form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			rec := httptest.NewRecorder()
			front.ServeHTTP(rec, r)
			b, _ := io.ReadAll(rec.Body)
			return rec.Code, string(b)
		}
		if status, _ := ask("POST", "/graph/notifications", ""); status != http.StatusTeapot {
			t.Errorf("the webhook got nothing: %d", status)
		}
		status, page := ask("GET", path, "")
		for _, want := range []string{"LT-042", "contoso", "Microsoft Defender rates the risk of the device as high", "Entra has 1"} {
			if status != 200 || !strings.Contains(page, want) {
				t.Errorf("%d, without %q: %s", status, want, page)
			}
		}
		_, seal, _ := strings.Cut(page, `name="seal" value="`)
		seal, _, _ = strings.Cut(seal, `"`)
		if status, page := ask("POST", path, "answer=allow&seal="+seal); status != 200 || !strings.Contains(page, "1 of 1") {
			t.Errorf("%d: %s", status, page)
		}
		task := laptop.task(events.Reset)
		if len(task.Approvals) != 1 || !asks.signed(task, task.Approvals[0]) {
			t.Errorf("%+v", task)
		}
		time.Sleep(2*time.Hour + 2*time.Minute)
		if asks.signed(task, task.Approvals[0]) {
			t.Error("it has run out, and counts")
		}
	})
}

// TestNobodyAsked: without people, or without an address that is safe, there is
// no door, and mails name the command.
func TestNobodyAsked(t *testing.T) {
	for name, change := range map[string]func(*config){
		"nobody is named":   func(c *config) { c.Policies.Approvers = nil },
		"no public address": func(c *config) { c.PublicURL = "" },
		"not a safe one":    func(c *config) { c.PublicURL = "http://127.0.0.1:8443" },
	} {
		conf := asking(t, kimAndJo)
		change(conf)
		asks, err := approvalsOf(conf, noTenants{}, quiet)
		check(t, err)
		if asks.into(mail.Handler{}).Invite != nil {
			t.Errorf("%s: links are sent", name)
		}
		rec := httptest.NewRecorder()
		asks.front(nil, http.NotFoundHandler(), quiet).ServeHTTP(rec, httptest.NewRequest("GET", link.Path+"x", nil))
		if rec.Code != 404 || !strings.Contains(rec.Body.String(), "404 page") {
			t.Errorf("%s: a link is answered: %d %s", name, rec.Code, rec.Body)
		}
	}
}

// TestKeysByRole: who acts never makes a key of its own, which would be another
// one than the watcher's.
func TestKeysByRole(t *testing.T) {
	conf := asking(t, kimAndJo)
	conf.Role = roleAct
	asks, err := approvalsOf(conf, noTenants{}, quiet)
	check(t, err)
	if _, err := os.Stat(filepath.Join(conf.Data, defaultKey)); err == nil || asks.signed(events.Task{}, events.Approval{}) {
		t.Error("the one who acts has made a key, or takes what it cannot check")
	}
	conf.Approvals.KeyFile = filepath.Join(t.TempDir(), "shared.key")
	if _, err := approvalsOf(conf, noTenants{}, quiet); err == nil || !strings.Contains(err.Error(), "approvals.key_file") {
		t.Errorf("a key that is named and missing: %v", err)
	}
	conf.Role = roleAll
	if asks, err = approvalsOf(conf, noTenants{}, quiet); err != nil || asks.counts() == nil {
		t.Fatalf("%v; with a key that is named only what is signed counts", err)
	}
	conf.Role = roleAct
	if asks, err = approvalsOf(conf, noTenants{}, quiet); err != nil || asks.signer == nil {
		t.Errorf("%v", err)
	}
}

// TestApprovingSigned: the command line signs as soon as it can read the key, and
// says nothing that would not count.
func TestApprovingSigned(t *testing.T) {
	inWard(t, func(x *ward) {
		w := gateDesk{x}
		w.resetting(2)
		laptop := w.atReset(contoso, "d42", "LT-042", "anna@contoso.example")
		text, err := os.ReadFile("testdata/cli/curfew.yaml")
		check(t, err)
		key := filepath.Join(t.TempDir(), "shared.key")
		w.env["CURFEW_CONFIG"] = write(t, t.TempDir(), "curfew.yaml", string(text)+"approvals: {key_file: "+key+"}\n", 0o600)
		w.failsAfter(exitFailed, "only signed approvals count (approvals.key_file), and yours cannot be", "approve", "d42")
		if got := laptop.task(events.Reset).Approvals; len(got) != 0 {
			t.Fatalf("%+v", got)
		}
		signer, err := link.LoadKey(key)
		check(t, err)
		w.expect(lastLine(w.must("approve", "d42")), "LT-042: approved by jo (signed), 1 of 2; another person has to approve too, within 1d")
		task := laptop.task(events.Reset)
		if len(task.Approvals) != 1 || !signer.Verify(task, task.Approvals[0]) || task.Approvals[0].Given.IsZero() {
			t.Errorf("%+v", task)
		}

		// Whoever has approved by mail is no second person at the command line.
		laptop.tell(events.Approved{Task: task.ID, By: "kim@contoso.example"})
		synctest.Wait()
		w.as("kim")
		w.failsAfter(exitFailed, "you have approved it already, as kim@contoso.example", "approve", "d42")
	})
}

// noTenants answers for Microsoft: a key is kept, and nothing else is known.
type noTenants struct{ err error }

func (n noTenants) Preflight(context.Context, events.Device) ([]graph.Check, error) {
	return []graph.Check{{Name: graph.CheckKey, Verdict: graph.Yes, Reason: "Entra has 1 of the system volume"}}, n.err
}

// TestEscrowIsAskedSeldom: pages that anybody can open do not wear Microsoft's
// patience out, and what is not known is not made up.
func TestEscrowIsAskedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		e := &escrow{tenants: counting{&asked, nil}, log: quiet}
		c := events.Case{Key: events.Key{Tenant: contoso, Device: "d42"}}
		for range 50 {
			if got := e.about(t.Context(), c); got != "kept: Entra has 1 of the system volume" {
				t.Fatal(got)
			}
		}
		time.Sleep(escrowFor)
		e.about(t.Context(), c)
		if asked != 2 {
			t.Errorf("Microsoft was asked %d times", asked)
		}
		e = &escrow{tenants: counting{&asked, errors.New("503")}, log: quiet}
		if got := e.about(t.Context(), c); got != "" {
			t.Errorf("made up: %q", got)
		}
	})
}

type counting struct {
	n   *int
	err error
}

func (c counting) Preflight(ctx context.Context, d events.Device) ([]graph.Check, error) {
	*c.n++
	return noTenants{c.err}.Preflight(ctx, d)
}
