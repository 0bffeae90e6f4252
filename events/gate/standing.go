package gate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// A Standing is how the gates of a tenant stand.
type Standing struct {
	Tripped bool
	Budgets map[string]Spent // by budget
}

// Spent is what of a limit is taken.
type Spent struct{ Used, Limit int }

// Standing says how the gates of a tenant stand. It changes nothing.
func (g *Guard) Standing(ctx context.Context, tenant string) (Standing, error) {
	if err := g.whole(); err != nil {
		return Standing{}, err
	}
	tr, err := g.tripped(ctx, tenant)
	if err != nil {
		return Standing{}, err
	}
	devices, known, err := g.Fleet.Devices(ctx, tenant)
	if err != nil {
		return Standing{}, fmt.Errorf("gate: how many devices the tenant has: %w", err)
	}
	out := Standing{Tripped: tr.Tripped, Budgets: map[string]Spent{}}
	now := time.Now()
	for _, budget := range slices.Sorted(maps.Keys(DefaultLimits())) {
		l := g.limit(budget)
		s, _, err := read[slots](ctx, g.Store, budgetKey(tenant, budget))
		if err != nil {
			return Standing{}, err
		}
		s.prune(l, now)
		out.Budgets[budget] = Spent{Used: len(s.Slots), Limit: l.Allowed(devices, known)}
	}
	return out, nil
}
