package try

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"curfew/events/broker"
	"curfew/events/journal"
	"curfew/graph/graphtest"
)

// SoakOptions say how long and how hard.
type SoakOptions struct {
	Program string        // the curfew binary that plays the workers
	Dir     string        // where everything is kept; removed at the end if all went well
	For     time.Duration // at least 10 s
	Rate    int           // notifications a second; 0: 200
	Seed    uint64        // what goes wrong when; 0: chosen
	Told    io.Writer     // a line for each thing that happens; nil: nobody is told
}

const (
	slowGraph = 2 * time.Second
	mostAfoot = 10_000          // notifications that wait to be taken, half a minute without a queue and more
	factsAge  = 5 * time.Minute // how long facts are kept here, so that a long soak sees them go
)

// Soak runs two real workers under load while things go wrong around them, by a plan
// that the seed repeats: killed and restarted, without a queue, without Graph,
// tokens, a desk or a pager. The load is notifications about sixty laptops, which
// fall ill and are healed again in turn.
//
// In the end everything is healed, and the report says whether anything was lost
// or done twice, whether the worker that was never restarted has grown, and
// whether the journal has grown as its settings for retention say. An error says
// that it could not be told.
func Soak(ctx context.Context, o SoakOptions) (r *SoakReport, err error) {
	if o.For < 10*time.Second {
		return nil, errors.New("soak: it takes at least 10 s")
	}
	o.Rate, o.Seed = cmp.Or(o.Rate, 200), cmp.Or(o.Seed, rand.Uint64N(1_000_000_000))
	if o.Told == nil {
		o.Told = io.Discard
	}
	s, err := newSoaked(ctx, o.Dir, o.Program)
	if err != nil {
		return nil, fmt.Errorf("soak: %w", err)
	}
	defer s.close()
	run := &soak{soaked: s, o: o, report: &SoakReport{Seed: o.Seed, Rate: o.Rate, Faults: map[string]int{}}}
	if err := run.prepare(ctx); err != nil {
		return nil, fmt.Errorf("soak: %w", err)
	}
	defer run.leave()
	if err := run.run(ctx); err != nil {
		return nil, fmt.Errorf("soak, seed %d: %w", o.Seed, err)
	}
	if err := run.judge(ctx); err != nil {
		return nil, fmt.Errorf("soak, seed %d: %w", o.Seed, err)
	}
	return run.report, nil
}

// A soak is one under way.
type soak struct {
	*soaked
	o      SoakOptions
	report *SoakReport
	began  time.Time
	watch  *watchman

	j     *journal.Journal
	leave func()
	grown []growth

	mu      sync.Mutex
	offered int
}

// say tells what happens.
func (s *soak) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.o.Told, "%7.1f s  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// prepare starts the workers, and has facts kept for minutes instead of months.
func (s *soak) prepare(ctx context.Context) error {
	s.began = time.Now()
	s.say("seed %d; workers and queue in %s", s.o.Seed, s.dir)
	for _, t := range s.clients {
		timing := t.Timing()
		timing.Retry, timing.RetryMost = 2*time.Second, 20*time.Second
		// So short that tokens are asked for again and again.
		timing.Token = 5*time.Minute + min(s.o.For/10, time.Minute)
		t.SetTiming(timing)
	}
	if err := s.started(ctx, s.first); err != nil {
		return err
	}
	quiet := slog.New(slog.DiscardHandler)
	b, err := broker.Local(s.first.data, quiet)
	if err != nil {
		return err
	}
	s.leave = func() { _ = b.Stop(context.WithoutCancel(ctx)) }
	js, err := jetstream.New(b.Conn())
	if err != nil {
		return err
	}
	facts, err := js.Stream(ctx, "FACTS")
	if err != nil {
		return err
	}
	settings := facts.CachedInfo().Config
	settings.MaxAge = factsAge
	if _, err := js.UpdateStream(ctx, settings); err != nil {
		return err
	}
	if s.j, err = journal.Attach(ctx, b.Conn(), quiet); err != nil {
		return err
	}
	s.first.stop() // it has to see how long facts are kept now
	if err := s.started(ctx, s.first); err != nil {
		return err
	}
	if err := s.started(ctx, s.second); err != nil {
		return err
	}
	for _, t := range s.clients {
		if err := until(ctx, "the subscriptions are made", func() bool { return len(t.Subscriptions()) == 1 }); err != nil {
			return err
		}
	}
	return nil
}

