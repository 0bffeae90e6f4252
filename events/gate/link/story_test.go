package link_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/events/gate/link"
)

// TestScannersApproveNothing: whatever opens links by itself changes nothing, and
// leaves them as good as they were.
func TestScannersApproveNothing(t *testing.T) {
	w := newWorld(t, 1)
	path := w.invite(kim, "7-mail")
	for range 20 {
		w.expect("a scanner", w.get(path), 200, "Reset (Autopilot Reset): LT-042?")
		w.expect("a preview", w.ask(http.MethodHead, path, "", nil), 200)
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodOptions, "PROPFIND"} {
		w.expect(method, w.ask(method, path, "answer=allow", nil), 405)
	}
	w.expect("a form in the address", w.get(path+"?answer=allow&seal=x"), 200)
	if w.j.said() != 0 {
		t.Fatalf("something was stored: %+v", w.j.facts)
	}
	w.approvals()
}

// TestTwoPeople have to be two, by links of their own.
func TestTwoPeople(t *testing.T) {
	w := newWorld(t, 2)
	kims, jos := w.invite(kim, "7-mail"), w.invite(jo, "8-mail")
	w.expect("the first", w.answer(kims, "allow", ""), 200, "Recorded", kim+" allows this: 1 of 2", "Another person has to approve too")
	w.approvals(kim)
	w.expect("the second sees the first", w.get(jos), 200, "1 of 2", kim)
	w.expect("the second", w.answer(jos, "allow", ""), 200, "2 of 2", "goes on as soon as every other gate lets it")
	w.approvals(kim, jo)
	if w.j.said() != 2 {
		t.Errorf("%d answers were stored", w.j.said())
	}
}

// TestTheSamePersonTwice is one, by whatever link and whatever name.
func TestTheSamePersonTwice(t *testing.T) {
	w := newWorld(t, 2)
	first, second := w.invite(kim, "7-mail"), w.invite("KIM@contoso.example", "8-mail")
	form := w.get(first).fill("allow", "")
	w.expect("first", w.ask(http.MethodPost, first, form, nil), 200, "1 of 2")
	w.expect("the link again", w.ask(http.MethodPost, first, form, nil), 409, kim+" has approved it")
	w.expect("another link", w.ask(http.MethodPost, second, form, nil), 409, kim+" has approved it")
	w.expect("opened again", w.get(first), 409, "This link cannot be used")
	w.approvals(kim)
	if w.j.said() != 1 {
		t.Errorf("%d answers were stored", w.j.said())
	}

	w = newWorld(t, 2)
	task, _ := w.j.task()
	w.j.tell(events.Approved{Task: task.ID, By: "kim"}) // at the command line, by her account
	w.expect("by another name", w.get(w.invite(kim, "7-mail")), 409, "kim has approved it")
}

// TestForwarded: a link that is passed on counts as its addressee's, and the page
// says so to whoever holds it.
func TestForwarded(t *testing.T) {
	w := newWorld(t, 2)
	path := w.invite(kim, "7-mail") // which jo has got from kim
	page := w.get(path)
	w.expect("the page", page, 200, "You answer as <b>"+kim+"</b>")
	w.expect("the answer", w.ask(http.MethodPost, path, page.fill("allow", "")+"&by="+jo, nil), 200, kim+" allows this")
	w.approvals(kim)
}

// TestTheDeviceChanges between the page and the answer: nothing is recorded, and
// the new state is shown with a form that counts.
func TestTheDeviceChanges(t *testing.T) {
	w := newWorld(t, 1)
	path := w.invite(kim, "7-mail")
	old := w.get(path).fill("allow", "")
	w.j.look(func(d *events.Device) {
		d.Malware = []events.Malware{{Name: "Trojan:Win32/New", Severity: "severe", State: "active"}}
	})
	changed := w.ask(http.MethodPost, path, old, nil)
	w.expect("the old form", changed, 409, "The device has changed since the page was shown, so nothing was recorded", "Trojan:Win32/New")
	w.approvals()
	if w.j.said() != 0 {
		t.Fatal("something was stored")
	}
	w.expect("the new form", w.ask(http.MethodPost, path, changed.fill("allow", ""), nil), 200, "1 of 1")
	w.approvals(kim)
}

