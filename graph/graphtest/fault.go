package graphtest

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A Kind names what can go wrong.
type Kind string

// Faults of requests to Graph.
const (
	// Throttled answers 429, with Retry-After unless Fault.RetryAfter is zero: some
	// services leave the header out (Graph docs: throttling).
	Throttled Kind = "throttled"
	// Unavailable answers 503, with Retry-After if Fault.RetryAfter is set.
	Unavailable Kind = "unavailable"
	// TimedOut answers 504 without doing anything.
	TimedOut Kind = "timed-out"
	// TimedOutButDone does what was asked and answers 504: the asker cannot know.
	TimedOutButDone Kind = "timed-out-but-done"
	// CutOff breaks the connection without doing anything.
	CutOff Kind = "cut-off"
	// CutOffButDone does what was asked and breaks the connection.
	CutOffButDone Kind = "cut-off-but-done"
	// BadGateway answers 502 with an HTML page, as a proxy in front of Graph does.
	BadGateway Kind = "bad-gateway"
	// EmptyError answers 500 without a body.
	EmptyError Kind = "empty-error"
	// BareError answers 500 with the body {}: no error object at all.
	BareError Kind = "bare-error"
	// Slow answers after Fault.Wait; other faults apply on top.
	Slow Kind = "slow"
)

// Faults of permission and of the token endpoint.
const (
	// ConsentRevoked refuses every request with 403 and every token with
	// AADSTS700016, as after the enterprise application was deleted.
	ConsentRevoked Kind = "consent-revoked"
	// TokenDown makes the tenant's token endpoint answer 503 AADSTS90033.
	TokenDown Kind = "token-down"
)

// Faults of notifications. Times counts deliveries, that is POSTs to a webhook.
const (
	// Lost notifications are never sent.
	Lost Kind = "lost"
	// Duplicated notifications are sent Fault.Copies times, all at once.
	Duplicated Kind = "duplicated"
	// Delayed notifications are sent after Fault.Wait.
	Delayed Kind = "delayed"
	// Reordered notifications are kept until the next one was delivered, or until
	// the fault is lifted.
	Reordered Kind = "reordered"
)

// A Fault is something that goes wrong in a tenant.
type Fault struct {
	Kind Kind
	// Path limits a fault of requests to paths that begin so, below the version:
	// "deviceManagement/managedDevices/*/wipe", where * is any one segment. Empty
	// is every request.
	Path   string
	Method string // "" is any
	// Times is how many requests or notifications the fault spoils, For how long
	// it lasts. Zero is no limit: until lifted.
	Times int
	For   time.Duration
	// RetryAfter goes into the header of that name, in whole seconds rounded up,
	// or as a date if AsDate is set (RFC 9110 allows both).
	RetryAfter time.Duration
	AsDate     bool
	Wait       time.Duration // Slow, Delayed
	Copies     int           // Duplicated; at least 2
}

type fault struct {
	Fault
	until time.Time
	left  int
	kept  []parcel // Reordered
}

// Inject makes something go wrong from now on. Of several faults that fit a
// request the first injected applies. lift ends it; it may be called twice.
func (t *Tenant) Inject(f Fault) (lift func()) {
	in := &fault{Fault: f, left: f.Times}
	if f.For > 0 {
		in.until = time.Now().Add(f.For)
	}
	t.mu.Lock()
	t.faults = append(t.faults, in)
	t.mu.Unlock()
	return func() {
		t.mu.Lock()
		t.faults = slices.DeleteFunc(t.faults, func(other *fault) bool { return other == in })
		kept := in.kept
		in.kept = nil
		t.mu.Unlock()
		t.cloud.deliver(t, kept)
	}
}

// Throttle answers the next n requests whose path begins so with 429 and
// Retry-After (none when zero). n = 0 is until lifted.
func (t *Tenant) Throttle(path string, n int, retryAfter time.Duration) (lift func()) {
	return t.Inject(Fault{Kind: Throttled, Path: path, Times: n, RetryAfter: retryAfter})
}

// RevokeConsent takes the app's consent away until restored.
func (t *Tenant) RevokeConsent() (restore func()) { return t.Inject(Fault{Kind: ConsentRevoked}) }

// hit finds the first live fault that fits and uses one of its times. The lock
// is held.
func (t *Tenant) hit(now time.Time, fits func(*fault) bool) *fault {
	t.faults = slices.DeleteFunc(t.faults, func(f *fault) bool {
		spent := f.Times > 0 && f.left == 0 && f.kept == nil
		return spent || !f.until.IsZero() && !now.Before(f.until)
	})
	for _, f := range t.faults {
		if f.Times > 0 && f.left == 0 || !fits(f) {
			continue
		}
		f.left--
		return f
	}
	return nil
}

