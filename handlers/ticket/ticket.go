// Package ticket opens, updates and closes tickets at a help desk by signed JSON
// webhooks. It serves the actions ticket and close.
//
// What a receiver gets, and must do:
//
//   - A POST with an [Event] as its body, one for each task.
//   - Curfew-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">.
//     [Verify] checks it; in any language: over the raw body, in constant time, and
//     refusing a t that is more than five minutes off. There may be several v1 while
//     a secret is changed, and parts of other names; one v1 that fits is enough.
//   - Idempotency-Key: the task's id, at most 200 characters. The same key comes
//     again after a crash, a time-out or a 5xx, for days. The answer must then be
//     the first one, and nothing must be done a second time; the body may differ,
//     because the device was looked at again meanwhile.
//   - Answer 2xx with {"id": "...", "url": "..."}, both optional: what people call
//     the ticket, and where they find it (https). The id comes back as "ref" in what
//     follows. 408, 429 and 5xx are tried again, not before Retry-After; everything
//     else is given up and shown to a person. Redirects are not followed.
//
// "closed" may arrive for a ticket that somebody closed already, and "updated"
// for one that is not there any more; neither is an error.
package ticket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// A Desk is one destination of tickets.
type Desk struct {
	URL    string            // https, or http to this machine; may hold a token, so it is never shown
	Secret string            // signs every request; at least 16 bytes
	Header map[string]string // sent along, such as Authorization; never shown
	Client *http.Client      // this desk's own, from [handlers.NewClient]
}

// Check reports every reason why the desk cannot be used.
func (d Desk) Check() error {
	var errs []error
	u, err := url.Parse(d.URL)
	switch {
	case err != nil || u.Host == "":
		errs = append(errs, errors.New("its url is not an address"))
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		errs = append(errs, errors.New("its url must be https"))
	case u.User != nil:
		errs = append(errs, errors.New("its url must hold no user and password; send them as an Authorization header"))
	}
	if len(d.Secret) < 16 {
		errs = append(errs, errors.New("its secret must have 16 bytes or more"))
	}
	if d.Client == nil {
		errs = append(errs, errors.New("it has no client"))
	}
	return errors.Join(errs...)
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// Handler keeps tickets at desks.
type Handler struct {
	Desks map[string]Desk // by the name that rules use
}

// Do opens a ticket or adds to the one the case has at that desk, or closes it.
func (h Handler) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	desk, err := handlers.Destination(h.Desks, t.Destination)
	if err != nil {
		return nil, fmt.Errorf("ticket: %w", err)
	}
	body, err := json.Marshal(event(c, t))
	if err != nil {
		return nil, handlers.GiveUp(fmt.Errorf("ticket: %w", err))
	}
	done, err := desk.post(ctx, t.ID, body)
	if err != nil {
		return nil, fmt.Errorf("ticket: desk %q: %w", t.Destination, err)
	}
	return done, nil
}

// post sends the body and reads what the desk calls the ticket. Repeating it is
// safe: the desk knows the key.
func (d Desk) post(ctx context.Context, key string, body []byte) (events.Fact, error) {
	secrets := d.secrets()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(body))
	if err != nil {
		return nil, handlers.GiveUp(handlers.Redact(err, secrets...))
	}
	for name, value := range d.Header {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "curfew")
	req.Header.Set("Idempotency-Key", key)
	req.Header.Set(SignatureHeader, sign(d.Secret, body, time.Now()))
	res, err := handlers.Do(d.Client, req, secrets...)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	reply, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, handlers.Unsure(handlers.Redact(fmt.Errorf("read its answer: %w", err), secrets...))
	}
	return read(key, res, reply)
}

// secrets are what must not be quoted from an answer: all that may be a token,
// whole and in its parts, since a desk may echo any of it.
func (d Desk) secrets() []string {
	out := []string{d.Secret}
	parts := func(s, separators string) {
		out = append(out, s)
		for _, p := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
			if len(p) >= 8 {
				out = append(out, p)
			}
		}
	}
	if u, err := url.Parse(d.URL); err == nil {
		parts(u.RawQuery, "&=")
		parts(strings.Trim(u.Path, "/"), "/")
	}
	for _, value := range d.Header {
		parts(value, " :,;=")
	}
	// The longest first, so that no part is left of one that holds another.
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// read turns the answer into a fact. A page for people is the answer of a log-in
// or an error page, not of a desk.
func read(key string, res *http.Response, reply []byte) (events.Fact, error) {
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind == "text/html" {
		return nil, handlers.GiveUp(fmt.Errorf("%s answered %d with a page for people, so it is not the desk: check the url", res.Request.URL.Host, res.StatusCode))
	}
	done := events.Done{Task: key}
	var answer struct {
		ID  any    `json:"id"` // some desks have numbers
		URL string `json:"url"`
	}
	d := json.NewDecoder(bytes.NewReader(reply))
	d.UseNumber()
	if d.Decode(&answer) == nil { // a plain "ok" is an answer too
		if answer.ID != nil {
			done.Receipt = handlers.Line(fmt.Sprint(answer.ID), 200)
		}
		done.Link = handlers.SafeLink(answer.URL)
	}
	return done, nil
}
