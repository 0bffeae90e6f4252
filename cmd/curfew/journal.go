package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
)

func newJournalCmd(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "Say what the journal takes on disk",
		Long: `Say what the journal of a running worker takes on disk, family by family:

  FACTS     what happened, and alarms
  CASES     the timelines of the devices
  TASKS     what is to be done
  DEAD      dead letters
  KV_STATE  marks of sweeps, subscriptions and the like

WAITING counts what has not been dealt with yet. A number that keeps growing says
that something is stuck: "curfew health" may know what.

With --json each line is an object with family, messages, subjects, bytes,
oldest, keeps and waiting.`,
		Example: "  curfew journal\n  curfew journal --json | jq -s 'map(.bytes) | add'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withQueue(cmd.Context(), func(q *queue) error {
				uses, err := q.Usage(cmd.Context())
				if err != nil {
					return err
				}
				p := a.printer()
				var rows [][]cell
				for _, u := range uses {
					if asJSON {
						if err := p.json(u); err != nil {
							return err
						}
					}
					rows = append(rows, []cell{
						{text: u.Family, style: bold},
						{text: strconv.FormatUint(u.Messages, 10)},
						{text: strconv.FormatUint(u.Subjects, 10)},
						{text: size(u.Bytes)},
						{text: strconv.FormatUint(u.Waiting, 10)},
						{text: p.when(u.Oldest)},
						{text: u.Keeps},
					})
				}
				if !asJSON {
					p.table([]string{"FAMILY", "MESSAGES", "SUBJECTS", "SIZE", "WAITING", "OLDEST", "KEPT"}, rows)
				}
				return p.flush()
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	cmd.AddCommand(newJournalCopyCmd(a), newJournalReopenCmd(a))
	return cmd
}

// size writes a number of bytes.
func size(n uint64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	x, i := float64(n), -1
	for ; x >= unit && i < 4; i++ {
		x /= unit
	}
	return fmt.Sprintf("%.1f %ciB", x, "KMGTP"[i])
}
