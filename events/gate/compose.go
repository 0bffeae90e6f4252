package gate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/events"
)

// A Digest is what a destination is told of many cases at once.
type Digest struct {
	Key         string    `json:"key"` // the same for the same digest: what the other side folds by
	Destination string    `json:"destination"`
	At          time.Time `json:"at"`
	Cases       int       `json:"cases"`
	Tenant      string    `json:"tenant"` // of the gravest
	Worst       string    `json:"worst"`  // level
	Tenants     []Count   `json:"tenants"`
	Policies    []Count   `json:"policies"`
	Levels      []Count   `json:"levels"`  // the gravest first
	Gravest     []Named   `json:"gravest"` // at most [MostNamed]
}

// A Count is how many cases have a thing in common.
type Count struct {
	What string `json:"what"`
	N    int    `json:"n"`
}

// Named is a device that a digest tells of by name. What it is called comes from
// outside.
type Named struct {
	events.Key
	Name   string `json:"name,omitempty"`
	User   string `json:"user,omitempty"`
	Policy string `json:"policy,omitempty"`
	Level  string `json:"level"`
}

// MostNamed bounds the devices that a digest names, and mostCounts its counts; the
// last of them has what is left.
const (
	MostNamed  = 5
	mostCounts = 8
)

// untold is a page that waits for a digest.
type untold struct {
	Named
	task  string
	level events.Level
	asked time.Time
}

func untoldOf(c events.Case, t events.Task) untold {
	d := c.Inhabited()
	level := d.Worst()
	return untold{Named{c.Key, cut(d.Name), cut(d.User), cut(c.Policy), level.String()}, t.ID, level, t.Asked}
}

// cut bounds what is kept of a name.
func cut(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:100])
	}
	return s
}

// before orders by how grave, then by how long it waits.
func (u untold) before(v untold) int {
	return cmp.Or(cmp.Compare(v.level, u.level), u.asked.Compare(v.asked), strings.Compare(u.task, v.task))
}

// compose makes the digest of pages, which are in order.
func compose(destination string, perTenant bool, all []untold, now time.Time) Digest {
	key := fmt.Sprintf("curfew-digest-%s-%d", destination, now.Unix())
	if perTenant {
		key += "-" + all[0].Tenant
	}
	d := Digest{
		Key:         key,
		Destination: destination, At: now.Truncate(time.Second), Cases: len(all),
		Tenant: all[0].Tenant, Worst: all[0].Level,
		Tenants:  counts(all, func(u untold) string { return u.Tenant }),
		Policies: counts(all, func(u untold) string { return cmp.Or(u.Policy, "for a person") }),
		Levels:   counts(all, func(u untold) string { return u.Level }),
	}
	rank := map[string]events.Level{}
	for i, u := range all {
		rank[u.Level] = u.level
		if i < MostNamed {
			d.Gravest = append(d.Gravest, u.Named)
		}
	}
	slices.SortStableFunc(d.Levels, func(a, b Count) int { return cmp.Compare(rank[b.What], rank[a.What]) })
	return d
}

// counts counts by what pages have in common, the most first.
func counts(all []untold, what func(untold) string) []Count {
	n := map[string]int{}
	for _, u := range all {
		n[what(u)]++
	}
	var out []Count
	for k, v := range n {
		out = append(out, Count{k, v})
	}
	slices.SortFunc(out, func(a, b Count) int { return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.What, b.What)) })
	if len(out) > mostCounts {
		rest := Count{What: fmt.Sprintf("%d others", len(out)-mostCounts+1)}
		for _, c := range out[mostCounts-1:] {
			rest.N += c.N
		}
		out = append(out[:mostCounts-1], rest)
	}
	return out
}
