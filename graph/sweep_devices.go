package graph

import (
	"context"
	"fmt"

	"curfew/events"

	"github.com/microsoftgraph/msgraph-sdk-go/devicemanagement"
)

// pageRows is the most that Intune puts on a page.
const pageRows = 1000

// sweepDevices reads the whole list: the threat state cannot be filtered by, and
// Intune ignores filters that it does not support. Which rows count is decided
// here, row by row; a page is all that is ever held.
func sweepDevices(ctx context.Context, p *pass) error {
	top := int32(pageRows)
	k := call{op: "list managed devices", needs: needsDevices, service: intune}
	b := p.Client.managedDevices()
	first := k.of(b.ToGetRequestInformation(ctx, &devicemanagement.ManagedDevicesRequestBuilderGetRequestConfiguration{
		QueryParameters: &devicemanagement.ManagedDevicesRequestBuilderGetQueryParameters{Select: rowProperties(), Top: &top},
	}))
	next := func(link string) call { return k.of(b.WithUrl(link).ToGetRequestInformation(ctx, nil)) }
	return read(ctx, p.fetch, first, next, func(pg page[managedRow]) error {
		var found []finding
		for _, r := range pg.Value.list {
			p.Directory.Learn(p.Client.tenant.ID, KindManagedDevice, string(r.ID), string(r.EntraID))
			f, ok, err := p.worth(ctx, r)
			if err != nil {
				return err
			}
			if ok {
				found = append(found, f)
			}
		}
		if err := p.tell(ctx, found); err != nil {
			return err
		}
		p.count(ctx, len(pg.Value.list), pg.Value.bad)
		return nil
	})
}

// worth reports whether a device is worth a look: it has a case and is not as the
// case has it, or it has none and is not well. What a case has seen already is
// not news, however bad.
func (p *pass) worth(ctx context.Context, r managedRow) (finding, bool, error) {
	k, ok := p.Client.key(string(r.EntraID))
	switch {
	case !ok:
		if r.unwell() {
			p.Nameless++
			p.log.Warn("a device is not well and has no Entra id to go by: a person must see to it", "intune", string(r.ID), "name", string(r.Name))
		}
		return finding{}, false, nil
	case !p.knows(k):
		return noticed(k, r.Compliance, "|", r.Threat, "|", r.Management), r.unwell(), nil
	}
	kase, _, err := p.Cases.Case(ctx, k)
	if err != nil {
		return finding{}, false, fmt.Errorf("graph: read the case of %s: %w", k, err)
	}
	seen := kase.Device
	changed := string(r.Compliance) != seen.Compliance || events.Threat(r.Threat) != seen.Threat ||
		string(r.Management) != seen.Management || string(r.Category) != seen.Category || kase.Open && r.LastSync.time().After(seen.LastSync)
	return noticed(k, r.Compliance, "|", r.Threat, "|", r.Management, "|", r.Category, "|", r.LastSync.time().Unix(), "|", seen.SeenAt.UnixNano()), changed, nil
}

// unwell reports whether a row shows anything but health, or a value that this
// version does not know.
func (r managedRow) unwell() bool {
	switch r.Compliance {
	case "", "unknown", "compliant", "configManager":
	default:
		return true
	}
	level := events.Threat(r.Threat).Level()
	return level > events.Clear || level == events.Strange
}
