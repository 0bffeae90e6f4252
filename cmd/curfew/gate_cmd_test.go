package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/events/gate"
	"curfew/graph"
)

// A gateDesk is a ward whose command line has the commands about gates.
type gateDesk struct{ *ward }

func (w gateDesk) run(args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	var out, errs bytes.Buffer
	a := w.app(&out, &errs)
	root := newRootCmd(a)
	for _, cmd := range []*cobra.Command{newPauseCmd(a), newPausesCmd(a), newResumeCmd(a), newHeldCmd(a), newApproveCmd(a), newDenyCmd(a)} {
		if there, _, err := root.Find([]string{cmd.Name()}); err != nil || there == root {
			root.AddCommand(cmd)
		}
	}
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&errs)
	began := false
	noteBegin(root, &began)
	err := root.ExecuteContext(w.t.Context())
	if err != nil {
		if !began {
			err = wrong(err)
		}
		errs.WriteString("curfew: " + oneLine(err) + "\n")
	}
	return out.String(), errs.String(), codeOf(w.t.Context(), err)
}

func (w gateDesk) must(args ...string) string {
	w.t.Helper()
	stdout, stderr, code := w.run(args...)
	if code != exitFine || stderr != "" {
		w.t.Fatalf("curfew %s ended with %d: %s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// fails is for commands that must say nothing but what is wrong.
func (w gateDesk) fails(code int, about string, args ...string) {
	w.t.Helper()
	if stdout := w.failsAfter(code, about, args...); stdout != "" {
		w.t.Errorf("curfew %s says %q", strings.Join(args, " "), stdout)
	}
}

// as says who runs the commands that follow.
func (w *ward) as(who string) { w.env["SUDO_USER"] = who }

// resetting are rules whose reset comes an hour after the mail, and asks people.
func (w *ward) resetting(approvals int) {
	p := w.rules.List[0]
	p.Grace = time.Hour
	mail := events.Rung{Do: []events.Order{{Action: events.Mail, Template: "threat-found"}}}
	p.Ladder = []events.Rung{mail, {After: time.Hour, Approvals: approvals, Do: []events.Order{{Action: events.Reset}}}}
	w.rules.List = []events.Policy{p}
	w.rules.Attention = nil
}

// atReset admits a device that is at risk and whose reset is asked for.
func (w *ward) atReset(tenant, id, name, user string) *patient {
	w.t.Helper()
	p := w.admit(tenant, id, name, user)
	p.d.Threat = "highSeverity"
	p.look()
	p.done(events.Mail, "sent to "+user, "")
	time.Sleep(time.Hour + time.Second)
	p.look()
	p.task(events.Reset)
	return p
}

func (p *patient) hold(gateName, reason string) {
	p.w.t.Helper()
	p.tell(events.Held{Task: p.begin(events.Reset).ID, Gate: gateName, Reason: reason, Until: time.Now().Add(6 * time.Hour)})
}

// TestPausing stops things for a reason, and two people start them again.
func TestPausing(t *testing.T) {
	inWard(t, func(x *ward) {
		w := gateDesk{x}
		w.resetting(0)
		laptop := w.atReset(contoso, "d42", "LT-042", "anna@contoso.example")
		laptop.hold(gate.GatePause, "reset is paused by jo: checking")
		w.expect(w.must("pauses"), "Nothing is paused.\n")
		w.expect(w.must("pause", "--action", "reset", "-m", "checking\x1b[1m the policy"),
			"Paused: reset in all tenants. `curfew resume --action reset` lifts it, which takes two people.\n")
		w.as("kim")
		w.expect(w.must("pause", "--tenant", "Contoso", "--action", "mail", "-m", "moving"),
			"Paused: mail in contoso. `curfew resume --tenant Contoso --action mail` lifts it.\n")
		w.as("jo")
		w.expect(w.must("resume", "--action", "reset"),
			"Still paused: reset in all tenants. It is noted that you want it lifted; now a second person has to run `curfew resume --action reset`.\n")
		golden(t, "pauses.txt", w.must("pauses"))
		golden(t, "pauses.jsonl", w.must("pauses", "--json"))

		w.fails(exitFailed, "a second person has to agree", "resume", "--action", "reset")
		w.fails(exitNotFound, "there is no pause of everything in contoso", "resume", "--tenant", "contoso")
		w.fails(exitWrong, `"look" cannot be paused`, "pause", "--action", "look", "-m", "x")
		w.fails(exitWrong, "say why", "pause")
		w.fails(exitNotFound, "no tenant is called", "pause", "--tenant", "adatum", "-m", "x")
		w.as("kim")
		w.expect(w.must("resume", "--action", "reset"), "Lifted: the pause of reset in all tenants by jo. 1 held task is tried again now.\n")
		synctest.Wait()
		if got := w.said("d42"); !strings.HasPrefix(got, "kim, lifting the pause of ") {
			t.Error(got)
		}
		w.expect(w.must("resume", "--tenant", "contoso", "--action", "mail"), "Lifted: the pause of mail in contoso by kim. 0 held tasks are tried again now.\n")
		w.expect(w.must("pauses", "--json"), "")
	})
}

// TestNobodyIsNoPerson: where two people must be two, an account that is nobody's
// does not count.
func TestNobodyIsNoPerson(t *testing.T) {
	inWard(t, func(x *ward) {
		w := gateDesk{x}
		for _, who := range []string{"root", "uid 1000", "Administrator", "\x1b"} {
			w.as(who)
			w.fails(exitWrong, "does not say who you are", "pause", "-m", "x")
			w.fails(exitWrong, "does not say who you are", "resume")
			w.fails(exitWrong, "does not say who you are", "held", "release", "x")
		}
		w.as("") // the account itself counts
		w.must("pause", "-m", "x")
		w.as("kim")
		h := house{nats: &natsConfig{User: "ops"}}
		who, err := w.app(nil, nil).person(h)
		if who != "ops" || err != nil {
			t.Errorf("%q, %v: a NATS user is who signed in, whatever the account says", who, err)
		}
	})
}

// TestHeldTasks are listed, let through or called off.
func TestHeldTasks(t *testing.T) {
	inWard(t, func(x *ward) {
		w := gateDesk{x}
		w.resetting(0)
		w.expect(w.must("held", "list"), "Nothing is held.\n")
		one := w.atReset(contoso, "d42", "LT-042", "anna@contoso.example")
		one.hold(gate.GateBudget, "the budget of 2 resets within 24h is used up")
		w.atReset(contoso, "d43", "LT-043", "bo@contoso.example").hold(gate.GateProtected, "the user is in the protected group Board")
		w.atReset(contoso, "d44", "LT-044", "cy@contoso.example").hold(gate.GateBreaker, "9 of 40 devices turned bad")
		w.atReset(fabrikam, "d99", "LT-099", "zoe@fabrikam.example")
		golden(t, "held.txt", w.must("held", "list"))
		golden(t, "held.jsonl", w.must("held", "list", "--json", "--tenant", "contoso"))

		w.fails(exitFailed, "nobody's word lets it through: the user is in the protected group Board", "held", "release", "d43")
		w.fails(exitNotFound, "LT-099: it has no such task", "held", "release", "d99")
		w.fails(exitNotFound, "no task contoso/d42/77-reset is pending", "held", "release", "contoso/d42/77-reset")
		w.fails(exitWrong, "name the tasks or devices", "held", "release")
		w.fails(exitWrong, "[all tenant]", "held", "release", "--all")
		w.expect(w.must("held", "release", "contoso/d42/"+one.task(events.Reset).ID[len(one.key.String())+1:]),
			"LT-042: reset is let through, once; every other gate is still asked\n")
		if got := one.task(events.Reset); got.Released != "budget by jo" || !got.Out {
			t.Errorf("%+v", got)
		}
		w.expect(w.must("held", "release", "--all", "--tenant", "contoso"),
			"Recorded for 1 held task of contoso.\nLeft alone: 1 held by budget.\nLeft alone: 1 held by protected.\n")

		w.fails(exitWrong, "say why", "held", "cancel", "d43")
		w.expect(w.must("held", "cancel", "d43", "-m", "in the lab"), "LT-043: reset is called off; `curfew retry` brings it back\n")
		if got := w.said("d43"); !strings.Contains(got, "cancelled by jo: in the lab") {
			t.Error(got)
		}
		w.must("held", "cancel", "--all", "--tenant", "contoso", "-m", "false alarm")
		synctest.Wait()
		w.expect(w.must("held", "list"), "Nothing is held.\n")
	})
}

// TestApproving takes different people, none of them the device's own user, and
// says what is lost.
func TestApproving(t *testing.T) {
	inWard(t, func(x *ward) {
		w := gateDesk{x}
		w.resetting(2)
		laptop := w.atReset(contoso, "d42", "LT-042", "anna@contoso.example")
		golden(t, "approve-show.txt", w.must("approve", "d42", "--show"))
		w.expect(lastLine(w.must("approve", "d42")), "LT-042: approved by jo, 1 of 2; another person has to approve too, within 1d")
		w.failsAfter(exitFailed, "LT-042: you have approved it already, as jo; a second person has to be another one", "approve", "d42")
		w.as("Anna")
		w.failsAfter(exitFailed, "LT-042: this is your own device", "approve", "d42")
		w.as("root")
		w.failsAfter(exitWrong, "does not say who you are", "approve", "d42")

		w.as("kim")
		w.fails(exitFailed, "it waits for people to approve it", "held", "release", "d42")
		laptop.d.Malware = []events.Malware{{Name: "Worm", State: "active"}} // voids what jo has said
		laptop.look()
		w.expect(lastLine(w.must("approve", "d42")), "LT-042: approved by kim, 1 of 2; another person has to approve too, within 1d")
		w.as("lee")
		id := laptop.task(events.Reset).ID
		w.expect(lastLine(w.must("approve", id)), "LT-042: approved by lee, 2 of 2; the reset goes on as soon as every other gate lets it, within 1d")
		if task := laptop.task(events.Reset); !task.Out {
			t.Errorf("%+v", task)
		}
		w.as("max")
		w.failsAfter(exitFailed, "it has all the approvals", "approve", id)
	})
}

// TestDenying gives the task up, and a retry asks anew.
func TestDenying(t *testing.T) {
	inWard(t, func(x *ward) {
		w := gateDesk{x}
		w.resetting(1)
		laptop := w.atReset(contoso, "d42", "LT-042", "anna@contoso.example")
		w.fails(exitWrong, "say why", "deny", "d42")
		w.expect(w.must("deny", "d42", "--reason", "the only copy"), "LT-042: reset is forbidden and given up; `curfew retry` asks anew\n")
		if got := w.said("d42"); !strings.Contains(got, "denied by jo: the only copy") {
			t.Error(got)
		}
		w.fails(exitNotFound, "it has no such task", "approve", "d42")
		w.must("retry", "d42")
		if task := laptop.task(events.Reset); task.Out || task.Needs != 1 {
			t.Errorf("%+v", task)
		}
	})
}

// failsAfter is fails for commands that say something first.
func (w gateDesk) failsAfter(code int, about string, args ...string) (stdout string) {
	w.t.Helper()
	stdout, stderr, got := w.run(args...)
	if got != code || !strings.Contains(stderr, about) {
		w.t.Errorf("curfew %s ended with %d and said %q, want %d and %q", strings.Join(args, " "), got, stderr, code, about)
	}
	return stdout
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// TestGuardOfAWorker: what the worker's guard sees of the journal and the sweeps.
func TestGuardOfAWorker(t *testing.T) {
	inWard(t, func(x *ward) {
		w := gateDesk{x}
		w.fill()
		g := guardOf(gated(t, ""), w.j, quiet)
		opened, err := g.Cases.Openings(w.t.Context(), contoso, time.Time{})
		check(t, err)
		if len(opened) != 3 || slices.ContainsFunc(opened, time.Time.IsZero) { // not of d1, which is well
			t.Errorf("%v", opened)
		}
		f := g.Fleet.(fleet)
		for _, tt := range []struct {
			swept graph.Swept
			wait  time.Duration
			n     int
			known bool
		}{
			{graph.Swept{Tenant: contoso, Kind: "devices", Rows: 7}, 0, 0, false},
			{graph.Swept{Tenant: contoso, Kind: "alerts", Rows: 7, Complete: true}, 0, 0, false},
			{graph.Swept{Tenant: contoso, Kind: "devices", Rows: 40, Complete: true, Began: time.Now()}, 0, 40, true},
			{graph.Swept{Tenant: contoso, Kind: "devices", Rows: 8}, 0, 40, true},
			{graph.Swept{Tenant: fabrikam, Kind: "devices", Rows: 9, Complete: true, Began: time.Now().Add(-8 * 24 * time.Hour)}, 0, 40, true},
		} {
			f.count(w.t.Context())(tt.swept)
			n, known, err := f.Devices(w.t.Context(), contoso)
			if n != tt.n || known != tt.known || err != nil {
				t.Errorf("after %+v: %d, %v, %v", tt.swept, n, known, err)
			}
		}
		if _, known, err := f.Devices(w.t.Context(), fabrikam); known || err != nil {
			t.Error("an old count is believed", err)
		}
		var l []heldLine // what scripts read stays readable
		check(t, json.Unmarshal([]byte("["+strings.TrimSpace(w.must("held", "list", "--json"))+"]"), &l))
	})
}
