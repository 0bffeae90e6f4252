package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"curfew/events/backup"
)

func newBackupCmd(a *app) *cobra.Command {
	var force, asJSON bool
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write the whole journal into one file, while the worker runs",
		Long: `Write the whole journal into one file: cases with their timelines, facts, alarms,
dead letters, pauses, budgets and marks of sweeps. The worker may run meanwhile; every
fact that was acknowledged before this began is in it. Only you can read the file
(0600). It holds names, mail addresses and what people wrote, and no secrets: keep
approval.key and what your configuration names yourself.

"curfew backup verify FILE" reads it through; "curfew restore FILE" brings it back,
and its help says what a restore means.

With --json what the file holds is written as one object.`,
		Example: `  curfew backup curfew-$(date +%F).backup
  curfew backup /mnt/backup/curfew.backup --force -c /etc/curfew/curfew.yaml
  curfew backup verify curfew-2026-03-02.backup`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.backup(cmd.Context(), args[0], force, asJSON)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace the file if it is there")
	jsonFlag(cmd, &asJSON)
	cmd.AddCommand(newBackupVerifyCmd(a))
	return cmd
}

func (a *app) backup(ctx context.Context, file string, force, asJSON bool) error {
	log := a.logger(slog.LevelWarn)
	h, err := a.house(log)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(file); err == nil && !force {
		return wrong(fmt.Errorf("%s is there already; name another file, or replace it with --force", file))
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return wrong(err)
	}
	from, err := h.live(ctx, log)
	if err != nil {
		return err
	}
	began := time.Now()
	m, err := writeBackup(ctx, from, file)
	if err := errors.Join(err, from.leave(ctx)); err != nil {
		return err
	}
	return a.tellManifest(m, asJSON, "%s written in %v", file, time.Since(began).Round(10*time.Millisecond))
}

// writeBackup writes a file that is there as a whole or not at all.
func writeBackup(ctx context.Context, from seat, file string) (m backup.Manifest, err error) {
	temp, err := os.CreateTemp(filepath.Dir(file), ".curfew-backup-*") // nobody else can read it
	if err != nil {
		return m, wrong(fmt.Errorf("the backup cannot be written there: %w", err))
	}
	m, err = backup.Write(ctx, from.Conn(), temp, program())
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		return m, errors.Join(err, os.Remove(temp.Name()))
	}
	return m, nil
}

func newBackupVerifyCmd(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Read a backup through, and say whether it is whole",
		Long: `Read a backup through and count and hash every message in it. It ends with 0 if all
is as it was written, and with 1 if not. It needs nothing but the file.`,
		Example: "  curfew backup verify curfew-2026-03-02.backup",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := backup.Open(args[0])
			if err != nil {
				return err
			}
			if err := errors.Join(b.Verify(), b.Close()); err != nil {
				return err
			}
			return a.tellManifest(b.Manifest, asJSON, "%s is whole. It was made at %s, %s ago, by %s.", args[0], b.Made.Format(time.RFC3339), age(b.Made), b.By)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func newRestoreCmd(a *app) *cobra.Command {
	var replace, asJSON bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Bring a backup back",
		Long: `Bring a backup back, into the data directory or the NATS server of the
configuration. No worker may run. The file is read through first; what arrived is
read back and compared; and until that is proven no worker starts there.

A backup does not know what was done after it. So every case in it that was under
way is told how old it is, and whatever it waits for, and each rung that comes due, is
looked for in the other side's record before it is done: a ticket by its key, a page by its
case, a mail in the sent items, a reset in Intune's record. What is destructive and
not found there is not done, but given to a person ("curfew retry" does it after
all). Not known is what people did since: approve, snooze and pause anew. A case
that opened after the backup opens again, with a mail of its own.

With --json what was restored is written as one object.`,
		Example: `  curfew restore curfew-2026-03-02.backup -c curfew.yaml
  curfew restore curfew.backup --data /var/lib/curfew --replace`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.restore(cmd.Context(), args[0], replace, asJSON)
		},
	}
	replaceFlag(cmd, &replace)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func replaceFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "replace", false, "delete the journal that is there")
}

func (a *app) restore(ctx context.Context, file string, replace, asJSON bool) (err error) {
	log := a.logger(slog.LevelWarn)
	h, err := a.house(log)
	if err != nil {
		return err
	}
	b, err := backup.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	open := h.own
	if h.nats != nil {
		open = h.distant
	}
	to, err := open(ctx, log)
	if err != nil {
		return err
	}
	told, err := backup.Restore(ctx, to.Conn(), b, backup.Fill{Replicas: to.replicas, Replace: replace}, log)
	if errors.Is(err, backup.ErrNotEmpty) {
		err = wrong(fmt.Errorf("%w: to delete it say --replace", err))
	}
	if err := errors.Join(err, to.leave(ctx)); err != nil {
		return err
	}
	return a.tellManifest(b.Manifest, asJSON, "Restored to %s as it was at %s, %s ago. %d cases were under way and settle first what was done since.",
		to.name, b.Made.Format(time.RFC3339), age(b.Made), told)
}
