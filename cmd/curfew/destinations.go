package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/events/gate"
	"curfew/handlers/ticket"
)

// A ability is what a kind of destination can be asked to do.
type ability struct {
	For      string `json:"for"` // tickets or pages
	Find     bool   `json:"find"`
	Comment  bool   `json:"comment"`
	Resolve  bool   `json:"resolve"`
	ReadBack bool   `json:"readBack"`
	Webhook  bool   `json:"webhook"` // it tells Curfew by itself
}

// abilityOf is what a destination supports, or the zero ability if its kind is not known.
func abilityOf(d destinationConfig) ability {
	hooked := d.HookSecretFile != "" || d.HookSecretEnv != ""
	if k, ok := deskKinds()[d.Kind]; ok {
		return ability{For: "tickets", Find: !k.folds, Comment: true, Resolve: true, ReadBack: !k.folds, Webhook: hooked && !k.folds}
	}
	switch {
	case d.Kind == "webhook":
		return ability{For: "tickets", Comment: true, Resolve: true}
	case d.Kind == "rota", pagerOf(d) != nil:
		return ability{For: "pages", Comment: true, Resolve: true, Webhook: hooked}
	}
	return ability{}
}

func newDestinationsCmd(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "destinations",
		Short: "List where tickets and pages go, or try one",
		Long: `List the destinations of the configuration: what each is for, what its kind
supports, and how it stands. READ BACK: what people do there is read and answers
the case. WEBHOOK: it tells Curfew of that by itself.

STATE is as the running worker has it; the destinations are not asked. OPEN counts
the tickets or pages of open cases.

With --json each line is an object with name, kind, for, find, comment, resolve,
readBack, webhook, open, waiting, failing, given, state, digestsSince and nextDigest.`,
		Example: "  curfew destinations -c curfew.yaml\n  curfew destinations test desk --tenant contoso",
		Args:    cobra.NoArgs,
	}
	jsonFlag(cmd, &asJSON)
	family(cmd, newDestinationsTestCmd(a))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return a.listDestinations(cmd.Context(), asJSON) }
	return cmd
}

// A destination is one line of the list.
type destination struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	ability
	Open    int    `json:"open"`
	Waiting int    `json:"waiting"` // tasks that were not done yet
	Failing int    `json:"failing"` // of these, tasks that did not work so far
	Given   int    `json:"given"`   // tasks of open cases that were given up
	State   string `json:"state"`

	DigestsSince time.Time `json:"digestsSince,omitzero"` // it gets digests instead of single pages
	NextDigest   time.Time `json:"nextDigest,omitzero"`
}

// withDigests adds how the destinations stand with digests.
func withDigests(ctx context.Context, q *queue, all map[string]*destination) error {
	for name, d := range all {
		x, err := gate.DigestsOf(ctx, state{q.State()}, name)
		if err != nil {
			return err
		}
		d.DigestsSince, d.NextDigest = x.Since, x.Due
	}
	return nil
}

// needDestinations reads the configuration and returns its destinations.
func (a *app) needDestinations() (*config, error) {
	if _, err := a.needConfig(); err != nil {
		return nil, err
	}
	h, err := a.house(a.logger(slog.LevelWarn))
	switch {
	case err != nil:
		return nil, err
	case h.conf == nil:
		return nil, wrong(errors.New("the configuration cannot be used; `curfew check` says why"))
	}
	return h.conf, nil
}

