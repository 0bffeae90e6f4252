package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"curfew/events"

	"golang.org/x/sync/errgroup"
)

// A Sweep finds what no notification told, in one tenant: it reads Intune's list
// of devices, Defender's alerts, and what changed about the devices in Entra,
// each at its own pace. Graph sends no notifications for any of these, so the
// sweep is what makes Curfew complete.
//
// What it finds becomes facts: [events.Noticed] for a device that is worth a
// look, [events.Alerted] for an alert about a device. It never says how a device
// is, and a device that it did not mention is not known to be healthy.
//
// A mark is stored only when every fact up to it was acknowledged. A pass that
// fails, or is cut short, leaves the mark where it was: the next one reads the
// same again, and the facts that come twice are absorbed.
type Sweep struct {
	Client *Client
	Sink   Sink
	Cases  Cases
	Marks  Marks

	// Directory learns the ids of every device that is read; nil: nobody does.
	Directory *Directory

	// From the end of one pass to the begin of the next, give or take a tenth.
	// 0: the default, which is 15 min, 5 min and 15 min; negative: never.
	Devices, Alerts, Entra time.Duration

	// Lookback is how far the first pass over the alerts goes back; 0: 30 days.
	Lookback time.Duration

	Log    *slog.Logger // nil: silent
	Report func(Swept)  // nil: nobody counts
}

// A Sink takes facts, and returns when they are stored for good. id names a
// fact, so that one that is given twice within the sink's memory is kept once.
type Sink interface {
	Append(ctx context.Context, k events.Key, f events.Fact, id string) error
}

// Cases tells what is known of devices.
type Cases interface {
	Case(context.Context, events.Key) (events.Case, uint64, error)
	// Known are the ids of the tenant's devices that there is a case of.
	Known(ctx context.Context, tenant string) (map[string]struct{}, error)
}

// Marks keep how far a sweep has come. A key that was never put has a nil value.
// Keys are letters, digits, dots and hyphens.
type Marks interface {
	Get(ctx context.Context, key string) ([]byte, uint64, error)
	Put(ctx context.Context, key string, value []byte) error
}

// Swept is the result of one pass.
type Swept struct {
	Tenant   string // its id
	Kind     string // "devices", "alerts" or "entra"
	Began    time.Time
	Took     time.Duration
	Complete bool  // all that there was to read was read and made out, and what it told is stored
	Err      error // what ended it early

	Pages, Rows int
	Told        int // facts stored
	Unreadable  int // rows that could not be made out
	Nameless    int // rows worth a fact, about a device that has no id to go by
}

const (
	devicesEvery = 15 * time.Minute
	alertsEvery  = 5 * time.Minute
	entraEvery   = 15 * time.Minute
)

