package try

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"curfew/graph/graphtest"
)

// baselineApp is the app that sets tenants up; the workers never sign in as it.
const baselineApp = "66666666-7777-8888-9999-000000000000"

// baselineFile is what contoso is to be like, in "curfew try".
const baselineFile = `baseline:
  pilot: Curfew pilot
  emergency: {accounts: [breakglass@contoso.example]}
  connector: {platforms: [windows, ios, android], app_protection: [ios]}
  notification:
    name: Device is above acceptable risk threshold
    default: en-US
    messages: {en-US: {subject: Your device is at risk, body: "<p>{{DeviceName}} is being cleaned.</p>"}}
  compliance:
    valid_days: 20
    policies: {windows: {name: "Risk: Windows", level: low, block_after: 6h, notify: [{after: 0h}]}}
  app_protection: {ios: {name: "Risk: apps on iOS", level: clear, action: block, apps: [core]}}
  conditional_access: {name: Device risk, variant: one}
tenants: {contoso: {}}
`

// baselined is the tenant that is set up at the end.
const baselined = "contoso"

// prepare gives the tenant what a baseline needs: a pilot group, an account for
// emergencies, and the connection from Defender, which only a person can open.
func prepare(t *graphtest.Tenant, secret string) {
	t.AddApp(baselineApp, secret, graphtest.BaselineRoles()...)
	t.AddUser(graphtest.User{UPN: "breakglass@" + t.Domain, Name: "Emergency"})
	t.AddUser(graphtest.User{UPN: "pilot@" + t.Domain, Name: "Pilot", Groups: []string{"Curfew pilot"}})
	t.ConnectDefender()
}

// settingUp is the end: the tenant that the stories played in is planned, set up and
// planned again, by the commands that an administrator types.
func settingUp(ctx context.Context, w *world, tell *teller) result {
	start := time.Now()
	r := result{Name: "baseline", About: "a tenant is set up so that a device at risk loses access"}
	ctx, cancel := context.WithTimeout(ctx, 2*limit)
	defer cancel()
	err := w.setUp(ctx, tell)
	if r.Seconds, r.OK = time.Since(start).Seconds(), err == nil; err != nil {
		r.Error = err.Error()
	}
	tell.ended(r)
	return r
}

func (w *world) setUp(ctx context.Context, tell *teller) error {
	var wk *worker
	for _, one := range w.workers {
		if one.has(baselined) {
			wk = one
		}
	}
	if wk == nil {
		return errors.New("no worker looks after " + baselined)
	}
	ask := func(want int, args ...string) (string, error) {
		tell.note("$ curfew baseline %s", strings.Join(args, " "))
		out, code, err := wk.ask(ctx, append([]string{"baseline"}, args...)...)
		if err == nil && code != want {
			err = fmt.Errorf("curfew baseline %s ended with %d instead of %d: %s", args[0], code, want, out)
		}
		return out, err
	}
	file := filepath.Join(filepath.Dir(wk.config), "plan.json")
	out, err := ask(2, "plan", "--out", file)
	if err != nil {
		return err
	}
	tell.lines(out, "+ ", "~ ")
	if out, err = ask(0, "apply", file); err != nil {
		return err
	}
	tell.lines(out, "[")
	if out, err = ask(0, "plan"); err != nil {
		return err
	}
	tell.lines(out, "Nothing to do")
	t := w.tenants[baselined]
	for _, p := range t.Placed(graphtest.AccessPolicies) {
		if p["state"] != "enabledForReportingButNotEnforced" {
			return fmt.Errorf("policy %v is %v", p["displayName"], p["state"])
		}
	}
	if got := len(t.Placed(graphtest.AccessPolicies)) + len(t.Placed(graphtest.CompliancePolicies)); got != 2 {
		return fmt.Errorf("%d policies were made instead of 2", got)
	}
	return nil
}

// lines tells those lines of an output that begin so.
func (t *teller) lines(out string, beginnings ...string) {
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(line, b) }) {
			t.note("  %s", line)
		}
	}
}

// ask runs a command of the program, as command does, and returns what it said and
// how it ended.
func (wk *worker) ask(ctx context.Context, args ...string) (out string, code int, err error) {
	cmd := exec.CommandContext(ctx, wk.program, append(args, "--config", wk.config)...)
	b, err := cmd.CombinedOutput()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		return string(b), ended.ExitCode(), nil
	}
	return string(b), 0, err
}
