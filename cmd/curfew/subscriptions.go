package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"curfew/events/broker"
	"curfew/events/journal"
	"curfew/graph"
)

func newSubscriptionsCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "subscriptions",
		Short: "See or remove the subscriptions to Graph's notifications",
		Long: `Curfew subscribes to Graph's change notifications for the resources that the
configuration names, and keeps the subscriptions alive. A tenant may refuse one;
the sweeps find what no notification tells.`,
		Example: "  curfew subscriptions list -c curfew.yaml\n  curfew subscriptions remove -c curfew.yaml",
	}
	return family(cmd, newSubscriptionsListCmd(a), newSubscriptionsRemoveCmd(a))
}

func newSubscriptionsListCmd(a *app) *cobra.Command {
	var tenant string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Say how each subscription stands",
		Long: `Say how each subscription stands, as the running worker has it; Graph is not
asked. STATE is live, pending (being made), failing (tried again), refused (the
tenant does not allow it; tried once a day) or expired.

With --json each line is an object with tenant, resource, state, id, expires,
next and reason.`,
		Example: "  curfew subscriptions list -c curfew.yaml\n  curfew subscriptions list --json | jq 'select(.state != \"live\")'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return a.withSubscriptions(ctx, tenant, func(_ house, of func(*journal.Journal) []*graph.Subscriptions) error {
				return a.withQueue(ctx, func(q *queue) error { return a.listSubscriptions(ctx, q, of(q.Journal), asJSON) })
			})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only those of this tenant, by `NAME` or id")
	_ = cmd.RegisterFlagCompletionFunc("tenant", a.completeTenants)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) listSubscriptions(ctx context.Context, q *queue, subs []*graph.Subscriptions, asJSON bool) error {
	p := a.printer()
	var rows [][]cell
	for _, s := range subs {
		list, err := s.List(ctx)
		if err != nil {
			return err
		}
		for _, st := range list {
			if asJSON {
				if err := p.json(st); err != nil {
					return err
				}
			}
			paint := map[string]style{"live": green, "pending": plain}
			look, ok := paint[st.State]
			if !ok {
				look = yellow
			}
			rows = append(rows, []cell{
				{text: q.tenant(st.Tenant)}, {text: st.Resource, style: bold}, {st.State, look},
				{text: p.when(st.Expires)}, {text: p.when(st.Next)}, {text: st.Reason},
			})
		}
	}
	switch {
	case asJSON:
	case len(rows) == 0:
		p.printf("There are no subscriptions: public_url is not configured, or no tenant subscribes to anything.\n")
	default:
		p.table([]string{"TENANT", "RESOURCE", "STATE", "EXPIRES", "NEXT", "REASON"}, rows)
	}
	return p.flush()
}

func newSubscriptionsRemoveCmd(a *app) *cobra.Command {
	var tenant string
	var all bool
	cmd := &cobra.Command{
		Use:   "remove",
		Short: "Remove the subscriptions at Graph, for good",
		Long: `Remove the subscriptions of this installation at Graph: before it is taken down,
or moves to another address. Stop the worker first; one that runs makes them
again, so with an embedded queue this is refused while it does.`,
		Example: "  curfew subscriptions remove -c curfew.yaml --tenant contoso",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return a.withSubscriptions(ctx, tenant, func(h house, of func(*journal.Journal) []*graph.Subscriptions) error {
				return a.withStopped(ctx, h, func(j *journal.Journal) error {
					p := a.printer()
					var errs []error
					for _, s := range of(j) {
						name := h.tenant(s.Client.Tenant())
						remove := s.Remove
						if all {
							remove = s.RemoveAll
						}
						if err := remove(ctx); err != nil {
							errs = append(errs, err)
							continue
						}
						p.printf("%s: the subscriptions are removed\n", name)
					}
					return errors.Join(append(errs, p.flush())...)
				})
			})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only those of this tenant, by `NAME` or id")
	cmd.Flags().BoolVar(&all, "all", false, "every subscription that the app has in the tenant, also those of other installations")
	_ = cmd.RegisterFlagCompletionFunc("tenant", a.completeTenants)
	return cmd
}

// withSubscriptions reads the configuration, with its secrets, and lets do work
// with the subscriptions of its tenants, or of one.
func (a *app) withSubscriptions(ctx context.Context, tenant string, do func(h house, of func(*journal.Journal) []*graph.Subscriptions) error) error {
	conf, err := a.loadForRun(ctx, roleWatch)
	if err != nil {
		return err
	}
	h := houseOf(conf)
	id, err := h.knownTenant(tenant)
	if err != nil {
		return err
	}
	by, err := cloudsOf(conf)
	if err != nil {
		return wrong(err)
	}
	defer by.Close()
	log := a.logger(slog.LevelWarn)
	return do(h, func(j *journal.Journal) []*graph.Subscriptions {
		var subs []*graph.Subscriptions
		for _, t := range conf.Tenants {
			if id == "" || t.ID == id {
				subs = append(subs, subscriptionsOf(conf, t, by.watch[t.ID], j, nil, log))
			}
		}
		return subs
	})
}

// withStopped opens the journal of a worker that does not run.
func (a *app) withStopped(ctx context.Context, h house, do func(*journal.Journal) error) (err error) {
	log := a.logger(slog.LevelWarn)
	if h.nats == nil {
		if b, err := broker.Local(h.data, log); err == nil {
			return errors.Join(errors.New("a worker is running and would make them again: stop it first"), b.Stop(ctx))
		}
	}
	b, err := openBroker(ctx, h.conf, log)
	if err != nil {
		return noWorker(err)
	}
	defer func() { err = errors.Join(err, b.Stop(context.WithoutCancel(ctx))) }()
	j, err := journal.Open(ctx, b.Conn(), journal.Options{}, log)
	if err != nil {
		return fmt.Errorf("the queue at %s: %w", cmp.Or(b.URL(), h.data), err)
	}
	return do(j)
}

// subscriptionsOf are what keeps a tenant's subscriptions, as it is configured.
func subscriptionsOf(conf *config, t tenantConfig, c *graph.Client, j *journal.Journal, n *graph.Nudges, log *slog.Logger) *graph.Subscriptions {
	s := &graph.Subscriptions{Client: c, State: state{j.State()}, Nudges: n, URL: conf.PublicURL, Log: log}
	if conf.PublicURL != "" {
		for _, r := range t.Subscribe {
			s.Resources = append(s.Resources, graph.Resource{Path: r})
		}
	}
	return s
}
