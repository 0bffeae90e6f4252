package readiness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// An API is one tenant's Graph, as curfew/graph.Client speaks to it: the path begins
// with "v1.0/" or "beta/", or is the link to a further page. Errors say by GiveUp()
// bool and RetryAfter() time.Duration whether to come again, and when.
type API interface {
	Do(ctx context.Context, method, path string, header http.Header, body []byte) ([]byte, error)
}

// How patient a reading is: it takes turns with everything else that is asked of
// the tenant, so it is often told to come again a little later.
const (
	mostTries = 5               // of a request that fails
	mostWait  = 5 * time.Minute // in sum, for one request
)

// ask makes a request, and again as long as that may help.
func ask(ctx context.Context, api API, method, path string, header http.Header, body []byte) ([]byte, error) {
	var waited time.Duration
	for failed := 1; ; failed++ {
		answer, err := api.Do(ctx, method, path, header, body)
		var e interface {
			error
			GiveUp() bool
			RetryAfter() time.Duration
		}
		if err == nil || !errors.As(err, &e) || e.GiveUp() || ctx.Err() != nil {
			return answer, err
		}
		wait := e.RetryAfter()
		if wait > 0 {
			failed-- // it was told to come again, which is no failure
		} else {
			wait = time.Duration(failed*failed) * time.Second
		}
		if waited += wait; failed >= mostTries || waited > mostWait {
			return nil, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, err
		}
	}
}

// Get reads one object, patiently.
func Get(ctx context.Context, api API, path string, into any) error {
	answer, err := ask(ctx, api, http.MethodGet, path, nil, nil)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("an answer that cannot be read: %w", err)
	}
	return nil
}

// errEnough ends the reading of a list early.
var errEnough = errors.New("enough")

// mostPages is more than any list has.
const mostPages = 2000

// list reads a list page by page and hands over each; a page is all that is held.
// Rows that cannot be made out are counted, and fail the reading at its end: a
// device that was passed over is not known to be well.
func list[T any](ctx context.Context, api API, path string, header http.Header, each func([]T) error) error {
	bad := 0
	for range mostPages {
		answer, err := ask(ctx, api, http.MethodGet, path, header, nil)
		if err != nil {
			return err
		}
		var page struct {
			Value []T    `json:"value"`
			Next  string `json:"@odata.nextLink"`
		}
		if json.Unmarshal(answer, &page) != nil {
			var n int
			if page.Value, n, err = oneByOne[T](answer); err != nil {
				return err
			}
			bad += n
		}
		if page.Value == nil {
			return errors.New("an answer that is no list")
		}
		switch err := each(page.Value); {
		case errors.Is(err, errEnough):
			return nil
		case err != nil:
			return err
		case page.Next == "" && bad > 0:
			return fmt.Errorf("%d rows that cannot be made out", bad)
		case page.Next == "":
			return nil
		}
		path = page.Next
	}
	return errors.New("the list has no end")
}

// oneByOne reads the rows of a page of which one is odd.
func oneByOne[T any](answer []byte) (rows []T, bad int, err error) {
	var page struct {
		Value []json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(answer, &page); err != nil {
		return nil, 0, fmt.Errorf("an answer that cannot be read: %w", err)
	}
	rows = []T{}
	for _, raw := range page.Value {
		var v T
		if json.Unmarshal(raw, &v) != nil {
			bad++
			continue
		}
		rows = append(rows, v)
	}
	return rows, bad, nil
}

// query is a path with options: name, value, name, value.
func query(path string, options ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(options); i += 2 {
		q.Set(options[i], options[i+1])
	}
	return path + "?" + strings.NewReplacer("+", "%20", "%24", "$").Replace(q.Encode())
}

// A pool keeps one copy of texts that come again and again.
type pool map[string]string

// text is a short text from outside, on one line.
func (p pool) text(s string) string {
	if kept, ok := p[s]; ok {
		return kept
	}
	kept := line(s)
	if len(p) < 10_000 {
		p[s] = kept
	}
	return kept
}

// line makes one bounded line of a text from outside.
func line(s string) string {
	const most = 256
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
