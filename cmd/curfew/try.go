package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"curfew/cmd/curfew/try"
)

func newTryCmd(a *app) *cobra.Command {
	var asJSON, hold bool
	cmd := &cobra.Command{
		Use:   "try",
		Short: "See Curfew at work on simulated tenants, in a minute",
		Long: `Try needs no Microsoft 365 tenant and leaves nothing behind. It simulates six
tenants, a help desk, a site of Jira and a pager on this machine, starts the real
worker between them, and tells twelve stories at once: what happens in the tenants
(marked !) and what Curfew does about it. Each story checks that Curfew did what it
must, once, and nothing else. At the end it sets one of the tenants up by a baseline:
plans, applies, and finds nothing left to do. The exit code is 1 if one went wrong.`,
		Example: `  curfew try
  curfew try --hold                        leave it running, to look around
  curfew try --json                        one object a line; the last one says how it went`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			program, err := os.Executable()
			if err != nil {
				return fmt.Errorf("try: where is this program? %w", err)
			}
			err = try.Run(cmd.Context(), try.Options{
				Program: program, Out: a.stdout, JSON: asJSON, Hold: hold, Color: a.colours(a.stdout),
			})
			if err != nil && !errors.Is(err, try.ErrWrong) && cmd.Context().Err() != nil {
				return cmd.Context().Err()
			}
			return err
		},
	}
	jsonFlag(cmd, &asJSON)
	cmd.Flags().BoolVar(&hold, "hold", false, "keep everything running after the stories, until Ctrl-C")
	return cmd
}