// TestReplay: after an approval has run out, or is void, its link is used up; a
// new one has to be sent.
func TestReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		path, form := w.invite(kim, "7-mail"), ""
		form = w.get(path).fill("allow", "")
		w.expect("first", w.ask(http.MethodPost, path, form, nil), 200, "1 of 2")
		w.j.look(func(d *events.Device) { d.Threat = "mediumSeverity" })
		w.approvals()
		w.expect("the form again", w.ask(http.MethodPost, path, form, nil), 410, "This link was used")
		w.expect("the link again", w.get(path), 410, "This link was used")

		path = w.invite(kim, "9-mail")
		w.expect("a new link", w.answer(path, "allow", ""), 200, "1 of 2")
		stored := w.j.facts[len(w.j.facts)-1]
		time.Sleep(59 * time.Minute)
		late := w.invite(kim, "9-mail") // the same invitation, sent once more
		time.Sleep(time.Minute)
		w.j.look(nil)
		w.approvals()
		w.expect("when it has run out", w.get(path), 410, "has expired")
		w.expect("sent once more", w.get(late), 410, "This link was used")
		w.j.tell(stored) // and storing the same fact again brings nothing back
		w.approvals()
	})
}

// TestOver: what is done, given up, called off or begun is not approved any more.
func TestOver(t *testing.T) {
	w := newWorld(t, 1)
	path := w.invite(kim, "7-mail")
	form := w.get(path).fill("allow", "")
	w.expect("denial", w.answer(w.invite(jo, "8-mail"), "forbid", "she has\r\nthe <only> copy"), 200, "Forbidden", jo+" forbids this")
	if d, ok := w.j.facts[0].(events.Denied); !ok || d.Task != w.id || d.By != jo || d.Reason != "she has the <only> copy" || !strings.HasSuffix(d.Link, "8-mail") {
		t.Errorf("%+v", w.j.facts[0])
	}
	w.expect("after the denial", w.ask(http.MethodPost, path, form, nil), 410, "This was given up: denied by "+jo+": she has the &lt;only&gt; copy")

	w = newWorld(t, 1)
	path = w.invite(kim, "7-mail")
	form = w.get(path).fill("allow", "")
	w.j.look(func(d *events.Device) { d.Threat = "secured" })
	w.j.tell(events.Closed{By: "jo", Reason: "over"})
	w.expect("after the case was closed", w.ask(http.MethodPost, path, form, nil), 410, "This is over")

	w = newWorld(t, 1)
	path = w.invite(kim, "7-mail")
	w.expect("approval", w.answer(path, "allow", ""), 200, "1 of 1")
	other := w.invite(jo, "8-mail")
	w.expect("enough", w.get(other), 200, "1 of 1", "Forbid it")
	w.expect("one too many", w.answer(other, "allow", ""), 409, "all the approvals that it needs")
	task, _ := w.j.task()
	w.j.tell(events.Rang{}, events.Begun{Task: task.ID, Attempt: "a"})
	w.expect("begun", w.get(other), 409, "This has begun")
	w.approvals(kim)
}

// TestWhoMayNot: the device's own user, and who is not an approver any more.
func TestWhoMayNot(t *testing.T) {
	w := newWorld(t, 1)
	w.handler.May = func(_, who string) bool { return who != jo }
	form := w.get(w.invite(kim, "7-mail")).fill("allow", "")
	for _, who := range []string{ann, "ANNA@contoso.example"} {
		w.expect("the user", w.get(w.invite(who, "7-mail")), 403, "somebody else has to approve")
		w.expect("the user's form", w.ask(http.MethodPost, w.invite(who, "7-mail"), form, nil), 403)
	}
	w.j.look(func(d *events.Device) { d.User, d.UserMail = "", "" }) // which a reset takes away
	w.expect("the last user", w.get(w.invite(ann, "7-mail")), 403)
	r := w.ask(http.MethodPost, w.invite(jo, "8-mail"), form, nil)
	w.expect("no approver any more", r, 403, "not among those who may approve")
	if strings.Contains(r.body, "LT-042") {
		t.Error("the page tells them about the device all the same")
	}
	w.approvals()
}

