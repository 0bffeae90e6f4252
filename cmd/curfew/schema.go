package main

import (
	_ "embed"

	"github.com/spf13/cobra"
)

// exampleConfig is the configuration that newcomers begin with.
//
//go:embed example.yaml
var exampleConfig []byte

func newSchemaCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration, for editors",
		Long: `Print the JSON Schema of the configuration file. An editor that is given it shows
what each key means and marks mistakes while you type: many do for a file that begins with the line

  # yaml-language-server: $schema=curfew.schema.json

"curfew check" finds more.`,
		Example: `  curfew schema > curfew.schema.json`,
		Args:    cobra.NoArgs,
		RunE:    a.print(configSchema),
	}
}

func newExampleCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "example",
		Short: "Print a configuration to begin with",
		Long: `Print a commented example of the configuration. It is a dry run: everything is
done but the resets. Put your own ids in, and "curfew check" it.`,
		Example: `  curfew example > curfew.yaml`,
		Args:    cobra.NoArgs,
		RunE:    a.print(exampleConfig),
	}
}

// print writes a file that is part of the program.
func (a *app) print(file []byte) func(*cobra.Command, []string) error {
	return func(*cobra.Command, []string) error {
		p := a.printer()
		p.printf("%s", painted(file))
		return p.flush()
	}
}
