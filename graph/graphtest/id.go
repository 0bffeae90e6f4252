package graphtest

import (
	"crypto/sha1" //nolint:gosec // for ids that look like Defender's, not for security
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
)

// Ids of things a tenant numbers.
const (
	idIntune = 'i'
	idEntra  = 'e'
	idObject = 'd'
	idUser   = 'u'
)

const (
	idMask    = 1<<48 - 1
	idOdd     = 0x9e3779b97f4b // scatters consecutive numbers; odd, so that it can be undone
	idOffset  = 0x1d8af1a3c571
	fleetUser = "user"
)

func (t *Tenant) makeIDs() {
	t.prefix = map[byte]string{}
	for _, kind := range []byte{idIntune, idEntra, idObject, idUser} {
		sum := sha256.Sum256([]byte(t.ID + "/" + string(kind)))
		t.prefix[kind] = fmt.Sprintf("%x-%x-4%03x-8%03x-", sum[:4], sum[4:6], int(sum[6])<<4, int(sum[7])<<4)
	}
}

// guid is the id of a numbered thing. It can be turned back into the number, so
// that a fleet of 100,000 needs no index.
func (t *Tenant) guid(kind byte, n int) string {
	return t.prefix[kind] + fmt.Sprintf("%012x", (uint64(n)*idOdd+idOffset)&idMask)
}

func (t *Tenant) number(kind byte, id string) (int, bool) {
	tail, ok := strings.CutPrefix(strings.ToLower(id), t.prefix[kind])
	if !ok || len(tail) != 12 {
		return 0, false
	}
	v, err := strconv.ParseUint(tail, 16, 64)
	if err != nil {
		return 0, false
	}
	// The inverse of an odd number modulo a power of two, by Newton's iteration.
	inverse := uint64(idOdd)
	for range 6 {
		inverse *= 2 - idOdd*inverse
	}
	return int((v - idOffset) * inverse & idMask), true
}

// having returns the devices with an id of that kind: several if a test gave
// them the same one.
func (t *Tenant) having(kind byte, id string) []*device {
	id = strings.ToLower(id)
	var found []*device
	numbers := t.byID[id]
	if n, ok := t.number(kind, id); ok {
		numbers = append([]int{n}, numbers...)
	}
	for _, n := range numbers {
		d := t.at(n)
		if d == nil {
			continue
		}
		own := map[byte]string{idIntune: d.ID, idEntra: d.EntraID, idObject: d.ObjectID}[kind]
		if strings.EqualFold(own, id) {
			found = append(found, d)
		}
	}
	return found
}

// defenderID looks like Defender's machine ids: 40 hex digits.
func (t *Tenant) defenderID(n, generation int) string {
	return fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "%s/%d/%d", t.ID, n, generation))) //nolint:gosec // see the import
}
