package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"curfew/cmd/curfew/vault"
	"curfew/events"
	"curfew/events/broker"
	"curfew/events/gate"
	"curfew/events/journal"
	"curfew/graph"
	"curfew/handlers"
	"curfew/handlers/mail"
	"curfew/handlers/page"
	"curfew/handlers/ticket"
)

// stopWithin is how long an orderly stop may take: the webhook stops taking in,
// handlers finish or hand back what they have, and the queue closes.
const stopWithin = 30 * time.Second

func newRunCmd(a *app) *cobra.Command {
	var as role
	var adminAt string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Watch the tenants and see their devices through",
		Long: `Run is the worker. It receives Graph's notifications, sweeps the tenants for
what no notification told, keeps a case for each device at risk, and does what
the policies say. It runs until it is told to stop (Ctrl-C, SIGTERM), and then
finishes what it has begun. A second signal ends it at once; nothing is lost.

Two processes may share the work: with the role watch one does everything but
what is done to devices, with the role act the other does only that. It has an
identity of its own in each tenant (actuator), listens for nothing, and believes
no task that it has not checked itself. See the README for what each needs.`,
		Example: `  curfew run -c curfew.yaml
  curfew run -c /etc/curfew/curfew.yaml --log json
  curfew run -c watch.yaml --role watch
  curfew run -c act.yaml --role act --admin 127.0.0.1:8082`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := a.loadForRun(cmd.Context(), as)
			if err != nil {
				return err
			}
			conf.Admin = cmp.Or(adminAt, conf.Admin)
			if !cmd.Flags().Changed("log") {
				a.logs = logFormat(conf.Log.Format)
			}
			defer a.lean()()
			log := a.logger(logLevel(conf.Log.Level).level())
			return runWorker(cmd.Context(), conf, log)
		},
	}
	roleFlag(cmd, &as)
	cmd.Flags().StringVar(&adminAt, "admin", "", "where /livez and /readyz answer, an `ADDRESS`; left out: as the configuration says")
	return cmd
}

// loadForRun reads the configuration as a role needs it, and tells everything
// that is wrong with it.
func (a *app) loadForRun(ctx context.Context, as role) (*config, error) {
	file, err := a.needConfig()
	if err != nil {
		return nil, err
	}
	conf, problems := loadConfig(file, loadOptions{Templates: templateNames, Role: as, Getenv: a.getenv, Vault: askingVaults(ctx)})
	for _, p := range problems {
		fmt.Fprintln(a.stderr, clean(p.String()))
	}
	if conf == nil {
		return nil, wrong(fmt.Errorf("%s cannot be used: %d mistakes", file, len(mistakes(problems))))
	}
	return conf, nil
}

// A worker is one process of Curfew with all that it is made of.
type worker struct {
	conf    *config
	log     *slog.Logger
	broker  *broker.Broker
	journal *journal.Journal
	clouds  clouds
	table   map[events.Action]handlers.Func
	nudges  *graph.Nudges
	subs    []*graph.Subscriptions
	webhook *graph.Webhook
	ids     *graph.Directory
	guard   *gate.Guard
	asks    *approvals
	desks   *ticket.Handler
	pagers  *page.Handler
	watcher *observer // nil: nobody wants metrics
	tracing *tracing
	secrets *renewals
}

// runWorker runs until ctx ends, and stops in order.
func runWorker(ctx context.Context, conf *config, log *slog.Logger) (err error) {
	w := &worker{conf: conf, log: log, ids: &graph.Directory{}, secrets: &renewals{keys: (&vault.Reader{}).Read, log: log}}
	if conf.Metrics {
		w.watcher = newObserver(conf, log)
	}
	if w.tracing, err = newTracing(ctx, os.Getenv, log); err != nil {
		return wrong(fmt.Errorf("the environment variables of OpenTelemetry: %w", err))
	}
	defer w.tracing.close(ctx)
	var templates *mail.Templates
	if conf.Role.watches() {
		if templates, err = templatesOf(conf.Templates); err != nil {
			return wrong(err)
		}
	}
	if w.clouds, err = cloudsAround(conf, w.tracing.around(w.watcher.arounds())); err != nil {
		return wrong(err)
	}
	defer w.clouds.Close()
	if w.broker, err = openBroker(ctx, conf, log); err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		err = errors.Join(err, w.broker.Stop(ctx))
		log.Info("stopped")
	}()
	o := journal.Options{Replicas: 1, Lease: 4 * time.Second} // an embedded queue waits for nobody but this worker
	if conf.NATS != nil {
		o = journal.AtCluster(conf.NATS.Replicas)
	}
	o.Took, o.Tracer = w.watcher.takes(), w.tracing.tracer
	if w.journal, err = journal.Open(ctx, w.broker.Conn(), o, log); err != nil {
		return err
	}
	guard := guardOf(conf, w.journal, log)
	guard.Edits = edits{w.clouds.any()}
	guard.Preflight = gate.Preflight{Checker: preflight{w.clouds.act}, Unknown: conf.Preflight.Unknown}
	keys := w.clouds.act // the identity that may see which recovery keys are kept
	if keys == nil {
		keys = w.clouds.watch
	}
	if w.asks, err = approvalsOf(conf, keys, log); err != nil {
		return err
	}
	guard.Verify = w.asks.counts()
	w.guard = guard
	act := actuatorOf(conf, w.clouds, log)
	act.Signed = w.asks.signed
	w.desks = desks(conf, w.clouds.watch, w.secrets, log)
	w.pagers = &page.Handler{Pagers: pagersOf(conf, w.clouds.watch, w.secrets), Languages: languages(conf)}
	w.table = table(conf, w.clouds, templates, guard, act, w.asks, w.desks, w.pagers)
	w.watcher.measure(w.table)
	w.clouds.renew(conf, w.secrets)
	w.asks.renew(w.secrets)
	conf.Heartbeat.renew(w.secrets)
	files(conf, w.secrets)
	w.secrets.told(ctx, w.journal.State())
	if conf.Role.watches() {
		w.listen()
	}
	return w.run(ctx)
}

