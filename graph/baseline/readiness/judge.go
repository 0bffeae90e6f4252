package readiness

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Rules are what is asked for. The zero value has the defaults.
type Rules struct {
	Least     time.Duration // in a stage before the next; 0: a week. Negative: no time at all
	Reporting time.Duration // a device must have checked in within; 0: a week
	Stale     time.Duration // an object of Entra that was not used for so long is; 0: 90 days
	SignIns   int           // that the policy was evaluated for, at the least; 0: 1
}

const day = 24 * time.Hour

func (r Rules) filled() Rules {
	return Rules{cmp.Or(r.Least, 7*day), cmp.Or(r.Reporting, 7*day), cmp.Or(r.Stale, 90*day), cmp.Or(r.SignIns, 1)}
}

// A State is what became of a check.
type State string

// The states. Unknown stands in the way as Failed does, but where Check says not.
const (
	Passed  State = "passed"
	Failed  State = "failed"
	Unknown State = "cannot tell"
)

// The checks, in the order of a report.
const (
	Emergency = "emergency accounts"
	InPlace   = "baseline in place"
	Complete  = "everything read"
	Time      = "time in the stage"
	WhatIf    = "what-if"
	SignedIn  = "sign-ins"
	Compliant = "devices compliant"
	Reporting = "devices reporting"
	Policies  = "devices with a policy"
	Equipped  = "users with a device"
	Licensed  = "users licensed"
	Directory = "objects in Entra"
	Phones    = "apps on phones"
)

// excusable are the checks whose single findings a person may answer for.
func excusable(check string) bool {
	switch check {
	case SignedIn, Compliant, Reporting, Policies, Equipped, Licensed, Directory, Phones:
		return true
	}
	return false
}

// Excusable reports whether a finding of this name can be excused, whether or not
// there is one.
func Excusable(finding string) bool {
	check, of, _ := strings.Cut(finding, "/")
	return of != "" && len(finding) <= mostName && slices.ContainsFunc(
		[]string{SignedIn, Compliant, Reporting, Policies, Equipped, Licensed, Directory, Phones},
		func(name string) bool {
			return id(name, of) == strings.ToLower(finding) && excusable(name) && check != ""
		})
}

const mostName = 300 // characters of a finding's

// A Check is one of the gate's questions and its answer.
type Check struct {
	Name     string    `json:"name"`
	State    State     `json:"state"`
	Blocks   bool      `json:"blocks"` // it keeps the gate closed
	Text     string    `json:"text"`
	Findings []Finding `json:"findings,omitempty"`
	More     int       `json:"more,omitempty"` // findings beyond those
}

// A Finding is one thing that speaks against passing.
type Finding struct {
	ID       string  `json:"id"` // the same for as long as it is the same finding: what an excuse names
	User     string  `json:"user,omitempty"`
	Device   string  `json:"device,omitempty"`
	Platform string  `json:"platform,omitempty"`
	What     string  `json:"what"`
	Fix      string  `json:"fix,omitempty"`
	Excused  *Excuse `json:"excused,omitempty"`
}

