package page

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"curfew/handlers"
)

// A Call is one request to a pager that speaks JSON. Its errors hold none of the
// secrets, and neither the address's path nor its query.
type Call struct {
	Client  *http.Client
	Method  string
	URL     string
	Header  map[string]string
	Secrets []string
}

// Do sends the body as JSON, nil for none, and reads the answer into reply, if
// there is one to read and reply is not nil. What does not parse is no error: the
// status has said all that counts.
func (c Call) Do(ctx context.Context, body, reply any) error {
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			return handlers.GiveUp(err)
		}
	}
	return c.Send(ctx, b, reply)
}

// Send is Do for a body that is JSON already.
func (c Call) Send(ctx context.Context, body []byte, reply any) error {
	req, err := http.NewRequestWithContext(ctx, c.Method, c.URL, bytes.NewReader(body))
	if err != nil {
		return handlers.GiveUp(handlers.Redact(err, c.Secrets...))
	}
	for name, value := range c.Header {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "curfew")
	res, err := handlers.Do(c.Client, req, c.Secrets...)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	if err != nil {
		return handlers.Unsure(handlers.Redact(fmt.Errorf("read its answer: %w", err), c.Secrets...))
	}
	if reply != nil {
		_ = json.Unmarshal(said, reply) // see Do
	}
	return nil
}
