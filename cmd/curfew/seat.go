package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"curfew/events/backup"
	"curfew/events/broker"
)

// A seat is where a whole journal is.
type seat struct {
	*broker.Broker
	name     string // for people
	replicas int
	temp     string // a directory on the same disk, if it is one here
}

// leave closes the connection, and the server if it is of this process.
func (s seat) leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queueWait)
	defer cancel()
	return s.Stop(ctx)
}

// seatAt opens the journal that somebody names: by a data directory, or by a
// configuration, whose NATS server or data directory it is.
func (a *app) seatAt(ctx context.Context, name string, log *slog.Logger) (seat, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return seat{}, wrong(err)
	case err == nil && info.IsDir(), err != nil && !slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(name)):
		return house{data: name}.own(ctx, log)
	case err != nil:
		return seat{}, wrong(err)
	}
	conf, problems := loadConfig(name, loadOptions{NoSecrets: true, Getenv: a.getenv})
	if conf == nil {
		return seat{}, wrong(fmt.Errorf("%s; `curfew check -c %s` says all", mistakes(problems)[0], name))
	}
	h := houseOf(conf)
	if h.nats != nil {
		return h.distant(ctx, log)
	}
	return h.own(ctx, log)
}

// own opens the journal in the data directory itself. No worker may run there.
func (h house) own(ctx context.Context, log *slog.Logger) (seat, error) {
	dir, err := filepath.Abs(h.data)
	if err != nil {
		return seat{}, wrong(err)
	}
	b, err := broker.Embed(ctx, broker.Embedded{Dir: dir, DontListen: true}, log)
	if err != nil {
		return seat{}, err
	}
	return seat{b, dir, 1, dir}, nil
}

// distant opens the journal at the NATS server that is configured.
func (h house) distant(ctx context.Context, log *slog.Logger) (seat, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, queueWait, errors.New("no answer in time"))
	defer cancel()
	b, err := broker.Dial(ctx, h.nats.remote(), log)
	if err != nil {
		return seat{}, noWorker(err)
	}
	return seat{b, h.nats.URL, cmp.Or(h.nats.Replicas, 1), ""}, nil
}

// live opens the journal of a worker, whether that runs or not.
func (h house) live(ctx context.Context, log *slog.Logger) (seat, error) {
	if h.nats != nil {
		return h.distant(ctx, log)
	}
	dir, err := filepath.Abs(h.data)
	if err != nil {
		return seat{}, wrong(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "jetstream")); err != nil {
		return seat{}, noWorker(fmt.Errorf("there is no journal in %s: name the worker's data directory with --data DIR", dir))
	}
	b, err := broker.Local(dir, log)
	if errors.Is(err, broker.ErrNotRunning) {
		return h.own(ctx, log)
	}
	return seat{b, dir, 1, dir}, err
}

// program is what made something, for whoever finds it.
func program() string {
	b := readBuild()
	return "curfew " + b.Version + prefixed(" ", b.Revision)
}

// tellManifest writes what a backup or a copy holds.
func (a *app) tellManifest(m backup.Manifest, asJSON bool, format string, args ...any) error {
	p := a.printer()
	if asJSON {
		return errors.Join(p.json(m), p.flush())
	}
	p.printf(format+"\n", args...)
	var rows [][]cell
	for _, s := range m.Streams {
		rows = append(rows, []cell{
			{text: s.Name, style: bold}, {text: fmt.Sprint(s.Messages)}, {text: size(s.Bytes)}, {text: fmt.Sprint(s.Last)}, {text: fmt.Sprintf("%.16s", s.SHA256)},
		})
	}
	p.table([]string{"FAMILY", "MESSAGES", "SIZE", "LAST", "SHA-256"}, rows)
	return p.flush()
}

// age says how old something is.
func age(t time.Time) string { return time.Since(t).Round(time.Second).String() }
