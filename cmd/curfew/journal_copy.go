package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"curfew/events/backup"
	"curfew/events/journal"
)

func newJournalCopyCmd(a *app) *cobra.Command {
	var replace, asJSON bool
	cmd := &cobra.Command{
		Use:   "copy FROM TO",
		Short: "Move a journal from a worker to a cluster, or back",
		Long: `Move a whole journal: facts, cases, tasks, alarms, dead letters and state. FROM and TO
are each a worker's data directory, or a configuration: then it is the NATS server
that it names, or its data directory. NATS must be 2.15 or newer.

Stop every worker first. Each message keeps its number and its time, so nothing is
taken twice or done twice, alarms ring when they would have, and the chains of
evidence go on. What arrived is counted, hashed and compared, and until that is
proven no worker starts there. At last FROM is marked as moved, so that no worker
starts there by mistake; "curfew journal reopen" takes that back.

Copy approval.key to each machine that shall act, or name a key_file.

With --json what was copied is written as one object.`,
		Example: `  curfew journal copy data cluster.yaml
  curfew journal copy cluster.yaml data --replace       and back`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.copyJournal(cmd.Context(), args[0], args[1], replace, asJSON)
		},
	}
	replaceFlag(cmd, &replace)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) copyJournal(ctx context.Context, fromName, toName string, replace, asJSON bool) (err error) {
	log := a.logger(slog.LevelWarn)
	from, err := a.seatAt(ctx, fromName, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.leave(ctx)) }()
	to, err := a.seatAt(ctx, toName, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.leave(ctx)) }()
	temp := to.temp
	if temp == "" {
		temp = from.temp
	}
	began := time.Now()
	m, err := backup.Copy(ctx, from.Conn(), to.Conn(), backup.Move{
		Fill: backup.Fill{Replicas: to.replicas, Replace: replace}, By: program(), Where: to.name, Temp: temp,
	})
	switch {
	case errors.Is(err, backup.ErrNotEmpty):
		return wrong(fmt.Errorf("%w: to delete it say --replace", err))
	case err != nil:
		return err
	}
	return a.tellManifest(m, asJSON, "Moved from %s to %s in %v; everything is there.", from.name, to.name, time.Since(began).Round(10*time.Millisecond))
}

func newJournalReopenCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "reopen PLACE",
		Short: "Let workers use a journal that was moved",
		Long: `Let workers use a journal again that "curfew journal copy" has moved elsewhere. PLACE
is as there. Make sure that nobody works with the copy, or everything is done twice;
and know that what was done there since is not known here: copy it back instead, if
it was used.`,
		Example: "  curfew journal reopen data",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			at, err := a.seatAt(ctx, args[0], a.logger(slog.LevelWarn))
			if err != nil {
				return err
			}
			err = func() error {
				why, err := journal.Moved.Get(ctx, at.Conn())
				switch {
				case err != nil:
					return err
				case why == "":
					return notFound(fmt.Errorf("the journal in %s was not moved", at.name))
				}
				return journal.Moved.Clear(ctx, at.Conn())
			}()
			return errors.Join(err, at.leave(ctx))
		},
	}
}
