package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"curfew/events/broker"
	"curfew/events/journal"
	"curfew/graph"
	"curfew/graph/baseline"
)

// A ground is what a command about baselines works with.
type ground struct {
	conf    *config
	tenants []tenantSpec
	journal *journal.Journal // nil: it was not needed, and is not there
	p       *printer
	dial    func(tenantSpec) (*graph.Client, error)
}

// withBaseline reads the configuration and the baseline file, and lets do work with
// them. Of the secrets it reads those of the baseline's identities, or of those that
// stand in for them. The journal is that of the running worker or, where none runs,
// the one in its data directory; if it is only wished for, it may be missing.
func (a *app) withBaseline(ctx context.Context, s baselineScope, need bool, do func(b *ground) error) error {
	conf, err := a.loadForBaseline(ctx)
	if err != nil {
		return err
	}
	tenants, err := a.specsOf(conf, s)
	if err != nil {
		return err
	}
	b := &ground{conf: conf, tenants: tenants, p: a.printer(), dial: a.dial}
	j, leave, err := a.journalOf(ctx, conf, need)
	if err != nil && need {
		return noWorker(fmt.Errorf("what is done is recorded, and the record cannot be reached: %w", err))
	}
	if err == nil {
		defer leave()
		b.journal = j
	}
	return errors.Join(do(b), b.p.flush())
}

func (a *app) loadForBaseline(ctx context.Context) (*config, error) {
	file, err := a.needConfig()
	if err != nil {
		return nil, err
	}
	conf, problems := loadConfig(file, loadOptions{NoSecrets: true, Baseline: true, Getenv: a.getenv, Vault: askingVaults(ctx)})
	if conf == nil {
		for _, p := range mistakes(problems) {
			fmt.Fprintln(a.stderr, clean(p.String()))
		}
		return nil, wrong(fmt.Errorf("%s cannot be used: %s", file, count(len(mistakes(problems)), "mistake")))
	}
	if a.data != "" {
		conf.Data, conf.NATS = a.data, nil
	}
	return conf, nil
}

// journalOf connects to the journal. One that is embedded in no running worker is
// opened where it is, and made there only if it is needed.
func (a *app) journalOf(ctx context.Context, conf *config, need bool) (*journal.Journal, func(), error) {
	if a.attach != nil {
		return a.attach(ctx)
	}
	log := a.logger(slog.LevelWarn)
	h := houseOf(conf)
	if j, leave, err := h.attach(ctx, log); err == nil {
		return j, leave, nil
	} else if conf.NATS != nil || !need && !isDir(conf.Data) {
		return nil, nil, err
	}
	br, err := openBroker(ctx, conf, log)
	if err != nil {
		return nil, nil, err
	}
	leave := func() { stopBroker(ctx, br, log) }
	j, err := journal.Open(ctx, br.Conn(), journal.Options{}, log)
	if err != nil {
		leave()
		return nil, nil, err
	}
	return j, leave, nil
}

func stopBroker(ctx context.Context, b *broker.Broker, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := b.Stop(ctx); err != nil {
		log.Warn("closing the queue", "err", err)
	}
}

// client is how a tenant's baseline is reached.
func (b *ground) client(t tenantSpec) (*graph.Client, error) {
	if b.dial != nil {
		return b.dial(t)
	}
	auth := t.Auth
	if t.Baseline != nil {
		auth = *t.Baseline
	}
	c, err := graph.New(tenantOf(t.tenantConfig, auth, 0))
	if err != nil {
		return nil, wrong(err)
	}
	return c, nil
}

// errNoIdentity says why nothing is applied as the worker.
var errNoIdentity = errors.New("it has no section baseline with an app registration of its own: the worker's app must not be able to change policies; see the README")

// A rollout is how far a tenant's baseline is, as the journal keeps it.
type rollout struct {
	Stage baseline.Stage `json:"stage"`
	Since time.Time      `json:"since"`
	By    string         `json:"by"`

	Run    string   `json:"run,omitempty"`    // the run that went there
	Before *rollout `json:"before,omitempty"` // what was on record before that
}

const rolloutKey = "baseline.stage."

// rolloutOf reads how far a tenant's baseline is; nil: nobody has said.
func (b *ground) rolloutOf(ctx context.Context, tenant string) (*rollout, error) {
	if b.journal == nil {
		return nil, nil
	}
	v, _, err := b.journal.State().Get(ctx, rolloutKey+tenant)
	if errors.Is(err, journal.ErrNoKey) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r rollout
	if err := json.Unmarshal(v, &r); err != nil {
		return nil, fmt.Errorf("the record of the rollout of %s cannot be read: %w", tenant, err)
	}
	return &r, nil
}

// plan reads a tenant and plans for the stage that it is at: as the journal says or,
// where it says nothing, as the tenant shows. A stage on record went through its
// gate.
func (b *ground) plan(ctx context.Context, t tenantSpec, c *graph.Client) (*baseline.Plan, error) {
	state, err := baseline.Read(ctx, c, t.ID, t.spec)
	if err != nil {
		return nil, err
	}
	at, gate, err := b.stage(ctx, t, state)
	if err != nil {
		return nil, err
	}
	p := baseline.NewPlan(t.spec, state, at, gate)
	p.Name = t.Name
	return p, nil
}

func (b *ground) stage(ctx context.Context, t tenantSpec, state *baseline.State) (baseline.Stage, *baseline.Gate, error) {
	r, err := b.rolloutOf(ctx, t.ID)
	if r == nil || err != nil {
		return baseline.Reached(t.spec, state), nil, err
	}
	return r.Stage, &baseline.Gate{To: r.Stage, Passed: true}, nil
}

// Where runs are kept, and how many of a tenant.
const (
	runKey   = "baseline.run."
	keptRuns = 20
)

// runLog keeps a tenant's runs in the journal, the newest twenty.
type runLog struct {
	s      *journal.State
	tenant string
}

func (l runLog) prefix() string { return runKey + l.tenant + "." }

// Save implements [baseline.Log].
func (l runLog) Save(ctx context.Context, r baseline.Run) error {
	v, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := l.s.Put(ctx, l.prefix()+runName(r.ID), v); err != nil {
		return err
	}
	keys, err := l.s.Keys(ctx, l.prefix())
	for len(keys) > keptRuns && err == nil {
		err = l.s.Delete(ctx, keys[0])
		keys = keys[1:]
	}
	return err
}

// runName is a run's id as a key may have it; keys are in the order of time.
func runName(id string) string {
	b := []byte(id)
	for i := range b {
		if b[i] == '.' {
			b[i] = '-'
		}
	}
	return string(b)
}

// all are the runs that are kept, oldest first.
func (l runLog) all(ctx context.Context) ([]baseline.Run, error) {
	keys, err := l.s.Keys(ctx, l.prefix())
	var all []baseline.Run
	for _, key := range keys {
		v, _, getErr := l.s.Get(ctx, key)
		var r baseline.Run
		if getErr == nil {
			getErr = json.Unmarshal(v, &r)
		}
		if err = errors.Join(err, getErr); getErr == nil {
			all = append(all, r)
		}
	}
	return all, err
}

// last is the newest run; nil: there is none.
func (l runLog) last(ctx context.Context) (*baseline.Run, error) {
	all, err := l.all(ctx)
	if len(all) == 0 || err != nil {
		return nil, err
	}
	return &all[len(all)-1], nil
}
