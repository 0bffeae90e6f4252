package try

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"curfew/events"
	"curfew/graph/graphtest"
)

// manners are the tenants in which a worker dies. What is late is late beside a
// settling time of four seconds.
var manners = []manner{
	{name: "honest", dies: everywhere},
	{name: "504, and executed", fault: graphtest.TimedOutButDone, dies: whereAnythingChanges},
	{name: "504, not executed", fault: graphtest.TimedOut},
	{name: "connection cut, and executed", fault: graphtest.CutOffButDone},
	{name: "504, executed, late record", fault: graphtest.TimedOutButDone, late: 2 * time.Second},
	{name: "504, executed, record too late", fault: graphtest.TimedOutButDone, late: time.Hour},
	{name: "accepted, late record", late: 6 * time.Second},
	{name: "lies", comes: graphtest.Lies},
}

// atOnce is how many stories are told at the same time. They mostly wait.
const atOnce = 20

// TestKilledInAReset kills a real worker at every boundary of a reset: before
// each write to the journal and each call to Graph, and again when the other side
// has carried it out and the worker has not heard. Another worker takes over.
// There must be one wipe in the end, or none and a person who is told so, and
// never two.
func TestKilledInAReset(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	dir := t.TempDir()
	program := filepath.Join(dir, "curfew")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "curfew/cmd/curfew").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var told atomic.Int64
	tell := func(how manner, at string) *doom {
		d, err := live(ctx, filepath.Join(dir, fmt.Sprint(told.Add(1))), program, how, at)
		if err != nil {
			t.Errorf("%s, killed %s: %v", how.name, at, err)
		}
		return d
	}
	points := make([][]string, len(manners))
	var clean errgroup.Group
	for i, how := range manners {
		clean.Go(func() error { points[i] = sides(how, tell(how, "").boundaries()); return nil })
	}
	_ = clean.Wait() // it has no error
	t.Logf("in a tenant that is honest a worker may die\n  %s", strings.Join(points[0], "\n  "))
	var deaths errgroup.Group
	deaths.SetLimit(atOnce)
	for i, how := range manners {
		for _, at := range points[i] {
			deaths.Go(func() error { tell(how, at); return nil })
		}
		if least := [...]int{aroundTheCall: 8, whereAnythingChanges: 40, everywhere: 50}[how.dies]; len(points[i]) < least {
			t.Errorf("%s: there are only %d moments to die at, and must be %d: %v", how.name, len(points[i]), least, points[i])
		}
	}
	_ = deaths.Wait() // nor has this
	t.Logf("%d stories", told.Load())
}

// sides are the moments at which a worker dies that passes these boundaries. To
// die after something was read is to die before what comes next.
func sides(how manner, passed []string) (all []string) {
	if how.dies == aroundTheCall {
		call := slices.IndexFunc(passed, func(p string) bool { return strings.HasSuffix(p, "/wipe") })
		passed = passed[max(0, call-1):min(len(passed), call+4)]
	}
	for _, p := range passed {
		reads := strings.HasPrefix(p, "call GET")
		if !reads || how.dies == everywhere {
			all = append(all, before+p)
		}
		if !reads {
			all = append(all, after+p)
		}
	}
	return all
}

// live tells the story of one reset, in which the worker dies at a boundary.
func live(ctx context.Context, dir, program string, how manner, at string) (d *doom, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	d = newDoom("")
	s, err := newScene(ctx, dir, program, how)
	if err != nil {
		return d, err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w\n%s%s", err, s.tale(context.WithoutCancel(ctx)), s.wk.lastWords())
		}
		err = errors.Join(err, s.close(ctx), os.RemoveAll(dir))
	}()
	if d, err = s.begin(ctx, at); err != nil {
		return d, err
	}
	if err := s.j.Append(ctx, s.key(), events.Noticed{Source: "operator"}, ""); err != nil {
		return d, err
	}
	wiped, begun := 1, false
	if at != "" {
		select {
		case <-d.dead:
		case <-ctx.Done():
			return d, fmt.Errorf("it never came to that; it passed:\n%s", strings.Join(d.boundaries(), "\n"))
		}
		if begun, err = s.hasBegun(ctx); err != nil {
			return d, err
		}
		wiped = len(s.wipes())
		if err := s.release(ctx, d); err != nil {
			return d, err
		}
		if _, err := s.begin(ctx, ""); err != nil {
			return d, err
		}
	}
	return d, s.ends(ctx, begun && wiped == 0)
}

