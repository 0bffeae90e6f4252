package graph

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"curfew/events"

	"github.com/microsoftgraph/msgraph-sdk-go/devices"
)

// entraMark is where the next page of changes is, word for word as Graph gave it.
type entraMark struct {
	Link string    `json:"link"`
	At   time.Time `json:"at"`             // when it was given
	Full bool      `json:"full,omitempty"` // the first reading of all devices is not over
}

// linkLife is a little less than the seven days that a link can be followed
// (Graph docs: delta-query-overview).
const linkLife = 7*24*time.Hour - 6*time.Hour

func entraProperties() []string { return []string{"id", "deviceId", "isCompliant", "isManaged"} }

// sweepEntra reads what changed since the mark, or all devices where there is no
// mark that can be used. Each page moves the mark when its facts are stored. A
// page may tell things twice, in any order, or nothing (Graph docs, as above).
func sweepEntra(ctx context.Context, p *pass) error {
	m, err := p.entraMark(ctx)
	if err != nil {
		return err
	}
	k := call{op: "list changed devices", needs: needsEntra, service: identity}
	b := devices.NewDevicesRequestBuilderInternal(nil, p.Client.adapter).Delta()
	seen, restarted := map[string]bool{}, false
	for range maxPages {
		req := k.of(b.WithUrl(m.Link).ToGetRequestInformation(ctx, nil))
		if m.Link == "" {
			req = k.of(b.ToGetRequestInformation(ctx, &devices.DeltaRequestBuilderGetRequestConfiguration{
				QueryParameters: &devices.DeltaRequestBuilderGetQueryParameters{Select: entraProperties()},
			}))
		}
		var pg page[entraRow]
		err := p.fetch(ctx, req, &pg)
		if m.Link != "" && !restarted && outdated(err) {
			p.log.Warn("Graph cannot go on from where the sweep was; it reads all devices again", "err", err)
			m, restarted = entraMark{Full: true}, true
			continue
		}
		if err != nil {
			return err
		}
		if pg.Value == nil {
			return &Error{Op: k.op, Message: "an answer that is no list"}
		}
		if err := p.changes(ctx, pg.Value.list, m); err != nil {
			return err
		}
		p.count(ctx, len(pg.Value.list), pg.Value.bad)
		link, last := string(pg.Next), pg.Next == ""
		if last {
			link = string(pg.Delta)
		}
		switch {
		case link == "":
			return &Error{Op: k.op, Message: "neither a next page nor a link for the next time"}
		case !p.follows(link):
			return &Error{Op: k.op, Message: "a link that leads away from this tenant's Graph"}
		case seen[link] && !last:
			return &Error{Op: k.op, Message: "the pages of the list go in circles"}
		}
		seen[link] = true
		m = entraMark{Link: link, At: time.Now().UTC(), Full: m.Full && !last}
		if err := p.setMark(ctx, m); err != nil {
			return err
		}
		if last {
			return nil
		}
	}
	return &Error{Op: k.op, Message: "the list has no end"}
}

// entraMark is where to go on, or the mark of a first reading. A stored link
// carries the token wherever it leads, so one that does not lead to this
// tenant's Graph is never followed.
func (p *pass) entraMark(ctx context.Context) (entraMark, error) {
	var m entraMark
	ok, err := p.mark(ctx, &m)
	switch {
	case err != nil:
		return m, err
	case !ok || m.Link == "":
	case !p.follows(m.Link):
		p.log.Error("the stored link does not lead to this tenant's Graph and was not followed; the sweep starts over")
	case p.Began.Sub(m.At) > linkLife:
		p.log.Warn("the stored link is too old to be followed; the sweep starts over", "given", m.At)
	default:
		return m, nil
	}
	return entraMark{Full: true}, nil
}

func (p *pass) follows(link string) bool {
	u, err := url.Parse(link)
	return err == nil && leadsTo(p.Client.graph, u)
}

// outdated reports whether Graph refuses to go on from a link: 410 Gone, or a
// 400 or 404 such as syncStateNotFound.
func outdated(err error) bool {
	switch status(err) {
	case 400, 404, 410:
		return true
	}
	return false
}

// changes stores what a page tells about devices that are known, or stopped
// being compliant.
func (p *pass) changes(ctx context.Context, list []entraRow, m entraMark) error {
	found := map[events.Key]finding{}
	for _, r := range list {
		if r.Removed != nil {
			continue // what is left of it in Intune is the other sweep's business
		}
		r, ok, err := p.resolve(ctx, r)
		if err != nil {
			return err
		}
		k, named := p.Client.key(string(r.DeviceID))
		if !ok || !named {
			continue
		}
		p.Directory.Learn(k.Tenant, KindDevice, string(r.ID), k.Device)
		news, err := p.news(ctx, k, r, m.Full)
		if err != nil {
			return err
		}
		if news {
			found[k] = noticed(k, "entra|", r.Compliant, "|", m.Link)
		}
	}
	var all []finding
	for _, f := range found {
		all = append(all, f)
	}
	return p.tell(ctx, all)
}

// resolve reads the device id of a row that came without: a change carries the
// directory object's id, which is another, and only what changed.
func (p *pass) resolve(ctx context.Context, r entraRow) (entraRow, bool, error) {
	if r.DeviceID != "" {
		return r, true, nil
	}
	if !isGUID(string(r.ID)) {
		p.Unreadable++
		return r, false, nil
	}
	k := call{op: "read a device of Entra", needs: needsEntra, service: identity}
	err := p.fetch(ctx, k.of(p.Client.entra().ByDeviceId(string(r.ID)).ToGetRequestInformation(ctx, &devices.DeviceItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &devices.DeviceItemRequestBuilderGetQueryParameters{Select: entraProperties()},
	})), &r)
	if status(err) == 404 { // deleted since
		return r, false, nil
	}
	return r, err == nil, err
}

// news reports whether a device in the list is worth a look. While all devices
// are read for the first time, being in the list means nothing; later it means
// that something changed.
func (p *pass) news(ctx context.Context, k events.Key, r entraRow, full bool) (bool, error) {
	bad := r.Compliant.said && !r.Compliant.is
	switch {
	case !p.knows(k):
		return bad && (!r.Managed.said || r.Managed.is), nil
	case !full:
		return true, nil
	case !r.Compliant.said:
		return false, nil
	}
	kase, _, err := p.Cases.Case(ctx, k)
	if err != nil {
		return false, fmt.Errorf("graph: read the case of %s: %w", k, err)
	}
	return bad == (kase.Device.Compliance == "compliant"), nil
}
