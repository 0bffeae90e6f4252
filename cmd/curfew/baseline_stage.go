package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/events/journal"
	"curfew/graph"
	"curfew/graph/baseline"
	"curfew/graph/baseline/readiness"
	steps "curfew/graph/baseline/rollout"
)

// began is when a tenant's stage did, as the journal says. What it does not say yet
// is recorded: from the run that put the stage's Conditional Access there or, where
// none is kept, from now on.
func (b *ground) began(ctx context.Context, t tenantSpec, at baseline.Stage, by string) (time.Time, error) {
	r, err := b.rolloutOf(ctx, t.ID)
	switch {
	case err != nil:
		return time.Time{}, err
	case r != nil && r.Stage == at:
		return r.Since, nil
	case r != nil || b.journal == nil: // another stage is on record: nothing is made up
		return time.Time{}, nil
	}
	since := time.Now().UTC()
	runs, err := runLog{b.journal.State(), t.ID}.all(ctx)
	if err != nil {
		return time.Time{}, err
	}
	for _, run := range slices.Backward(runs) {
		if run.Stage == at && !run.Ended.IsZero() && run.Undone == "" && wroteAccess(run) {
			since = run.Ended
		}
	}
	return since, b.reach(ctx, t.ID, rollout{Stage: at, Since: since, By: by})
}

func wroteAccess(run baseline.Run) bool {
	return slices.ContainsFunc(run.Entries, func(e baseline.Entry) bool { return e.Object.Kind == baseline.KindAccess && e.Done })
}

// reach records that a tenant is at a stage.
func (b *ground) reach(ctx context.Context, tenant string, r rollout) error {
	v, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = b.journal.State().Put(ctx, rolloutKey+tenant, v)
	return err
}

// unreach puts back what was on record before a run that went to another stage, for
// it was taken back. The stage before goes on from when it began.
func (b *ground) unreach(ctx context.Context, tenant, run string) error {
	r, err := b.rolloutOf(ctx, tenant)
	if err != nil || r == nil || r.Run != run {
		return err
	}
	if r.Before == nil {
		return b.journal.State().Delete(ctx, rolloutKey+tenant)
	}
	return b.reach(ctx, tenant, *r.Before)
}

// excuseKey is where the excuses of a tenant are kept.
const excuseKey = "baseline.excuse."

// excuses are those that still count.
func (b *ground) excuses(ctx context.Context, tenant string) ([]readiness.Excuse, error) {
	if b.journal == nil {
		return nil, nil
	}
	v, _, err := b.journal.State().Get(ctx, excuseKey+tenant)
	if errors.Is(err, journal.ErrNoKey) {
		return nil, nil
	}
	var all []readiness.Excuse
	if err == nil {
		err = json.Unmarshal(v, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("the excuses of %s cannot be read: %w", tenant, err)
	}
	return slices.DeleteFunc(all, func(e readiness.Excuse) bool { return !time.Now().Before(e.Until) }), nil
}

// excuse puts an excuse on record; an earlier one for the same finding is replaced.
func (b *ground) excuse(ctx context.Context, tenant string, e readiness.Excuse) error {
	all, err := b.excuses(ctx, tenant)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(had readiness.Excuse) bool { return strings.EqualFold(had.Finding, e.Finding) })
	if len(all) >= mostExcuses {
		return fmt.Errorf("%d findings are excused already: a tenant with so many is not ready", len(all))
	}
	v, err := json.Marshal(append(all, e))
	if err != nil {
		return err
	}
	_, err = b.journal.State().Put(ctx, excuseKey+tenant, v)
	return err
}

const mostExcuses = 100

// A standing is where a tenant's rollout is, and what stands in its way.
type standing struct {
	tenant tenantSpec
	state  *baseline.State
	stage  baseline.Stage
	since  time.Time
	last   bool // there is no further stage
	report readiness.Report
}

// stands reads a tenant and judges whether it may go on.
func (b *ground) stands(ctx context.Context, t tenantSpec, c *graph.Client, by string, tell readiness.Progress) (standing, error) {
	s := standing{tenant: t}
	var err error
	if s.state, err = baseline.Read(ctx, c, t.ID, t.spec); err != nil {
		return s, err
	}
	if s.stage, _, err = b.stage(ctx, t, s.state); err != nil {
		return s, err
	}
	if s.since, err = b.began(ctx, t, s.stage, by); err != nil {
		return s, err
	}
	scope, err := steps.Scope(t.spec, s.state, s.stage, t.Name, s.since)
	if errors.Is(err, steps.ErrLast) {
		s.last = true
		return s, nil
	} else if err != nil {
		return s, err
	}
	facts, err := readiness.Read(ctx, c, scope, tell)
	if err != nil {
		return s, err
	}
	excuses, err := b.excuses(ctx, t.ID)
	if err != nil {
		return s, err
	}
	s.report = readiness.Judge(facts, rulesOf(t.spec), excuses, time.Now())
	return s, nil
}

