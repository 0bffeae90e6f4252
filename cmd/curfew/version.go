package main

import (
	"cmp"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"
)

// A build is what is known of how this binary was made.
type build struct {
	Version  string            `json:"version"`            // of the module; "(devel)" for one built from a working tree
	Revision string            `json:"revision,omitempty"` // of the source
	Time     string            `json:"time,omitempty"`     // of the revision, RFC 3339
	Modified bool              `json:"modified,omitempty"` // the source differs from the revision
	Go       string            `json:"go"`
	Platform string            `json:"platform"`
	Modules  map[string]string `json:"modules,omitempty"` // the versions of those that a bug may be about
}

func readBuild() build {
	b := build{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = cmp.Or(info.Main.Version, b.Version)
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	b.Modules = map[string]string{}
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/nats-io/nats-server/v2", "github.com/nats-io/nats.go", "github.com/microsoftgraph/msgraph-sdk-go":
			b.Modules[m.Path] = m.Version
		}
	}
	return b
}

func newVersionCmd(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which version this is, and what it was built from",
		Long: `Say which version this is, and what it was built from. Give it along with
every question and every bug report.`,
		Example: "  curfew version\n  curfew version --json | jq -r .revision",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			p, b := a.printer(), readBuild()
			if asJSON {
				if err := p.json(b); err != nil {
					return err
				}
				return p.flush()
			}
			p.printf("curfew %s\n", b.Version)
			if b.Revision != "" {
				changed := ""
				if b.Modified {
					changed = ", changed since"
				}
				p.printf("  revision  %s%s\n  of        %s\n", b.Revision, changed, b.Time)
			}
			p.printf("  built by  %s for %s\n", b.Go, b.Platform)
			for _, path := range slices.Sorted(maps.Keys(b.Modules)) {
				p.printf("  with      %s %s\n", path, b.Modules[path])
			}
			return p.flush()
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}
