package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A destination that has not answered so many times in a row is left alone for a
// while, longer each time.
const (
	deadAfter = 3
	maxPause  = 5 * time.Minute
)

// A Bulkhead is in front of one destination, so that its trouble stays its own.
// It keeps the time that the destination asked for, so that no task runs into a
// refusal that another one has heard already; it keeps everybody from one that
// does not answer, whose time-outs would fill all workers; and it bounds how many
// calls are made at once and in a minute. The zero value bounds neither; it must
// not be copied once used.
type Bulkhead struct {
	Slots     int // calls at once; zero: any number
	PerMinute int // calls in a minute, a quarter of them in one go; zero: any number

	mu    sync.Mutex
	until time.Time // nobody goes through before
	why   error
	dead  int // calls in a row that nobody answered
	in    int
	pace  *rate.Limiter
}

// Patience says that a task waits, for no fault of the destination.
type Patience struct{ Why string }

func (p Patience) Error() string { return p.Why }

// Ready returns nil if the destination may be called now, and else an error with
// the time to wait. Nothing was done then.
func (b *Bulkhead) Ready() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ready()
}

func (b *Bulkhead) ready() error {
	wait := time.Until(b.until)
	if wait <= 0 {
		return nil
	}
	return After(Patience{Why: fmt.Sprintf("left alone for %v, because of what it answered others: %v", wait.Round(time.Second), b.why)}, wait)
}

// fullFor is how soon a task comes back that found every slot taken.
const fullFor = 5 * time.Second

// Enter is [Bulkhead.Ready], and takes a slot. leave must be called if there is
// no error.
func (b *Bulkhead) Enter() (leave func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.ready(); err != nil {
		return nil, err
	}
	if b.Slots > 0 && b.in >= b.Slots {
		return nil, After(Patience{Why: fmt.Sprintf("%d calls are under way to it already", b.in)}, fullFor)
	}
	if b.PerMinute > 0 {
		if b.pace == nil {
			b.pace = rate.NewLimiter(rate.Every(time.Minute/time.Duration(b.PerMinute)), max(1, b.PerMinute/4))
		}
		r := b.pace.Reserve()
		if wait := r.Delay(); wait > 0 {
			r.Cancel()
			return nil, After(Patience{Why: fmt.Sprintf("no more than %d calls a minute are made to it", b.PerMinute)}, wait)
		}
	}
	b.in++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.in--
	}, nil
}

// Heard learns from what came of a call.
func (b *Bulkhead) Heard(ctx context.Context, err error) {
	v := Read(err)
	_, ours := errors.AsType[Patience](err)
	if ours || err != nil && v.Status == 0 && (v.GiveUp || ctx.Err() != nil && !hung(ctx)) {
		return // it was not the destination
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil || v.Status != 0 && v.Status < 500 {
		b.dead = 0
	} else {
		b.dead++
	}
	pause := time.Duration(0)
	if v.Status == http.StatusTooManyRequests || v.Status == http.StatusServiceUnavailable {
		pause = v.After
	}
	if n := b.dead - deadAfter; n >= 0 {
		pause = max(pause, min(time.Second<<min(n, 10), maxPause))
	}
	if until := time.Now().Add(pause); pause > 0 && until.After(b.until) {
		b.until, b.why = until, err
	}
}

// hung reports whether a context ended because its time had passed.
func hung(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ok && !time.Now().Before(end)
}
