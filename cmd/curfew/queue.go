package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/journal"
)

// A house is what a command that asks a worker knows of its configuration. All
// of it may be missing.
type house struct {
	conf    *config // nil: none
	rules   *events.Policies
	tenants map[string]string // names by id
	nats    *natsConfig       // nil: the queue is embedded in the worker
	data    string            // its data directory
}

// house reads the configuration as far as it is there. Where the worker's data
// directory is named, a broken configuration is no obstacle: the question may be
// urgent.
func (a *app) house(log *slog.Logger) (house, error) {
	h := house{data: cmp.Or(a.data, "data")}
	file := a.configFile()
	if file == "" {
		return h, nil
	}
	conf, problems := loadConfig(file, loadOptions{NoSecrets: true, Getenv: a.getenv})
	if conf == nil {
		bad := mistakes(problems)
		if a.data == "" {
			return h, wrong(fmt.Errorf("%s; mend it (`curfew check -c %s` says all), or name the worker's data directory with --data", bad[0], file))
		}
		log.Warn("the configuration is not used", "err", bad[0].String())
		return h, nil
	}
	h = houseOf(conf)
	if a.data != "" {
		h.data, h.nats = a.data, nil
	}
	return h, nil
}

func houseOf(conf *config) house {
	h := house{conf: conf, rules: &conf.Policies, tenants: map[string]string{}, nats: conf.NATS, data: conf.Data}
	for _, t := range conf.Tenants {
		h.tenants[t.ID] = t.Name
	}
	return h
}

// policy is the one a case is under, if it is known.
func (h house) policy(c events.Case) *events.Policy {
	if h.rules == nil {
		return nil
	}
	for i, p := range h.rules.List {
		if p.Name == c.Policy {
			return &h.rules.List[i]
		}
	}
	return nil
}

// tenant is what people call a tenant: its name, or else its id.
func (h house) tenant(id string) string { return cmp.Or(h.tenants[id], id) }

// tenantID is the id for a tenant's name or id.
func (h house) tenantID(name string) string {
	for id, n := range h.tenants {
		if strings.EqualFold(n, name) {
			return id
		}
	}
	return strings.ToLower(name)
}

// remote says how to reach the server.
func (n *natsConfig) remote() broker.Remote {
	return broker.Remote{
		URL: n.URL, Creds: n.CredsFile, NKey: n.NKeyFile, User: n.User, PasswordFile: n.PasswordFile,
		CA: n.CAFile, Cert: n.CertFile, Key: n.KeyFile,
	}
}

// A queue is the journal of a running worker.
type queue struct {
	*journal.Journal
	house
	log *slog.Logger
}

// queueWait is how long a queue may take to answer when it is first spoken to.
const queueWait = 10 * time.Second

// withQueue connects to the worker's queue, lets do work with it, and leaves.
func (a *app) withQueue(ctx context.Context, do func(q *queue) error) error {
	log := a.logger(slog.LevelWarn)
	h, err := a.house(log)
	if err != nil {
		return err
	}
	attach := a.attach
	if attach == nil {
		attach = func(ctx context.Context) (*journal.Journal, func(), error) { return h.attach(ctx, log) }
	}
	j, leave, err := attach(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return noWorker(err)
	}
	defer leave()
	return do(&queue{j, h, log})
}

func (h house) attach(ctx context.Context, log *slog.Logger) (*journal.Journal, func(), error) {
	ctx, cancel := context.WithTimeoutCause(ctx, queueWait, errors.New("no answer in time"))
	defer cancel()
	b, err := h.dial(ctx, log)
	if err != nil {
		return nil, nil, err
	}
	leave := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := b.Stop(ctx); err != nil {
			log.Debug("leaving the queue", "err", err)
		}
	}
	j, err := journal.Attach(ctx, b.Conn(), log)
	if err != nil {
		leave()
		return nil, nil, fmt.Errorf("the queue at %s: %w", b.URL(), err)
	}
	return j, leave, nil
}

func (h house) dial(ctx context.Context, log *slog.Logger) (*broker.Broker, error) {
	if h.nats != nil {
		b, err := broker.Dial(ctx, h.nats.remote(), log)
		if err != nil {
			return nil, fmt.Errorf("%w; is the NATS server that the configuration names running?", err)
		}
		return b, nil
	}
	dir, err := filepath.Abs(h.data)
	if err != nil {
		return nil, err
	}
	b, err := broker.Local(dir, log)
	if errors.Is(err, broker.ErrNotRunning) {
		return nil, fmt.Errorf("no worker is running with the data directory %s: start it with `curfew run -c FILE`, or name the directory of the one that runs with --data DIR", dir)
	}
	return b, err
}
