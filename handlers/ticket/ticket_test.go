package ticket_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/ticket"
	"curfew/handlers/ticket/tickettest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The canaries: one in each place that a secret can be in.
const (
	secret    = "canary-of-the-signing-secret"
	token     = "canary-of-the-header"
	inPath    = "canary-of-the-path"
	inQuery   = "canary-of-the-query"
	deskRoute = "/hooks/" + inPath + "?token=" + inQuery
)

// serve puts a desk's front door in memory and makes a handler that knows it.
func serve(t testing.TB, door http.Handler) (*fake.Server, *ticket.Handler) {
	t.Helper()
	s, err := fake.Pipe(door)
	if err != nil {
		t.Fatal(err)
	}
	client := handlers.NewClient(handlers.Reach{Roots: s.Roots, Dial: s.Dial})
	t.Cleanup(func() { client.CloseIdleConnections(); s.Close() })
	return s, &ticket.Handler{Desks: map[string]ticket.Desk{
		"desk": ticket.Webhook{URL: s.URL + deskRoute, Secret: secret, Header: map[string]string{"Authorization": "Bearer " + token}, Client: client},
	}}
}

func order(a events.Action) events.Order { return events.Order{Action: a, Destination: "desk"} }

func TestTicketKeepsThePromises(t *testing.T) {
	handlerstest.Run(t, func(t testing.TB) handlerstest.World {
		desk := &tickettest.Desk{Secret: secret, Token: "Bearer " + token}
		s, h := serve(t, desk)
		c := handlerstest.Laptop()
		return handlerstest.World{
			Do: h.Do, Case: c, Task: handlerstest.Task(c, order(events.Ticket)),
			Effects: func() []string { return kinds(desk, "opened") }, Texts: func() []string { return texts(t, desk) },
			Calls: &s.Faults, Secrets: []string{secret, token, inPath, inQuery}, HTTP: true,
		}
	})
}

func TestCloseKeepsThePromises(t *testing.T) {
	handlerstest.Run(t, func(t testing.TB) handlerstest.World {
		desk := &tickettest.Desk{Secret: secret}
		s, h := serve(t, desk)
		c := handlerstest.Laptop()
		fact, err := h.Do(t.Context(), c, handlerstest.Task(c, order(events.Ticket)))
		if err != nil {
			t.Fatal(err)
		}
		task := handlerstest.Task(c, order(events.Close))
		task.Ref = fact.(events.Done).Receipt
		return handlerstest.World{
			Do: h.Do, Case: c, Task: task, Effects: func() []string { return kinds(desk, "closed") },
			Calls: &s.Faults, Secrets: []string{secret, token, inPath, inQuery}, HTTP: true,
		}
	})
}

// kinds are the events of a kind that the desk took, with their tickets.
func kinds(d *tickettest.Desk, kind string) []string {
	var out []string
	for _, t := range d.Tickets() {
		for _, e := range t.Events {
			if e.Kind == kind {
				out = append(out, t.ID+" "+e.Kind)
			}
		}
	}
	return out
}

// texts are what an agent of the desk reads.
func texts(t testing.TB, d *tickettest.Desk) []string {
	var out []string
	for _, x := range d.Tickets() {
		for _, e := range x.Events {
			out = append(append(append(out, e.Summary, e.Device.Name, e.Device.UserName, e.Device.Serial), e.Findings...), e.Attention...)
			for _, l := range e.Links {
				out = append(out, l.Text, l.URL)
			}
		}
	}
	return out
}

// A case at a desk: opened, added to, closed; one ticket.
func TestOneTicketForACase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		desk := &tickettest.Desk{Secret: secret}
		_, h := serve(t, desk)
		c := handlerstest.Laptop()
		do := func(a events.Action) events.Done {
			t.Helper()
			task := handlerstest.Task(c, order(a))
			c.Asked++
			if a == events.Close {
				task.Ref = c.Effects[0].Ref
			}
			fact, err := h.Do(t.Context(), c, task)
			if err != nil {
				t.Fatal(err)
			}
			return fact.(events.Done)
		}
		opened := do(events.Ticket)
		if opened.Receipt != "T-1" || opened.Link != "https://desk.example/tickets/T-1" {
			t.Errorf("the receipt is %+v", opened)
		}
		c.Effects = []events.Effect{{Action: events.Ticket, Destination: "desk", Ref: opened.Receipt, Link: opened.Link}}
		c.Attention = []string{"mail failed: the device has no primary user"}
		do(events.Ticket)
		do(events.Close)
		got := desk.Tickets()
		if len(got) != 1 || got[0].Status != "closed" || len(got[0].Events) != 3 || desk.Count(c.ID()) != 1 || len(desk.Open()) != 0 {
			t.Fatalf("the desk has %+v", got)
		}
		first, second := got[0].Events[0], got[0].Events[1]
		if want := "LT-042 (anna@contoso.example): Malicious software is on the device: “Trojan:Win32/Example”, severity severe (and 3 more)"; first.Summary != want {
			t.Errorf("the summary is %q", first.Summary)
		}
		if first.Severity != "compromised" || len(first.Findings) != 4 || len(first.Links) != 1 || first.Device.Name != "LT-042" {
			t.Errorf("opened by %+v", first)
		}
		if second.Kind != "updated" || second.Ref != "T-1" || len(second.Attention) != 1 || len(second.Links) != 2 {
			t.Errorf("added to by %+v", second)
		}
	})
}

