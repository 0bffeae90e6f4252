package ticket

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"curfew/handlers"
)

// An API speaks JSON with a vendor. Its errors are marked: those of a write as
// [handlers.Do] does, those of a question as sure, since nothing was done.
type API struct {
	Base   string       // https, without a slash at its end
	Client *http.Client // this desk's own, from [handlers.NewClient]

	// Authorize puts the credentials on a request; nil: it needs none.
	Authorize func(context.Context, *http.Request) error

	// Secrets are what no error may quote: tokens, and what headers make of them.
	Secrets []string
}

// A Call is one request.
type Call struct {
	Method string
	Path   string // after Base; escape what is put in by [url.PathEscape]
	Query  url.Values
	Header map[string]string
	Body   any  // sent as JSON; url.Values as a form; nil: nothing
	Into   any  // what the answer's JSON is read into; nil: it is not read
	Asks   bool // it changes nothing, though it may be a POST
}

// Check reports every reason why the API cannot be called.
func (a API) Check() error {
	err := handlers.CheckAddress(a.Base)
	if err == nil && (strings.HasSuffix(a.Base, "/") || strings.ContainsAny(a.Base, "?#")) {
		err = errors.New("its url must be the bare address, with no slash, question mark or # at its end")
	}
	if a.Client == nil {
		err = errors.Join(err, errors.New("it has no client"))
	}
	return err
}

// Do makes the call and returns the answer's header.
func (a API) Do(ctx context.Context, c Call) (http.Header, error) {
	head, err := a.do(ctx, c)
	if err != nil {
		err = handlers.Redact(err, a.secrets()...)
		if c.Asks || c.Method == http.MethodGet {
			err = handlers.Sure(err)
		}
		return head, err
	}
	return head, nil
}

func (a API) do(ctx context.Context, c Call) (http.Header, error) {
	req, err := a.request(ctx, c)
	if err != nil {
		return nil, handlers.GiveUp(err)
	}
	if a.Authorize != nil {
		if err := a.Authorize(ctx, req); err != nil {
			return nil, handlers.Sure(err) // the call itself was not made
		}
	}
	res, err := handlers.Do(a.Client, req, a.secrets()...)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if isPage(res) { // of a maintenance, a log-in, or an instance that sleeps
		return res.Header, handlers.Unsure(handlers.After(fmt.Errorf("%s answered %d with a page for people instead of JSON; if it goes on, check the url", req.URL.Host, res.StatusCode), time.Minute))
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return res.Header, handlers.Unsure(fmt.Errorf("read the answer of %s: %w", req.URL.Host, err))
	}
	if c.Into == nil {
		return res.Header, nil
	}
	if err := json.Unmarshal(body, c.Into); err != nil {
		return res.Header, handlers.Unsure(fmt.Errorf("%s answered %d with something other than expected: %w", req.URL.Host, res.StatusCode, err))
	}
	return res.Header, nil
}

func (a API) request(ctx context.Context, c Call) (*http.Request, error) {
	var body io.Reader
	kind := "application/json"
	switch b := c.Body.(type) {
	case nil:
		kind = ""
	case url.Values:
		kind, body = "application/x-www-form-urlencoded", strings.NewReader(b.Encode())
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	address := a.Base + c.Path
	if len(c.Query) > 0 {
		address += "?" + c.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, cmp.Or(c.Method, http.MethodGet), address, body)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "curfew")
	for name, value := range c.Header {
		req.Header.Set(name, value)
	}
	return req, nil
}

// secrets are the longest first, so that no part is left of one that holds
// another.
func (a API) secrets() []string {
	out := slices.Clone(a.Secrets)
	slices.SortFunc(out, func(x, y string) int { return len(y) - len(x) })
	return out
}

// NotFound reports whether an error is the answer 404: there is no such thing, or
// the account may not see it.
func NotFound(err error) bool { return handlers.Read(err).Status == http.StatusNotFound }

// Cannot is err as [ErrCannot], if the desk refused a change for a reason that
// lies in the ticket: 400 and 422. Others stay as they are.
func Cannot(err error) error {
	if s := handlers.Read(err).Status; s == http.StatusBadRequest || s == http.StatusUnprocessableEntity {
		return fmt.Errorf("%w: %w", ErrCannot, err)
	}
	return err
}
