package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func newCheckCmd(a *app) *cobra.Command {
	var asJSON, noSecrets bool
	var as role
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say everything that is wrong with a configuration",
		Long: `Check a configuration and say everything that is wrong with it at once, each
mistake with its line and column. So is a baseline.yaml beside it, if there is one.
Nothing is connected to.

It ends with 0 if Curfew can run with it (warnings are no obstacle), and with 2
if not.

With --json each line is an object with file, line, column, path, message and
warning (true, or left out).`,
		Example: `  curfew check -c curfew.yaml
  curfew check -c curfew.yaml --no-secrets    # on a build server, which has none`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.check(cmd.Context(), as, asJSON, noSecrets) },
	}
	cmd.Flags().BoolVar(&noSecrets, "no-secrets", false, "secrets and other files that cannot be read are warnings only")
	roleFlag(cmd, &as)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) check(ctx context.Context, as role, asJSON, noSecrets bool) error {
	file, err := a.needConfig()
	if err != nil {
		return err
	}
	conf, problems := loadConfig(file, loadOptions{Templates: templateNames, NoSecrets: noSecrets, Role: as, Getenv: a.getenv, Vault: askingVaults(ctx)})
	broken := 0
	if conf != nil {
		more := a.checkBaseline(conf)
		problems, broken = append(problems, more...), len(mistakes(more))
	}
	p := a.printer()
	for _, problem := range problems {
		switch {
		case asJSON:
			err = errors.Join(err, p.json(problem))
		case problem.Warning:
			p.printf("%s\n", p.paint(yellow, problem.String()))
		default:
			p.printf("%s\n", p.paint(red, problem.String()))
		}
	}
	if conf != nil && broken == 0 && !asJSON {
		p.printf("%s can be used: %s\n", file, sum(conf, len(problems)))
	}
	if err := errors.Join(err, p.flush()); err != nil {
		return err
	}
	switch {
	case conf == nil:
		return wrong(fmt.Errorf("%s cannot be used: %s", file, count(len(mistakes(problems)), "mistake")))
	case broken > 0:
		return wrong(fmt.Errorf("%s cannot be used: %s", a.baselineFile("", conf), count(broken, "mistake")))
	}
	return nil
}

// checkBaseline says what is wrong with the baseline that the commands use which are not
// told another one. One that the worker watches over was checked with its configuration.
func (a *app) checkBaseline(conf *config) []problem {
	file := a.baselineFile("", conf)
	if len(conf.Baseline.specs) > 0 {
		return nil
	}
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	_, problems := loadBaseline(file, conf.tenantNames())
	return problems
}

// sum is a configuration in one line.
func sum(c *config, warnings int) string {
	parts := []string{
		count(len(c.Tenants), "tenant"), count(len(c.Policies.List), "policy"), count(len(c.Destinations), "destination"),
	}
	if c.DryRun {
		parts = append(parts, "a dry run: nothing is reset")
	} else {
		parts = append(parts, "not a dry run: devices are reset")
	}
	if c.Role != roleAll {
		parts = append(parts, c.Role.told())
	}
	if warnings > 0 {
		parts = append(parts, count(warnings, "warning"))
	}
	return strings.Join(parts, ", ")
}

// count writes a number of things.
func count(n int, thing string) string {
	switch {
	case n == 1:
		return "1 " + thing
	case strings.HasSuffix(thing, "y"):
		thing = strings.TrimSuffix(thing, "y") + "ie"
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