// ends waits for the end that the story must have, and makes sure that it is the
// end. Lame says that an attempt has begun that never called: nobody can know
// that, and so nobody may call again.
func (s *scene) ends(ctx context.Context, lame bool) error {
	sick := func() error { return none("cases closed while the laptop is sick", b2i(s.isClosed(ctx))) }
	switch {
	case lame, s.how.fault == graphtest.TimedOut:
		return steps(func() error { return s.isHeld(ctx) }, sick, func() error { return none("wipes", len(s.wipes())) })
	case s.how.comes == graphtest.Lies:
		return steps(func() error { return s.isFoundOut(ctx) }, sick, s.isWiped)
	}
	if err := until(ctx, "the case is closed, or the reset given up", func() bool { return s.isClosed(ctx) || s.isGivenUp(ctx) }); err != nil {
		return err
	}
	if s.how.late > settle && s.isGivenUp(ctx) { // it could not be told, but it was once
		return steps(func() error { return s.isHeld(ctx) }, s.isWiped)
	}
	return steps(s.isWiped, func() error {
		if n := s.tenant.Happened(s.laptop.Name, graphtest.AutopilotReset); n != 1 || !s.isClosed(ctx) {
			return fmt.Errorf("the laptop was reset %d times; its case is closed: %v", n, s.isClosed(ctx))
		}
		return nil
	})
}

// isWiped checks that Intune was asked for one Autopilot Reset, and for nothing worse.
func (s *scene) isWiped() error {
	if w := s.wipes(); len(w) != 1 || w[0].Kind != graphtest.AutopilotReset {
		return fmt.Errorf("wipes: %v, and there must be one", w)
	}
	return nil
}

// isHeld waits until the reset is given up, and a person sees it.
func (s *scene) isHeld(ctx context.Context) error {
	const why = "a person must look"
	if err := until(ctx, "the reset is given up", func() bool { return s.isGivenUp(ctx) }); err != nil {
		return err
	}
	for _, args := range [][]string{{"case", s.laptop.Name, "--json"}, {"cases", "--json"}} {
		out, err := s.ask(ctx, args...)
		if err != nil {
			return err
		}
		var shown struct {
			State     string
			Attention []string
		}
		if err := json.Unmarshal(out, &shown); err != nil {
			return err
		}
		if shown.State != "attention" || !slices.ContainsFunc(shown.Attention, func(a string) bool { return contains(a, why) }) {
			return fmt.Errorf("curfew %s shows nobody that %s: %s", args[0], why, out)
		}
	}
	return nil
}

// isFoundOut waits until a person is told that what was reported done was not.
func (s *scene) isFoundOut(ctx context.Context) error {
	return until(ctx, "a person is told that it did not happen", func() bool {
		c := s.caseNow(ctx)
		return slices.ContainsFunc(c.Attention, func(a string) bool { return contains(a, "reported done") }) && !isPending(c)
	})
}

// isClosed reports whether the case was open and is not, and no reset is to be done.
func (s *scene) isClosed(ctx context.Context) bool {
	c := s.caseNow(ctx)
	return c.Episode > 0 && !c.Open && !isPending(c)
}

// isGivenUp reports whether the reset was.
func (s *scene) isGivenUp(ctx context.Context) bool {
	c := s.caseNow(ctx)
	return slices.ContainsFunc(c.Given, func(t events.Task) bool { return t.Action == events.Reset }) && !isPending(c)
}

func isPending(c events.Case) bool {
	return slices.ContainsFunc(c.Pending, func(t events.Task) bool { return t.Action == events.Reset })
}

// caseNow is the laptop's case; one that cannot be read just now is empty.
func (s *scene) caseNow(ctx context.Context) events.Case {
	c, _, err := s.j.Case(ctx, s.key())
	if err != nil {
		return events.Case{Episode: 0}
	}
	return c
}

// hasBegun reports whether the journal has it that an attempt at the reset began.
func (s *scene) hasBegun(ctx context.Context) (bool, error) {
	for r, err := range s.j.Facts(ctx, s.key()) {
		if err != nil {
			return false, err
		}
		if f, ok := r.Fact.(events.Begun); ok && strings.HasSuffix(f.Task, "-"+string(events.Reset)) {
			return true, nil
		}
	}
	return false, nil
}

// ask runs a command of the program, as a person would, and returns what it says.
func (s *scene) ask(ctx context.Context, args ...string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, s.wk.program, append(args, "--config", s.wk.config)...).Output()
	if err != nil {
		return nil, fmt.Errorf("curfew %s: %w: %s", args[0], err, out)
	}
	return out, nil
}
