package graph

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"curfew/events"
)

const maxTags = 100 // of a device; more are named in Missing

// lookTags reads the tags that the device's machines have in Defender for Endpoint
// (Defender docs: machine resource, machineTags), as they are spelled there. A
// device that was reset is a new machine, and the tags stay with the old one: so
// those of all its records count.
//
// A device that Defender does not know has none. Whatever else goes wrong, and be
// it only for the moment, is named in Missing and does not fail the look: whoever
// protects by tags must doubt then, and nobody else has to wait.
func (c *Client) lookTags(ctx context.Context, d *events.Device) error {
	const what = "Defender's tags"
	k := call{op: "read the machine's tags in Defender", needs: needsMachines, service: endpoint}
	rows, err := c.machines(ctx, k, *d)
	if err == nil && len(rows) == 0 && isMachine(d.DefenderID) { // it has no Entra id in Defender, but an alert told which it is
		rows, err = c.machineByID(ctx, k, d.DefenderID)
	}
	if err != nil {
		e, ok := errors.AsType[*Error](err)
		if ctx.Err() != nil || !ok {
			return err
		}
		d.Missing = append(d.Missing, missing(what, e))
		return nil
	}
	bad := 0
	for _, r := range rows {
		bad += r.Tags.bad
		for _, tag := range r.Tags.list {
			if tag != "" && !slices.Contains(d.Tags, string(tag)) {
				d.Tags = append(d.Tags, string(tag))
			}
		}
	}
	slices.Sort(d.Tags)
	if bad > 0 {
		d.Missing = append(d.Missing, what+": some cannot be read")
	}
	if len(d.Tags) > maxTags {
		d.Tags = d.Tags[:maxTags]
		tooMany(d, what, maxTags)
	}
	return nil
}

// machineByID is the one machine with this id of Defender's, or none.
func (c *Client) machineByID(ctx context.Context, k call, id string) ([]machineRow, error) {
	var r machineRow
	err := c.ask(ctx, k, http.MethodGet, "machines/"+strings.ToLower(id), nil, nil, &r)
	switch {
	case status(err) == http.StatusNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case !strings.EqualFold(string(r.ID), id):
		return nil, c.told(k, &Error{Message: "Defender answered with another machine"})
	}
	return []machineRow{r}, nil
}