func (s *soak) started(ctx context.Context, wk *worker) error {
	if err := wk.start(ctx); err != nil {
		return err
	}
	return wk.ready(ctx, time.Minute)
}

// run lets load, illnesses and mishaps come as planned, and waits for all to end.
func (s *soak) run(ctx context.Context) error {
	s.began = time.Now()
	s.watch = &watchman{worker: s.second, began: s.began, series: map[string][]sample{}}
	during, end := context.WithTimeout(ctx, s.o.For)
	defer end()
	var wg sync.WaitGroup
	var failed error
	wg.Go(func() { s.notify(during) })
	wg.Go(func() { s.ail(during) })
	wg.Go(func() { s.observe(during, s.o.For/300) })
	wg.Go(func() { failed = s.suffer(during) })
	wg.Wait()
	return failed
}

// notify offers the load: notifications about any of the laptops.
func (s *soak) notify(ctx context.Context) {
	r := rand.New(rand.NewPCG(s.o.Seed, 3))
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for due := int(time.Since(s.began).Seconds() * float64(s.o.Rate)); s.offered+s.report.Withheld < due; {
			if s.cloud.Afoot() > mostAfoot {
				s.report.Withheld++
				continue
			}
			i := r.IntN(soakTenants)
			s.clients[i].Notify(s.names[i](r.IntN(soakLaptops)))
			s.offered++
		}
	}
}

// ail lets laptops fall ill and heals them.
func (s *soak) ail(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, ill := range illnesses(s.o.Seed, s.o.For) {
		if !rest(ctx, ill.at-time.Since(s.began)) {
			return
		}
		t, name := s.laptopOf(ill.laptop)
		t.Infect(name, graphtest.High)
		t.Notify(name)
		s.report.Illnesses++
		wg.Go(func() { // those who are ill when the load ends are healed all the same
			time.Sleep(ill.lasts)
			t.Heal(name)
			t.Notify(name)
		})
	}
}

// suffer lets mishaps happen. Those of the first worker come one after the other.
func (s *soak) suffer(ctx context.Context) error {
	var wg sync.WaitGroup
	own := make(chan mishap, 1000)
	var failed error // of the first worker; known when all have ended
	wg.Go(func() {
		for m := range own {
			if failed == nil {
				failed = s.trouble(ctx, m)
			}
		}
	})
	for _, m := range mishaps(s.o.Seed, s.o.For) {
		if !rest(ctx, m.At-time.Since(s.began)) {
			break
		}
		s.say("%s, for %.1f s", m.Kind, m.For.Seconds())
		s.report.Faults[m.Kind]++
		lift := s.afflict(m)
		if lift == nil {
			own <- m
			continue
		}
		wg.Go(func() {
			defer lift()
			rest(ctx, m.For)
		})
	}
	close(own)
	wg.Wait()
	return failed
}

// trouble is what the first worker goes through.
func (s *soak) trouble(ctx context.Context, m mishap) error {
	ctx = context.WithoutCancel(ctx) // it must run in the end
	switch m.Kind {
	case killed9:
		s.first.kill()
	case restarted:
		s.first.stop()
	case queueGone:
		s.first.kill()
		time.Sleep(m.For)
	}
	return s.started(ctx, s.first)
}

// rest waits, and reports whether the time has passed before ctx ended.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// diskUsed is what the files below a directory take, in bytes.
func diskUsed(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // it was removed meanwhile
		}
		if info, err := d.Info(); err == nil && !d.IsDir() {
			n += info.Size()
		}
		return nil
	})
	return n
}
