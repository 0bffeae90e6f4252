package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"time"

	"curfew/events"
)

// An operator is a person at the command line.
type operator struct {
	a   *app
	q   *queue
	who string
	p   *printer
}

// A word is what an operator says about one case.
type word struct {
	refuse func(c events.Case) error // why it makes no sense now; nil: it does
	fact   func(c events.Case) events.Fact
	heard  func(now, before events.Case) bool // whether the case shows it
	said   func(now events.Case) string       // what came of it
}

// asOperator finds the devices and says the word about each. One that fails
// keeps none of the others from being done.
func (a *app) asOperator(ctx context.Context, by string, refs []string, say func(o *operator) word) error {
	return a.withQueue(ctx, func(q *queue) error {
		found, err := q.find(ctx, refs...)
		if err != nil {
			return err // nothing is done before it is clear to which devices
		}
		o := &operator{a, q, a.operator(q.house, by), a.printer()}
		w := say(o)
		var errs []error
		for _, c := range found {
			errs = append(errs, o.say(ctx, c, w))
			if ctx.Err() != nil {
				break
			}
		}
		return errors.Join(append(errs, o.p.flush())...)
	})
}

// say appends what the operator says and waits until the case shows it.
func (o *operator) say(ctx context.Context, c events.Case, w word) error {
	name := deviceName(c)
	if err := w.refuse(c); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := o.q.Append(ctx, c.Key, w.fact(c), ""); err != nil {
		return fmt.Errorf("%s: %w; whether it was recorded is not known: look with `curfew case %s`, then say it again", name, err, name)
	}
	now, err := o.q.await(ctx, c.Key, confirmWait, func(now events.Case) bool { return w.heard(now, c) })
	if errors.Is(err, errNotYet) {
		return noWorker(fmt.Errorf("%s: it is recorded, but no worker has taken it up within %s: it counts as soon as one runs", name, span(confirmWait)))
	} else if err != nil {
		return fmt.Errorf("%s: it is recorded, but what came of it is not known: %w", name, err)
	}
	o.p.printf("%s: %s\n", o.p.paint(bold, name), w.said(now))
	return o.p.flush()
}

// confirmWait is how long a running worker may take to take a fact.
const confirmWait = 10 * time.Second

var errNotYet = errors.New("not yet")

// await waits until a case is as is says, or gives errNotYet.
func (q *queue) await(ctx context.Context, k events.Key, patience time.Duration, is func(events.Case) bool) (events.Case, error) {
	deadline := time.Now().Add(patience)
	for {
		c, _, err := q.Case(ctx, k)
		switch {
		case err != nil:
			return c, err
		case is(c):
			return c, nil
		case time.Now().After(deadline):
			return c, errNotYet
		}
		select {
		case <-ctx.Done():
			return c, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// operator is who speaks: the operating system's user, who ran sudo if somebody
// did, the NATS user if there is one, and the name that was given.
func (a *app) operator(h house, by string) string {
	who := a.user()
	if sudo := a.getenv("SUDO_USER"); sudo != "" && sudo != who {
		who = sudo + " as " + who
	}
	if h.nats != nil && h.nats.User != "" {
		who += ", NATS user " + h.nats.User
	}
	if by != "" {
		who = by + " (" + who + ")"
	}
	return clean(who)
}

// osUser is the name of the user that runs this process.
func osUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "uid " + strconv.Itoa(os.Getuid())
}
