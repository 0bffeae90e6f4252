package graph

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"
)

func TestWhatAnErrorSaysToDo(t *testing.T) {
	for _, c := range []struct {
		e              Error
		giveUp, unsure bool
	}{
		{e: Error{Status: 400}, giveUp: true},
		{e: Error{Status: 401}},
		{e: Error{Status: 403}, giveUp: true},
		{e: Error{Status: 404}, giveUp: true},
		{e: Error{Status: 408}},
		{e: Error{Status: 409}},
		{e: Error{Status: 410}, giveUp: true},
		{e: Error{Status: 413}, giveUp: true},
		{e: Error{Status: 423}},
		{e: Error{Status: 425}},
		{e: Error{Status: 429}},
		{e: Error{Status: 500}},
		{e: Error{Status: 500, unsure: true}, unsure: true},
		{e: Error{Status: 501, unsure: true}, giveUp: true},
		{e: Error{Status: 503, unsure: true}, unsure: true},
		{e: Error{Status: 504, unsure: true}, unsure: true},
		{e: Error{}},
		{e: Error{unsure: true}, unsure: true},
		{e: Error{final: true}, giveUp: true},
		{e: Error{Status: 307}},
	} {
		wrapped := fmt.Errorf("outside: %w", &c.e)
		var giveUp interface{ GiveUp() bool }
		var unsure interface{ Unsure() bool }
		if !errors.As(wrapped, &giveUp) || !errors.As(wrapped, &unsure) || giveUp.GiveUp() != c.giveUp || unsure.Unsure() != c.unsure {
			t.Errorf("%+v: give up %v, unsure %v", c.e, c.e.GiveUp(), c.e.Unsure())
		}
	}
}

func TestRetryAfterIsReadAndBounded(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"-5":                            0,
		"7":                             7 * time.Second,
		" 7 ":                           7 * time.Second,
		"1.5":                           1500 * time.Millisecond,
		"NaN":                           0,
		"1e300":                         time.Hour,
		"86400":                         time.Hour,
		"Sun, 22 Nov 2026 12:02:00 GMT": 2 * time.Minute,
		"Sun, 22 Nov 2026 11:00:00 GMT": 0,
		"Mon, 23 Nov 2026 12:02:00 GMT": time.Hour,
		"soon":                          0,
	} {
		if got := parseRetryAfter(header, now); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
	if e := (&Error{After: 48 * time.Hour}); e.RetryAfter() != time.Hour {
		t.Error(e.RetryAfter())
	}
}

func TestWhetherItMayHaveArrived(t *testing.T) {
	c, over := &Client{}, context.Background()
	dialing := &url.Error{Op: "Post", URL: "https://x", Err: lost{&net.OpError{Op: "dial", Err: errors.New("refused")}}}
	sent := &url.Error{Op: "Post", URL: "https://x", Err: lost{io.ErrUnexpectedEOF}}
	reading := &url.Error{Op: "Post", URL: "https://x", Err: lost{&net.OpError{Op: "read", Err: errors.New("reset")}}}
	ended, end := context.WithCancel(over)
	end()
	for _, k := range []struct {
		ctx    context.Context
		err    error
		effect bool
		unsure bool
	}{
		{over, dialing, true, false},
		{over, sent, true, true},
		{over, reading, true, true},
		{over, sent, false, false},
		{ended, &url.Error{Err: lost{context.Canceled}}, true, true},
		{ended, context.Canceled, true, false},
		{over, errors.New("never left"), true, false},
	} {
		if e := c.broken(k.ctx, call{effect: k.effect}, k.err); e.Unsure() != k.unsure || e.GiveUp() {
			t.Errorf("%v, an action: %v: unsure %v", k.err, k.effect, e.Unsure())
		}
	}
}

func TestASecondAdministrator(t *testing.T) {
	e := &Error{Status: http.StatusForbidden, Code: "ApprovalRequired"}
	if !e.ApprovalRequired() || !e.GiveUp() || e.Unsure() {
		t.Errorf("%+v", e)
	}
}

func TestLinesStayLines(t *testing.T) {
	for in, want := range map[string]string{
		"a\nb\tc":             "a b c",
		"a\x00b\x1b[31mc":     "ab[31mc",
		"bad \u202egnp.exe":   "bad gnp.exe",
		"\xff\xfe":            "",
		"日本語日本語日本語":           "日本語…",
		"exactly twelve":      "exactly t…",
		"zwölf Zeich":         "zwölf Zeich",
		"line\u2028separator": "line sepa…",
	} {
		if got := oneLine(in, 12); got != want || len(got) > 12 {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestIntuneSpeaksJSONInsideJSON(t *testing.T) {
	const said = `{"_version":3,"Message":"An error has occurred - Operation ID (for customer support): 0 - Activity ID: 1 - Url: https://fef"}`
	if got := plain(said); got != "An error has occurred" {
		t.Error(got)
	}
	if got := plain("{not JSON"); got != "{not JSON" {
		t.Error(got)
	}
}
