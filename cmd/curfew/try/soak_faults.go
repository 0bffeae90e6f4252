package try

import (
	"math/rand/v2"
	"time"
)

// A mishap is something that goes wrong in a soak, for a while.
type mishap struct {
	At     time.Duration `json:"at"` // since the beginning
	Kind   string        `json:"kind"`
	For    time.Duration `json:"for"`
	Tenant int           `json:"tenant"` // whose, where it is one tenant's
}

// The kinds of mishaps.
const (
	killed9    = "the worker with the queue is killed"
	restarted  = "the worker with the queue is restarted in order"
	queueGone  = "the queue is gone for a while"
	graph503   = "Graph answers 503"
	graph429   = "Graph answers 429"
	graph504   = "Graph answers 504, having done it"
	graphCut   = "Graph cuts connections off"
	graphSlow  = "Graph takes two seconds"
	tokenDown  = "the token endpoint is down"
	duplicates = "notifications come three times"
	disorder   = "notifications come in another order"
	losses     = "notifications are lost"
	deskDown   = "the help desk is down"
	pagerDown  = "the pager is down"
)

var kindsOfMishap = []string{
	killed9, restarted, queueGone, graph503, graph429, graph504, graphCut, graphSlow, tokenDown, duplicates, disorder, losses, deskDown, pagerDown,
}

// mishaps plans what goes wrong, the same for the same seed and length: every
// kind once before any comes again, each while the one before may still last.
// The last sixth is left in peace.
func mishaps(seed uint64, length time.Duration) (plan []mishap) {
	r := rand.New(rand.NewPCG(seed, 1))
	mean := min(max(length/time.Duration(2*len(kindsOfMishap)), 500*time.Millisecond), 15*time.Second)
	some := func() time.Duration { return mean/2 + time.Duration(r.Int64N(int64(mean))) }
	for at := some(); ; {
		for _, i := range r.Perm(len(kindsOfMishap)) {
			m := mishap{At: at, Kind: kindsOfMishap[i], For: some(), Tenant: r.IntN(soakTenants)}
			if at+m.For > length*5/6 {
				return plan
			}
			plan = append(plan, m)
			at += some()
		}
	}
}

// An illness is a laptop with malware on it.
type illness struct {
	at, lasts time.Duration
	laptop    int
}

// illnesses plans who falls ill when and for how long: in turn, so that each has
// long been well when it is its turn again.
func illnesses(seed uint64, length time.Duration) (plan []illness) {
	const laptops = soakTenants * soakLaptops
	r := rand.New(rand.NewPCG(seed, 2))
	gap := min(max(length/120, 400*time.Millisecond), 2*time.Second)
	turns := r.Perm(laptops)
	for i, at := 0, gap; at < length*5/6; i, at = i+1, at+gap {
		lasts := 6*time.Second + time.Duration(r.Int64N(int64(9*time.Second)))
		plan = append(plan, illness{at, lasts, turns[i%laptops]})
	}
	return plan
}
