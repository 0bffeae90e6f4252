package ticket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"curfew/handlers"
	"curfew/handlers/sign"
)

// A Webhook is a desk that is told of cases by signed JSON requests; the package
// comment says what it has to do. It keeps the tickets by itself, so it is never
// searched or read.
type Webhook struct {
	URL    string            // https, or http to this machine; may hold a token, so it is never shown
	Secret string            // signs every request; at least 16 bytes
	Header map[string]string // sent along, such as Authorization; never shown
	Client *http.Client      // this desk's own, from [handlers.NewClient]
}

// Check reports every reason why the desk cannot be used.
func (d Webhook) Check() error {
	errs := []error{handlers.CheckAddress(d.URL)}
	if len(d.Secret) < 16 {
		errs = append(errs, errors.New("its secret must have 16 bytes or more"))
	}
	if d.Client == nil {
		errs = append(errs, errors.New("it has no client"))
	}
	return errors.Join(errs...)
}

// Folds is true: the receiver does each task once.
func (d Webhook) Folds() bool { return true }

// Find finds nothing: a receiver is not asked.
func (d Webhook) Find(context.Context, string) ([]Ticket, error) { return nil, nil }

// Read shows nothing but the ref: a receiver is not asked.
func (d Webhook) Read(_ context.Context, ref string) (Ticket, error) { return Ticket{Ref: ref}, nil }

// Open tells of a new case.
func (d Webhook) Open(ctx context.Context, n New) (Ticket, error) {
	return d.tell(ctx, n.Note, "opened")
}

// Comment tells that there is more to say of it.
func (d Webhook) Comment(ctx context.Context, _ Ticket, n Note) (Ticket, error) {
	return d.tell(ctx, n, "updated")
}

// Reopen is no more than a comment to a receiver.
func (d Webhook) Reopen(ctx context.Context, _ Ticket, n Note) (Ticket, error) {
	return d.tell(ctx, n, "updated")
}

// Resolve tells that the case is over.
func (d Webhook) Resolve(ctx context.Context, _ Ticket, n Note) (Ticket, error) {
	return d.tell(ctx, n, "closed")
}

// tell posts an event.
func (d Webhook) tell(ctx context.Context, n Note, kind string) (Ticket, error) {
	n.Event.Kind = kind
	body, err := json.Marshal(n.Event)
	if err != nil {
		return Ticket{}, handlers.GiveUp(err)
	}
	return d.post(ctx, n.Task, body)
}

// post sends the body and reads what the desk calls the ticket. Repeating it is
// safe: the desk knows the key.
func (d Webhook) post(ctx context.Context, key string, body []byte) (Ticket, error) {
	secrets := handlers.Tokens(d.Secret, d.URL, d.Header)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(body))
	if err != nil {
		return Ticket{}, handlers.GiveUp(handlers.Redact(err, secrets...))
	}
	for name, value := range d.Header {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "curfew")
	req.Header.Set("Idempotency-Key", key)
	req.Header.Set(SignatureHeader, sign.Sign(d.Secret, body, time.Now()))
	res, err := handlers.Do(d.Client, req, secrets...)
	if err != nil {
		return Ticket{}, err
	}
	defer res.Body.Close()
	reply, err := io.ReadAll(res.Body)
	if err != nil {
		return Ticket{}, handlers.Unsure(handlers.Redact(fmt.Errorf("read its answer: %w", err), secrets...))
	}
	return answer(res, reply)
}

// answer reads what a desk calls the ticket. A page for people is the answer of a
// log-in or an error page, not of a desk.
func answer(res *http.Response, reply []byte) (Ticket, error) {
	if isPage(res) {
		return Ticket{}, handlers.GiveUp(fmt.Errorf("%s answered %d with a page for people, so it is not the desk: check the url", res.Request.URL.Host, res.StatusCode))
	}
	var out Ticket
	var said struct {
		ID  any    `json:"id"` // some desks have numbers
		URL string `json:"url"`
	}
	d := json.NewDecoder(bytes.NewReader(reply))
	d.UseNumber()
	if d.Decode(&said) == nil { // a plain "ok" is an answer too
		if said.ID != nil {
			out.Ref = handlers.Line(fmt.Sprint(said.ID), 200)
		}
		out.Link = handlers.SafeLink(said.URL)
	}
	return out, nil
}

func isPage(res *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	return kind == "text/html"
}
