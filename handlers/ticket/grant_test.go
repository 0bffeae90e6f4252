package ticket_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// unauthorized is what a vendor answers who does not know a token.
func unauthorized() error {
	return handlers.CheckStatus(&http.Response{StatusCode: http.StatusUnauthorized})
}

// A token is asked for when there is none, when it has a minute left, and when the
// other side does not know it any more; a new one that it does not know either is
// not replaced again.
func TestATokenThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g ticket.Grant
		asked, refused := 0, map[string]bool{}
		use := func() (used []string, err error) {
			err = g.Do(t.Context(), func(context.Context) (string, time.Duration, error) {
				asked++
				return fmt.Sprint("token ", asked), 10 * time.Minute, nil
			}, func(token string) error {
				if used = append(used, token); refused[token] {
					return unauthorized()
				}
				return nil
			})
			return used, err
		}
		for _, step := range []struct {
			wait   time.Duration
			refuse string
			want   string
			fails  bool
		}{
			{0, "", "token 1", false},
			{8 * time.Minute, "", "token 1", false},
			{time.Minute, "", "token 2", false},
			{0, "token 2", "token 2, token 3", false},
			{time.Hour, "token 4", "token 4", true},
		} {
			time.Sleep(step.wait)
			refused[step.refuse] = true
			used, err := use()
			if got := strings.Join(used, ", "); got != step.want || (err != nil) != step.fails {
				t.Errorf("after %v it used %s, %v; want %s", step.wait, got, err, step.want)
			}
		}
	})
}

// Who cannot get a token makes no call.
func TestNoToken(t *testing.T) {
	var g ticket.Grant
	want := errors.New("no")
	err := g.Do(t.Context(), func(context.Context) (string, time.Duration, error) { return "", 0, want }, func(string) error {
		t.Error("it was called")
		return nil
	})
	if !errors.Is(err, want) {
		t.Error(err)
	}
}

// What is known is not asked for again; an error is not known.
func TestKnown(t *testing.T) {
	var k ticket.Known[int]
	asked := 0
	for n, want := range []int{0, 7, 7} {
		got, err := k.Get(func() (int, error) {
			if asked++; asked == 1 {
				return 5, errors.New("not now")
			}
			return 7, nil
		})
		if got != want || (err != nil) != (n == 0) {
			t.Errorf("got %d, %v, want %d", got, err, want)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

// All that is wrong with places is told at once, by whose they are.
func TestPlacesThatCannotBe(t *testing.T) {
	odd := func(n int) error {
		if n%2 == 0 {
			return fmt.Errorf("%d is even", n)
		}
		return nil
	}
	two := 2
	for _, tt := range []struct {
		of   ticket.Customers[int]
		want string
	}{
		{ticket.Customers[int]{}, "it has no number for any tenant, and none for triage"},
		{ticket.Customers[int]{Routes: map[string]int{"contoso": 4, "fabrikam": 1}, Triage: &two}, "customer contoso: 4 is even\ncustomer triage: 2 is even"},
		{ticket.Customers[int]{Routes: map[string]int{"contoso": 1}}, "<nil>"},
	} {
		if got := fmt.Sprint(tt.of.Check("number", odd)); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.of, got, tt.want)
		}
	}
}
