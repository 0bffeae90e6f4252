// Package shoutrrr tells about cases wherever the library of that name can: Discord,
// Matrix, Mattermost, Telegram, ntfy, Gotify, a webhook of one's own and some more.
// Its documentation says how the address of each is written.
//
// The library is kept at arm's length. Its calls know no context, so each is made in
// a goroutine that is let go of when its time is up, and there are never more than
// a few of those. What its errors say is not believed and not shown: they have lost the
// status and the wait that the other side asked for, and may quote the address, in
// which the secrets are. Every failure is tried again later.
//
// What may not be assumed: that what failed was not posted, so a card may stand there
// twice; and that anybody reads it. A channel must never be the only one who is told.
package shoutrrr

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"curfew/handlers"
	"curfew/handlers/page"
	"curfew/handlers/page/chat"
)

const (
	// within is how long a call may take.
	within = 30 * time.Second
	// mostOut is how many calls may be without an answer.
	mostOut = 4
	// rest is how long a channel is left alone that has so many.
	rest = time.Minute
)

// A Channel is one that a service of the library posts to. It must not be copied
// once used.
type Channel struct {
	URL string // the library's: its scheme names the service, and all of it is a secret

	out atomic.Int32
}

// Check reports every reason why the channel cannot be used. It asks nobody.
func (c *Channel) Check() error {
	scheme, address, err := (&router.ServiceRouter{}).ExtractServiceName(c.URL)
	if err != nil || address == nil {
		return errors.New("its url is not an address of shoutrrr, such as ntfy://ntfy.example.com/topic")
	}
	switch {
	case slices.Contains([]string{"slack", "teams", "pagerduty", "opsgenie"}, scheme):
		return fmt.Errorf("its url is for %s, which has a kind of its own: write kind: %s", scheme, scheme)
	case scheme == "logger":
		return errors.New("its url is for a log, which nobody reads as a channel")
	case plain(address) && !local(address.Hostname()):
		return errors.New("its url switches TLS off, which is not safe beyond this machine")
	case scheme == "matrix":
		_, err = (&router.ServiceRouter{}).NewService(scheme) // to make one signs in
	default:
		_, err = (&router.ServiceRouter{}).Locate(c.URL)
	}
	if err != nil {
		return errors.New("its url cannot be used: compare it with what the documentation of shoutrrr says about the service")
	}
	return nil
}

// plain reports whether an address asks for no encryption, in the ways that the
// services have for that.
func plain(address *url.URL) bool {
	for key, values := range address.Query() {
		v := strings.ToLower(strings.Join(values, ","))
		switch strings.ToLower(key) {
		case "disabletls", "skiptlsverify", "disabletlsverification":
			if slices.Contains([]string{"yes", "true", "1"}, v) {
				return true
			}
		case "scheme":
			if v == "http" {
				return true
			}
		case "encryption":
			if v == "none" {
				return true
			}
		}
	}
	return strings.HasSuffix(address.Scheme, "+http")
}

func local(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

// Trigger posts an alert.
func (c *Channel) Trigger(ctx context.Context, a page.Alert) (string, error) {
	return a.Key, c.post(ctx, chat.Of(a, false))
}

// Resolve posts that it is over.
func (c *Channel) Resolve(ctx context.Context, a page.Alert) error {
	return c.post(ctx, chat.Of(a, true))
}

func (c *Channel) post(ctx context.Context, card chat.Card) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if n := c.out.Add(1); n > mostOut {
		c.out.Add(-1)
		return handlers.After(fmt.Errorf("the service does not answer: %d calls to it are still waiting", n-1), rest)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	done := make(chan error, 1) // whoever is late has somewhere to put it
	go func() {
		defer c.out.Add(-1)
		done <- send(c.URL, text(card))
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return handlers.Unsure(fmt.Errorf("the service has not answered in time: %w", ctx.Err()))
	}
}

// send posts a text. The service is made anew each time, for some keep what they are
// given for one message.
func send(address, message string) (err error) {
	defer func() {
		if recover() != nil {
			err = handlers.Unsure(errors.New("the library has failed at this message"))
		}
	}()
	service, err := (&router.ServiceRouter{}).Locate(address)
	if err != nil {
		return errors.New("the service cannot be reached, or its url is wrong")
	}
	if err := service.Send(message, &types.Params{}); err != nil {
		return handlers.Unsure(fmt.Errorf("the service did not take it%s", hint(err)))
	}
	return nil
}

// hint is what the text of an error may tell a person, though nothing is decided by
// it.
func hint(err error) string {
	said := err.Error()
	for code := http.StatusBadRequest; code < 600; code++ {
		if text := http.StatusText(code); text != "" && strings.Contains(said, fmt.Sprintf("%d %s", code, text)) {
			return fmt.Sprintf("; it seems to have said %d %s", code, text)
		}
	}
	for _, sign := range []string{"connection refused", "no such host", "i/o timeout", "certificate"} {
		if strings.Contains(said, sign) {
			return "; the reason seems to be: " + sign
		}
	}
	return "; what it said is not shown, for it may hold the address"
}

// text is a card for whatever shows plain lines.
func text(c chat.Card) string {
	lines := []string{c.Text()}
	for _, l := range c.Links {
		lines = append(lines, l.Text+": "+l.URL)
	}
	return strings.Join(lines, "\n")
}
