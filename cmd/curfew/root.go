package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/events/journal"
	"curfew/graph"
)

// An app is one run of the program: all it knows of its surroundings, and the
// flags that every command has.
type app struct {
	stdout, stderr io.Writer
	getenv         func(string) string
	zone           *time.Location // in which people read times

	config string // a file; see configFile
	data   string // a worker's data directory; empty: the configuration says
	logs   logFormat
	level  logLevel // empty: as the command finds right

	user func() string // who runs this, to the operating system

	// attach connects to the queue of a running worker; nil: as the flags and the
	// configuration say.
	attach func(ctx context.Context) (j *journal.Journal, leave func(), err error)

	// dial reaches a tenant for its baseline; nil: as the configuration says.
	dial func(t tenantSpec) (*graph.Client, error)
}

func newApp(getenv func(string) string, stdout, stderr io.Writer) *app {
	a := &app{stdout: stdout, stderr: stderr, getenv: getenv, zone: time.Local, logs: "text", user: osUser}
	if zone, err := time.LoadLocation(getenv("TZ")); err == nil && getenv("TZ") != "" {
		a.zone = zone
	}
	return a
}

// execute is the whole program: it runs the command that args name, which are
// without the program's own name, and returns the exit code. When ctx ends, the
// command does.
func execute(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	return newApp(getenv, stdout, stderr).execute(ctx, args)
}

func (a *app) execute(ctx context.Context, args []string) int {
	root := newRootCmd(a)
	root.SetArgs(append([]string{}, args...)) // without any, nil would mean those of the process
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	began := false
	noteBegin(root, &began)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !began {
		err = wrong(fmt.Errorf("%s; see `%s --help`", strings.TrimSpace(err.Error()), cmd.CommandPath()))
	}
	code := codeOf(ctx, err)
	switch {
	case code == exitInterrupted:
		fmt.Fprintln(a.stderr, "curfew: interrupted")
	case err != nil:
		fmt.Fprintln(a.stderr, "curfew: "+oneLine(err))
	}
	return code
}

// noteBegin marks when a command's own work begins: errors before that are about
// the command line.
func noteBegin(cmd *cobra.Command, began *bool) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*began = true
			return run(cmd, args)
		}
	}
	for _, c := range cmd.Commands() {
		noteBegin(c, began)
	}
}

// oneLine is an error as people read it: on one line and without anything a
// terminal would obey.
func oneLine(err error) string {
	var parts []string
	for line := range strings.Lines(err.Error()) {
		if line = clean(line); line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, "; ")
}

// colours reports whether to use them on w: only where a person watches, who has
// not asked for none (no-color.org).
func (a *app) colours(w io.Writer) bool {
	if a.getenv("NO_COLOR") != "" || a.getenv("TERM") == "dumb" {
		return false
	}
	if runtime.GOOS == "windows" && a.getenv("WT_SESSION") == "" {
		return false // older consoles show the codes
	}
	return isTerminal(w)
}

// isTerminal reports whether a person sees what is written to w as it comes.
func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Stat() (os.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// defaultConfig is the configuration file that is used if none is named.
const defaultConfig = "curfew.yaml"

// configFile is the configuration to use: the one of -c, of $CURFEW_CONFIG, or
// curfew.yaml in the working directory. Empty: there is none.
func (a *app) configFile() string {
	if a.config != "" {
		return a.config
	}
	if named := a.getenv("CURFEW_CONFIG"); named != "" {
		return named
	}
	if _, err := os.Stat(defaultConfig); err == nil {
		return defaultConfig
	}
	return ""
}

// errNoConfig says how to get a configuration.
var errNoConfig = errors.New("no configuration is named: use -c FILE; `curfew example > curfew.yaml` writes one to begin with")

// needConfig is [app.configFile] for commands that cannot do without.
func (a *app) needConfig() (string, error) {
	if file := a.configFile(); file != "" {
		return file, nil
	}
	return "", wrong(errNoConfig)
}

const about = `Curfew watches the devices of Microsoft 365 tenants. When a device is at risk
and stays so past its grace, Curfew sees it through: it tells the user, opens a
ticket, scans the device, pages somebody and, at the very end and only if every
guard agrees, resets it. When the device is healthy again it takes it all back.

"curfew try" shows that on simulated tenants. "curfew run" is the worker; most
other commands ask a running one, on this machine or by way of the NATS server
that its configuration names.`

const aboutExamples = `  curfew try                               see it at work, in a minute
  curfew example > curfew.yaml             write a configuration to begin with
  curfew check -c curfew.yaml              is it right?
  curfew run -c curfew.yaml                watch the tenants
  curfew cases --open                      which devices are at risk?
  curfew case LT-042                       what happened to that one, and what will?
  curfew ack LT-042 --for 2h               I am on it`

func newRootCmd(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "curfew",
		Short:         "See devices at risk through, and take it all back when they are healthy",
		Long:          about,
		Example:       aboutExamples,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&a.config, "config", "c", "", "the configuration `FILE`; left out: $CURFEW_CONFIG, or curfew.yaml if it is here")
	flags.StringVar(&a.data, "data", "", "the data `DIR` of the worker to ask; left out: as the configuration says, or ./data")
	flags.Var(&a.logs, "log", "how log lines are written to stderr")
	flags.Var(&a.level, "level", "the least important log lines to write")
	root.AddGroup(
		&cobra.Group{ID: "work", Title: "Set up and run:"},
		&cobra.Group{ID: "look", Title: "See how things stand:"},
		&cobra.Group{ID: "act", Title: "Act on a case:"},
		&cobra.Group{ID: "gate", Title: "Decide about what cannot be taken back:"},
		&cobra.Group{ID: "care", Title: "Care for the worker:"},
	)
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("work", newTryCmd(a), newExampleCmd(a), newCheckCmd(a), newSchemaCmd(a), newBaselineCmd(a), newRunCmd(a))
	add("look", newCasesCmd(a), newCaseCmd(a), newHiddenCmd(a), newOnCallCmd(a), newEvidenceCmd(a))
	add("act", newAckCmd(a), newSnoozeCmd(a), newCloseCmd(a), newLiftCmd(a), newNoteCmd(a), newLookCmd(a), newRetryCmd(a))
	add("gate", newApproveCmd(a), newDenyCmd(a), newHeldCmd(a), newPauseCmd(a), newPausesCmd(a), newResumeCmd(a))
	add("care", newHealthCmd(a), newDeadCmd(a), newDoctorCmd(a), newDestinationsCmd(a), newSubscriptionsCmd(a), newTemplateCmd(a), newJournalCmd(a), newBackupCmd(a), newRestoreCmd(a), newBenchCmd(a), newVersionCmd(a))
	root.AddCommand(&cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodes})
	return root
}

// family makes a command that only holds others.
func family(cmd *cobra.Command, members ...*cobra.Command) *cobra.Command {
	cmd.Args = cobra.NoArgs // a word that is none of its members is an error
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(members...)
	return cmd
}

// jsonFlag gives a command its --json.
func jsonFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "json", false, "write JSON, one object a line")
}
