package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"curfew/handlers/ticket"
)

// renewEvery is how long a secret may be known before its file is read again.
const renewEvery = 10 * time.Second

// A renewed desk is made anew when the files of its secrets change, so that a
// secret can be exchanged while the worker runs. A file that cannot be used, while
// it is being written for instance, changes nothing: the desk stays as it was.
type renewed struct {
	name string
	make func(destinationConfig) ticket.Desk
	log  *slog.Logger

	mu   sync.Mutex
	conf destinationConfig
	desk ticket.Desk
	read time.Time // when the files were last read
	ill  string    // what was told of a file that cannot be used
}

// renew makes a desk of a destination that follows the files of its secrets.
func renew(name string, d destinationConfig, log *slog.Logger, desk func(destinationConfig) ticket.Desk) ticket.Desk {
	made := desk(d)
	if made == nil || len(deskFiles(&d)) == 0 {
		return made
	}
	return &renewed{name: name, make: desk, log: log, conf: d, desk: made, read: time.Now()}
}

// A kept secret is where one comes from and goes to.
type kept struct {
	file string
	now  secret
	set  func(secret)
}

// deskFiles are the secrets of a desk that are in files.
func deskFiles(d *destinationConfig) []kept {
	var out []kept
	if d.Kind == "webhook" {
		out = []kept{
			{d.URLFile, d.URL, func(s secret) { d.URL = s }},
			{d.SecretFile, d.Secret, func(s secret) { d.Secret = s }},
			{d.AuthorizationFile, d.Authorization, func(s secret) { d.Authorization = s }},
		}
	}
	for key, file := range d.SecretFiles {
		name := strings.TrimSuffix(key, "_file")
		out = append(out, kept{file, d.Secrets[name], func(s secret) { d.Secrets[name] = s }})
	}
	var files []kept
	for _, k := range out {
		if k.file != "" {
			files = append(files, k)
		}
	}
	return files
}

// current is the desk with the secrets as they are now.
func (r *renewed) current() ticket.Desk {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.read) < renewEvery {
		return r.desk
	}
	r.read = time.Now()
	next := r.conf
	next.Secrets = maps.Clone(next.Secrets)
	changed := false
	for _, k := range deskFiles(&next) {
		b, err := readBounded(k.file, maxSecret+1)
		text := strings.TrimRight(string(b), "\r\n")
		switch {
		case err != nil:
			return r.stay(reason(err))
		case text == "" || len(b) > maxSecret || strings.ContainsAny(text, "\r\n\x00"):
			return r.stay("it must hold one line")
		case text != k.now.reveal():
			k.set(newSecret(text))
			changed = true
		}
	}
	r.ill = ""
	if !changed {
		return r.desk
	}
	desk := r.make(next)
	if err := desk.Check(); err != nil {
		return r.stay(oneLine(err))
	}
	r.conf, r.desk = next, desk
	r.log.Info("the secrets of a destination have changed and are used from now on", "destination", r.name)
	return r.desk
}

// stay keeps the desk as it is and says why, once.
func (r *renewed) stay(why string) ticket.Desk {
	if why != r.ill {
		r.log.Warn("a secret of a destination cannot be read again; the one before is used", "destination", r.name, "err", errors.New(why))
	}
	r.ill = why
	return r.desk
}

func (r *renewed) Check() error { return r.current().Check() }

func (r *renewed) Find(ctx context.Context, key string) ([]ticket.Ticket, error) {
	return r.current().Find(ctx, key)
}

func (r *renewed) Open(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	return r.current().Open(ctx, n)
}

func (r *renewed) Comment(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return r.current().Comment(ctx, t, n)
}

func (r *renewed) Resolve(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return r.current().Resolve(ctx, t, n)
}

func (r *renewed) Reopen(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return r.current().Reopen(ctx, t, n)
}

func (r *renewed) Read(ctx context.Context, ref string) (ticket.Ticket, error) {
	return r.current().Read(ctx, ref)
}

// Lag is that of the desk, which no secret changes.
func (r *renewed) Lag() time.Duration {
	if l, ok := r.current().(ticket.Late); ok {
		return l.Lag()
	}
	return 0
}

// Folds is whether the desk does, which no secret changes.
func (r *renewed) Folds() bool { return folds(r.current()) }
