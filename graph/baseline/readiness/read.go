package readiness

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// The parts that are read, as people and [Unread] name them.
const (
	partUsers    = "users"
	partDevices  = "devices in Intune"
	partEntra    = "devices in Entra"
	partSettings = "settings that devices fail"
	partPolicies = "devices without a policy"
	partApps     = "apps on phones"
	partSignIns  = "sign-ins"
	partWhatIf   = "what-if"
	partLicences = "licences"
)

// Progress is told now and then how far a reading is.
type Progress func(part string, rows int)

// Read fetches the facts, several parts at once, and changes nothing. What
// Microsoft refuses, or keeps failing, is noted in [Facts].Unread; an error means
// that reading was called off.
func Read(ctx context.Context, api API, s Scope, tell Progress) (Facts, error) {
	r := &reading{api: api, tell: tell, words: pool{}, Facts: Facts{Scope: s, At: time.Now().UTC()}}
	g, _ := errgroup.WithContext(ctx) // one part's trouble is no other's
	run := func(what string, read func(context.Context) error) {
		g.Go(func() error { r.note(what, read(ctx)); return nil })
	}
	var users, devices, entra sync.WaitGroup
	users.Add(1)
	devices.Add(1)
	entra.Add(1)
	run(partUsers, func(ctx context.Context) error { defer users.Done(); return r.users(ctx) })
	run(partDevices, func(ctx context.Context) error { defer devices.Done(); users.Wait(); return r.devices(ctx) })
	run(partEntra, func(ctx context.Context) error { defer entra.Done(); return r.entra(ctx) })
	run(partSignIns, r.signIns)
	run(partWhatIf, func(ctx context.Context) error { users.Wait(); return r.whatIf(ctx) })
	g.Go(func() error {
		devices.Wait()
		run(partSettings, r.settings)
		run(partPolicies, r.unassigned)
		run(partApps, r.apps)
		entra.Wait()
		r.match()
		return nil
	})
	if err := g.Wait(); err != nil {
		return Facts{}, err
	}
	r.Took = time.Since(r.At)
	return r.Facts, ctx.Err()
}

// A reading is one under way.
type reading struct {
	Facts
	api  API
	tell Progress

	mu    sync.Mutex
	words pool

	byUser  map[string]int // of Users, by object id and principal name
	objects []objectRow
}

// note remembers that a part could not be read.
func (r *reading) note(what string, err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Unread = append(r.Unread, Unread{What: what, Why: line(oneError(err))})
	slices.SortFunc(r.Unread, func(a, b Unread) int { return strings.Compare(a.What, b.What) })
}

func oneError(err error) string {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return "it was called off, or took too long"
	}
	return err.Error()
}

func (r *reading) progress(part string, rows int) {
	if r.tell != nil {
		r.tell(part, rows)
	}
}

// keep is [pool.text] for parts that are read at once.
func (r *reading) keep(s string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.words.text(s)
}
