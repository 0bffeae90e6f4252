package link

import (
	"net/netip"
	"sync"

	"golang.org/x/time/rate"
)

// Limits of what one address may ask: a mail scanner opens a link a few dozen
// times, a person a few times.
const (
	perSecond    = 2
	burst        = 60
	maxAddresses = 10_000 // that are told apart; the rest share one limit
)

// limits keep one address from taking the time of all others.
type limits struct {
	mu     sync.Mutex
	by     map[netip.Prefix]*rate.Limiter
	others *rate.Limiter
}

// allow reports whether an address, host:port, may ask now. Networks of IPv6
// count as one address.
func (l *limits) allow(remote string) bool {
	var from netip.Prefix // the zero one is for what has no address
	if a, err := netip.ParseAddrPort(remote); err == nil {
		ip := a.Addr().Unmap().WithZone("")
		bits := 64
		if ip.Is4() {
			bits = 32
		}
		from, _ = ip.Prefix(bits) // fits the address
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of(from).Allow()
}

func (l *limits) of(from netip.Prefix) *rate.Limiter {
	if l.by == nil {
		l.by, l.others = map[netip.Prefix]*rate.Limiter{}, rate.NewLimiter(perSecond, burst)
	}
	if have := l.by[from]; have != nil {
		return have
	}
	if len(l.by) >= maxAddresses {
		for k, have := range l.by {
			if have.Tokens() >= burst { // it has not asked for a while
				delete(l.by, k)
			}
		}
	}
	if len(l.by) >= maxAddresses {
		return l.others
	}
	l.by[from] = rate.NewLimiter(perSecond, burst)
	return l.by[from]
}
