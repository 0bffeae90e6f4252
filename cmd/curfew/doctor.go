package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"curfew/graph"
)

func newDoctorCmd(a *app) *cobra.Command {
	var tenant string
	var as role
	var asJSON, noProbe bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Ask Microsoft what each identity may do, lacks, and has too much of",
		Long: `Sign in to every tenant as each identity of the configuration, and hold what it
was granted against what the configuration makes use of: a permission for resets
is too much where no policy resets. Then ask Graph for one row of everything, for
a permission is no licence, and some are granted elsewhere. Nothing is changed.

STATE is has, lacks, too much, or refused (granted, and Microsoft refuses it all
the same). What must be changed says how; a permission counts only after an
administrator has consented anew. One that Exchange may grant for a mailbox shows
in no token, so that it lacks is only said.

What is on this machine is looked at too: secrets that others can read,
certificates that run out, the clock, the data directory, public_url.

It ends with 0 if all is right, with 1 if something is lacking or dangerous, and
with 2 if the configuration is wrong or a tenant could not be asked. A permission
that is only too much, and not dangerous, and what is said as a note, are no
reason for 1.

With --json each line is an object with tenant, identity, app, permission, api,
state, dangerous, features, for and fix; or, of what is no permission, with check,
state (fine, note, bad or unknown) and text.`,
		Example: `  curfew doctor -c curfew.yaml
  curfew doctor --tenant contoso --role act
  curfew doctor --json | jq 'select(.state == "lacks")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.doctor(cmd.Context(), visit{tenant: tenant, as: as, asJSON: asJSON, probe: !noProbe})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant, by `NAME` or id")
	cmd.Flags().BoolVar(&noProbe, "no-probe", false, "only decode the tokens, and ask Graph for nothing")
	_ = cmd.RegisterFlagCompletionFunc("tenant", a.completeTenants)
	roleFlag(cmd, &as)
	jsonFlag(cmd, &asJSON)
	return cmd
}

// A visit is what the doctor was asked for.
type visit struct {
	tenant string
	as     role
	asJSON bool
	probe  bool
}

// How many tenants are asked at once, and how long one may take.
const (
	doctorsAtOnce = 8
	doctorsTime   = 2 * time.Minute
)

func (a *app) doctor(ctx context.Context, v visit) error {
	conf, err := a.loadForRun(ctx, v.as)
	if err != nil {
		return err
	}
	id, err := houseOf(conf).knownTenant(v.tenant)
	if err != nil {
		return err
	}
	by, err := cloudsOf(conf)
	if err != nil {
		return wrong(err)
	}
	defer by.Close()
	var seen []identity
	for _, t := range conf.Tenants {
		if id == "" || t.ID == id {
			seen = append(seen, identitiesOf(conf, by, t)...)
		}
	}
	reports := a.examine(ctx, seen, v.probe)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d := diagnosis{local: localChecks(ctx, conf, time.Now()), reports: reports}
	if err := d.print(a.printer(), v.asJSON); err != nil {
		return err
	}
	return d.verdict()
}

// examine asks about every identity, several at once; the trouble of one is no
// other's. It says how far it is where a person watches.
func (a *app) examine(ctx context.Context, all []identity, probe bool) []report {
	reports := make([]report, len(all))
	var g errgroup.Group
	g.SetLimit(doctorsAtOnce)
	var mu sync.Mutex
	done := 0
	watched := isTerminal(a.stderr)
	for i, p := range all {
		g.Go(func() error {
			ctx, cancel := context.WithTimeoutCause(ctx, doctorsTime, errors.New("no answer in time"))
			defer cancel()
			reports[i] = p.examine(ctx, probe)
			mu.Lock()
			defer mu.Unlock()
			if done++; watched {
				fmt.Fprintf(a.stderr, "\r\x1b[K%d of %d identities asked", done, len(all))
			}
			return nil
		})
	}
	_ = g.Wait() // nobody returns one
	if watched {
		fmt.Fprint(a.stderr, "\r\x1b[K")
	}
	return reports
}

// A report is what was found out about one identity in one tenant.
type report struct {
	identity
	app      string // by its token
	findings []finding
	checks   []local
	err      error // it could not be asked, or not completely
}

// A finding is what is to be said about one permission.
type finding struct {
	graph.Finding
	state string // the verdict, or refused
	note  string // of refused: what Microsoft says
}

// refused is a permission that is granted and does not help.
const refused = "refused"

// examine asks about one identity.
func (p identity) examine(ctx context.Context, probe bool) report {
	r := report{identity: p, app: p.auth.ClientID}
	granted, err := p.client.Grants(ctx)
	now := time.Now()
	r.err = err
	if len(granted) == 0 {
		return r
	}
	if granted[0].App != "" {
		r.app = granted[0].App
	}
	r.checks = append(r.checks, clock(granted[0], p.auth, now))
	if err != nil { // what is lacking there is not known
		return r
	}
	for _, f := range graph.Compare(granted, p.needs) {
		r.findings = append(r.findings, finding{Finding: f, state: string(f.Verdict)})
	}
	if !probe {
		return r
	}
	answers, err := p.client.Probe(ctx)
	r.err = err
	for i := range r.findings {
		r.findings[i].hear(answers)
	}
	return r
}

// hear takes in what Microsoft answered when it was asked for something that
// needs the permission.
func (f *finding) hear(answers []graph.Probed) {
	for _, p := range answers {
		if p.Role == f.Role && p.Audience == f.Audience && f.Verdict == graph.Has && p.Verdict == graph.Refused {
			f.state, f.note = refused, p.Reason
		}
	}
}

// bad reports whether somebody has to do something about it.
func (f finding) bad() bool {
	switch f.state {
	case string(graph.Lacks):
		return f.Elsewhere == ""
	case refused:
		return true
	}
	return f.Verdict == graph.TooMuch && f.Dangerous
}

// fix says what to do, or nothing.
func (r report) fix(f finding) string {
	where := fmt.Sprintf("app registration %s (API permissions, %s, application permissions)", r.app, f.Audience)
	switch f.state {
	case string(graph.Lacks):
		if f.Elsewhere != "" {
			return f.Elsewhere + "; if it does not: add " + f.Role + " to " + where + ", then grant admin consent anew"
		}
		return "add " + f.Role + " to " + where + ", then grant admin consent anew; or switch off what needs it"
	case string(graph.TooMuch):
		return "remove " + f.Role + " from " + where + ", then grant admin consent anew"
	case refused:
		return "it is granted, and Microsoft refuses it: a licence, or a role in Exchange or Intune, is missing (" + f.note + ")"
	}
	return ""
}
