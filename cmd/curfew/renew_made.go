package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"curfew/events/gate/link"
	"curfew/graph"
	"curfew/handlers/page"
	"curfew/handlers/page/hook"
	"curfew/handlers/sign"
	"curfew/handlers/ticket"
)

// Made is something made of secrets, as it is now.
type made[T any] struct{ now atomic.Pointer[T] }

func (m *made[T]) get() T { return *m.now.Load() }

// follow makes a thing, and has it made anew when its secrets change. check says
// why one cannot be used; then the one before is.
func follow[T any](r *renewals, what string, secrets []*kept, thing func() T, check func(T) error) *made[T] {
	m := &made[T]{}
	first := thing()
	m.now.Store(&first)
	r.add(what, secrets, func(context.Context) error {
		next := thing()
		if err := check(next); err != nil {
			return err
		}
		m.now.Store(&next)
		return nil
	})
	return m
}

func ofDestination(name string) string { return "destination " + name }

func ofDoor(name string) string { return "the webhook of destination " + name }

// kept are the secrets of a destination that can be exchanged, but for that of
// what comes back from it.
func (d destinationConfig) kept() []*kept {
	all := keptOf(d.URL, d.Secret, d.Authorization, d.APIKey, d.RoutingKey)
	for _, s := range d.Secrets {
		all = append(all, keptOf(s)...)
	}
	return all
}

// desk follows the secrets of a desk.
func (r *renewals) desk(name string, d destinationConfig, desk func() ticket.Desk) ticket.Desk {
	if desk() == nil {
		return nil
	}
	return renewedDesk{follow(r, ofDestination(name), d.kept(), desk, ticket.Desk.Check)}
}

// pager follows the secrets of a pager.
func (r *renewals) pager(name string, secrets []*kept, pager func() page.Pager) page.Pager {
	if pager() == nil {
		return nil
	}
	return renewedPager{follow(r, ofDestination(name), secrets, pager, page.Pager.Check)}
}

// reader follows the secret by which what comes from a destination is known.
func (r *renewals) reader(name string, d destinationConfig, reader func() hook.Reader) hook.Reader {
	if reader() == nil {
		return nil
	}
	check := func(hook.Reader) error {
		if n := len(d.HookSecret.reveal()); n < sign.MinSecret {
			return fmt.Errorf("the hook secret has %d characters; it needs %d or more", n, sign.MinSecret)
		}
		return nil
	}
	return renewedReader{follow(r, ofDoor(name), keptOf(d.HookSecret), reader, check)}
}

// renew has the clients of tenants sign in by new secrets. These are tried before
// they count.
func (c clouds) renew(conf *config, r *renewals) {
	follows := func(what string, a authConfig, client *graph.Client) {
		if client != nil {
			r.add(what, keptOf(a.ClientSecret, a.Certificate, a.CertificatePassword), func(ctx context.Context) error { return client.Renew(ctx, authOf(a)) })
		}
	}
	for _, t := range conf.Tenants {
		watch, act := c.watch[t.ID], c.act[t.ID]
		follows("tenant "+t.Name, t.Auth, watch)
		switch {
		case t.Actuator != nil:
			follows("the actuator of tenant "+t.Name, *t.Actuator, act)
		case act != watch:
			follows("tenant "+t.Name, t.Auth, act)
		}
	}
}

// renew has new keys sign and verify approvals.
func (a *approvals) renew(r *renewals) {
	file, _ := a.conf.keyFile()
	text, err := readBounded(file, maxSecret+1)
	if a.signer == nil || err != nil {
		return
	}
	r.add("approvals", keptOf(newKept(file, string(text), asItIs)), func(context.Context) error {
		next, err := link.OpenKey(file)
		if err != nil {
			return errors.New(keyTrouble(err))
		}
		a.signer.Adopt(next)
		return nil
	})
}

// files watches files that are read elsewhere, for what is wrong with them to be
// told: the webhook's certificate is read again by its server, the credentials of
// NATS at the next connection, but for an nkey.
func files(conf *config, r *renewals) {
	watch := func(what string, check func() error, names ...string) {
		var all []*kept
		for _, name := range names {
			if text, err := readBounded(name, maxCA+1); name != "" && err == nil {
				all = append(all, keptOf(newKept(name, string(text), asItIs))...)
			}
		}
		r.add(what, all, func(context.Context) error { return check() })
	}
	if t := conf.TLS; t != nil && conf.Role.watches() {
		watch("the webhook's certificate", func() error {
			_, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
			return err
		}, t.CertFile, t.KeyFile)
	}
	if n := conf.NATS; n != nil {
		watch("NATS", func() error { return errors.New("the nkey has changed: it counts once the worker is started anew") }, n.NKeyFile)
	}
}

func asItIs(text string) (string, error) { return text, nil }

// renewedDesk is a desk whose secrets may change.
type renewedDesk struct{ *made[ticket.Desk] }

func (r renewedDesk) Check() error { return r.get().Check() }

func (r renewedDesk) Find(ctx context.Context, key string) ([]ticket.Ticket, error) {
	return r.get().Find(ctx, key)
}

func (r renewedDesk) Open(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	return r.get().Open(ctx, n)
}

func (r renewedDesk) Comment(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return r.get().Comment(ctx, t, n)
}

func (r renewedDesk) Resolve(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return r.get().Resolve(ctx, t, n)
}

func (r renewedDesk) Reopen(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return r.get().Reopen(ctx, t, n)
}

func (r renewedDesk) Read(ctx context.Context, ref string) (ticket.Ticket, error) {
	return r.get().Read(ctx, ref)
}

// Lag is that of the desk, which no secret changes.
func (r renewedDesk) Lag() time.Duration {
	if l, ok := r.get().(ticket.Late); ok {
		return l.Lag()
	}
	return 0
}

// Folds is whether the desk does, which no secret changes.
func (r renewedDesk) Folds() bool { return folds(r.get()) }

// renewedPager is a pager whose secrets may change.
type renewedPager struct{ *made[page.Pager] }

func (r renewedPager) Check() error { return r.get().Check() }

func (r renewedPager) Trigger(ctx context.Context, a page.Alert) (string, error) {
	return r.get().Trigger(ctx, a)
}

func (r renewedPager) Resolve(ctx context.Context, a page.Alert) error {
	return r.get().Resolve(ctx, a)
}

// renewedReader is a door whose secret may change.
type renewedReader struct{ *made[hook.Reader] }

func (r renewedReader) Read(q hook.Request) ([]hook.Said, error) { return r.get().Read(q) }
