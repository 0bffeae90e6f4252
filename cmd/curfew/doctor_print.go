package main

import (
	"errors"
	"fmt"
	"strings"

	"curfew/graph"
)

// A diagnosis is all that was found.
type diagnosis struct {
	local   []local
	reports []report
}

// permission is a finding as JSON.
type permission struct {
	Tenant     string          `json:"tenant"`
	Identity   string          `json:"identity"`
	App        string          `json:"app"`
	Permission string          `json:"permission"`
	API        string          `json:"api"`
	State      string          `json:"state"`
	Dangerous  bool            `json:"dangerous,omitempty"`
	Held       string          `json:"held,omitempty"` // what is held in its place
	Features   []graph.Feature `json:"features,omitempty"`
	For        string          `json:"for,omitempty"`
	Fix        string          `json:"fix,omitempty"`
}

// checks are all that are no permissions.
func (d diagnosis) checks() []local {
	all := d.local
	for _, r := range d.reports {
		for _, c := range r.checks {
			c.Tenant, c.Identity = r.tenant.Name, r.is
			all = append(all, c)
		}
		if r.err != nil {
			all = append(all, local{Tenant: r.tenant.Name, Identity: r.is, Check: "asked", State: unknown, Text: oneLine(r.err)})
		}
	}
	return all
}

func (d diagnosis) print(p *printer, asJSON bool) error {
	if asJSON {
		return d.printJSON(p)
	}
	var rows [][]cell
	var fixes []string
	for _, r := range d.reports {
		for _, f := range r.findings {
			n := ""
			if fix := r.fix(f); fix != "" {
				fixes = append(fixes, fix)
				n = fmt.Sprintf(" [%d]", len(fixes))
			}
			rows = append(rows, []cell{
				{text: r.tenant.Name}, {r.is, bold}, {f.state, f.style()},
				{f.Role + of(f.Audience), plain}, {text: f.what() + n},
			})
		}
	}
	if len(rows) > 0 {
		p.columns([]string{"TENANT", "IDENTITY", "STATE", "PERMISSION", "FOR"}, rows, 90)
	}
	for i, fix := range fixes {
		if i == 0 {
			p.printf("\n%s\n", p.paint(bold, "What to do:"))
		}
		p.printf("  [%d] %s\n", i+1, fix)
	}
	rows = nil
	for _, c := range d.checks() {
		rows = append(rows, []cell{{text: c.Tenant}, {text: c.Identity}, {c.State, c.style()}, {text: c.Check}, {text: c.Text}})
	}
	if len(rows) > 0 {
		p.printf("\n")
		p.table([]string{"TENANT", "IDENTITY", "STATE", "CHECK", "WHAT"}, rows)
	}
	return p.flush()
}

func (d diagnosis) printJSON(p *printer) error {
	var errs []error
	for _, r := range d.reports {
		for _, f := range r.findings {
			errs = append(errs, p.json(permission{
				Tenant: r.tenant.Name, Identity: r.is, App: r.app, Permission: f.Role, API: string(f.Audience), State: f.state,
				Dangerous: f.Dangerous, Held: f.Held, Features: f.Features, For: f.Why, Fix: r.fix(f),
			}))
		}
	}
	for _, c := range d.checks() {
		errs = append(errs, p.json(c))
	}
	return errors.Join(append(errs, p.flush())...)
}

// of names the API where it is not the usual one.
func of(api graph.Audience) string {
	if api == graph.GraphAPI {
		return ""
	}
	return " of " + string(api)
}

// what says for people what a permission is for, or why it is there for nothing.
func (f finding) what() string {
	switch {
	case f.Verdict != graph.TooMuch && f.Held != "":
		return "to " + f.Why + " (by way of " + f.Held + ")"
	case f.Verdict != graph.TooMuch:
		return "to " + f.Why
	case f.Dangerous:
		return "nothing here; it is dangerous: " + f.Why
	}
	return "nothing here"
}

func (f finding) style() style {
	switch {
	case f.bad():
		return red
	case f.Verdict == graph.TooMuch, f.state == string(graph.Lacks):
		return yellow
	}
	return green
}

func (c local) style() style {
	switch c.State {
	case fine:
		return green
	case bad:
		return red
	}
	return yellow
}

// verdict is nil if all is right.
func (d diagnosis) verdict() error {
	wrongs, silent := 0, []string(nil)
	for _, r := range d.reports {
		for _, f := range r.findings {
			if f.bad() {
				wrongs++
			}
		}
		if r.err != nil {
			silent = append(silent, r.tenant.Name+" as "+r.is)
		}
	}
	for _, c := range d.checks() {
		if c.State == bad {
			wrongs++
		}
	}
	switch {
	case wrongs > 0:
		return fmt.Errorf("%s to put right", count(wrongs, "thing"))
	case len(silent) > 0:
		return exit{exitUnasked, errors.New("could not ask " + strings.Join(silent, ", "))}
	}
	return nil
}

// exitUnasked is the doctor's own: a tenant did not answer.
const exitUnasked = 2
