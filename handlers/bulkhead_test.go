package handlers_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/handlers"
)

// refusal is the error of a reply with that status.
func refusal(t *testing.T, status int, after string) error {
	t.Helper()
	err := handlers.CheckStatus(&http.Response{StatusCode: status, Header: http.Header{"Retry-After": {after}}})
	if err == nil {
		t.Fatalf("%d is no refusal", status)
	}
	return err
}

func TestADeadDestinationIsLeftAloneLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b handlers.Bulkhead
		silent := handlers.Unsure(errors.New("no answer"))
		b.Heard(t.Context(), silent)
		b.Heard(t.Context(), silent)
		if err := b.Ready(); err != nil {
			t.Fatalf("after two: %v", err)
		}
		for _, want := range []time.Duration{1, 2, 4, 8} {
			b.Heard(t.Context(), silent)
			if v := handlers.Read(b.Ready()); v.After != want*time.Second || v.GiveUp || v.Unsure {
				t.Errorf("got %+v, want again in %v s", v, want)
			}
			time.Sleep(want * time.Second)
			if err := b.Ready(); err != nil {
				t.Errorf("the time has passed: %v", err)
			}
		}
		for range 20 {
			b.Heard(t.Context(), silent)
		}
		if v := handlers.Read(b.Ready()); v.After != 5*time.Minute {
			t.Errorf("it is left alone for %v at most", v.After)
		}
		time.Sleep(5 * time.Minute)
		b.Heard(t.Context(), nil)
		b.Heard(t.Context(), silent)
		if err := b.Ready(); err != nil {
			t.Errorf("it had answered in between: %v", err)
		}
	})
}

func TestTheTimeADestinationAsksForIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b handlers.Bulkhead
		b.Heard(t.Context(), refusal(t, 400, "100"))
		if err := b.Ready(); err != nil {
			t.Errorf("what was wrong with one request stops no other: %v", err)
		}
		b.Heard(t.Context(), refusal(t, 429, "100"))
		_, err := b.Enter()
		if v := handlers.Read(err); v.After != 100*time.Second || !strings.Contains(err.Error(), "left alone") {
			t.Errorf("got %v, %+v", err, v)
		}
		time.Sleep(100 * time.Second)
		if _, err := b.Enter(); err != nil {
			t.Errorf("got %v", err)
		}
	})
}

func TestAWorkerThatStopsBlamesNobody(t *testing.T) {
	var b handlers.Bulkhead
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		b.Heard(ctx, ctx.Err())
		b.Heard(ctx, handlers.Patience{Why: "waiting"})
	}
	if err := b.Ready(); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestSlotsAndPaceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := handlers.Bulkhead{Slots: 2, PerMinute: 12}
		var leave [2]func()
		for i := range leave {
			var err error
			if leave[i], err = b.Enter(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.Enter(); handlers.Read(err).After == 0 || !strings.Contains(err.Error(), "2 calls are under way") {
			t.Errorf("a third: %v", err)
		}
		leave[0]()
		third, err := b.Enter()
		if err != nil {
			t.Fatalf("with a free slot: %v", err)
		}
		third()
		if _, err := b.Enter(); err == nil || handlers.Read(err).After != 5*time.Second {
			t.Errorf("more than a quarter of a minute's calls in one go: %v", err)
		}
		time.Sleep(5 * time.Second)
		if _, err := b.Enter(); err != nil {
			t.Errorf("later: %v", err)
		}
	})
}