// rulesOf is what a tenant's gate asks for.
func rulesOf(spec baseline.Spec) readiness.Rules {
	r := readiness.Rules{Least: baseline.PilotFor}
	if g := spec.Rollout; g != nil {
		r.Least = cmp.Or(time.Duration(g.Stay)*time.Hour, r.Least)
		r.Reporting, r.Stale = time.Duration(g.Reporting)*time.Hour, time.Duration(g.Stale)*time.Hour
	}
	return r
}

// shown says how far a reading is, where a person watches.
func (a *app) shown(name string) readiness.Progress {
	if !isTerminal(a.stderr) {
		return nil
	}
	return func(part string, rows int) { fmt.Fprintf(a.stderr, "\r\x1b[K%s: %d %s", name, rows, part) }
}

// line is a standing as JSON.
type standingLine struct {
	Tenant string            `json:"tenant"`
	Stage  baseline.Stage    `json:"stage"`
	Since  time.Time         `json:"since,omitzero"`
	Ended  bool              `json:"ended,omitempty"` // everybody is held to the baseline
	Report *readiness.Report `json:"report,omitempty"`
}

func (s standing) line() standingLine {
	l := standingLine{Tenant: s.tenant.Name, Stage: s.stage, Since: s.since, Ended: s.last}
	if !s.last {
		l.Report = &s.report
	}
	return l
}

// standing prints where a tenant is and what stands in its way.
func (p *printer) standing(s standing) {
	since := ""
	if !s.since.IsZero() {
		since = ", since " + p.when(s.since)
	}
	p.printf("%s: %s%s\n", p.paint(bold, s.tenant.Name), s.stage, since)
	if s.last {
		p.printf("  Everybody is held to the baseline; `curfew baseline drift` watches over it.\n\n")
		return
	}
	r := s.report
	var rows [][]cell
	for _, c := range r.Checks {
		rows = append(rows, []cell{{text: c.Name}, {string(c.State), checkStyle(c)}, {text: c.Text}})
	}
	p.table([]string{"CHECK", "STATE", "WHAT"}, rows)
	p.readyPlatforms(r.Platforms)
	p.readyFindings(r)
	verdict, st := "ready for "+r.Next, green
	if !r.Passed {
		verdict, st = "not ready for "+r.Next, red
	}
	p.printf("\n%s: %s. Read %s of %s in %s.\n\n", s.tenant.Name, p.paint(st, verdict), count(r.Devices, "device"), count(r.Users, "user"), r.Took.Round(100*time.Millisecond))
}

func checkStyle(c readiness.Check) style {
	switch {
	case c.State == readiness.Passed:
		return green
	case c.Blocks && c.State == readiness.Failed:
		return red
	}
	return yellow
}

func (p *printer) readyPlatforms(all []readiness.Platform) {
	if len(all) == 0 {
		return
	}
	var rows [][]cell
	for _, v := range all {
		n := func(count int, st style) cell {
			return cell{fmt.Sprint(count), map[bool]style{true: st, false: faint}[count > 0]}
		}
		rows = append(rows, []cell{{text: v.Name}, n(v.Devices, plain), n(v.Ready, green), n(v.Grace, yellow), n(v.NonCompliant, red), n(v.Silent, red), n(v.NoPolicy, red), n(v.Other, yellow)})
	}
	p.printf("\n")
	p.table([]string{"PLATFORM", "DEVICES", "READY", "GRACE", "NONCOMPLIANT", "SILENT", "NO POLICY", "OTHER"}, rows)
}

// shownFindings is how many findings of one check the terminal shows; --json and
// --html have them all.
const shownFindings = 20

func (p *printer) readyFindings(r readiness.Report) {
	for _, c := range r.Checks {
		if len(c.Findings) == 0 {
			continue
		}
		p.printf("\n%s:\n", p.paint(bold, c.Name))
		var rows [][]cell
		for _, f := range c.Findings[:min(len(c.Findings), shownFindings)] {
			what := f.What
			if e := f.Excused; e != nil {
				what = fmt.Sprintf("excused by %s until %s (%s): %s", e.By, p.clock(e.Until), e.Reason, what)
			}
			rows = append(rows, []cell{{text: f.User}, {text: f.Device}, {text: what}, {cmp.Or(f.ID, "-"), faint}})
		}
		p.columns([]string{"USER", "DEVICE", "WHAT", "FINDING"}, rows, 90)
		if more := len(c.Findings) - shownFindings + c.More; more > 0 {
			p.printf("  and %d more: --json or --html shows them\n", more)
		}
	}
}
