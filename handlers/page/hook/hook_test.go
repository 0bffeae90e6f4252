package hook_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/handlers/page/hook"
	"curfew/handlers/sign"
)

const (
	secret = "canary-hook-secret"
	caseID = "contoso/d-1/3"
)

// A ledger is a journal with one case in it.
type ledger struct {
	early bool // the page went out, and the case does not know yet
	fails error
	facts []events.Answered
	ids   []string
}

func (l *ledger) Case(_ context.Context, k events.Key) (events.Case, uint64, error) {
	c := events.Case{Key: k}
	if k == (events.Key{Tenant: "contoso", Device: "d-1"}) {
		c.Open, c.Episode = true, 3
		c.Effects = []events.Effect{{Action: events.Ticket, Destination: "night", Ref: caseID}, {Action: events.Page, Destination: "night", Ref: caseID}}
	}
	if l.early {
		c.Effects, c.Pending = nil, []events.Task{{Order: events.Order{Action: events.Page, Destination: "night"}, Case: caseID}}
	}
	return c, 1, l.fails
}

func (l *ledger) Append(_ context.Context, k events.Key, f events.Fact, id string) error {
	if l.fails != nil {
		return l.fails
	}
	l.facts, l.ids = append(l.facts, f.(events.Answered)), append(l.ids, k.String()+" "+id)
	return nil
}

// A house has one door, and keeps what is logged.
type house struct {
	*hook.Handler
	*ledger
	log strings.Builder
}

func open() *house {
	h := &house{ledger: &ledger{}}
	h.Handler = &hook.Handler{
		Doors: map[string]hook.Reader{"night": hook.Signed{Secret: secret}}, Cases: h.ledger, Sink: h.ledger,
		Log: slog.New(slog.NewTextHandler(&h.log, nil)),
	}
	return h
}

// post knocks with a body that is signed now.
func (h *house) post(body string) int { return h.knock(http.MethodPost, "/hooks/night", body, secret) }

func (h *house) knock(method, path, body, secret string) int {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set(sign.Header, sign.Sign(secret, []byte(body), time.Now()))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func said(did, by string, at time.Time) string {
	b, _ := json.Marshal(map[string]any{"id": "e-1", "case": caseID, "did": did, "by": by, "at": at})
	return string(b)
}

func TestWhoAnswersAPageIsOnTheCase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open()
		at := time.Now().UTC().Add(-time.Minute)
		if code := h.post(said("took", "Bo\r\nB", at)); code != http.StatusAccepted {
			t.Fatal(code)
		}
		want := events.Answered{Action: events.Page, Destination: "night", Ref: caseID, By: "Bo B", Did: events.Took, At: at}
		if len(h.facts) != 1 || h.facts[0] != want {
			t.Errorf("got %+v", h.facts)
		}
		h.post(said("took", "Bo\r\nB", at)) // delivered again
		if len(h.ids) != 2 || h.ids[0] != h.ids[1] {
			t.Errorf("the same event has the ids %q", h.ids)
		}
	})
}

func TestTheFutureIsNowAndNobodyIsSomebody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open()
		h.post(said("ended", strings.Repeat("x", 1000), time.Now().Add(time.Hour)))
		h.post(said("commented", "", time.Time{}))
		if len(h.facts) != 2 || h.facts[0].At.After(time.Now()) || len([]rune(h.facts[0].By)) > 100 || h.facts[1].By != "somebody at night" || h.facts[1].At.IsZero() {
			t.Errorf("got %+v", h.facts)
		}
	})
}

func TestWhatIsRefused(t *testing.T) {
	good := said("took", "Bo", time.Time{})
	for name, tt := range map[string]struct {
		method, path, body, secret string
		want                       int
	}{
		"no such door":          {"POST", "/hooks/day", good, secret, 404},
		"no door at all":        {"POST", "/hooks/", good, secret, 404},
		"not posted":            {"GET", "/hooks/night", good, secret, 405},
		"a stranger":            {"POST", "/hooks/night", good, "another-secret-of-16", 403},
		"not JSON":              {"POST", "/hooks/night", "hello", secret, 400},
		"an unknown answer":     {"POST", "/hooks/night", strings.Replace(good, "took", "ate", 1), secret, 400},
		"too long":              {"POST", "/hooks/night", good + strings.Repeat(" ", 256<<10), secret, 413},
		"another device":        {"POST", "/hooks/night", strings.Replace(good, "d-1", "d-2", 1), secret, 202},
		"an old case":           {"POST", "/hooks/night", strings.Replace(good, "d-1/3", "d-1/2", 1), secret, 202},
		"no case of ours":       {"POST", "/hooks/night", strings.Replace(good, caseID, "disk full on db7", 1), secret, 202},
		"a case with wildcards": {"POST", "/hooks/night", strings.Replace(good, caseID, "contoso/>/3", 1), secret, 202},
	} {
		t.Run(name, func(t *testing.T) {
			h := open()
			if code := h.knock(tt.method, tt.path, tt.body, tt.secret); code != tt.want || len(h.facts) > 0 {
				t.Errorf("got %d and %v, want %d and nothing kept", code, h.facts, tt.want)
			}
			if strings.Contains(h.log.String(), tt.secret) {
				t.Errorf("the log has a secret: %s", h.log.String())
			}
		})
	}
}

// What cannot be kept is the sender's to repeat.
func TestAJournalThatIsAwayIsSaid(t *testing.T) {
	h := open()
	h.fails = errors.New("no disk")
	if code := h.post(said("took", "Bo", time.Time{})); code != http.StatusServiceUnavailable {
		t.Errorf("got %d", code)
	}
	h.fails = nil
	if code := h.post(said("took", "Bo", time.Time{})); code != http.StatusAccepted || len(h.facts) != 1 {
		t.Errorf("got %d, %v", code, h.facts)
	}
}

// Who is quicker than Curfew's own record is not lost.
func TestAnAnswerThatComesBeforeThePageIsRecordedComesAgain(t *testing.T) {
	h := open()
	h.early = true
	if code := h.post(said("took", "Bo", time.Time{})); code != http.StatusServiceUnavailable {
		t.Errorf("got %d", code)
	}
	h.early = false
	if code := h.post(said("took", "Bo", time.Time{})); code != http.StatusAccepted || len(h.facts) != 1 {
		t.Errorf("got %d, %v", code, h.facts)
	}
}

func TestAFloodIsSlowedDownAndStrangersKeepNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open()
		for range 1000 {
			h.knock("POST", "/hooks/night", "{}", "another-secret-of-16")
		}
		if n := strings.Count(h.log.String(), "stranger"); n != 10 {
			t.Errorf("%d lines about strangers", n)
		}
		codes := map[int]int{}
		for range 300 {
			codes[h.post(said("took", "Bo", time.Time{}))]++
		}
		if codes[202] != 200 || codes[429] != 100 {
			t.Errorf("got %v", codes)
		}
	})
}

func TestATokenIsABearerOrBehindThePath(t *testing.T) {
	for name, tt := range map[string]struct {
		header, rest, token string
		want                bool
	}{
		"bearer":   {"Bearer s3cret", "", "s3cret", true},
		"path":     {"", "s3cret", "s3cret", true},
		"wrong":    {"Bearer s3cre", "s3crets", "s3cret", false},
		"none":     {"", "", "s3cret", false},
		"no token": {"", "", "", false},
	} {
		r := hook.Request{Header: http.Header{"Authorization": {tt.header}}, Rest: tt.rest}
		if got := hook.Token(r, tt.token); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
