package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/gate"
	"curfew/events/journal"
	"curfew/graph"
	"curfew/handlers"
)

// stopWithin is how long an orderly stop may take: the webhook stops taking in,
// handlers finish or hand back what they have, and the queue closes.
const stopWithin = 30 * time.Second

func newRunCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Watch the tenants and see their devices through",
		Long: `Run is the worker. It receives Graph's notifications, sweeps the tenants for
what no notification told, keeps a case for each device at risk, and does what
the policies say. It runs until it is told to stop (Ctrl-C, SIGTERM), and then
finishes what it has begun. A second signal ends it at once; nothing is lost.`,
		Example: `  curfew run -c curfew.yaml
  curfew run -c /etc/curfew/curfew.yaml --log json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := a.loadForRun()
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("log") {
				a.logs = logFormat(conf.Log.Format)
			}
			log := a.logger(logLevel(conf.Log.Level).level())
			return runWorker(cmd.Context(), conf, log)
		},
	}
}

// loadForRun reads the configuration, and tells everything that is wrong with it.
func (a *app) loadForRun() (*config, error) {
	file, err := a.needConfig()
	if err != nil {
		return nil, err
	}
	conf, problems := loadConfig(file, loadOptions{Templates: templateNames, Getenv: a.getenv})
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
	tenants graph.Tenants
	table   map[events.Action]handlers.Func
	nudges  *graph.Nudges
	subs    []*graph.Subscriptions
	webhook *graph.Webhook
	ids     *graph.Directory
	guard   *gate.Guard
}

// runWorker runs until ctx ends, and stops in order.
func runWorker(ctx context.Context, conf *config, log *slog.Logger) (err error) {
	w := &worker{conf: conf, log: log, ids: &graph.Directory{}}
	templates, err := templatesOf(conf.Templates)
	if err != nil {
		return wrong(err)
	}
	if w.tenants, err = tenantsOf(conf); err != nil {
		return wrong(err)
	}
	defer w.tenants.Close()
	if w.broker, err = openBroker(ctx, conf, log); err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		err = errors.Join(err, w.broker.Stop(ctx))
		log.Info("stopped")
	}()
	replicas, lease := 1, 4*time.Second // an embedded queue waits for nobody but this worker
	if conf.NATS != nil {
		replicas, lease = conf.NATS.Replicas, 0
	}
	if w.journal, err = journal.Open(ctx, w.broker.Conn(), journal.Options{Replicas: replicas, Lease: lease}, log); err != nil {
		return err
	}
	guard := guardOf(conf, w.journal, log)
	guard.Preflight = gate.Preflight{Checker: preflight{w.tenants}, Unknown: conf.Preflight.Unknown}
	w.guard = guard
	w.table = table(conf, w.tenants, templates, guard)
	w.listen()
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
	st := state{w.journal.State()}
	w.nudges = &graph.Nudges{State: st, Log: w.log}
	for _, t := range w.conf.Tenants {
		s := &graph.Subscriptions{Client: w.tenants[strings.ToLower(t.ID)], State: st, Nudges: w.nudges, URL: w.conf.PublicURL, Log: w.log}
		if w.conf.PublicURL != "" {
			for _, r := range t.Subscribe {
				s.Resources = append(s.Resources, graph.Resource{Path: r})
			}
		}
		w.subs = append(w.subs, s)
	}
	w.webhook = &graph.Webhook{Sink: w.journal, Subscriptions: w.subs, Index: w.ids, Log: w.log}
}

// run starts every part and waits for the first that cannot go on, or for ctx.
func (w *worker) run(ctx context.Context) error {
	front := graph.WebhookServer{Addr: w.conf.Listen, Handler: w.webhook, Log: w.log}
	if t := w.conf.TLS; t != nil {
		front.CertFile, front.KeyFile = t.CertFile, t.KeyFile
	}
	server, err := front.Server()
	if err != nil {
		return wrong(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", w.conf.Listen)
	if err != nil {
		return fmt.Errorf("listen for notifications: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return serve(ctx, server, listener) })
	g.Go(func() error { return w.admin().run(ctx, w.conf.Admin) })
	g.Go(func() error { return w.journal.Keep(ctx, func() events.Policies { return w.conf.Policies }) })
	for action, do := range w.table {
		g.Go(func() error { return w.journal.Serve(ctx, action, do, journal.ServeOptions{}) })
	}
	var tenants []string
	for i, t := range w.conf.Tenants {
		tenants = append(tenants, strings.ToLower(t.ID))
		sweep := sweepOf(t, w.subs[i].Client, w.journal, w.ids, w.log)
		sweep.Report = fleet{state{w.journal.State()}, w.log}.count(ctx)
		g.Go(func() error { return sweep.Run(ctx) })
		g.Go(func() error { return w.nudges.Serve(ctx, strings.ToLower(t.ID), sweep.Once) })
		if len(w.subs[i].Resources) > 0 {
			g.Go(func() error { return w.subs[i].Run(ctx) })
		}
	}
	g.Go(func() error { return w.guard.Watch(ctx, tenants) })
	w.log.Info("running", "tenants", len(w.conf.Tenants), "policies", len(w.conf.Policies.List), "dry_run", w.conf.DryRun,
		"webhook", listener.Addr().String(), "admin", w.conf.Admin, "queue", w.broker.URL())
	err = g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
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
	return &admin{Ready: []probe{queue, {"journal", w.journal.Ready}}, Log: w.log}
}
