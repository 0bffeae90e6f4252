package handlerstest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"curfew/events"
	"curfew/handlers/handlerstest/fake"
)

// A rule is one promise, and how it is tried.
type rule struct {
	name    string
	promise string
	holds   func(ctx context.Context, fresh func() World) error
}

func rules() []rule {
	return []rule{
		{"does it", "a task that nothing hinders has its one effect and ends in a fact that names it", doesIt},
		{"twice is once", "the same task handed out again after it was done has no second effect", twiceIsOnce},
		{"crash", "a crash between the call and the record of it leads to one effect: the task comes back unsure and is settled", crash},
		{"lost reply", "a reply that never came, or came from a gateway, leads to one effect", lostReply},
		{"blind", "what cannot be settled now is settled later: while the record cannot be read, nothing is repeated", blind},
		{"comes back", "408, 429 and 5xx come back later, not before Retry-After has passed, and then the work is done once", comesBack},
		{"gives up", "an answer that repeating will not change is given up, without an effect", givesUp},
		{"cancelled", "a handler whose context ends returns at once, gives nothing up, and the work is done once later", cancelled},
		{"slow", "a server that never answers does not hold a handler for longer than its deadline", slow},
		{"secrets", "no secret is in an error or a fact, even if the other side quotes the whole request", secrets},
		{"hostile text", "names from outside arrive readable, and cannot break out of where they stand", hostile},
		{"leaves the case alone", "a handler changes nothing in the case and the task it is given", leavesAlone},
		{"side by side", "a handler works for many cases at the same time", sideBySide},
	}
}

func doesIt(ctx context.Context, fresh func() World) error {
	w := fresh()
	fact, err := w.play(ctx, w.Task)
	if err != nil {
		return err
	}
	if _, failed := fact.(events.Failed); failed {
		return fmt.Errorf("nothing hindered it, and it gave up: %v", fact)
	}
	if b, _ := json.Marshal(fact); !strings.Contains(string(b), w.Task.ID) { // facts are made to be stored
		return fmt.Errorf("the fact does not name task %q: %s", w.Task.ID, b)
	}
	return w.once(fact, nil)
}

func twiceIsOnce(ctx context.Context, fresh func() World) error {
	w := fresh()
	began := time.Now().UTC()
	if err := w.once(w.play(ctx, w.Task)); err != nil {
		return err
	}
	again := w.Task
	again.Unsure, again.Begun = again.Action.Effect(), &events.Attempt{ID: "attempt", At: began}
	return w.once(w.play(ctx, again))
}

func crash(ctx context.Context, fresh func() World) error {
	for _, called := range []bool{true, false} {
		w := fresh()
		t := w.Task
		t.Begun = &events.Attempt{ID: "attempt", At: time.Now().UTC()}
		if called {
			if _, err := w.do(ctx, t); err != nil {
				return err
			}
		}
		time.Sleep(time.Minute) // until somebody else finds the task
		t.Unsure = t.Action.Effect()
		if err := w.once(w.play(ctx, t)); err != nil {
			return fmt.Errorf("crashed (after the call: %v): %w", called, err)
		}
	}
	return nil
}

func lostReply(ctx context.Context, fresh func() World) error {
	for _, f := range []fake.Fault{
		{Drop: true, Done: true}, {Drop: true},
		{Status: http.StatusGatewayTimeout, Done: true}, {Status: http.StatusGatewayTimeout},
		{Status: http.StatusBadGateway, Done: true}, {Status: http.StatusInternalServerError, Done: true},
	} {
		w := fresh()
		w.Calls.Fail(1, f)
		if err := w.once(w.play(ctx, w.Task)); err != nil {
			return fmt.Errorf("after %+v: %w", f, err)
		}
	}
	return nil
}

func blind(ctx context.Context, fresh func() World) error {
	for _, f := range []fake.Fault{{Status: http.StatusServiceUnavailable}, {Drop: true}, {Status: http.StatusTooManyRequests, RetryAfter: "60"}} {
		w := fresh()
		if w.Reads == nil {
			return nil
		}
		if !w.Task.Action.Effect() {
			w.Reads.Fail(3, f)
			return w.once(w.play(ctx, w.Task))
		}
		t := w.Task
		t.Begun = &events.Attempt{ID: "attempt", At: time.Now().UTC()}
		if _, err := w.do(ctx, t); err != nil {
			return err
		}
		f.For = 50 * time.Minute
		w.Reads.Fail(-1, f)
		t.Unsure = true
		if err := w.once(w.play(ctx, t)); err != nil {
			return fmt.Errorf("while reading fails by %+v: %w", f, err)
		}
	}
	return nil
}

// readable is what must arrive of a name, and nasty is what comes with it.
const (
	readable = "Ünï-漢字-😀"
	nasty    = readable + "\r\nBcc: all@example.com\r\n\r\n<script>alert(1)</script>{{.}}\x00\u202e\xff\"'`$(reboot)"
)

func hostile(ctx context.Context, fresh func() World) error {
	w := fresh()
	d := &w.Case.Device
	d.Name, d.UserName, d.Serial, d.OSVersion = nasty, nasty, nasty, nasty
	d.Alerts = append([]events.Alert{{ID: "a-1", Title: nasty, Severity: "high", Status: "new", URL: "javascript:alert(1)"}}, d.Alerts...)
	d.Settings = append([]events.Setting{{Policy: nasty, Name: nasty, State: "nonCompliant"}}, d.Settings...)
	w.Case.Attention = []string{nasty}
	if err := w.once(w.play(ctx, w.Task)); err != nil {
		return err
	}
	if w.Texts == nil {
		return nil
	}
	texts := w.Texts()
	if all := strings.Join(texts, "\n"); !strings.Contains(all, readable) {
		return fmt.Errorf("the name %q did not arrive: %q", readable, all)
	}
	for _, text := range texts {
		switch {
		case !utf8.ValidString(text):
			return fmt.Errorf("what arrived is not UTF-8: %q", text)
		case strings.ContainsAny(text, "\r\x00\u202e"):
			return fmt.Errorf("control characters arrived: %q", text)
		case strings.Contains(text, "\nBcc:"):
			return fmt.Errorf("a name began a line of its own: %q", text)
		case strings.Contains(text, "javascript:"):
			return fmt.Errorf("a link that is none arrived: %q", text)
		}
	}
	return nil
}

func leavesAlone(ctx context.Context, fresh func() World) error {
	w := fresh()
	state := func() string {
		b, _ := json.Marshal([]any{w.Case, w.Task}) // cases are made to be stored
		return string(b)
	}
	before := state()
	if _, err := w.play(ctx, w.Task); err != nil {
		return err
	}
	if after := state(); after != before {
		return fmt.Errorf("before: %s\nafter: %s", before, after)
	}
	return nil
}

func sideBySide(ctx context.Context, fresh func() World) error {
	w := fresh()
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			mine := w
			mine.Case.Key.Device = fmt.Sprintf("device-%d", i)
			mine.Case.Device.Key = mine.Case.Key
			t := w.Task
			t.ID = fmt.Sprintf("%s/1-%s", mine.Case.Key, t.Action)
			fact, err := mine.play(ctx, t)
			if _, failed := fact.(events.Failed); failed || err != nil {
				errs[i] = fmt.Errorf("case %d of 8 at the same time: %v %v", i, fact, err)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