// Run sweeps until ctx ends. What goes wrong is logged and reported, and tried
// again at the next pass.
func (s *Sweep) Run(ctx context.Context) error {
	if s.Client == nil || s.Sink == nil || s.Cases == nil || s.Marks == nil {
		return errors.New("graph: a sweep needs a client, a sink, cases and marks")
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, k := range s.kinds() {
		g.Go(func() error {
			// Many tenants start at one time; they should not go on so.
			for wait := rand.N(k.every/10 + 1); pause(ctx, wait); wait = k.every - k.every/10 + rand.N(k.every/5+1) {
				k.sweep(ctx)
			}
			return nil
		})
	}
	return g.Wait()
}

// Once makes one pass over everything that [Sweep.Run] would, out of turn. A nil
// error means that all of it was read to its end.
func (s *Sweep) Once(ctx context.Context) error {
	var wrong []error
	for _, k := range s.kinds() {
		wrong = append(wrong, k.sweep(ctx).Err)
	}
	return errors.Join(wrong...)
}

type kind struct {
	every time.Duration
	sweep func(context.Context) Swept
}

// kinds are the passes that are wanted, and how often.
func (s *Sweep) kinds() []kind {
	all := []kind{
		{cmp.Or(s.Devices, devicesEvery), s.SweepDevices},
		{cmp.Or(s.Alerts, alertsEvery), s.SweepAlerts},
		{cmp.Or(s.Entra, entraEvery), s.SweepEntra},
	}
	return slices.DeleteFunc(all, func(k kind) bool { return k.every < 0 })
}

// SweepDevices makes one pass over Intune's list of managed devices.
func (s *Sweep) SweepDevices(ctx context.Context) Swept { return s.pass(ctx, "devices", sweepDevices) }

// SweepAlerts makes one pass over the alerts that changed since the last one.
func (s *Sweep) SweepAlerts(ctx context.Context) Swept { return s.pass(ctx, "alerts", sweepAlerts) }

// SweepEntra makes one pass over what changed about devices in Entra since the
// last one. That a change of isCompliant shows there is likely but not
// documented (Graph docs: device-delta), so it comes on top of SweepDevices and
// does not replace it.
func (s *Sweep) SweepEntra(ctx context.Context) Swept { return s.pass(ctx, "entra", sweepEntra) }

// pass is one go through one list.
func (s *Sweep) pass(ctx context.Context, kind string, do func(context.Context, *pass) error) Swept {
	log := s.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	now := time.Now().UTC()
	p := &pass{
		Sweep: s, logged: now,
		log:   log.With("tenant", s.Client.tenant.Name, "sweep", kind),
		Swept: Swept{Tenant: s.Client.tenant.ID, Kind: kind, Began: now},
	}
	known, err := s.Cases.Known(ctx, s.Client.tenant.ID)
	if err != nil {
		err = fmt.Errorf("graph: list the cases of %s: %w", s.Client.tenant.Name, err)
	} else {
		p.known = known
		err = s.Client.about(call{op: "sweep " + kind}, p.safely(ctx, do))
	}
	p.Took, p.Err, p.Complete = time.Since(p.Began), err, err == nil && p.Unreadable == 0
	switch {
	case p.Complete:
		p.log.LogAttrs(ctx, slog.LevelInfo, "swept", p.attrs()...)
	case ctx.Err() == nil:
		p.log.LogAttrs(ctx, slog.LevelWarn, "sweep is incomplete; what it did not read is not known to be healthy", append(p.attrs(), slog.Any("err", err))...)
	}
	if s.Report != nil {
		s.Report(p.Swept)
	}
	return p.Swept
}

// safely makes a pass that panics one that has failed: a row of one tenant that
// nobody thought of must not end what is done for all the others.
func (p *pass) safely(ctx context.Context, do func(context.Context, *pass) error) (err error) {
	defer func() {
		if broke := recover(); broke != nil {
			p.log.Error("a sweep has panicked", "panic", broke, "stack", string(debug.Stack()))
			err = fmt.Errorf("the sweep has panicked: %v", broke)
		}
	}()
	return do(ctx, p)
}

type pass struct {
	*Sweep
	Swept
	log    *slog.Logger
	logged time.Time
	known  map[string]struct{}
}

func (p *pass) attrs() []slog.Attr {
	return []slog.Attr{
		slog.Int("pages", p.Pages), slog.Int("rows", p.Rows), slog.Int("told", p.Told),
		slog.Int("unreadable", p.Unreadable), slog.Int("nameless", p.Nameless),
		slog.Duration("took", time.Since(p.Began).Round(time.Millisecond)),
	}
}

const progressEvery = 10 * time.Second

// count takes a page into the tally and says now and then how far it has come.
func (p *pass) count(ctx context.Context, rows, bad int) {
	p.Pages++
	p.Rows += rows + bad
	p.Unreadable += bad
	if time.Since(p.logged) >= progressEvery {
		p.logged = time.Now()
		p.log.LogAttrs(ctx, slog.LevelInfo, "sweep goes on", p.attrs()...)
	}
}

func (p *pass) knows(k events.Key) bool {
	_, ok := p.known[k.Device]
	return ok
}

// A finding is a fact on its way into the sink.
type finding struct {
	key  events.Key
	fact events.Fact
	id   string
}

// appends is how many facts are on their way into the sink at one time.
const appends = 32

// tell stores what a page told and returns when all of it is acknowledged.
func (p *pass) tell(ctx context.Context, found []finding) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(appends)
	for _, f := range found {
		g.Go(func() error { return p.Sink.Append(ctx, f.key, f.fact, f.id) })
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("graph: store what the sweep found: %w", err)
	}
	p.Told += len(found)
	return nil
}

// noticed is the finding that a device is worth a look. what makes its id: the
// same state of things is the same fact.
func noticed(k events.Key, what ...any) finding {
	return finding{key: k, fact: events.Noticed{Source: "sweep"}, id: "sweep-" + k.Device + "-" + digest(what...)}
}

func digest(what ...any) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q", fmt.Sprint(what...))
	return fmt.Sprintf("%016x", h.Sum64())
}

const (
	sweepTries = 5         // of one page
	sweepWaits = time.Hour // in sum, for one page
)

// fetch is send with a sweep's patience: it takes only what others leave of the
// budget, waits as long as it is told to, and tries a page again a few times.
func (p *pass) fetch(ctx context.Context, k call, into any) error {
	k.sweep = true
	var waited time.Duration
	for failed := 0; ; {
		err := p.Client.send(ctx, k, into)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.GiveUp() || ctx.Err() != nil {
			return err
		}
		wait := e.RetryAfter()
		if !e.local {
			failed++
		}
		if wait == 0 {
			wait = time.Duration(failed*failed) * time.Second
		}
		if waited += wait; failed >= sweepTries || waited > sweepWaits || !pause(ctx, wait) {
			return err
		}
	}
}

// mark reads a mark; ok is false if there is none that can be read.
func (p *pass) mark(ctx context.Context, into any) (ok bool, err error) {
	raw, _, err := p.Marks.Get(ctx, p.markKey())
	if err != nil {
		return false, fmt.Errorf("graph: read the mark %s: %w", p.markKey(), err)
	}
	if len(raw) == 0 {
		return false, nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		p.log.Error("the mark cannot be read; the sweep starts over", "mark", p.markKey(), "err", err)
		return false, nil
	}
	return true, nil
}

func (p *pass) setMark(ctx context.Context, m any) error {
	raw, err := json.Marshal(m)
	if err == nil {
		err = p.Marks.Put(ctx, p.markKey(), raw)
	}
	if err != nil {
		return fmt.Errorf("graph: store the mark %s: %w", p.markKey(), err)
	}
	return nil
}

func (p *pass) markKey() string { return "sweep." + p.Tenant + "." + p.Kind }