// An Excuse is a person's word that one finding is known and does not matter.
type Excuse struct {
	Finding string    `json:"finding"`
	By      string    `json:"by"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
	Until   time.Time `json:"until"`
}

// mostFindings is how many findings of one check a report names.
const mostFindings = 2000

// A Report is what was decided, and why.
type Report struct {
	Tenant    string         `json:"tenant"`
	Name      string         `json:"name"`
	Stage     string         `json:"stage"`
	Next      string         `json:"next"`
	At        time.Time      `json:"at"`
	Took      time.Duration  `json:"took"`
	Passed    bool           `json:"passed"`
	Users     int            `json:"users"`
	Devices   int            `json:"devices"`
	Checks    []Check        `json:"checks"`
	Platforms []Platform     `json:"platforms"`
	SignIns   map[string]int `json:"signIns,omitempty"`
	Read      int            `json:"signInsRead"`
}

// Reasons are why the gate is closed, a line each.
func (r Report) Reasons() []string {
	var out []string
	for _, c := range r.Checks {
		if c.Blocks {
			out = append(out, c.Name+": "+c.Text)
		}
	}
	return out
}

// Judge decides. It is a function of its arguments.
func Judge(f Facts, rules Rules, excuses []Excuse, now time.Time) Report {
	j := &judge{Facts: f, rules: rules.filled(), now: now, excuses: map[string]*Excuse{}, faulty: make([]bool, len(f.Devices))}
	for i, e := range excuses {
		if e.By != "" && e.Reason != "" && now.Before(e.Until) {
			j.excuses[e.Finding] = &excuses[i]
		}
	}
	r := Report{
		Tenant: f.Scope.Tenant, Name: f.Scope.Name, Stage: f.Scope.Stage, Next: f.Scope.Next, At: f.At, Took: f.Took,
		Users: len(f.Users), Devices: len(f.Devices), SignIns: f.SignIns.Results, Read: f.SignIns.Read,
	}
	for _, ask := range []func() Check{
		j.emergency, j.inPlace, j.complete, j.time, j.whatIf, j.signIns, j.compliant, j.reporting, j.policies, j.equipped, j.licensed, j.directory, j.phones,
	} {
		r.Checks = append(r.Checks, ask())
	}
	r.Platforms = j.platforms()
	r.Passed = !slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Blocks })
	return r
}

type judge struct {
	Facts
	rules   Rules
	now     time.Time
	excuses map[string]*Excuse
	faulty  []bool // devices that something was found against
}

// check sums findings up. unknown is why it cannot be told, beside them.
func (j *judge) check(name, fine string, found []Finding, unknown string) Check {
	c := Check{Name: name, State: Passed, Text: fine}
	open, excused := 0, 0
	for i := range found {
		if found[i].Excused = j.excuses[found[i].ID]; found[i].Excused == nil || !excusable(name) {
			found[i].Excused = nil
			open++
			continue
		}
		excused++
	}
	// Those that stand in the way come first: a report that is cut names them.
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(boolOrder(a.Excused != nil, b.Excused != nil),
			strings.Compare(strings.ToLower(a.User+"\x00"+a.Device), strings.ToLower(b.User+"\x00"+b.Device)), strings.Compare(a.ID, b.ID))
	})
	c.Findings = found[:min(len(found), mostFindings)]
	c.More = len(found) - len(c.Findings)
	switch {
	case open > 0:
		c.State, c.Blocks, c.Text = Failed, true, counted(open, "finding")
		if excused > 0 {
			c.Text += fmt.Sprintf(", and %d excused", excused)
		}
		if unknown != "" {
			c.Text += "; " + unknown
		}
	case unknown != "":
		c.State, c.Blocks, c.Text = Unknown, name != Phones, unknown
	case excused > 0:
		c.Text = fmt.Sprintf("%s, all excused", counted(excused, "finding"))
	}
	return c
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// unread is why a part could not be read, or "".
func (j *judge) unread(what string) string {
	for _, u := range j.Unread {
		if u.What == what {
			return u.What + " could not be read: " + u.Why
		}
	}
	return ""
}

// user is who a device belongs to.
func (j *judge) user(d Device) string {
	if d.User < 0 || d.User >= len(j.Users) {
		return ""
	}
	return j.Users[d.User].UPN
}

// against is a finding about a device, which is not ready by it.
func (j *judge) against(i int, check, what, fix string) Finding {
	d := j.Devices[i]
	j.faulty[i] = true
	return Finding{ID: id(check, d.ID), User: j.user(d), Device: d.Name, Platform: d.OS, What: what, Fix: fix}
}

// id is a finding's name: the check's and that of what it is about.
func id(check, of string) string {
	return strings.ReplaceAll(check, " ", "-") + "/" + strings.ToLower(of)
}