// TestNotConfirmed: nobody is told that it is recorded before it is.
func TestNotConfirmed(t *testing.T) {
	w := newWorld(t, 1)
	path := w.invite(kim, "7-mail")
	w.j.asleep = true
	w.expect("no worker", w.answer(path, "allow", ""), 202, "Not confirmed yet", "It counts as soon as one does")
	w.approvals()

	form := w.get(path).fill("allow", "")
	w.j.broken = true
	r := w.ask(http.MethodPost, path, form, nil)
	w.expect("the queue is down", r, 503, "cannot be read")
	if strings.Contains(r.body, "disk") {
		t.Error("the page shows what is wrong inside")
	}
	w.j.asleep, w.j.broken = false, false
	w.expect("later", w.answer(path, "allow", ""), 200, "1 of 1")
}

// TestSomebodyWasFaster between the reading and the storing.
func TestSomebodyWasFaster(t *testing.T) {
	w := newWorld(t, 1)
	path := w.invite(kim, "7-mail")
	form := w.get(path).fill("allow", "")
	w.handler.Sink = sinkFunc(func(f events.Fact) {
		w.j.look(func(d *events.Device) { d.Threat = "mediumSeverity" })
		w.j.tell(f)
	})
	w.expect("the device changed", w.ask(http.MethodPost, path, form, nil), 409, "Yours does not count", `name="answer"`)
	w.approvals()
}

// TestForms: only the page's own form is an answer.
func TestForms(t *testing.T) {
	w := newWorld(t, 1)
	path := w.invite(kim, "7-mail")
	form := w.get(path).fill("allow", "")
	seal := sealField.FindStringSubmatch(w.get(path).body)[1]
	for _, tt := range []struct {
		name, form string
		header     map[string]string
		status     int
	}{
		{"from another site", form, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"from a neighbouring site", form, map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"of another origin", form, map[string]string{"Origin": "https://evil.example"}, 403},
		{"as JSON", `{"answer":"allow"}`, map[string]string{"Content-Type": "application/json"}, 415},
		{"as plain text, which needs no preflight", form, map[string]string{"Content-Type": "text/plain"}, 415},
		{"of no kind", form, map[string]string{"Content-Type": ""}, 415},
		{"empty", "", nil, 400},
		{"without an answer", "seal=" + seal, nil, 400},
		{"without what was seen", "answer=allow", nil, 400},
		{"two answers", form + "&answer=forbid", nil, 400},
		{"two seals", form + "&seal=x", nil, 400},
		{"another answer", "seal=" + seal + "&answer=ALLOW", nil, 400},
		{"broken", form + "&%zz", nil, 400},
		{"too long", form + "&x=" + strings.Repeat("x", 5000), nil, 413},
		{"of another risk", "answer=allow&seal=" + url.QueryEscape(seal+"x"), nil, 409},
	} {
		w.expect(tt.name, w.ask(http.MethodPost, path, tt.form, tt.header), tt.status)
	}
	if w.j.said() != 0 {
		t.Fatalf("something was stored: %+v", w.j.facts)
	}
	same := map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "null", "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
	w.expect("the page's own", w.ask(http.MethodPost, path, form, same), 200, "1 of 1")
}

// TestHostileNames stay text, whoever made them up.
func TestHostileNames(t *testing.T) {
	w := newWorld(t, 1)
	const bad = `"><script>alert(1)</script><img src=x onerror=alert(2)>{{.Seal}}` + "\u202e\x00\r\nSet-Cookie: a=b"
	w.handler.Tenant = func(string) string { return bad }
	w.handler.Findings = func(events.Device) []string { return []string{bad} }
	w.j.look(func(d *events.Device) {
		d.Name, d.UserName = bad, bad
		d.Alerts = []events.Alert{{ID: "a", Title: bad, Severity: "high", Status: "new"}}
	})
	for _, r := range []reply{w.get(w.invite(kim, "7-mail")), w.answer(w.invite(kim, "7-mail"), "forbid", bad), w.get(w.invite(jo, "8-mail"))} {
		for _, raw := range []string{"<script", "<img", "\u202e", "\x00"} {
			if strings.Contains(r.body, raw) {
				t.Errorf("the page has %q in it:\n%s", raw, r.body)
			}
		}
		if r.header.Get("Set-Cookie") != "" {
			t.Error("a header was smuggled in")
		}
	}
}

