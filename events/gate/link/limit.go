package link

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits of what may be asked: a mail scanner opens a link a few dozen times, a
// person a few times.
const (
	perSecond = 2
	burst     = 60
	mostKept  = 10_000 // that are told apart; the rest share one limit
)

// limits keep one asker from taking the time of all others.
type limits struct {
	mu     sync.Mutex
	by     map[string]*rate.Limiter
	others *rate.Limiter
	swept  time.Time
}

// allow reports whether whoever goes by this name may ask now.
func (l *limits) allow(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of(name).Allow()
}

func (l *limits) of(name string) *rate.Limiter {
	if l.by == nil {
		l.by, l.others = map[string]*rate.Limiter{}, rate.NewLimiter(perSecond, burst)
	}
	if have := l.by[name]; have != nil {
		return have
	}
	if now := time.Now(); len(l.by) >= mostKept && now.Sub(l.swept) >= time.Second {
		l.swept = now
		for k, have := range l.by {
			if have.Tokens() >= burst { // it has not asked for a while
				delete(l.by, k)
			}
		}
	}
	if len(l.by) >= mostKept {
		return l.others
	}
	l.by[name] = rate.NewLimiter(perSecond, burst)
	return l.by[name]
}

// network is where somebody asks from, of host:port: an address, or a network of
// IPv6. What has no address is one.
func network(remote string) string {
	a, err := netip.ParseAddrPort(remote)
	if err != nil {
		return ""
	}
	ip := a.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	p, _ := ip.Prefix(64) // fits the address
	return p.String()
}
