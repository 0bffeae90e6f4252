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

// How long a secret may be known before its file is read again, and its vault,
// which counts what it is asked.
const (
	renewEvery      = 10 * time.Second
	renewVaultEvery = 10 * time.Minute
)

// A renewed desk is made anew when the files of its secrets change, or what is in
// a vault, so that a secret can be exchanged while the worker runs. One that cannot be used, while
// it is being written for instance, changes nothing: the desk stays as it was.
type renewed struct {
	name string
	make func(destinationConfig) ticket.Desk
	log  *slog.Logger
	keys readVault

	mu    sync.Mutex
	conf  destinationConfig
	desk  ticket.Desk
	read  time.Time // when the files were last read
	asked time.Time // when the vaults were
	ill   string    // what was told of a secret that cannot be used
}

// A readVault reads a secret from a vault.
type readVault func(ctx context.Context, address string) (string, error)

// renew makes a desk of a destination that follows the files of its secrets and
// the vaults.
func renew(name string, d destinationConfig, log *slog.Logger, keys readVault, desk func(destinationConfig) ticket.Desk) ticket.Desk {
	made := desk(d)
	if made == nil || len(deskFiles(&d)) == 0 {
		return made
	}
	return &renewed{name: name, make: desk, log: log, keys: keys, conf: d, desk: made, read: time.Now(), asked: time.Now()}
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

// current is the desk with the secrets as they are now. While one caller reads
// them, others have the desk as it was.
func (r *renewed) current(ctx context.Context) ticket.Desk {
	r.mu.Lock()
	now := time.Now()
	if now.Sub(r.read) < renewEvery {
		defer r.mu.Unlock()
		return r.desk
	}
	r.read = now
	vaults := now.Sub(r.asked) >= renewVaultEvery
	if vaults {
		r.asked = now
	}
	next := r.conf
	r.mu.Unlock()
	next.Secrets = maps.Clone(next.Secrets)
	changed, err := r.renew(ctx, &next, vaults)

	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		return r.stay(err)
	}
	if r.ill = ""; !changed {
		return r.desk
	}
	desk := r.make(next)
	if err := desk.Check(); err != nil {
		return r.stay(err)
	}
	r.conf, r.desk = next, desk
	r.log.Info("the secrets of a destination have changed and are used from now on", "destination", r.name)
	return r.desk
}

// renew reads the secrets of a destination again, those in vaults if their time has come.
func (r *renewed) renew(ctx context.Context, d *destinationConfig, vaults bool) (changed bool, err error) {
	for _, k := range deskFiles(d) {
		if inVault(k.file) && !vaults {
			continue
		}
		text, err := r.again(ctx, k.file)
		switch {
		case err != nil:
			return false, err
		case text == "" || len(text) > maxSecret || strings.ContainsAny(text, "\r\n\x00"):
			return false, errors.New("it must hold one line")
		case text != k.now.reveal():
			k.set(newSecret(text))
			changed = true
		}
	}
	return changed, nil
}

// again reads a secret from its file or vault, without the newline at its end.
func (r *renewed) again(ctx context.Context, file string) (string, error) {
	if inVault(file) {
		text, err := r.keys(ctx, file)
		return strings.TrimRight(text, "\r\n"), err
	}
	b, err := readBounded(file, maxSecret+1)
	if err != nil {
		return "", errors.New(reason(err))
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// known is the desk without a look at its secrets.
func (r *renewed) known() ticket.Desk {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.desk
}

// stay keeps the desk as it is and says why, once.
func (r *renewed) stay(err error) ticket.Desk {
	why := oneLine(err)
	if why != r.ill {
		r.log.Warn("a secret of a destination cannot be read again; the one before is used", "destination", r.name, "err", errors.New(why))
	}
	r.ill = why
	return r.desk
}

func (r *renewed) Check() error { return r.known().Check() }

func (r *renewed) Find(ctx context.Context, key string) ([]ticket.Ticket, error) {
	return r.current(ctx).Find(ctx, key)
}

func (r *renewed) Open(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	return r.current(ctx).Open(ctx, n)
}

func (r *renewed) Comment(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return r.current(ctx).Comment(ctx, t, n)
}

func (r *renewed) Resolve(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return r.current(ctx).Resolve(ctx, t, n)
}

func (r *renewed) Reopen(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return r.current(ctx).Reopen(ctx, t, n)
}

func (r *renewed) Read(ctx context.Context, ref string) (ticket.Ticket, error) {
	return r.current(ctx).Read(ctx, ref)
}

// Lag is that of the desk, which no secret changes.
func (r *renewed) Lag() time.Duration {
	if l, ok := r.known().(ticket.Late); ok {
		return l.Lag()
	}
	return 0
}

// Folds is whether the desk does, which no secret changes.
func (r *renewed) Folds() bool { return folds(r.known()) }
