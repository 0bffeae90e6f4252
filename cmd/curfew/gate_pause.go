package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/events/gate"
	"curfew/events/journal"
)

// person is who speaks where it matters that two people are two: the NATS user if
// there is one, or else the account, and nobody whom an account does not name.
func (a *app) person(h house) (string, error) {
	who := a.user()
	if sudo := a.getenv("SUDO_USER"); sudo != "" {
		who = sudo
	}
	if h.nats != nil && h.nats.User != "" {
		who = h.nats.User
	}
	who = clean(who)
	switch name := strings.ToLower(who); {
	case name == "", strings.HasPrefix(name, "uid "), slices.Contains([]string{"root", "nobody", "system", `nt authority\system`, "administrator"}, name):
		return "", wrong(fmt.Errorf("this account (%s) does not say who you are, and that is what counts here: use your own, or sudo from it", cmp.Or(who, "it has no name")))
	}
	return who, nil
}

// A scope is what a pause is about.
type scope struct{ tenant, action string }

func (s *scope) flags(cmd *cobra.Command, a *app) {
	cmd.Flags().StringVar(&s.tenant, "tenant", "", "only in this tenant, by `NAME` or id")
	cmd.Flags().StringVar(&s.action, "action", "", "only this `ACTION`: mail, ticket, close, page, resolve, sync, scan or reset")
	_ = cmd.RegisterFlagCompletionFunc("tenant", a.completeTenants)
}

// of is the tenant's id and the action.
func (s scope) of(h house) (tenant string, action events.Action, err error) {
	action = events.Action(s.action)
	if action != "" && (!slices.Contains(events.Actions(), action) || !action.Effect()) {
		return "", "", wrong(fmt.Errorf("%q cannot be paused; it is one of mail, ticket, close, page, resolve, sync, scan and reset", s.action))
	}
	tenant, err = h.knownTenant(s.tenant)
	return tenant, action, err
}

// text is the scope in words.
func (h house) scope(tenant string, action events.Action) string {
	what := cmp.Or(string(action), "everything")
	if tenant == "" {
		return what + " in all tenants"
	}
	return what + " in " + h.tenant(tenant)
}

// resume is the command that lifts a pause of this scope.
func (s scope) resume() string {
	return "curfew resume" + prefixed(" --tenant ", s.tenant) + prefixed(" --action ", s.action)
}

