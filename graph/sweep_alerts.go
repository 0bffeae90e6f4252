package graph

import (
	"context"
	"maps"
	"slices"
	"time"

	"curfew/events"

	sdksecurity "github.com/microsoftgraph/msgraph-sdk-go/security"
)

const (
	// alertOverlap is how far before the mark a pass begins: an alert may show up
	// in the list some time after the moment it says it changed at.
	alertOverlap  = 5 * time.Minute
	alertLookback = 30 * 24 * time.Hour
	maxToldAlerts = 5000 // remembered in a mark; a version that is told twice does no harm
)

// alertMark is how far the alerts were read: the newest change among them, and
// which versions within the overlap were told already.
type alertMark struct {
	At   time.Time            `json:"at"`
	Told map[string]time.Time `json:"told,omitempty"`
}

// sweepAlerts reads what changed since the mark. The mark is the newest change
// that was read, not the time of reading, so no clock but Microsoft's counts.
func sweepAlerts(ctx context.Context, p *pass) error {
	var old alertMark
	ok, err := p.mark(ctx, &old)
	if err != nil {
		return err
	}
	if !ok || old.At.IsZero() {
		back := p.Lookback
		if back <= 0 {
			back = alertLookback
		}
		old = alertMark{At: p.Began.Add(-back)}
	}
	since := old.At.Add(-alertOverlap).Truncate(time.Second)
	read := alertsRead{pass: p, since: since, told: old.Told, now: alertMark{At: old.At, Told: map[string]time.Time{}}}
	if err := read.all(ctx); err != nil {
		return err
	}
	return p.setMark(ctx, read.now.trimmed())
}

// trimmed is the mark without the versions that no later pass will ask about.
func (m alertMark) trimmed() alertMark {
	from := m.At.Add(-alertOverlap).Truncate(time.Second)
	maps.DeleteFunc(m.Told, func(_ string, at time.Time) bool { return at.Before(from) })
	if len(m.Told) > maxToldAlerts {
		newest := slices.SortedFunc(maps.Values(m.Told), func(a, b time.Time) int { return b.Compare(a) })[maxToldAlerts-1]
		maps.DeleteFunc(m.Told, func(_ string, at time.Time) bool { return !at.After(newest) })
	}
	return m
}

type alertsRead struct {
	*pass
	since time.Time
	told  map[string]time.Time
	now   alertMark
}

func (a *alertsRead) all(ctx context.Context) error {
	filter := "lastUpdateDateTime ge " + a.since.UTC().Format(time.RFC3339)
	k := call{op: "list alerts", needs: needsAlerts, service: security}
	b := a.Client.alerts()
	first := k.of(b.ToGetRequestInformation(ctx, &sdksecurity.Alerts_v2RequestBuilderGetRequestConfiguration{
		QueryParameters: &sdksecurity.Alerts_v2RequestBuilderGetQueryParameters{Filter: &filter},
	}))
	next := func(link string) call { return k.of(b.WithUrl(link).ToGetRequestInformation(ctx, nil)) }
	return read(ctx, a.fetch, first, next, func(pg page[alertRow]) error {
		var found []finding
		for _, r := range pg.Value.list {
			found = append(found, a.one(r)...)
		}
		if err := a.tell(ctx, found); err != nil {
			return err
		}
		a.count(ctx, len(pg.Value.list), pg.Value.bad)
		return nil
	})
}

// one is what an alert tells: a fact for each device in its evidence. An alert
// that is over is news only to a case.
func (a *alertsRead) one(r alertRow) []finding {
	changed := r.Updated.time()
	if r.ID == "" || changed.IsZero() {
		a.Unreadable++
		a.log.Error("an alert without an id or a time was passed over", "alert", string(r.ID))
		return nil
	}
	if changed.Before(a.since) { // the filter was ignored
		return nil
	}
	version := digest(r.ID, "|", changed.UnixNano())
	_, before := a.told[version]
	_, twice := a.now.Told[version]
	a.now.Told[version] = changed
	if changed.After(a.now.At) && !changed.After(a.Began) { // a date in the future must not hide what comes until then
		a.now.At = changed
	}
	if before || twice {
		return nil
	}
	about, nameless := a.Client.devices(r)
	if nameless > 0 {
		a.Nameless += nameless
		a.log.Warn("an alert is about a device without any id: a person must see to it", "alert", string(r.ID), "url", string(r.URL))
	}
	var found []finding
	for k, e := range about {
		alert := r.alert(e, time.Now().UTC())
		if alert.Open() || a.knows(k) {
			found = append(found, finding{key: k, fact: events.Alerted{Alert: alert}, id: "alert-" + k.Device + "-" + version})
		}
	}
	return found
}
