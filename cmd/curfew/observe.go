package main

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"curfew/cmd/curfew/metrics"
	"curfew/events/gate"
	"curfew/events/journal"
	"curfew/graph"
)

// An observer brings the metrics up to date that have to be asked for, each group at
// its own pace, so that no scrape waits for anybody and none costs anything.
type observer struct {
	conf    *config
	log     *slog.Logger
	metrics *metrics.Metrics
	names   map[string]string // of tenants, by id
	finds   *finds
	memory  *memory

	// What it asks; set before it runs.
	journal *journal.Journal
	guard   *gate.Guard
	subs    []*graph.Subscriptions
	clouds  clouds
	webhook *graph.Webhook // nil: none
	admin   *admin

	mu sync.Mutex
	at map[string]time.Time // when each group was last brought up to date
}

func newObserver(conf *config, log *slog.Logger) *observer {
	o := &observer{
		conf: conf, log: log, metrics: metrics.New(readBuild().Version), names: map[string]string{},
		finds: newFinds(), at: map[string]time.Time{},
	}
	for _, t := range conf.Tenants {
		o.names[strings.ToLower(t.ID)] = t.Name
	}
	o.memory = &memory{of: map[string]*remembered{}, log: log}
	dry := 0.0
	if conf.DryRun {
		dry = 1
	}
	o.metrics.Show(metrics.DryRun, metrics.Of(dry))
	return o
}

// tenant is the name of a tenant by its id. What is not configured has none.
func (o *observer) tenant(id string) string {
	if name, ok := o.names[strings.ToLower(id)]; ok {
		return name
	}
	return "other"
}

// The paces of the groups. Counting cases takes at most a fiftieth of the time.
const (
	queueEvery = 15 * time.Second
	stateEvery = time.Minute
	casesEvery = time.Minute
	casesShare = 50
	groupWait  = 20 * time.Second // for an answer about a group
	casesWait  = 10 * time.Minute
)

// run observes until ctx ends.
func (o *observer) run(ctx context.Context) error {
	o.metrics.Live(o.live)
	var g errgroup.Group
	group := func(name string, every, within time.Duration, look func(context.Context) error) {
		every = cmp.Or(o.conf.Observe, every)
		g.Go(func() error {
			o.observe(ctx, name, every, within, look)
			return nil
		})
	}
	group("ready", queueEvery, groupWait, o.readiness)
	group("queue", queueEvery, groupWait, o.queues)
	group("gates", stateEvery, groupWait, o.gates)
	group("credentials", stateEvery, groupWait, o.credentials)
	group("cases", casesEvery, casesWait, o.cases)
	if o.conf.Role.watches() {
		group("subscriptions", stateEvery, groupWait, o.subscriptions)
		group("memory", stateEvery, groupWait, o.remember)
	}
	return g.Wait()
}

// observe looks at a group again and again. Trouble is told once, until it is over.
func (o *observer) observe(ctx context.Context, name string, every, within time.Duration, look func(context.Context) error) {
	failing := false
	for {
		began := time.Now()
		err := inTime(ctx, within, look)
		rest := every
		if name == "cases" && err == nil {
			rest = max(every, (casesShare-1)*time.Since(began))
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			o.metrics.Count(metrics.Failures, 1, name)
			if !failing {
				o.log.Warn("metrics are not brought up to date", "group", name, "err", err)
			}
		default:
			o.seen(name, time.Now())
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-time.After(rest):
		}
	}
}

// seen notes when a group was brought up to date.
func (o *observer) seen(group string, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.at[group] = now
	var all []metrics.Sample
	for name, at := range o.at {
		all = append(all, metrics.At(at, name))
	}
	o.metrics.Show(metrics.Observed, all...)
}

// readiness asks what /readyz asks.
func (o *observer) readiness(ctx context.Context) error {
	h := o.admin.examine(ctx, o.admin.Ready)
	var all []metrics.Sample
	for _, p := range o.admin.Ready {
		well := 1.0
		if slices.ContainsFunc(h.Reasons, func(u unwell) bool { return u.Check == p.Name }) {
			well = 0
		}
		all = append(all, metrics.Of(well, p.Name))
	}
	o.metrics.Show(metrics.Ready, all...)
	return nil
}

// queues asks what waits, what is dead and what all of it takes.
func (o *observer) queues(ctx context.Context) error {
	queues, err := o.journal.Backlog(ctx)
	if err != nil {
		return err
	}
	dead, deadSince, err := o.journal.DeadCount(ctx)
	if err != nil {
		return err
	}
	uses, err := o.journal.Usage(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	var depth, age, letters, msgs, bytes []metrics.Sample
	for _, q := range queues {
		depth = append(depth, metrics.Of(float64(q.Waiting), q.Name))
		age = append(age, metrics.Of(ageOf(q.Oldest, now), q.Name))
	}
	for l, n := range lettersByName(dead, o.tenant) {
		letters = append(letters, metrics.Of(float64(n), l.Family, l.Tenant))
	}
	for _, u := range uses {
		msgs = append(msgs, metrics.Of(float64(u.Messages), u.Family))
		bytes = append(bytes, metrics.Of(float64(u.Bytes), u.Family))
	}
	o.metrics.Show(metrics.QueueDepth, depth...)
	o.metrics.Show(metrics.QueueAge, age...)
	o.metrics.Show(metrics.Dead, letters...)
	o.metrics.Show(metrics.DeadAge, metrics.Of(ageOf(deadSince, now)))
	o.metrics.Show(metrics.JournalMsg, msgs...)
	o.metrics.Show(metrics.JournalUse, bytes...)
	return o.disk()
}

// lettersByName counts dead letters by the names of tenants. Families that nobody
// wrote are one.
func lettersByName(all []journal.Letters, name func(string) string) map[journal.Letters]uint64 {
	out := map[journal.Letters]uint64{{Family: "fact", Tenant: ""}: 0, {Family: "task", Tenant: ""}: 0}
	for _, l := range all {
		if l.Family != "fact" && l.Family != "task" {
			l.Family = "other"
		}
		if l.Tenant != "" {
			l.Tenant = name(l.Tenant)
		}
		n := l.Count
		l.Count = 0
		out[l] += n
	}
	return out
}

func ageOf(since, now time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(0, now.Sub(since).Seconds())
}

// disk measures where an embedded queue keeps its data.
func (o *observer) disk() error {
	if o.conf.NATS != nil {
		return nil
	}
	free, size, err := diskOf(o.conf.Data)
	if err != nil {
		return err
	}
	o.metrics.Show(metrics.DiskFree, metrics.Of(float64(free)))
	o.metrics.Show(metrics.DiskSize, metrics.Of(float64(size)))
	return nil
}