func newPauseCmd(a *app) *cobra.Command {
	var s scope
	var reason string
	cmd := &cobra.Command{
		Use:   "pause",
		Short: "Stop everything, a tenant or an action, until somebody resumes it",
		Long: `Stop what Curfew does, everywhere or in one tenant, all of it or one action. It
takes effect at once, for every worker, and outlasts restarts. Devices are still
looked at and cases still close; what is due is held, and goes on afterwards.
What was called before is not called back.

A pause that covers resets can only be lifted by two people; see "curfew resume".`,
		Example: `  curfew pause --action reset --reason "checking last night's policy"
  curfew pause --tenant contoso -m "they are moving offices"
  curfew pause -m "something is very wrong"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withQueue(cmd.Context(), func(q *queue) error { return a.pause(cmd.Context(), q, s, reason) })
		},
	}
	s.flags(cmd, a)
	reasonFlag(cmd, &reason)
	return cmd
}

func (a *app) pause(ctx context.Context, q *queue, s scope, reason string) error {
	tenant, action, err := s.of(q.house)
	if err != nil {
		return err
	}
	if reason, err = checkText("--reason", reason); err != nil {
		return err
	}
	who, err := a.person(q.house)
	if err != nil {
		return err
	}
	p := gate.Pause{Tenant: tenant, Action: action, By: who, Reason: reason, At: time.Now().UTC().Truncate(time.Second)}
	if err := q.pauses().Set(ctx, p); err != nil {
		return err
	}
	out := a.printer()
	out.printf("Paused: %s. `%s` lifts it%s.\n", q.scope(tenant, action), s.resume(), ifGrave(p, ", which takes two people"))
	return out.flush()
}

func ifGrave(p gate.Pause, text string) string {
	if p.Grave() {
		return text
	}
	return ""
}

func (q *queue) pauses() gate.Pauses { return gate.Pauses{Store: state{q.State()}} }

func newPausesCmd(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "pauses",
		Short: "List what is paused, by whom and why",
		Long: `List what is paused, by whom, since when and why, and who wants it lifted.

With --json each line is an object with tenant (an id) and action, of which one
that is left out means all, by, reason, at, and lift (by, at) where one person
wants it lifted and another has to agree.`,
		Example: "  curfew pauses\n  curfew pauses --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withQueue(cmd.Context(), func(q *queue) error {
				list, err := q.pauses().List(cmd.Context())
				if err != nil {
					return err
				}
				p := a.printer()
				var rows [][]cell
				for _, x := range list {
					if asJSON {
						if err := p.json(x); err != nil {
							return err
						}
						continue
					}
					lift := ""
					if x.Lift != nil {
						lift = x.Lift.By + ", and a second person has to agree"
					}
					rows = append(rows, []cell{{text: q.scope(x.Tenant, x.Action), style: bold}, {text: x.By}, {text: p.when(x.At)}, {text: lift}, {text: x.Reason}})
				}
				if len(rows) > 0 {
					p.table([]string{"PAUSED", "BY", "SINCE", "TO BE LIFTED BY", "REASON"}, rows)
				} else if !asJSON {
					p.printf("Nothing is paused.\n")
				}
				return p.flush()
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func newResumeCmd(a *app) *cobra.Command {
	var s scope
	cmd := &cobra.Command{
		Use:   "resume",
		Short: "Lift a pause; two people have to say so where it covers resets",
		Long: `Lift the pause of exactly what you name. If it covers resets, two different
people have to say this: the first is noted, and the second lifts it. Who set it
may be one of them. What it held is tried at once; other pauses still hold it.`,
		Example: `  curfew resume --action reset
  curfew resume --tenant contoso`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withQueue(cmd.Context(), func(q *queue) error { return a.resume(cmd.Context(), q, s) })
		},
	}
	s.flags(cmd, a)
	return cmd
}

func (a *app) resume(ctx context.Context, q *queue, s scope) error {
	tenant, action, err := s.of(q.house)
	if err != nil {
		return err
	}
	who, err := a.person(q.house)
	if err != nil {
		return err
	}
	p, lifted, err := q.pauses().Lift(ctx, tenant, action, who, time.Now().UTC().Truncate(time.Second))
	switch {
	case errors.Is(err, gate.ErrNoPause):
		return notFound(fmt.Errorf("there is no pause of %s; `curfew pauses` lists those there are", q.scope(tenant, action)))
	case err != nil:
		return err
	}
	out := a.printer()
	if !lifted {
		out.printf("Still paused: %s. It is noted that you want it lifted; now a second person has to run `%s`.\n", q.scope(tenant, action), s.resume())
		return out.flush()
	}
	n, err := q.retryPaused(ctx, p, who)
	out.printf("Lifted: the pause of %s by %s. %s tried again now.\n", q.scope(tenant, action), p.By, count(n, "held task")+isAre(n))
	return errors.Join(err, out.flush())
}

func isAre(n int) string {
	if n == 1 {
		return " is"
	}
	return " are"
}

// retryPaused has what the pause held ask again at once. The moment is part of who
// says it, for the same word of the same person counts once.
func (q *queue) retryPaused(ctx context.Context, p gate.Pause, who string) (int, error) {
	found, err := q.heldTasks(ctx, p.Tenant)
	var all []journal.Entry
	for _, h := range found {
		if h.t.Held != nil && h.t.Held.Gate == gate.GatePause && p.Covers(h.c.Tenant, h.t.Action) {
			all = append(all, journal.Entry{Key: h.c.Key, Fact: events.Released{Task: h.t.ID, By: who + ", lifting the pause of " + p.At.Format(time.RFC3339)}})
		}
	}
	return len(all), errors.Join(err, q.AppendAll(ctx, all))
}