// A spoiling is what the tenant's faults do to one request.
type spoiling struct {
	kind     Kind
	wait     time.Duration
	executes bool
	instead  func(*call) reply
}

func (t *Tenant) spoil(k *call) spoiling {
	t.mu.Lock()
	defer t.mu.Unlock()
	fits := func(f *fault) bool {
		_, ok := matches(f.Path, k.segs, true)
		return ok && (f.Method == "" || f.Method == k.r.Method)
	}
	var s spoiling
	if f := t.hit(k.now, func(f *fault) bool { return f.Kind == Slow && fits(f) }); f != nil {
		s.kind, s.wait = Slow, f.Wait
	}
	if out, limited := t.limit(k); limited {
		s.kind, s.instead = Throttled, func(*call) reply { return out }
		return s
	}
	f := t.hit(k.now, func(f *fault) bool { return f.answer() != nil && fits(f) })
	if f != nil {
		s.kind, s.instead = f.Kind, f.answer()
		s.executes = f.Kind == TimedOutButDone || f.Kind == CutOffButDone
	}
	return s
}

// answer is what a fault of requests answers; nil for the other kinds.
func (f *fault) answer() func(*call) reply {
	switch f.Kind {
	case Throttled:
		return f.throttled
	case Unavailable:
		return func(k *call) reply {
			out := k.fail(http.StatusServiceUnavailable, "serviceNotAvailable",
				"The service is temporarily unavailable for maintenance or is overloaded.")
			out.header = f.retryAfter(k.now)
			return out
		}
	case TimedOut, TimedOutButDone:
		return func(k *call) reply { return k.fail(http.StatusGatewayTimeout, "UnknownError", "") }
	case CutOff, CutOffButDone:
		return func(*call) reply { return reply{cut: true} }
	case BadGateway:
		return func(*call) reply {
			return reply{status: http.StatusBadGateway, kind: "text/html", body: []byte(
				"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>")}
		}
	case EmptyError:
		return func(*call) reply { return empty(http.StatusInternalServerError) }
	case BareError:
		return func(*call) reply { return reply{status: http.StatusInternalServerError, body: []byte("{}")} }
	case ConsentRevoked:
		return func(k *call) reply { return k.forbidden(nil) }
	}
	return nil
}

// throttled is Graph's 429 (Graph docs: throttling, "What happens when throttling
// occurs": the body's code is TooManyRequests).
func (f *fault) throttled(k *call) reply {
	out := k.fail(http.StatusTooManyRequests, "TooManyRequests", "Please retry again later.")
	out.header = f.retryAfter(k.now)
	return out
}

func (f *fault) retryAfter(now time.Time) map[string]string {
	if f.RetryAfter <= 0 {
		return nil
	}
	if f.AsDate {
		return map[string]string{"Retry-After": now.Add(f.RetryAfter).Add(time.Second - 1).UTC().Format(http.TimeFormat)}
	}
	return map[string]string{"Retry-After": strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds())))}
}

// limit keeps the rate limits of /auditLogs, 5 requests in 10 seconds per app per
// tenant, of Conditional Access, and of /security, if the tenant's rules have one:
// 150 a minute (Graph docs: throttling-limits). With [Rules].Limits it keeps those
// of Intune and of the directory too. The lock is held.
func (t *Tenant) limit(k *call) (reply, bool) {
	below := func(pattern string) bool { _, is := matches(pattern, k.segs, true); return is }
	switch {
	case below("auditLogs"):
		return k.over(&k.app.audited, 5, 10*time.Second)
	case below("security"):
		if t.rules.SecurityPerMinute == 0 {
			return reply{}, false
		}
		return k.over(&k.app.asked, t.rules.SecurityPerMinute, time.Minute)
	case below("identity/conditionalAccess"):
		return k.crowdedAccess()
	case !t.rules.Limits:
		return reply{}, false
	case below("deviceManagement") || below("deviceAppManagement"):
		return k.over(&k.app.intune, 2000, 20*time.Second)
	}
	// Requests here cost one resource unit or two; the largest tenants have 8,000 of
	// them in 10 s. Two are counted for each.
	return k.over(&k.app.directory, 4000, 10*time.Second)
}

// over counts a call, or refuses it if there were enough within the window.
func (k *call) over(calls *[]time.Time, most int, window time.Duration) (reply, bool) {
	start := k.now.Add(-window)
	*calls = slices.DeleteFunc(*calls, func(at time.Time) bool { return !at.After(start) })
	if len(*calls) < most {
		*calls = append(*calls, k.now)
		return reply{}, false
	}
	f := fault{Fault: Fault{RetryAfter: (*calls)[0].Sub(start)}}
	return f.throttled(k), true
}
