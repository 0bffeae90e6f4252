package graphtest

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Delivery is one attempt to reach a webhook.
type Delivery struct {
	At      time.Time
	URL     string
	Kind    string // handshake, change, lifecycle
	Items   int    // notifications in the body
	Attempt int    // 1 is the first
	Status  int    // 0 when there was no answer
	Err     string
}

// Deliveries returns the newest 10,000 attempts, oldest first.
func (t *Tenant) Deliveries() []Delivery {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.deliveries.all()
}

// A parcel is one POST to a webhook, and how it is to travel.
type parcel struct {
	url, kind string
	items     []object
	after     time.Duration
	// then are delivered after it, by the same hand.
	then []parcel
}

// mishandle does to a parcel what the tenant's faults say. The lock is held.
func (t *Tenant) mishandle(p parcel, now time.Time) []parcel {
	var behind []parcel // what was waiting for this one
	for _, f := range t.faults {
		if f.Kind == Reordered && len(f.kept) > 0 {
			behind = append(behind, f.kept...)
			f.kept = nil
		}
	}
	kinds := []Kind{Lost, Duplicated, Delayed, Reordered}
	f := t.hit(now, func(f *fault) bool {
		return slices.Contains(kinds, f.Kind) && (f.Kind != Reordered || behind == nil)
	})
	copies := 1
	switch {
	case f == nil:
	case f.Kind == Lost:
		return behind
	case f.Kind == Duplicated:
		copies = max(2, f.Copies)
	case f.Kind == Delayed:
		p.after = f.Wait
	case f.Kind == Reordered:
		f.kept = append(f.kept, p)
		return nil
	}
	off := slices.Repeat([]parcel{p}, copies)
	off[0].then = behind
	return off
}

// deliver sends parcels off, each by a goroutine that ends when the webhook took
// it, when it is too old, or when the cloud is closed.
func (c *Cloud) deliver(t *Tenant, parcels []parcel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range parcels {
		if c.ctx.Err() == nil {
			c.afoot.Add(1)
			c.wg.Go(func() {
				defer c.afoot.Add(-1)
				c.carry(t, p)
			})
		}
	}
}

// Afoot says how many POSTs to webhooks have not been taken yet.
func (c *Cloud) Afoot() int { return int(c.afoot.Load()) }

// carry delivers one parcel: any 2xx is delivered, anything else is sent again
// with growing pauses for up to 4 hours, then dropped (Graph docs,
// change-notifications-delivery-webhooks, 2025-01).
func (c *Cloud) carry(t *Tenant, p parcel) {
	if !pause(c.ctx, p.after) {
		return
	}
	body := object{{"value", p.items}}.bytes()
	began, wait := time.Now(), time.Duration(0)
	for attempt := 1; ; attempt++ {
		tm := t.patience()
		d := Delivery{At: time.Now().UTC(), URL: p.url, Kind: p.kind, Items: len(p.items), Attempt: attempt}
		status, _, _, err := c.knock(p.url, "application/json; charset=utf-8", body, tm.Answer)
		if d.Status = status; err != nil {
			d.Err = err.Error()
		}
		t.delivered(d)
		wait = min(max(tm.Retry, 2*wait), tm.RetryMost)
		if status >= 200 && status < 300 || time.Since(began)+wait > tm.RetryFor || !pause(c.ctx, wait) {
			break
		}
	}
	for _, next := range p.then {
		c.carry(t, next)
	}
}

func (t *Tenant) delivered(d Delivery) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deliveries.add(d)
}

// patience is the timing with Microsoft's values where none was set.
func (t *Tenant) patience() Timing {
	t.mu.Lock()
	defer t.mu.Unlock()
	tm, usual := t.timing, DefaultTiming()
	for _, f := range []struct{ has, or *time.Duration }{
		{&tm.Handshake, &usual.Handshake}, {&tm.Answer, &usual.Answer}, {&tm.Retry, &usual.Retry},
		{&tm.RetryMost, &usual.RetryMost}, {&tm.RetryFor, &usual.RetryFor},
	} {
		if *f.has <= 0 {
			*f.has = *f.or
		}
	}
	return tm
}

// knock posts to a webhook and waits for the answer, at most so long.
func (c *Cloud) knock(to, kind string, body []byte, patience time.Duration) (status int, header http.Header, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("Content-Type", kind)
	c.mu.Lock()
	post := c.post
	c.mu.Unlock()
	res, err := post.RoundTrip(req) // redirects are not followed
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(res.Body, 4<<10))
	return res.StatusCode, res.Header, answer, err
}

// handshake asks a URL to prove itself: within 10 s it must answer 200,
// text/plain, with nothing but the decoded token (Graph docs:
// change-notifications-delivery-notificationurl-validation). bad is what Graph
// tells the subscriber (azure-functions-splunk#26, nodejs-webhooks-sample#350,
// Microsoft365-Analytics-Insights#273).
func (c *Cloud) handshake(t *Tenant, to, requestID string) (bad string) {
	// The characters need decoding: who echoes the raw query fails.
	token := "Validation: Testing client application reachability for subscription Request-Id: " + requestID
	u, err := url.Parse(to)
	if err != nil {
		return "Subscription validation request failed. " + err.Error()
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "validationToken=" + url.QueryEscape(token)
	d := Delivery{At: time.Now().UTC(), URL: to, Kind: "handshake", Attempt: 1}
	status, header, answer, err := c.knock(u.String(), "text/plain; charset=utf-8", nil, t.patience().Handshake)
	mediaType, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	switch {
	case err != nil:
		bad = "Subscription validation request timed out."
		d.Err = err.Error()
	case status != http.StatusOK:
		bad = "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request. HTTP status code is '" +
			strings.ReplaceAll(http.StatusText(status), " ", "") + "'."
	case mediaType != "text/plain" || string(answer) != token:
		bad = "Subscription validation request failed. Response must exactly match validationToken query parameter."
	}
	d.Status = status
	t.delivered(d)
	return bad
}
