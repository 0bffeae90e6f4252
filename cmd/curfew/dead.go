package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/events/journal"
)

func newDeadCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dead",
		Short: "Care for dead letters: what could not be read, or was given up",
		Long: `Dead letters are facts that could not be read and tasks that were given up.
Nothing waits behind them, but something was not done: look at each, mend what
made it fail, and replay it; or drop it.`,
		Example: "  curfew dead list\n  curfew dead show 12\n  curfew dead replay 12",
	}
	return family(cmd, newDeadListCmd(a), newDeadShowCmd(a), newDeadReplayCmd(a), newDeadDropCmd(a))
}

// A letterLine is a dead letter as "curfew dead list --json" writes it.
type letterLine struct {
	journal.Letter
	Name       string          `json:"name,omitempty"` // of the device, if it is known
	TenantName string          `json:"tenantName,omitempty"`
	Data       json.RawMessage `json:"content,omitempty"` // if it is JSON
}

// letters yields all dead letters, oldest first.
func (q *queue) letters(ctx context.Context, each func(journal.Letter) error) error {
	const page = 100
	for after := uint64(0); ; {
		list, err := q.Dead(ctx, after, page)
		if err != nil {
			return err
		}
		for _, l := range list {
			if err := each(l); err != nil {
				return err
			}
			after = l.ID
		}
		if len(list) < page {
			return nil
		}
	}
}

// dropLetters drops the dead letters of a task that is tried again.
func (q *queue) dropLetters(ctx context.Context, t events.Task) error {
	return q.letters(ctx, func(l journal.Letter) error {
		var dead events.Task
		if l.Family != "task" || json.Unmarshal(l.Data, &dead) != nil || dead.ID != t.ID {
			return nil
		}
		if err := q.Drop(ctx, l.ID); err != nil && !errors.Is(err, journal.ErrNoLetter) {
			return err
		}
		return nil
	})
}

func newDeadListCmd(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the dead letters, oldest first",
		Long: `List the dead letters, oldest first.

With --json each line is an object with id, at, family ("fact" or "task"), kind
(which fact, or which action), subject, key (tenant and device), name,
tenantName, reason, data (base64) and content (the same, if it is JSON).`,
		Example: "  curfew dead list\n  curfew dead list --json | jq 'select(.kind == \"ticket\") | .id'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return a.withQueue(ctx, func(q *queue) error { return a.listDead(ctx, q, asJSON) })
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) listDead(ctx context.Context, q *queue, asJSON bool) error {
	p := a.printer()
	var rows [][]cell
	names := map[events.Key]string{}
	err := q.letters(ctx, func(l journal.Letter) error {
		line := q.letterLine(ctx, l, names)
		if asJSON {
			return p.json(line)
		}
		rows = append(rows, []cell{
			{text: strconv.FormatUint(l.ID, 10), style: bold},
			{text: p.when(l.At)},
			{text: l.Family + prefixed(" ", l.Kind)},
			{text: prefixed2(q.tenant(l.Key.Tenant), "/", cmp.Or(line.Name, l.Key.Device))},
			{text: l.Reason},
		})
		return nil
	})
	switch {
	case asJSON:
	case len(rows) == 0:
		p.printf("There are no dead letters.\n")
	default:
		p.table([]string{"ID", "SINCE", "WHAT", "DEVICE", "REASON"}, rows)
	}
	return errors.Join(err, p.flush())
}

// prefixed2 joins two texts if the first is there.
func prefixed2(a, sep, b string) string {
	if a == "" {
		return b
	}
	return a + sep + b
}

func (q *queue) letterLine(ctx context.Context, l journal.Letter, names map[events.Key]string) letterLine {
	line := letterLine{Letter: l, TenantName: q.tenants[l.Key.Tenant]}
	if l.Key.Valid() {
		name, known := names[l.Key]
		if !known {
			// A case that cannot be read has no name to show.
			if c, _, err := q.Case(ctx, l.Key); err == nil {
				name = c.Device.Name
			}
			names[l.Key] = name
		}
		line.Name = name
	}
	if json.Valid(l.Data) {
		line.Data = l.Data
	}
	return line
}

// letterID reads the number of a dead letter.
func letterID(arg string) (uint64, error) {
	id, err := strconv.ParseUint(arg, 10, 64)
	if err != nil || id == 0 {
		return 0, wrong(fmt.Errorf("%q is not the number of a dead letter; `curfew dead list` shows them", arg))
	}
	return id, nil
}

