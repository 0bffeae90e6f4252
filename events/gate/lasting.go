package gate

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"curfew/events"
)

// Why a digest is over.
const (
	overReplaced = "A newer digest has taken the place of this one"
	overWell     = "No case is open any more of those that it told of"
)

const (
	wellEvery   = time.Minute    // how often it is looked whether a digest is over
	mostLasting = 4000           // devices kept of one; of more, a person ends it
	moreLasts   = 24 * time.Hour // how long after the last such digest the next is one, too
)

// A lasting is the digests of a destination that were told and still stand: one or,
// where each tenant has its own, one of each, by tenant.
type lasting map[string]lasts

// A lasts is a digest that stands, and whom it and those that it replaced tell of.
type lasts struct {
	Sent
	Devices []string `json:"devices"`        // tenant/device
	More    bool     `json:"more,omitempty"` // there are more than are kept
}

func lastingKey(destination string) string { return noiseKey(destination) + ".lasting" }

// keep notes whom a digest told of, so that it can be taken back.
func (d *Digester) keep(ctx context.Context, name string, s *sending) error {
	tenant := ""
	if d.Guard.Noise[name].PerTenant {
		tenant = s.Digest.Tenant
	}
	return change(ctx, d.Guard.Store, lastingKey(name), func(v *lasting) (bool, error) {
		if *v == nil {
			*v = lasting{}
		}
		x := (*v)[tenant]
		if x.Key == s.Digest.Key {
			return false, nil // a worker died after this
		}
		sent := Sent{Key: s.Digest.Key, Receipt: s.As, Tenant: tenant, At: time.Now().UTC(), Cases: len(s.Tasks)}
		(*v)[tenant] = x.next(sent, s.Tasks)
		return true, nil
	})
}

// next is the digest that takes the place of x and tells of these tasks. One of more
// devices than are kept stands for a person to end, but those of a later day do not.
func (x lasts) next(s Sent, tasks []string) lasts {
	if x.More && s.At.Sub(x.At) > moreLasts {
		x = lasts{}
	}
	for _, task := range tasks {
		if k, ok := keyIn(task); ok && !slices.Contains(x.Devices, k.String()) {
			x.Devices = append(x.Devices, k.String())
		}
	}
	if len(x.Devices) > mostLasting {
		x.Devices, x.More = nil, true
	}
	x.Sent = s
	return x
}

// keyIn is the device in the id of a task.
func keyIn(task string) (events.Key, bool) {
	parts := strings.SplitN(task, "/", 3)
	if len(parts) < 2 {
		return events.Key{}, false
	}
	k := events.Key{Tenant: parts[0], Device: parts[1]}
	return k, k.Valid()
}

// lift takes back the digests of a destination of which every case is closed.
func (d *Digester) lift(ctx context.Context, name string) error {
	v, _, err := read[lasting](ctx, d.Guard.Store, lastingKey(name))
	for _, tenant := range slices.Sorted(maps.Keys(v)) {
		x := v[tenant]
		open, bad := d.stands(ctx, x)
		if err = errors.Join(err, bad); open || bad != nil {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, digestTakes)
		bad = d.Teller.Over(limited, name, x.Sent, overWell)
		cancel()
		if bad == nil {
			bad = change(ctx, d.Guard.Store, lastingKey(name), func(v *lasting) (bool, error) {
				if (*v)[tenant].Key != x.Key {
					return false, nil // there is a newer one
				}
				delete(*v, tenant)
				return true, nil
			})
		}
		err = errors.Join(err, bad)
	}
	return err
}

// stands reports whether a case is open that a digest told of.
func (d *Digester) stands(ctx context.Context, x lasts) (bool, error) {
	for _, device := range x.Devices {
		k, ok := keyIn(device)
		if !ok {
			continue // the digester keeps no such key
		}
		if c, _, err := d.Guard.Cases.Case(ctx, k); err != nil || c.Open {
			return true, err
		}
	}
	return x.More, nil
}