// Answers that a desk may give to what it took on.
func TestAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		kind, body string
		want       events.Done
		giveUp     bool
	}{
		"nothing":            {"", "", events.Done{}, false},
		"a plain ok":         {"text/plain", "ok", events.Done{}, false},
		"id and url":         {"application/json", `{"id":"INC7","url":"https://d.example/7","more":[1]}`, events.Done{Receipt: "INC7", Link: "https://d.example/7"}, false},
		"a number":           {"application/json", `{"id":9007199254740993}`, events.Done{Receipt: "9007199254740993"}, false},
		"an id with a break": {"application/json", `{"id":"a\r\nb"}`, events.Done{Receipt: "a b"}, false},
		"no link at all":     {"application/json", `{"id":"1","url":"javascript:alert(1)"}`, events.Done{Receipt: "1"}, false},
		"a log-in page":      {"text/html; charset=utf-8", "<html>Sign in</html>", events.Done{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, h := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", tt.kind)
					io.WriteString(w, tt.body)
				}))
				c := handlerstest.Laptop()
				task := handlerstest.Task(c, order(events.Ticket))
				fact, err := h.Do(t.Context(), c, task)
				if tt.giveUp {
					if err == nil || !handlers.Read(err).GiveUp {
						t.Errorf("got %+v, %v; want an error that gives up", fact, err)
					}
					return
				}
				tt.want.Task = task.ID
				if err != nil || fact != tt.want {
					t.Errorf("got %+v, %v; want %+v", fact, err, tt.want)
				}
			})
		})
	}
}

// An endless answer is not read to its end, and the ticket is asked for again
// under the same key.
func TestAnAnswerThatIsTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, h := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for range 3 * handlers.MaxBody / 1000 {
				if _, err := w.Write(make([]byte, 1000)); err != nil {
					return
				}
			}
		}))
		c := handlerstest.Laptop()
		_, err := h.Do(t.Context(), c, handlerstest.Task(c, order(events.Ticket)))
		if v := handlers.Read(err); err == nil || !v.Unsure || v.GiveUp {
			t.Errorf("got %v, %+v", err, v)
		}
	})
}

// A desk that does not answer holds up neither the workers nor another desk.
func TestADeadDeskHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead, h := serve(t, &tickettest.Desk{Secret: secret})
		desk := &tickettest.Desk{Secret: secret}
		_, other := serve(t, desk)
		h.Desks["other"] = other.Desks["desk"]
		dead.Fail(-1, fake.Fault{Hang: true})
		start := time.Now()
		for i := range 50 {
			c := handlerstest.Laptop()
			c.Asked = i
			if _, err := h.Do(t.Context(), c, handlerstest.Task(c, order(events.Ticket))); err == nil || handlers.Read(err).GiveUp {
				t.Fatalf("the dead desk: %v", err)
			}
			if _, err := h.Do(t.Context(), c, handlerstest.Task(c, events.Order{Action: events.Ticket, Destination: "other"})); err != nil {
				t.Fatalf("the other desk: %v", err)
			}
		}
		if took, n := time.Since(start), len(desk.Tickets()); took > 2*time.Minute || n != 50 {
			t.Errorf("50 tasks for each took %v, and the other desk has %d tickets", took, n)
		}
	})
}

// A desk's own word for what is wrong reaches the person who must mend it.
func TestTheDesksOwnWordsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, h := serve(t, &tickettest.Desk{Secret: "the desk has another secret"})
		c := handlerstest.Laptop()
		_, err := h.Do(t.Context(), c, handlerstest.Task(c, order(events.Ticket)))
		if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "not of this secret") || !strings.Contains(err.Error(), "401 Unauthorized") {
			t.Errorf("got %v", err)
		}
	})
}