func newDeadShowCmd(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show a dead letter with all it holds",
		Long:    "Show a dead letter with all it holds. With --json it is one line of \"curfew dead list --json\".",
		Example: "  curfew dead show 12",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.withQueue(ctx, func(q *queue) error {
				id, err := letterID(args[0])
				if err != nil {
					return err
				}
				l, err := q.Letter(ctx, id)
				if err != nil {
					return letterError(id, err)
				}
				p, line := a.printer(), q.letterLine(ctx, l, map[events.Key]string{})
				if asJSON {
					return errors.Join(p.json(line), p.flush())
				}
				q.showLetter(p, line)
				return p.flush()
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (q *queue) showLetter(p *printer, l letterLine) {
	s := &teller{p, q.house}
	p.printf("%s  %s\n", p.paint(bold, fmt.Sprintf("Dead letter %d", l.ID)), l.Family+prefixed(" ", l.Kind))
	s.fact("since", p.when(l.At))
	s.fact("device", prefixed2(q.tenant(l.Key.Tenant), "/", cmp.Or(l.Name, l.Key.Device)))
	s.fact("subject", l.Subject)
	s.fact("reason", l.Reason)
	var pretty bytes.Buffer
	if json.Indent(&pretty, l.Letter.Data, "", "  ") != nil {
		pretty.Reset()
		fmt.Fprintf(&pretty, "%.2000q", l.Letter.Data)
	}
	p.printf("\n%s\n\n", painted(cleanBlock(pretty.String())))
	p.printf("`curfew dead replay %d` tries again, `curfew dead drop %d` forgets it.\n", l.ID, l.ID)
}

func letterError(id uint64, err error) error {
	if errors.Is(err, journal.ErrNoLetter) {
		return notFound(fmt.Errorf("there is no dead letter %d; `curfew dead list` shows those there are", id))
	}
	return err
}

func newDeadReplayCmd(a *app) *cobra.Command {
	var by string
	var all bool
	cmd := &cobra.Command{
		Use:   "replay ID...",
		Short: "Try dead letters again",
		Long: `Try dead letters again: a fact is taken once more, and a task that was given up is
asked for once more. Mend first what made it fail. A letter that is replayed is
gone; what fails again becomes a new one.`,
		Example: "  curfew dead replay 12 13\n  curfew dead replay --all",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.eachLetter(cmd.Context(), args, all, func(ctx context.Context, q *queue, id uint64) (string, error) {
				return "replayed", q.Replay(ctx, id, a.operator(q.house, by))
			})
		},
	}
	byFlag(cmd, &by)
	cmd.Args = lettersOrAll(&all)
	cmd.Flags().BoolVar(&all, "all", false, "all of them")
	return cmd
}

func newDeadDropCmd(a *app) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "drop ID...",
		Short: "Forget dead letters for good",
		Long: `Forget dead letters for good. What they are about is not done by that: a task that
was given up stays so in its case, where "curfew retry" still finds it.`,
		Example: "  curfew dead drop 12\n  curfew dead drop --all",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.eachLetter(cmd.Context(), args, all, func(ctx context.Context, q *queue, id uint64) (string, error) {
				return "dropped", q.Drop(ctx, id)
			})
		},
	}
	cmd.Args = lettersOrAll(&all)
	cmd.Flags().BoolVar(&all, "all", false, "all of them")
	return cmd
}

// lettersOrAll wants numbers, or --all alone.
func lettersOrAll(all *bool) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if *all == (len(args) > 0) {
			return errors.New("name the numbers of dead letters, or --all")
		}
		return nil
	}
}

// eachLetter does something to dead letters and says what became of each.
func (a *app) eachLetter(ctx context.Context, args []string, all bool, do func(context.Context, *queue, uint64) (string, error)) error {
	return a.withQueue(ctx, func(q *queue) error {
		var ids []uint64
		for _, arg := range args {
			id, err := letterID(arg)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		if all {
			since := time.Now() // what comes to be dead meanwhile is not meant
			if err := q.letters(ctx, func(l journal.Letter) error {
				if l.At.Before(since) {
					ids = append(ids, l.ID)
				}
				return nil
			}); err != nil {
				return err
			}
		}
		p := a.printer()
		var errs []error
		for _, id := range ids {
			did, err := do(ctx, q, id)
			if err != nil {
				errs = append(errs, letterError(id, err))
				continue
			}
			p.printf("dead letter %d: %s\n", id, did)
		}
		if len(ids) == 0 {
			p.printf("There are no dead letters.\n")
		}
		return errors.Join(append(errs, p.flush())...)
	})
}
