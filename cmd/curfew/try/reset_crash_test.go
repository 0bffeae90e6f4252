package try

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
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

// manners are the tenants in which workers die.
var manners = []manner{
	{name: "honest", dies: everywhere},
	{name: "504, and executed", fault: graphtest.TimedOutButDone, dies: whereAnythingChanges},
	{name: "504, not executed", fault: graphtest.TimedOut},
	{name: "connection cut, and executed", fault: graphtest.CutOffButDone},
	{name: "504, executed, late record", fault: graphtest.TimedOutButDone, late: settle / 2},
	{name: "504, executed, record too late", fault: graphtest.TimedOutButDone, late: time.Hour},
	{name: "accepted, record too late for who did not hear it", late: settle * 3 / 2},
	{name: "lies", comes: graphtest.Lies},
}

// TestKilledInAReset kills a real worker at every boundary of a reset: before
// each write to the journal and each call to Graph, and again when the other side
// has carried it out and the worker has not heard. Another worker takes over.
// There must be one wipe in the end, or none and a person who is told so, and
// never two.
func TestKilledInAReset(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	stage := theatre{t: t, dir: t.TempDir(), program: theProgram(t)}
	moments := make([][]string, len(manners))
	var whole errgroup.Group
	for i, how := range manners {
		whole.Go(func() error {
			moments[i] = sides(how, stage.play(ctx, how, []string{""}))
			return nil
		})
	}
	_ = whole.Wait() // there are no errors but those of the test
	t.Logf("in a tenant that is honest a worker may die\n  %s", strings.Join(moments[0], "\n  "))
	var deaths errgroup.Group
	deaths.SetLimit(24) // they mostly wait
	for i, how := range manners {
		if least := [...]int{aroundTheCall: 8, whereAnythingChanges: 40, everywhere: 50}[how.dies]; len(moments[i]) < least {
			t.Errorf("%s: there are only %d moments to die at, and must be %d: %v", how.name, len(moments[i]), least, moments[i])
		}
		for some := range slices.Chunk(moments[i], 6) {
			deaths.Go(func() error { stage.play(ctx, how, some); return nil })
		}
	}
	_ = deaths.Wait()
	t.Logf("%d resets, in %d of which the worker was killed", stage.told.Load(), stage.told.Load()-int64(len(manners)))
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

// A theatre is where stories of one reset each are told.
type theatre struct {
	t            *testing.T
	dir, program string
	scenes, told atomic.Int64
}

// play tells stories one after the other, in each of which the worker dies at a
// moment, and returns the boundaries that were passed in the last.
func (th *theatre) play(ctx context.Context, how manner, moments []string) (passed []string) {
	for len(moments) > 0 {
		dir := filepath.Join(th.dir, fmt.Sprint(th.scenes.Add(1)))
		s, err := newScene(ctx, dir, th.program, how)
		if err != nil {
			th.t.Errorf("%s: %v", how.name, err)
			return nil
		}
		for err == nil && len(moments) > 0 {
			if passed, err = s.live(ctx, moments[0]); err != nil {
				th.t.Errorf("%s, killed %s: %v\n%s%s", how.name, moments[0], err, s.tale(context.WithoutCancel(ctx)), s.wk.lastWords())
			}
			moments = moments[1:]
			th.told.Add(1)
		}
		if err := errors.Join(s.close(ctx), os.RemoveAll(dir)); err != nil {
			th.t.Error(err)
		}
	}
	return passed
}

// live tells the story of one reset, in which the worker dies at a moment.
func (s *scene) live(ctx context.Context, at string) (passed []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	d := s.life()
	d.arm(at, s.fallIll())
	if err := s.j.Append(ctx, s.key(), events.Noticed{Source: "operator"}, ""); err != nil {
		return nil, err
	}
	if at == "" {
		err := s.ends(ctx, false)
		return d.boundaries(), err
	}
	select {
	case <-d.dead:
	case <-ctx.Done():
		return nil, fmt.Errorf("it never came to that; it passed:\n%s", strings.Join(d.boundaries(), "\n"))
	}
	begun, err := s.hasBegun(ctx)
	if err != nil {
		return nil, err
	}
	lame := begun && len(s.wipes()) == 0
	if err := s.release(ctx, d); err != nil {
		return nil, err
	}
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	return d.boundaries(), s.ends(ctx, lame)
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
	if err := patiently(ctx, "the case is closed, or the reset given up", func() bool { return s.isClosed(ctx) || s.isGivenUp(ctx) }); err != nil {
		return err
	}
	if s.how.late > settle && s.isGivenUp(ctx) { // it could not be told, but it was once
		return steps(func() error { return s.isHeld(ctx) }, s.isWiped)
	}
	return steps(s.isWiped, func() error {
		if n := s.tenant.Happened(s.patient().Name, graphtest.AutopilotReset); n != 1 || !s.isClosed(ctx) {
			return fmt.Errorf("the laptop was reset %d times; its case is closed: %v", n, s.isClosed(ctx))
		}
		return nil
	})
}

// patiently is until for many who wait at the same time.
func patiently(ctx context.Context, what string, ok func() bool) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return errors.New("waited in vain for this: " + what)
		case <-tick.C:
		}
	}
	return nil
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
	if err := patiently(ctx, "the reset is given up", func() bool { return s.isGivenUp(ctx) }); err != nil {
		return err
	}
	name := s.patient().Name
	out, err := s.ask(ctx, "cases", "--json")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(out)) {
		var shown struct {
			Name, State string
			Attention   []string
		}
		if err := json.Unmarshal([]byte(line), &shown); err != nil {
			return err
		}
		why := func(a string) bool { return contains(a, "a person must look") }
		if shown.Name == name && shown.State == "attention" && slices.ContainsFunc(shown.Attention, why) {
			story, err := s.ask(ctx, "case", name)
			if err == nil && !contains(string(story), "a person must look") {
				err = fmt.Errorf("curfew case %s does not say that a person must look:\n%s", name, story)
			}
			return err
		}
	}
	return fmt.Errorf("curfew cases shows nobody that a person must look after %s:\n%s", name, out)
}

// isFoundOut waits until a person is told that what was reported done was not.
func (s *scene) isFoundOut(ctx context.Context) error {
	return patiently(ctx, "a person is told that it did not happen", func() bool {
		c := s.caseNow(ctx)
		return slices.ContainsFunc(c.Attention, func(a string) bool { return contains(a, "reported done") }) && !isPending(c)
	})
}

// isClosed reports whether the case was open and is not, and nothing is left to do.
func (s *scene) isClosed(ctx context.Context) bool {
	c := s.caseNow(ctx)
	return c.Episode > 0 && !c.Open && len(c.Pending) == 0
}

// isGivenUp reports whether the reset was.
func (s *scene) isGivenUp(ctx context.Context) bool {
	c := s.caseNow(ctx)
	return slices.ContainsFunc(c.Given, func(t events.Task) bool { return t.Action == events.Reset }) && !isPending(c)
}

func isPending(c events.Case) bool {
	return slices.ContainsFunc(c.Pending, func(t events.Task) bool { return t.Action == events.Reset })
}