// openBroker embeds a NATS server, or dials the configured one.
func openBroker(ctx context.Context, conf *config, log *slog.Logger) (*broker.Broker, error) {
	if conf.NATS != nil {
		return broker.Dial(ctx, conf.NATS.remote(), log)
	}
	return broker.Embed(ctx, broker.Embedded{Dir: conf.Data, Listen: conf.Queue}, log)
}

// listen makes what hears Graph.
func (w *worker) listen() {
	w.nudges = &graph.Nudges{State: state{w.journal.State()}, Log: w.log}
	for _, t := range w.conf.Tenants {
		w.subs = append(w.subs, subscriptionsOf(w.conf, t, w.clouds.watch[strings.ToLower(t.ID)], w.journal, w.nudges, w.log))
	}
	w.webhook = &graph.Webhook{Sink: w.watcher.told(w.journal, "webhook"), Subscriptions: w.subs, Index: w.ids, Log: w.log}
}

// run starts every part of the role and waits for the first that cannot go on, or
// for ctx.
func (w *worker) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	webhook := "none"
	if w.conf.Role.watches() {
		at, err := w.watch(ctx, g)
		if err != nil {
			return err // and nothing has started
		}
		webhook = at
	}
	admin := w.admin()
	g.Go(func() error { return admin.run(ctx, w.conf.Admin) })
	g.Go(func() error { return w.secrets.run(ctx) })
	w.show(ctx, g, admin)
	for action, do := range w.table {
		g.Go(func() error {
			return w.journal.Serve(ctx, action, do, journal.ServeOptions{Before: before(w.clouds.act)})
		})
	}
	w.log.Info("running", "role", w.conf.Role, "tenants", len(w.conf.Tenants), "policies", len(w.conf.Policies.List), "dry_run", w.conf.DryRun,
		"webhook", webhook, "admin", w.conf.Admin, "queue", w.broker.URL())
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// watch starts what hears and reads of the tenants, and what keeps the cases. It
// returns where the webhook listens.
func (w *worker) watch(ctx context.Context, g *errgroup.Group) (string, error) {
	answers := answersOf(w.desks, w.journal, w.log)
	front := graph.WebhookServer{Addr: w.conf.Listen, Handler: doorsOf(w.conf, w.journal, answers.Nudge, w.secrets, w.asks.front(w.journal, w.tracing.webhook(w.webhook), w.log), w.log), Log: w.log}
	if t := w.conf.TLS; t != nil {
		front.CertFile, front.KeyFile = t.CertFile, t.KeyFile
	}
	server, err := front.Server()
	if err != nil {
		return "", wrong(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", w.conf.Listen)
	if err != nil {
		return "", fmt.Errorf("listen for notifications: %w", err)
	}
	g.Go(func() error { return serve(ctx, server, listener) })
	g.Go(func() error { return w.journal.Keep(ctx, func() events.Policies { return w.conf.Policies }) })
	var tenants []string
	for i, t := range w.conf.Tenants {
		tenants = append(tenants, strings.ToLower(t.ID))
		sweep := sweepOf(t, w.subs[i].Client, w.journal, w.ids, w.log)
		sweep.Report = w.watcher.reports(fleet{state{w.journal.State()}, w.log}.count(ctx))
		sweep.Sink = w.watcher.told(w.journal, "sweep")
		nudged := *sweep // the same, but that a notification asked for it
		nudged.Sink = w.watcher.told(w.journal, "nudge")
		g.Go(func() error { return sweep.Run(ctx) })
		g.Go(func() error { return w.nudges.Serve(ctx, strings.ToLower(t.ID), w.tracing.sweep(t.Name, nudged.Once)) })
		if len(w.subs[i].Resources) > 0 {
			g.Go(func() error { return w.subs[i].Run(ctx) })
		}
	}
	w.watchDrift(ctx, g)
	g.Go(func() error { return w.guard.Watch(ctx, tenants) })
	g.Go(func() error { return answers.Run(ctx) })
	g.Go(func() error { return w.digester().Run(ctx) })
	for _, report := range w.weeklies(w.clouds.watch) {
		g.Go(func() error { return report.Run(ctx) })
	}
	if !w.conf.Role.acts() {
		g.Go(func() error { return (&absence{journal: w.journal, log: w.log}).watch(ctx) })
	}
	return listener.Addr().String(), nil
}

// serve answers until ctx ends, and then lets what it has begun finish.
func serve(ctx context.Context, s *http.Server, l net.Listener) error {
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		stopped <- s.Shutdown(ctx)
	})
	var err error
	if s.TLSConfig != nil {
		err = s.ServeTLS(l, "", "")
	} else {
		err = s.Serve(l)
	}
	if stop() {
		return fmt.Errorf("the webhook: %w", err)
	}
	return <-stopped
}

// admin says whether the worker is well.
func (w *worker) admin() *admin {
	queue := probe{"queue", func(context.Context) error { return w.broker.Healthy() }}
	a := &admin{Live: []probe{{"handlers", w.journal.Alive}}, Ready: []probe{queue, {"journal", w.journal.Ready}}, Warn: w.secrets.troubles, Pprof: w.conf.Pprof, Log: w.log}
	if o := w.watcher; o != nil {
		a.Metrics = o.metrics.Handler()
		a.Warn = func() []unwell { return append(w.secrets.troubles(), o.notes(time.Now())...) }
	}
	return a
}
