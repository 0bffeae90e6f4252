package try

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph/graphtest"
	"curfew/handlers/page/pagetest"
)

// stormRules open a ticket and page at once, and have few pages.
const stormRules = `
noise: {oncall: {rate: {count: 5, urgent: 20, within: 1h, digest_every: 1m}}}
policies:
  - name: threat
    when: device.os == "Windows" && device.threat >= medium
    ladder:
      - do: [ticket: {destination: desk}, page: {destination: oncall}]
`

// TestKilledInAStorm has two dozen devices of a tenant fall ill at once, three of them
// gravely, and kills the worker when the first pages are out and again when the digest
// is. There is one ticket for each all the same, nobody is woken twice by one thing,
// those that are urgent are paged by themselves, and the digests tell of every other
// one, once.
func TestKilledInAStorm(t *testing.T) {
	const fleet, urgent = 24, 3
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	w, wk := stormy(ctx, t)
	defer w.close()
	tenant := w.tenants["contoso"]
	name := tenant.AddFleet(fleet)
	if err := w.startWorkers(ctx, wk.program); err != nil {
		t.Fatal(err)
	}
	wait := func(what string, ok func() bool) {
		t.Helper()
		if err := until(ctx, what, ok); err != nil {
			t.Fatal(err, wk.lastWords())
		}
	}
	again := func() {
		t.Helper()
		wk.kill()
		if err := wk.start(ctx); err != nil {
			t.Fatal(err)
		}
		if err := wk.ready(ctx, 60*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	wait("the subscription is made", func() bool { return len(tenant.Subscriptions()) == 1 })
	for i := range fleet {
		how := graphtest.Medium
		if i%(fleet/urgent) == 0 {
			how = graphtest.High
		}
		tenant.Infect(name(i), how)
	}
	wait("somebody is paged", func() bool { return len(w.pager.Incidents()) > 2 })
	again()
	wait("a digest is sent", func() bool { return len(digestsAt(w.pager)) > 0 })
	again()
	var s storm
	wait("everybody was told of", func() bool {
		s = w.weather(ctx, t, wk, tenant.ID)
		return s.single+s.digest == fleet && s.pending == 0
	})

	told, woken := 0, 0
	for _, d := range digestsAt(w.pager) {
		n := 0
		if _, err := fmt.Sscanf(d.Summary, "%d case", &n); err != nil {
			t.Errorf("%q: %v", d.Summary, err)
		}
		if told += n; d.Woken != 1 {
			t.Errorf("a digest woke somebody %d times: %+v", d.Woken, d)
		}
	}
	for _, i := range w.pager.Incidents() {
		if strings.HasPrefix(i.Key, tenant.ID+"/") {
			woken++
		}
	}
	t.Logf("%d pages, %d digests that tell of %d cases", woken, len(digestsAt(w.pager)), told)
	if s.single != woken || s.digest != told || s.grave != urgent || woken < 5+urgent || woken > 6+urgent {
		t.Errorf("%+v: %d were paged, and %d told of in digests", s, woken, told)
	}
	for i := range fleet {
		id := tenant.Device(name(i)).EntraID
		if n := w.desk.Count(tenant.ID + "/" + id + "/1"); n != 1 {
			t.Errorf("%s has %d tickets", name(i), n)
		}
	}
}

// stormy is a world with one worker, which is not started, under the rules of a storm.
func stormy(ctx context.Context, t *testing.T) (*world, *worker) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "curfew")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "curfew/cmd/curfew").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w, err := newWorld(ctx, t.TempDir(), "1h", [][]string{{"contoso"}})
	if err != nil {
		t.Fatal(err)
	}
	wk := w.workers[0]
	wk.program = program
	text, err := os.ReadFile(wk.config)
	if err != nil {
		t.Fatal(err)
	}
	rest, _, _ := strings.Cut(string(text), "\npolicies:")
	if err := os.WriteFile(wk.config, []byte(rest+stormRules), 0o600); err != nil {
		t.Fatal(err)
	}
	return w, wk
}

func digestsAt(p *pagetest.PagerDuty) (out []pagetest.Incident) {
	for _, i := range p.Incidents() {
		if strings.HasPrefix(i.Key, "curfew-digest-") {
			out = append(out, i)
		}
	}
	return out
}

// A storm is how many devices people were told of, and by what.
type storm struct{ single, digest, grave, pending int }

// weather reads that from the cases.
func (w *world) weather(ctx context.Context, t *testing.T, wk *worker, tenant string) (s storm) {
	t.Helper()
	time.Sleep(500 * time.Millisecond) // a real process: let it work between two looks
	j, leave := attach(ctx, t, wk)
	defer leave()
	for c, err := range j.Cases(ctx, tenant) {
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range c.Pending {
			if task.Action == events.Page || task.Action == events.Ticket {
				s.pending++
			}
		}
		for _, e := range c.Effects {
			switch {
			case e.Action != events.Page:
			case e.Digest:
				s.digest++
			default:
				s.single++
				if c.Device.Worst() >= events.High {
					s.grave++
				}
			}
		}
	}
	return s
}
