package main

import (
	"strings"
	"testing"
	"time"

	"curfew/events"
)

// said is what the last record of a timeline tells.
func (w *ward) said(id string) string {
	w.t.Helper()
	records, err := w.j.Timeline(w.t.Context(), events.Key{Tenant: contoso, Device: id})
	check(w.t, err)
	return strings.Join(records[len(records)-1].Trace, "; ")
}

func (w *ward) expect(got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestHoldsHaveAnEnd and, for a snooze, a reason; and show who holds.
func TestHoldsHaveAnEnd(t *testing.T) {
	inWard(t, func(w *ward) {
		w.fill()
		w.expect(w.must("ack", "contoso/LT-042", "--for", "2h"),
			"LT-042: acknowledged until 14:00:00 (in 2h); then Curfew looks, and the ladder goes on if it is still at risk\n")
		w.expect(w.said("d42"), "acknowledged by jo until 2000-01-01T13:00:00Z")
		w.env["SUDO_USER"] = "kim"
		w.expect(w.must("snooze", "d42", "--until", "18:30", "-m", "in the\x1b[1m post", "--by", "Kim Okafor"),
			"LT-042: snoozed until 18:30:00 (in 6h30m); then Curfew looks, and the ladder goes on if it is still at risk\n")
		w.expect(w.said("d42"), "snoozed by Kim Okafor (kim as jo) until 2000-01-01T17:30:00Z: in the [1m post")
		w.expect(w.must("snooze", "d42", "--lift"), "LT-042: the ladder goes on; Curfew looks at the device first\n")

		w.fails(exitFailed, "LT-042: nobody holds its ladder back", "ack", "d42", "--lift")
		w.fails(exitFailed, "LT-044: its case is closed, so there is nothing to hold back", "ack", "LT-044", "--for", "1h")
		w.fails(exitWrong, "[for until lift]", "ack", "d42")
		w.fails(exitWrong, "[for until]", "ack", "d42", "--for", "1h", "--until", "18:00")
		w.fails(exitWrong, "more than 30 days", "ack", "d42", "--for", "31d")
		w.fails(exitWrong, "over already: Fri 31 Dec 1999", "ack", "d42", "--until", "1999-12-31 23:00")
		w.fails(exitWrong, `"soon" is not a time`, "ack", "d42", "--until", "soon")
		w.fails(exitWrong, "not a duration", "ack", "d42", "--for", "-1h")
		w.fails(exitWrong, "say why: --reason", "snooze", "d42", "--for", "1h")
		w.fails(exitWrong, "at most 1000", "snooze", "d42", "--for", "1h", "-m", strings.Repeat("a", 1001))
	})
}

// TestNothingIsDoneToSome when one of several devices is not clear.
func TestNothingIsDoneToSome(t *testing.T) {
	inWard(t, func(w *ward) {
		w.fill()
		before := w.said("d42")
		w.fails(exitNotFound, `no device is called "LT-777"`, "ack", "d42", "LT-777", "--for", "1h")
		w.expect(w.said("d42"), before)
		stdout, stderr, code := w.run("ack", "LT-044", "d42", "--for", "1h")
		if code != exitFailed || !strings.Contains(stderr, "LT-044: its case is closed") || !strings.HasPrefix(stdout, "LT-042: acknowledged") {
			t.Errorf("%d %q %q", code, stdout, stderr)
		}
	})
}

// TestCloseTakesBack what was done, and says so.
func TestCloseTakesBack(t *testing.T) {
	inWard(t, func(w *ward) {
		w.fill()
		w.fails(exitWrong, "say why", "close", "d42")
		w.expect(w.must("close", "d42", "--reason", "scrapped"), "LT-042: closed; it opens again if another risk shows; close to desk: in the queue\n")
		if got := w.said("d42"); !strings.Contains(got, "case closed by jo: scrapped") {
			t.Error(got)
		}
		w.fails(exitFailed, "nothing to close", "close", "d42", "--reason", "twice")
	})
}

// TestNotesAndLooks change nothing but what they say.
func TestNotesAndLooks(t *testing.T) {
	inWard(t, func(w *ward) {
		w.fill()
		w.expect(w.must("note", "d42", "called", "the", "user"), "LT-042: noted\n")
		w.expect(w.said("d42"), "jo notes: called the user")
		w.fails(exitWrong, "requires at least 2 arg(s)", "note", "d42")

		w.expect(w.must("look", "d44", "--wait", "5s"), "LT-044: a look is asked for, in the queue; `curfew case` shows what it finds\n")
		go func() { // the handler of looks
			time.Sleep(3 * time.Second)
			p := &patient{w, events.Key{Tenant: contoso, Device: "d44"}, events.Device{}}
			c, _, err := w.j.Case(w.t.Context(), p.key)
			look, _ := pendingLook(c)
			d := c.Device
			d.Threat, d.SeenAt, d.LastSync = "highSeverity", time.Now().UTC(), time.Now().UTC()
			if err == nil {
				err = w.j.Append(w.t.Context(), p.key, events.Seen{Device: d, Task: look.ID}, "")
			}
			if err != nil {
				t.Error(err)
			}
		}()
		w.expect(w.must("look", "d44"), "LT-044: looked: threat=highSeverity compliance=compliant; the case is open\n")
	})
}

// TestRetry brings given-up tasks back, and their dead letters go.
func TestRetry(t *testing.T) {
	inWard(t, func(w *ward) {
		w.fill()
		w.fails(exitFailed, "LT-042: nothing was given up", "retry", "d42")
		w.fails(exitFailed, "nothing was given up under number 99", "retry", "d66", "--task", "99")
		if n := strings.Count(w.must("dead", "list", "--json"), "\n"); n != 1 {
			t.Fatalf("%d dead letters", n)
		}
		w.expect(w.must("retry", "d66"), "LT [31m-66 2J6 curfew: all is well: mail threat-found (#2) is tried again\n")
		if got := w.said("d66"); !strings.HasPrefix(got, "jo tries again: mail threat-found") {
			t.Error(got)
		}
		w.expect(w.must("dead", "list"), "There are no dead letters.\n")
	})
}

// TestNobodyListens says that what was said is kept, where a queue runs without a worker.
func TestNobodyListens(t *testing.T) {
	inWard(t, func(w *ward) {
		w.fill()
		w.stop()
		w.fails(exitNoWorker, "it is recorded, but no worker has taken it up within 10s: it counts as soon as one runs", "ack", "d42", "--for", "1h")
		w.keep()
		time.Sleep(10 * time.Second) // a worker that stopped may have been handed the fact
		if got := w.must("case", "d42"); !strings.HasPrefix(got, "LT-042  ACKNOWLEDGED") {
			t.Error(got)
		}
	})
}