// TestThePageIsBare: it runs nothing, loads nothing, is framed by nobody and told
// of to nobody.
func TestThePageIsBare(t *testing.T) {
	w := newWorld(t, 1)
	path := w.invite(kim, "7-mail")
	for _, r := range []reply{w.get(path), w.get(link.Path + "x"), w.answer(path, "forbid", "")} {
		for k, v := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Content-Type": "text/html; charset=utf-8"} {
			if r.header.Get(k) != v {
				t.Errorf("%s: %q", k, r.header.Get(k))
			}
		}
		policy := r.header.Get("Content-Security-Policy")
		css := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(r.body)
		if css == nil {
			t.Fatalf("no style: %s", r.body)
		}
		sum := sha256.Sum256([]byte(css[1]))
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("the policy lacks %s: %s", want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(r.body, "<script") || strings.Contains(r.body, "http") || strings.Contains(r.body, "style=") {
			t.Errorf("%s\n%s", policy, r.body)
		}
	}
	if logged := w.logged.String(); strings.Contains(logged, strings.TrimPrefix(path, link.Path)) || !strings.Contains(logged, "7-mail") {
		t.Errorf("the log names the token, or not the invitation: %s", logged)
	}
}

// TestEnter chooses what does no harm: browsers send the form by its first button.
func TestEnter(t *testing.T) {
	w := newWorld(t, 1)
	body := w.get(w.invite(kim, "7-mail")).body
	forbid, allow := strings.Index(body, `value="forbid"`), strings.Index(body, `value="allow"`)
	if forbid < 0 || allow < forbid {
		t.Errorf("allow comes first: %d, %d", allow, forbid)
	}
}

// TestGuessing is slowed down, and keeps nobody who has a link from it, even if
// both come by the same proxy.
func TestGuessing(t *testing.T) {
	w := newWorld(t, 1)
	path := w.invite(kim, "7-mail")
	asked := func(path string, times int) (got []int) {
		for range times {
			got = append(got, w.get(path).status)
		}
		return got
	}
	if got := asked(link.Path+"x", 100); got[0] != 404 || got[99] != 429 {
		t.Errorf("%v", got)
	}
	if got := asked(path, 100); got[0] != 200 || got[99] != 429 {
		t.Errorf("a link that is asked for without end: %v", got)
	}
	w.expect("another link", w.get(w.invite(jo, "8-mail")), 200)
	base, client := w.listen()
	r, err := client.Get(base + link.Path + "x")
	if b := bodyOf(t, r, err); r.StatusCode != 404 {
		t.Errorf("another address got %d: %s", r.StatusCode, b)
	}
}

// TestGuessingFromEverywhere costs no more memory than from ten thousand places,
// and whoever has a link still gets in; later the places are forgotten.
func TestGuessingFromEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		guess := func(from int) int {
			r := httptest.NewRequest(http.MethodHead, link.Path+"x", nil)
			r.RemoteAddr = fmt.Sprintf("[2001:db8:%x:%x::1]:443", from>>8, from&0xff)
			rec := httptest.NewRecorder()
			w.handler.ServeHTTP(rec, r)
			return rec.Code
		}
		slowed := 0
		for i := range 10_200 {
			if guess(i) == 429 {
				slowed++
			}
		}
		if slowed != 140 {
			t.Errorf("%d were slowed down of those that share one limit", slowed)
		}
		w.expect("a link", w.get(w.invite(kim, "7-mail")), 200)
		time.Sleep(time.Minute)
		slowed = 0
		for i := range 100 {
			if guess(20_000+i) == 429 {
				slowed++
			}
		}
		if slowed > 0 {
			t.Errorf("%d are slowed down a minute later", slowed)
		}
	})
}

// TestOverTheWire: the whole way of an approval by TLS, as a browser goes it.
func TestOverTheWire(t *testing.T) {
	w := newWorld(t, 1)
	base, client := w.listen()
	path := w.invite(kim, "7-mail")
	r, err := client.Head(base + path)
	if bodyOf(t, r, err) != "" || r.StatusCode != 200 {
		t.Errorf("HEAD: %d", r.StatusCode)
	}
	r, err = client.Get(base + path)
	form := reply{body: bodyOf(t, r, err)}.fill("allow", "")
	r, err = client.Post(base+path, "application/x-www-form-urlencoded", strings.NewReader(form))
	if b := bodyOf(t, r, err); r.StatusCode != 200 || !strings.Contains(b, "1 of 1") {
		t.Errorf("%d: %s", r.StatusCode, b)
	}
	w.approvals(kim)
}
