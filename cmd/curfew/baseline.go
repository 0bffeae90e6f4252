package main

import (
	_ "embed"

	"github.com/spf13/cobra"
)

// baselineSchema is the published JSON Schema of a baseline file.
//
//go:embed baseline.schema.json
var baselineSchema []byte

// exampleBaseline is the baseline that newcomers begin with.
//
//go:embed baseline.yaml
var exampleBaseline []byte

func newBaselineCmd(a *app) *cobra.Command {
	return family(&cobra.Command{
		Use:   "baseline",
		Short: "Set tenants up so that a device at risk loses access: plan, apply, undo",
		Long: `A baseline file says how tenants are to be: the connector from Defender to Intune,
the mail to users, compliance policies, app protection, Conditional Access. Plan
reads a tenant and says what differs; apply does exactly that and records it; undo
takes it back. Nothing here needs a running worker, but where one runs, its queue
keeps the record.

Reading and writing are done as the app of the tenant's section baseline in the
configuration, which the worker never uses: its permissions are in the README.
Without that section plan signs in as the worker does, and apply is refused.`,
		Example: `  curfew baseline example > baseline.yaml
  curfew baseline plan --tenant contoso
  curfew baseline plan --tenant contoso --out plan.json
  curfew baseline apply plan.json
  curfew baseline undo --tenant contoso`,
	},
		newBaselinePlanCmd(a), newBaselineApplyCmd(a), newBaselineUndoCmd(a), newBaselineRunsCmd(a), newRolloutCmd(a), newBaselineDoctorCmd(a), newBaselineVerifyCmd(a), newBaselineDriftCmd(a),
		&cobra.Command{
			Use: "schema", Short: "Print the JSON Schema of a baseline file, for editors", Args: cobra.NoArgs,
			Long: `Print the JSON Schema of a baseline file. An editor that is given it shows what each
key means and marks mistakes while you type. "curfew baseline plan" finds more.`,
			Example: "  curfew baseline schema > baseline.schema.json",
			RunE:    a.print(baselineSchema),
		},
		&cobra.Command{
			Use: "example", Short: "Print a baseline file to begin with", Args: cobra.NoArgs,
			Long: `Print a commented baseline file for Microsoft 365 Business Premium. Put your own
groups and emergency accounts in, and see with "curfew baseline plan" what it would do.`,
			Example: "  curfew baseline example > baseline.yaml",
			RunE:    a.print(exampleBaseline),
		},
	)
}

// A baselineScope is which tenants of which file a command is about.
type baselineScope struct{ file, tenant string }

func (a *app) scopeFlags(cmd *cobra.Command, to *baselineScope) {
	cmd.Flags().StringVarP(&to.file, "file", "f", "", "the baseline `FILE`; left out: that of the configuration, or baseline.yaml beside it")
	cmd.Flags().StringVar(&to.tenant, "tenant", "", "only this tenant, by `NAME` or id")
	_ = cmd.RegisterFlagCompletionFunc("tenant", a.completeTenants)
}
