package try

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph/graphtest"
)

// TestRestoredAfterAReset burns the machine of a real worker after a ticket, a scan,
// a page and a reset, and restores a backup that was made before all of them. The
// laptop is still sick, and so every rung of its ladder is due; but each is found in
// the record of whoever did it, and nothing is done a second time.
func TestRestoredAfterAReset(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dir := t.TempDir()
	program := filepath.Join(dir, "curfew")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "curfew/cmd/curfew").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w, err := newWorld(ctx, dir, "1h", [][]string{{"contoso"}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	if err := w.startWorkers(ctx, program); err != nil {
		t.Fatal(err)
	}
	wk, file := w.workers[0], filepath.Join(dir, "contoso.backup")
	s := &stage{world: w, tell: newTeller(Options{Out: io.Discard}), story: "restored"}
	l := s.laptop("contoso", "LT-100", "mia")
	l.t.Next(l.Name, "wipe", graphtest.Lies) // it is reported done, and the malware stays
	once := func() bool {
		return len(l.tickets()) == 1 && len(l.incidents()) == 1 && l.scans() == 1 && l.wiped() && len(wipesOf(l)) == 1
	}
	err = steps(
		func() error {
			return until(ctx, "Graph may notify", func() bool { return len(l.t.Subscriptions()) == 1 })
		},
		func() error {
			l.happens("malware is found, and stays", func() { l.t.Infect(l.Name, graphtest.High); l.t.Investigate(l.Name, "failed") })
			return until(ctx, "the user is told", func() bool { return l.mails() == 1 })
		},
		func() error { return wk.command(ctx, "backup", file) },
		func() error {
			return none("tickets, pages, scans and wipes in the backup", len(l.tickets())+len(l.incidents())+l.scans()+len(wipesOf(l)))
		},
		func() error { return until(ctx, "all is done once", once) },
		func() error { wk.kill(); return os.RemoveAll(wk.data) },
		func() error { return wk.command(ctx, "restore", file) },
		func() error { return wk.start(ctx) },
		func() error { return wk.ready(ctx, time.Minute) },
		func() error {
			j, leave := attach(ctx, t, wk)
			defer leave()
			return until(ctx, "the reset is found in Intune's record, and did not help", func() bool {
				c, _, err := j.Case(ctx, events.Key{Tenant: l.t.ID, Device: l.EntraID})
				return err == nil && slices.ContainsFunc(c.Attention, func(a string) bool { return contains(a, "reported done") })
			})
		},
		func() error { return still(ctx, 3*time.Second, "nothing is done again", once) },
	)
	if err != nil {
		out, _ := exec.CommandContext(context.WithoutCancel(ctx), program, "case", "LT-100", "--config", wk.config).CombinedOutput()
		t.Fatal(errors.Join(err, fmt.Errorf("%d tickets, %d incidents, %d scans, wipes %v\n%s\n%s", len(l.tickets()), len(l.incidents()), l.scans(), wipesOf(l), out, wk.lastWords())))
	}
}

// wipesOf are all that Intune was asked for, of whatever kind.
func wipesOf(l *laptop) (all []graphtest.Action) {
	for _, a := range l.t.Actions(l.Name) {
		if a.Name == "wipe" {
			all = append(all, a)
		}
	}
	return all
}