func (a *app) listDestinations(ctx context.Context, asJSON bool) error {
	conf, err := a.needDestinations()
	if err != nil {
		return err
	}
	all := map[string]*destination{}
	for name, d := range conf.Destinations {
		all[name] = &destination{Name: name, Kind: d.Kind, ability: abilityOf(d)}
	}
	err = a.withQueue(ctx, func(q *queue) error {
		troubles, err := secretTroubles(ctx, q.State())
		for name, d := range all {
			if why := cmp.Or(troubles[ofDestination(name)], troubles[ofDoor(name)]); why != "" {
				d.State = "its new secret cannot be used, so the one before is: " + why
			}
		}
		if err != nil {
			return err
		}
		for c, err := range q.Cases(ctx, "") {
			if err == nil {
				tally(all, c)
			} else if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return withDigests(ctx, q, all)
	})
	if e := (exit{}); errors.As(err, &e) && e.code == exitNoWorker {
		for _, d := range all {
			d.State = "unknown: no worker can be reached"
		}
	} else if err != nil {
		return err
	}
	return a.printDestinations(all, asJSON)
}

// tally counts what a case has at its destinations.
func tally(all map[string]*destination, c events.Case) {
	for _, e := range c.Effects {
		if d := all[e.Destination]; d != nil && c.Open {
			d.Open++
		}
	}
	for _, t := range c.Pending {
		if d := all[t.Destination]; d != nil {
			if d.Waiting++; t.Tries > 0 {
				d.Failing++
			}
		}
	}
	for _, t := range c.Given {
		if d := all[t.Destination]; d != nil && c.Open {
			d.Given++
		}
	}
}

func (a *app) printDestinations(all map[string]*destination, asJSON bool) error {
	p := a.printer()
	var rows [][]cell
	for _, name := range slices.Sorted(maps.Keys(all)) {
		d := all[name]
		look := yellow
		switch {
		case d.State != "":
		case d.Failing > 0:
			d.State = count(d.Failing, "task") + " did not work so far and will be tried again"
		case d.Given > 0:
			d.State = count(d.Given, "task") + " given up; see `curfew dead list`"
		case !d.DigestsSince.IsZero():
			d.State = "digests since " + p.when(d.DigestsSince) + ", the next at " + p.clock(d.NextDigest)
		case d.Waiting > 0:
			d.State, look = count(d.Waiting, "task")+" under way", plain
		default:
			d.State, look = "well", green
		}
		if asJSON {
			if err := p.json(d); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []cell{
			{name, bold}, {text: d.Kind}, {text: d.For}, {text: yes(d.Find)}, {text: yes(d.Comment)}, {text: yes(d.Resolve)},
			{text: yes(d.ReadBack)}, {text: yes(d.Webhook)}, {text: fmt.Sprint(d.Open)}, {d.State, look},
		})
	}
	switch {
	case asJSON:
	case len(rows) == 0:
		p.printf("There are no destinations: the configuration has none.\n")
	default:
		p.table([]string{"NAME", "KIND", "FOR", "FIND", "COMMENT", "RESOLVE", "READ BACK", "WEBHOOK", "OPEN", "STATE"}, rows)
	}
	return p.flush()
}

func yes(b bool) string { return map[bool]string{true: "yes", false: "no"}[b] }

func newDestinationsTestCmd(a *app) *cobra.Command {
	var tenant string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "test NAME",
		Short: "Send a harmless test to a destination and say what came back",
		Long: `Send a test to a destination, from this machine, and say of each step what came
back. A desk gets a ticket that is marked as a test, in the place of the tenant,
which is read, commented and resolved again. A pager gets an alert of the lowest
severity, which is resolved at once; whoever is on call may hear of it.

It ends with 0 if every step worked, and with 1 if one did not. What was opened
before a step failed is named, for somebody to remove it.

With --json each line is an object with step, ok, took (in milliseconds) and said.`,
		Example:           "  curfew destinations test desk --tenant contoso",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeDestinations,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.testDestination(cmd.Context(), args[0], tenant, asJSON)
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "in the place of this tenant, by `NAME` or id; left out: the first of the configuration")
	_ = cmd.RegisterFlagCompletionFunc("tenant", a.completeTenants)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) completeDestinations(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	h, err := a.house(a.logger(silent))
	if err != nil || h.conf == nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return slices.Sorted(maps.Keys(h.conf.Destinations)), cobra.ShellCompDirectiveNoFileComp
}

func (a *app) testDestination(ctx context.Context, name, tenant string, asJSON bool) error {
	conf, err := a.loadForRun(ctx, roleWatch)
	if err != nil {
		return err
	}
	d, ok := conf.Destinations[name]
	if !ok {
		return notFound(fmt.Errorf("no destination is called %q; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(conf.Destinations)), ", ")))
	}
	id, err := houseOf(conf).knownTenant(tenant)
	if err != nil {
		return err
	}
	if id == "" {
		id = conf.Tenants[0].ID
	}
	p := a.printer()
	t := &trial{id: trialID(), tenant: id, at: time.Now().UTC(), tell: func(s step) error { return p.step(s, asJSON) }}
	by, err := cloudsOf(conf)
	if err != nil {
		return wrong(err)
	}
	defer by.Close()
	if desk := deskOf(conf, d, client(d.CA), by.watch); desk != nil {
		err = t.desk(ctx, desk)
	} else if pager := pagersOf(conf, by.watch, nil)[name]; pager != nil {
		err = t.pager(ctx, pager)
	} else {
		err = fmt.Errorf("destinations of the kind %s cannot be tested", d.Kind)
	}
	return errors.Join(err, p.flush())
}

// step prints what a step of a test led to.
func (p *printer) step(s step, asJSON bool) error {
	if asJSON {
		return errors.Join(p.json(s), p.flush())
	}
	look, word := green, "ok"
	if !s.OK {
		look, word = red, "failed"
	}
	p.printf("%-9s %-6s %6dms  %s\n", s.Step, p.paint(look, word), s.Took, s.Said)
	return p.flush()
}

// folds reports whether a desk keeps its tickets by itself.
func folds(d ticket.Desk) bool {
	f, ok := d.(ticket.Folding)
	return ok && f.Folds()
}
