package graph

import (
	"context"
	"encoding/hex"
	"strings"
	"sync"

	"curfew/events"
)

// A Directory knows the Entra device id of devices by their other ids. The sweeps
// fill it with every device that they read, and notifications are looked up in it.
// It lives in memory only, at about 50 bytes a device, and is empty after a start
// until the first sweep: what it does not know costs a sweep out of turn.
//
// The zero Directory is ready. It is safe for concurrent use.
type Directory struct {
	mu    sync.RWMutex
	known map[place]map[guid]guid
}

// A place is where an id means something.
type place struct{ tenant, kind string }

// A guid is one without its hyphens.
type guid [16]byte

// Learn notes that, in a tenant, the object of a kind with this id is that device.
// Ids that are not GUIDs are passed over; a nil Directory learns nothing.
func (x *Directory) Learn(tenant, kind, id, device string) {
	if x == nil {
		return
	}
	from, ok1 := parseGUID(id)
	to, ok2 := parseGUID(device)
	if !ok1 || !ok2 {
		return
	}
	at := place{strings.ToLower(tenant), kind}
	x.mu.RLock()
	same := x.known[at][from] == to
	x.mu.RUnlock()
	if same {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.known == nil {
		x.known = map[place]map[guid]guid{}
	}
	if x.known[at] == nil {
		x.known[at] = map[guid]guid{}
	}
	x.known[at][from] = to
}

// Device implements [Index].
func (x *Directory) Device(_ context.Context, tenant, kind, id string) (events.Key, bool) {
	from, ok := parseGUID(id)
	if !ok {
		return events.Key{}, false
	}
	tenant = strings.ToLower(tenant)
	x.mu.RLock()
	defer x.mu.RUnlock()
	to, ok := x.known[place{tenant, kind}][from]
	return events.Key{Tenant: tenant, Device: to.String()}, ok
}

func parseGUID(s string) (g guid, ok bool) {
	if !isGUID(s) {
		return g, false
	}
	_, err := hex.Decode(g[:], []byte(strings.ReplaceAll(s, "-", "")))
	return g, err == nil
}

func (g guid) String() string {
	h := hex.EncodeToString(g[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
