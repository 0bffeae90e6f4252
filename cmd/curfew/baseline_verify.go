package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/events/dwell"
	"curfew/events/journal"
	"curfew/graph/baseline/verify"
)

func newBaselineVerifyCmd(a *app) *cobra.Command {
	var s baselineScope
	var v verification
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that the baseline bites, and say how long a threat kept its access",
		Long: `Verify says for each tenant how long devices at risk kept their access: threat seen,
device non-compliant, access rescinded, clear, access back, for each case in the
journal, with median and 95th percentile. Moments are those of looks, so each delay
is known to lie between two bounds; "within" says how far they are apart.

With --device it watches a test device of yours on its way: until Intune marks it
non-compliant, Entra rescinds its access and a what-if evaluation of its user's
sign-in meets a policy that refuses it. It changes nothing. Make the device fail a
setting yourself, and sync it; --back watches the way back, too.`,
		Example: `  curfew baseline verify
  curfew baseline verify --tenant contoso --since 720h --json
  curfew baseline verify --tenant contoso --device TEST-01 --for 2h --back`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if v.device != "" && s.tenant == "" {
				return wrong(errors.New("name the device's tenant by --tenant"))
			}
			return a.withBaseline(cmd.Context(), s, v.device == "", func(b *ground) error {
				return b.each(func(t tenantSpec) error { return b.verify(cmd.Context(), t, v) })
			})
		},
	}
	a.scopeFlags(cmd, &s)
	cmd.Flags().StringVar(&v.device, "device", "", "watch this test device, by its `NAME` in Intune")
	cmd.Flags().DurationVar(&v.patience, "for", 2*time.Hour, "how long to watch it")
	cmd.Flags().DurationVar(&v.every, "every", 30*time.Second, "how often to look at it")
	cmd.Flags().BoolVar(&v.back, "back", false, "watch it on its way back, too")
	cmd.Flags().DurationVar(&v.since, "since", 90*24*time.Hour, "count what began within so long")
	jsonFlag(cmd, &v.asJSON)
	return cmd
}

// A verification is what was asked for.
type verification struct {
	device          string
	patience, every time.Duration
	back            bool
	since           time.Duration
	asJSON          bool
}

func (b *ground) verify(ctx context.Context, t tenantSpec, v verification) error {
	if v.device != "" {
		return b.follow(ctx, t, v)
	}
	rounds, unreadable, err := roundsOf(ctx, b.journal, t.ID, time.Now().Add(-v.since))
	if err != nil {
		return err
	}
	if v.asJSON {
		return b.roundsJSON(t.Name, rounds)
	}
	b.p.rounds(t.Name, rounds, unreadable)
	return nil
}

// follow watches one device.
func (b *ground) follow(ctx context.Context, t tenantSpec, v verification) error {
	c, err := b.client(t)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, v.patience)
	defer cancel()
	if !v.asJSON {
		b.p.printf("%s: watching %s for %s, every %s.\n", t.Name, b.p.paint(bold, v.device), span(v.patience), span(v.every))
		_ = b.p.flush()
	}
	_, err = verify.Watch(ctx, c, v.device, verify.Options{Every: v.every, Back: v.back, Tell: func(e verify.Event) {
		if v.asJSON {
			_ = b.p.json(struct { // what is not printed can be asked for again
				Tenant string `json:"tenant"`
				Device string `json:"device"`
				verify.Event
			}{t.Name, v.device, e})
		} else {
			what := ""
			if e.What != "" {
				what = " (" + e.What + ")"
			}
			b.p.printf("  %s  %s%s, after %s to %s\n", b.p.clock(e.At), b.p.paint(green, string(e.Hop)), what, span(e.Least), span(e.Took))
		}
		_ = b.p.flush()
	}})
	return err
}

// roundsOf are the ways of a tenant's devices into danger and back that began since
// then, and how many cases could not be read.
func roundsOf(ctx context.Context, j *journal.Journal, tenant string, since time.Time) (all []dwell.Round, unreadable int, err error) {
	for c, err := range j.Cases(ctx, tenant) {
		switch {
		case errors.Is(err, journal.ErrUnreadable):
			unreadable++
			continue
		case err != nil:
			return nil, 0, err
		case c.Key == events.TenantKey(tenant) || c.Episode == 0 || c.Device.SeenAt.Before(since):
			continue
		}
		records, err := j.Timeline(ctx, c.Key)
		if errors.Is(err, journal.ErrUnreadable) {
			unreadable++
			continue
		} else if err != nil {
			return nil, 0, err
		}
		for _, r := range dwell.Rounds(records) {
			if !r.Began().Before(since) {
				all = append(all, r)
			}
		}
	}
	return all, unreadable, nil
}

// roundsJSON writes a line for each round and one for each hop.
func (b *ground) roundsJSON(tenant string, rounds []dwell.Round) error {
	var errs []error
	for _, r := range rounds {
		delays := map[dwell.Hop]dwell.Delay{}
		for _, h := range dwell.Hops() {
			if d, ok := r.Delay(h); ok {
				delays[h] = d
			}
		}
		errs = append(errs, b.p.json(struct {
			Tenant string `json:"tenant"`
			dwell.Round
			Delays map[dwell.Hop]dwell.Delay `json:"delays,omitempty"`
		}{tenant, r, delays}))
	}
	for _, f := range dwell.Figures(rounds) {
		errs = append(errs, b.p.json(struct {
			Tenant string `json:"tenant"`
			dwell.Figure
		}{tenant, f}))
	}
	return errors.Join(errs...)
}

// rounds prints how long threats kept their access.
func (p *printer) rounds(tenant string, rounds []dwell.Round, unreadable int) {
	p.printf("%s: %s\n", p.paint(bold, tenant), count(len(rounds), "round"))
	if unreadable > 0 {
		p.printf("  %s could not be read\n", count(unreadable, "case"))
	}
	if len(rounds) == 0 {
		p.printf("  No device was seen at risk, so nothing is measured.\n\n")
		return
	}
	var rows [][]cell
	for _, r := range rounds {
		row := []cell{{r.Name, bold}, {text: p.clock(r.Began())}}
		for _, h := range []dwell.Hop{dwell.ToNonCompliant, dwell.ToRescinded, dwell.Exposed, dwell.ToClear, dwell.ToBack} {
			d, ok := r.Delay(h)
			row = append(row, cell{text: map[bool]string{true: span(d.Took)}[ok]})
		}
		note := ""
		if r.Unrecorded && !r.Rescinded.Seen() {
			note = "Entra was not read"
		} else if !r.Ended() {
			note = "not over"
		}
		rows = append(rows, append(row, cell{note, faint}))
	}
	p.table([]string{"DEVICE", "BEGAN", "NONCOMPLIANT", "RESCINDED", "EXPOSED", "CLEAR", "BACK", ""}, rows)
	rows = nil
	for _, f := range dwell.Figures(rounds) {
		if f.Count > 0 {
			rows = append(rows, []cell{{text: string(f.Hop)}, {text: fmt.Sprint(f.Count)}, {span(f.P50), bold}, {span(f.P95), bold}, {text: span(f.Most)}, {"± " + span(f.Within), faint}})
		}
	}
	p.printf("\n")
	p.table([]string{"HOP", "COUNT", "P50", "P95", "MOST", "WITHIN"}, rows)
	p.printf("\n")
}