func TestADeskThatCannotWorkIsGivenUp(t *testing.T) {
	good := ticket.Webhook{URL: "https://desk.example/hook", Secret: secret, Client: handlers.NewClient(handlers.Reach{})}
	for want, tt := range map[string]struct {
		name string
		edit func(*ticket.Webhook)
	}{
		"the configuration has: desk": {"other", func(*ticket.Webhook) {}},
		"must be https":               {"desk", func(d *ticket.Webhook) { d.URL = "http://desk.example/" + inPath }},
		"not an address":              {"desk", func(d *ticket.Webhook) { d.URL = "https://%zz/" + inPath }},
		"no user and password":        {"desk", func(d *ticket.Webhook) { d.URL = "https://u:" + inPath + "@desk.example/" }},
		"16 bytes or more":            {"desk", func(d *ticket.Webhook) { d.Secret = "short" }},
		"no client":                   {"desk", func(d *ticket.Webhook) { d.Client = nil }},
	} {
		d := good
		tt.edit(&d)
		c := handlerstest.Laptop()
		h := &ticket.Handler{Desks: map[string]ticket.Desk{"desk": d}}
		_, err := h.Do(t.Context(), c, handlerstest.Task(c, events.Order{Action: events.Ticket, Destination: tt.name}))
		if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), inPath) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for _, url := range []string{good.URL, "http://127.0.0.1:8080/x", "http://localhost/x"} {
		good.URL = url
		if err := good.Check(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// The names of the body are a contract with receivers.
func TestTheBodyKeepsItsNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got map[string]any
		_, h := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
				t.Error(err)
			}
		}))
		c := handlerstest.Laptop()
		task := handlerstest.Task(c, order(events.Close))
		task.Ref = "T-1"
		if _, err := h.Do(t.Context(), c, task); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]any{"version": 1.0, "event": "closed", "case": c.ID(), "ref": "T-1", "severity": "compromised", "policy": "threat"} {
			if got[name] != want {
				t.Errorf("%s is %v, want %v", name, got[name], want)
			}
		}
		for _, name := range []string{"asked", "summary", "device", "findings", "links"} {
			if got[name] == nil {
				t.Errorf("%s is missing", name)
			}
		}
	})
}

func TestVerify(t *testing.T) {
	// Made by: printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 'a secret of the desk'
	const at, body, desk = 1700000000, `{"a":1}`, "a secret of the desk"
	const mac = "f23d11a257173df3409debc53759770a11bfea5ba2a87a11fd00be917dcdbb0d"
	now := time.Unix(at, 0)
	old := strings.Repeat("00", 32)
	for name, tt := range map[string]struct {
		secret, signature, body string
		now                     time.Time
		ok                      bool
	}{
		"good":                   {desk, "t=1700000000,v1=" + mac, body, now, true},
		"spaces and other parts": {desk, " t=1700000000 , v0=abc, v1=" + mac, body, now, true},
		"while a secret changes": {desk, "t=1700000000,v1=" + old + ",v1=" + mac, body, now, true},
		"upper case":             {desk, "t=1700000000,v1=" + strings.ToUpper(mac), body, now, true},
		"five minutes late":      {desk, "t=1700000000,v1=" + mac, body, now.Add(5 * time.Minute), true},
		"later than that":        {desk, "t=1700000000,v1=" + mac, body, now.Add(5*time.Minute + time.Second), false},
		"from the future":        {desk, "t=1700000000,v1=" + mac, body, now.Add(-6 * time.Minute), false},
		"another body":           {desk, "t=1700000000,v1=" + mac, body + " ", now, false},
		"another secret":         {"not " + desk, "t=1700000000,v1=" + mac, body, now, false},
		"another time":           {desk, "t=1700000001,v1=" + mac, body, now, false},
		"no secret":              {"", "t=1700000000,v1=" + mac, body, now, false},
		"half of it":             {desk, "t=1700000000,v1=" + mac[:32], body, now, false},
		"not hex":                {desk, "t=1700000000,v1=zz" + mac, body, now, false},
		"no mac":                 {desk, "t=1700000000", body, now, false},
		"empty mac":              {desk, "t=1700000000,v1=", body, now, false},
		"no time":                {desk, "v1=" + mac, body, now, false},
		"nothing":                {desk, "", body, now, false},
		"far too long":           {desk, "t=1700000000,v1=" + mac + strings.Repeat(",v1="+old, 100), body, now, false},
	} {
		if err := ticket.Verify(tt.secret, tt.signature, []byte(tt.body), tt.now); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		} else if err != nil && strings.Contains(err.Error(), mac) {
			t.Errorf("%s: the error holds the right signature: %v", name, err)
		}
	}
}
