package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"curfew/events"
	"curfew/events/gate"
	"curfew/events/journal"
	"curfew/graph"
	"curfew/handlers"
)

// guardOf makes the guard that stands in front of everything that has an effect.
func guardOf(conf *config, j *journal.Journal, log *slog.Logger) *gate.Guard {
	return &gate.Guard{
		Store: state{j.State()}, Cases: openings{j, log}, Fleet: fleet{state{j.State()}, log}, Sink: j,
		Protected: conf.Protect.protected(), Limits: conf.Limits.limits(), Breaker: conf.Limits.Breaker.breaker(),
		Windows: conf.Windows, Noise: conf.Hush, Log: log,
	}
}

// openings are the cases of the journal, as the breaker wants to see them.
type openings struct {
	*journal.Journal
	log *slog.Logger
}

// Openings leaves out cases that cannot be read: their devices are nobody's doing.
func (o openings) Openings(ctx context.Context, tenant string, since time.Time) (out []time.Time, err error) {
	for c, err := range o.Cases(ctx, tenant) {
		switch {
		case errors.Is(err, journal.ErrUnreadable):
			o.log.Warn("the breaker does not count a case that cannot be read", "err", err)
		case err != nil:
			return nil, err
		case c.Policy != "" && c.Opened.After(since) && c.Key != events.TenantKey(tenant):
			out = append(out, c.Opened)
		}
	}
	tidy()
	return out, nil
}

// A fleet is how many devices each tenant has, as the last complete sweep has
// counted them.
type fleet struct {
	state
	log *slog.Logger
}

// A tallied is what a sweep has counted.
type tallied struct {
	Devices int       `json:"devices"`
	At      time.Time `json:"at"`
}

// talliedFor is how long a count is believed.
const talliedFor = 7 * 24 * time.Hour

func fleetKey(tenant string) string { return "gate.fleet." + tenant }

// Devices is the number of the tenant's devices; a count that is old is none.
func (f fleet) Devices(ctx context.Context, tenant string) (int, bool, error) {
	b, _, err := f.Get(ctx, fleetKey(tenant))
	if err != nil || b == nil {
		return 0, false, err
	}
	var t tallied
	if err := json.Unmarshal(b, &t); err != nil {
		return 0, false, fmt.Errorf("the count of the tenant's devices cannot be read; the next sweep counts anew: %w", err)
	}
	return t.Devices, time.Since(t.At) < talliedFor, nil
}

// count takes in what a sweep reports. It is for [graph.Sweep]'s Report.
func (f fleet) count(ctx context.Context) func(graph.Swept) {
	return func(s graph.Swept) {
		if s.Kind != "devices" || !s.Complete {
			return
		}
		b, err := json.Marshal(tallied{s.Rows, s.Began.UTC()})
		if err == nil {
			_, err = f.Put(ctx, fleetKey(s.Tenant), b)
		}
		if err != nil && ctx.Err() == nil {
			f.log.Warn("the number of the tenant's devices is not stored; what depends on it goes by the last one", "tenant", s.Tenant, "err", err)
		}
	}
}

// lastWord asks the guard once more between the handler's last look and the call.
type lastWord struct {
	tenants graph.Tenants
	guard   *gate.Guard
}

// Ask implements [reset.Intune]: it makes the call if nothing has come up against
// it meanwhile.
func (l lastWord) Ask(ctx context.Context, a events.Action, d events.Device, justification, code string) error {
	if err := l.guard.Last(ctx, a, d); err != nil {
		return err
	}
	with := graph.Approval{Justification: justification, Code: code}
	switch a {
	case events.Reset:
		return l.tenants.ResetWith(ctx, d, with)
	case events.Retire:
		return l.tenants.RetireWith(ctx, d, with)
	case events.Wipe:
		return l.tenants.FactoryWipeWith(ctx, d, with)
	}
	return handlers.GiveUp(fmt.Errorf("no call is known for %q", a))
}

// requests are the tenants' requests for approval, as [reset.Approvals] wants them.
type requests struct{ graph.Tenants }

// ApprovalState is [graph.Client.ApprovalState].
func (r requests) ApprovalState(ctx context.Context, tenant, code string) (string, time.Time, error) {
	status, expires, err := r.Tenants.ApprovalState(ctx, tenant, code)
	return string(status), expires, err
}
