package graph_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/graph"
	"curfew/graph/graphtest"
)

// endless is a body that does not end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}
func (*endless) Close() error { return nil }

func TestABodyWithoutEndIsCutOff(t *testing.T) {
	for _, status := range []int{200, 500} {
		story(t, func(t *testing.T, d *desk) {
			body := &endless{}
			client := d.instead(func(*http.Request) *http.Response {
				res := answer(status, "application/json", "")
				res.Body, res.ContentLength = body, -1
				return res
			})
			if _, err := client.Record(d.ctx, d.dev()); err == nil {
				t.Error("no error")
			}
			if body.read > 33<<20 {
				t.Errorf("read %d MB", body.read>>20)
			}
		})
	}
}

func TestNoSecretInAnError(t *testing.T) {
	const token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.eyJzdWIiOiJhcHAifQ.c2lnbmF0dXJl"
	story(t, func(t *testing.T, d *desk) {
		long := strings.Repeat("very ", 500)
		said, _ := json.Marshal(map[string]any{"error": map[string]any{
			"code": "BadRequest", "message": "Bearer " + token + " for\r\n\tsecret " + secret + " is \u202ebad " + long,
		}})
		client := d.instead(func(r *http.Request) *http.Response { return answer(400, "application/json", string(said)) })
		e := want{status: 400, giveUp: true, says: "[token]"}.check(t, client.Sync(d.ctx, d.dev()))
		if s := e.Error(); strings.Contains(s, secret) || strings.Contains(s, "eyJ") || strings.ContainsAny(s, "\r\n\t\u202e") || len(s) > 700 {
			t.Errorf("%d bytes: %s", len(s), s)
		}
	})
	story(t, func(t *testing.T, d *desk) { // no answer: net/http quotes the URL
		d.client = d.reach(func(c *graph.Tenant) {
			c.Transport = wireTap(func(r *http.Request) (*http.Response, error) {
				if strings.HasPrefix(r.URL.Host, "login.") {
					return d.cloud.Transport().RoundTrip(r)
				}
				return nil, fmt.Errorf("proxy said %s: %w", secret, io.ErrUnexpectedEOF)
			})
		})
		e := want{unsure: true, says: "no answer: proxy said [secret]"}.check(t, d.client.Scan(d.ctx, d.dev(), true))
		if strings.Contains(e.Error(), secret) || strings.Contains(e.Error(), "https://") {
			t.Error(e)
		}
	})
}

func TestSigningInFails(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		d.app.ExpireSecret()
		for range 30 {
			err := d.client.Sync(d.ctx, d.dev())
			e := asError(t, err)
			if e.Code != "AADSTS7000222" || e.GiveUp() || e.Unsure() || e.RetryAfter() != 30*time.Second || strings.Contains(e.Error(), secret) {
				t.Fatal(e)
			}
		}
		if n := d.tenant.Asked("POST", "/"+contosoID); n != 1 {
			t.Errorf("knocked %d times", n)
		}
		restore := d.tenant.RevokeConsent()
		other := d.reach(func(*graph.Tenant) {})
		if e := asError(t, other.Sync(d.ctx, d.dev())); e.Code != "AADSTS700016" || !strings.Contains(e.Error(), "must consent") {
			t.Error(e)
		}
		restore()
		time.Sleep(31 * time.Second)
		d.tenant.AddApp("c5a0c9d2-4a9e-4c55-9a3b-0d8a7f2f6e33", "new", graphtest.AllRoles()...)
		healed := d.reach(func(c *graph.Tenant) {
			c.Auth = graph.Auth{Client: "c5a0c9d2-4a9e-4c55-9a3b-0d8a7f2f6e33", Secret: "new"}
		})
		if _, err := healed.Look(d.ctx, d.kase(laptop)); err != nil {
			t.Error(err)
		}
	})
	story(t, func(t *testing.T, d *desk) { // and heals by itself
		laptop := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.TokenDown, Times: 1})
		if e := asError(t, second(d.client.Look(d.ctx, d.kase(laptop)))); e.GiveUp() || e.RetryAfter() != 30*time.Second ||
			!strings.Contains(e.Error(), "AADSTS90033: the sign-in service is out of order; nothing is wrong with the app") {
			t.Error(e)
		}
		time.Sleep(20 * time.Second)
		if e := asError(t, second(d.client.Look(d.ctx, d.kase(laptop)))); e.RetryAfter() != 10*time.Second {
			t.Error(e)
		}
		time.Sleep(10 * time.Second)
		d.look(laptop)
	})
}

func second[T any](_ T, err error) error { return err }
