package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"curfew/handlers/page/rota"
)

// An onCallLine is a shift as "curfew oncall show --json" writes it. Fields are
// only ever added.
type onCallLine struct {
	Rotation string    `json:"rotation"`
	Person   string    `json:"person,omitempty"` // left out: nobody
	From     time.Time `json:"from,omitzero"`
	Until    time.Time `json:"until"`
	Override bool      `json:"override,omitempty"`
	Now      bool      `json:"now,omitempty"` // of the moment that was asked for
}

// nextShifts is how many hand-overs are shown.
const nextShifts = 4

func newOnCallCmd(a *app) *cobra.Command {
	var at string
	var asJSON bool
	show := &cobra.Command{
		Use:   "show [ROTATION]",
		Short: "Show who is on call, and the next hand-overs",
		Long: `Show who is on call by the rota of the configuration (oncall), the next
hand-overs, and who stands in. No worker is asked.

TIME is RFC 3339, or like 2026-12-24 18:00 on the clock of each rotation's zone.

With --json each line is an object with rotation, person, from, until, override and
now; times are RFC 3339 in UTC.`,
		Example: `  curfew oncall show -c curfew.yaml
  curfew oncall show night --at "2026-12-24 18:00"
  curfew oncall show --json | jq -r 'select(.now) | .person'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			conf, err := a.onCallConfig()
			if err != nil {
				return err
			}
			names := slices.Sorted(maps.Keys(conf.Rota.Rotations))
			if len(args) == 1 {
				if _, ok := conf.Rota.Rotations[args[0]]; !ok {
					return wrong(fmt.Errorf("no rotation is called %.64q; there are %s", args[0], strings.Join(names, ", ")))
				}
				names = args
			}
			for _, name := range names {
				zone := conf.Rota.Rotations[name].Zone
				when := time.Now()
				if at != "" {
					if when, err = moment(at, zone); err != nil {
						return wrong(fmt.Errorf("--at: %w", err))
					}
				}
				lines := shifts(conf.Rota, name, when)
				if asJSON {
					err = writeLines(a.stdout, lines)
				} else {
					err = writeShifts(a.stdout, lines, zone)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	show.Flags().StringVar(&at, "at", "", "a `TIME` other than now")
	jsonFlag(show, &asJSON)
	return family(&cobra.Command{
		Use: "oncall", Short: "See who is on call by the rota of the configuration",
		Long: `Teams without a pager can name their people and weekly turns in the configuration
(oncall), and page them by a destination of the kind rota. This shows whose turn it is.`,
		Example: "  curfew oncall show -c curfew.yaml",
	}, show)
}

// onCallConfig reads the rota of the configuration; its secrets are not needed.
func (a *app) onCallConfig() (*onCallConfig, error) {
	file, err := a.needConfig()
	if err != nil {
		return nil, err
	}
	conf, problems := loadConfig(file, loadOptions{NoSecrets: true, Getenv: a.getenv})
	if conf == nil {
		for _, p := range mistakes(problems) {
			fmt.Fprintln(a.stderr, clean(p.String()))
		}
		return nil, wrong(fmt.Errorf("%s cannot be used: %d mistakes", file, len(mistakes(problems))))
	}
	if len(conf.OnCall.Rota.Rotations) == 0 {
		return nil, wrong(fmt.Errorf("%s has no rotations: see oncall in `curfew schema`", file))
	}
	return &conf.OnCall, nil
}

// shifts are the one of a moment and those that follow.
func shifts(r rota.Rota, name string, at time.Time) (out []onCallLine) {
	for i, s := range append([]rota.Shift{r.At(name, at)}, r.Next(name, at, nextShifts)...) {
		l := onCallLine{Rotation: name, Person: s.Person, Until: s.Until.UTC(), Override: s.Override, Now: i == 0}
		if !s.From.IsZero() {
			l.From = s.From.UTC()
		}
		out = append(out, l)
	}
	return out
}

func writeLines(w io.Writer, lines []onCallLine) error {
	e := json.NewEncoder(w)
	for _, l := range lines {
		if err := e.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

func writeShifts(w io.Writer, lines []onCallLine, zone *time.Location) error {
	const layout = "Mon 2006-01-02 15:04 MST"
	fmt.Fprintf(w, "%s (%s)\n", clean(lines[0].Rotation), zone)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range lines {
		mark, person, note := "", l.Person, ""
		if l.Now {
			mark = "on call"
		}
		if person == "" {
			person = "nobody"
		}
		if l.Override {
			note = "  stands in"
		}
		from := "-"
		if !l.From.IsZero() {
			from = l.From.In(zone).Format(layout)
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\tto %s%s\n", mark, clean(person), from, l.Until.In(zone).Format(layout), note)
	}
	return t.Flush()
}
