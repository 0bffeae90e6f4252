package graphtest

import (
	"crypto/sha1" //nolint:gosec // for ids that look like Defender's, not for security
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Join is how a device is known to Entra.
type Join string

// The join types, as beta's managedDevice.joinType has them.
const (
	EntraJoined  Join = "azureADJoined"
	HybridJoined Join = "hybridAzureADJoined"
	Registered   Join = "azureADRegistered"
)

// NotInEntra is the azureADDeviceId of a device without an Entra object.
const NotInEntra = "00000000-0000-0000-0000-000000000000"

// A Device describes a device to AddDevice, and is described by it. Only Name is
// required.
type Device struct {
	Name         string
	User         string // primary user, a UPN; "" is none. Added to the tenant's users.
	OS           string // operatingSystem: Windows (the default), iOS, Android, macOS
	OSVersion    string
	Manufacturer string
	Model        string
	Serial       string
	Owner        string // managedDeviceOwnerType: company (the default) or personal
	Agent        string // managementAgent: mdm (the default), msSense, …
	Category     string
	Join         Join // EntraJoined is the default
	Offline      bool
	Enrolled     time.Time // default: 90 days ago
	LastSync     time.Time // default: now

	// ID is the Intune id of the managed device, EntraID the Entra device id
	// (azureADDeviceId, deviceId, azureAdDeviceId), ObjectID the id of the Entra
	// directory object and DefenderID the machine's id in Defender (mdeDeviceId).
	// Left empty, they are made up; two devices may be given one EntraID, and
	// NotInEntra is none.
	ID, EntraID, ObjectID, DefenderID string
}

// A device is one with its state. One of a fleet that nothing ever happened to
// is made when it is looked at, and not kept.
type device struct {
	Device
	n          int
	generation int // counts its records in Defender

	risk      Severity // what Defender sees; "" is nothing
	failing   []failing
	since     time.Time // when it stopped being compliant; zero if it is
	compliant bool      // as Entra was told
	encrypted bool
	malware   []malware

	synced              time.Time // a check-in; others follow every Timing.CheckIn
	offlineAt, onlineAt time.Time
	quick, full, signed time.Time // last scans and signatures
	scanHeals           bool

	actions  []*action
	outcomes map[string][]Outcome // of the next actions, by action
	wiping   string               // managementState, if not managed
	retired  bool                 // Intune has no record of it any more
	deleted  bool                 // nor has Entra
	raw      map[string]any       // overrides, by property
}

// A fleet is many devices that are all alike.
type fleet struct{ first, end int }

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

// AddDevice enrols a device and returns it with its ids.
func (t *Tenant) AddDevice(spec Device) Device {
	now := time.Now().UTC()
	t.mu.Lock()
	defer t.mu.Unlock()
	name := strings.ToLower(spec.Name)
	if _, taken := t.byName[name]; taken || name == "" {
		panic(fmt.Sprintf("graphtest: %s cannot have a device %q: no name, or taken", t.Name, spec.Name))
	}
	n := t.count
	t.count++
	for _, id := range []string{spec.ID, spec.EntraID, spec.ObjectID} {
		if id != "" {
			t.byID[strings.ToLower(id)] = append(t.byID[strings.ToLower(id)], n)
		}
	}
	d := &device{Device: spec, n: n, onlineAt: now}
	t.complete(d, now)
	t.byName[name], t.made[n] = n, d
	if d.Offline {
		d.offlineAt = now
	}
	if d.User != "" {
		t.addUser(User{UPN: d.User})
	}
	t.changes.add(change{device: n, at: now})
	return d.Device
}

// AddFleet enrols n healthy Windows laptops, each with a user of its own, at no
// cost until something happens to one. name gives the name of each: "PC-000041".
// devices/delta shows a fleet in full reads only: add it before the first.
func (t *Tenant) AddFleet(n int) (name func(i int) string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first := t.count
	t.count += n
	t.fleets = append(t.fleets, fleet{first, t.count})
	return func(i int) string {
		if i < 0 || i >= n {
			panic(fmt.Sprintf("graphtest: the fleet has %d devices, none is number %d", n, i))
		}
		return fleetName(first + i)
	}
}

func fleetName(n int) string { return fmt.Sprintf("PC-%06d", n) }

// complete fills in what the spec leaves open.
func (t *Tenant) complete(d *device, now time.Time) {
	or := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	or(&d.OS, "Windows")
	or(&d.Owner, "company")
	or(&d.Agent, "mdm")
	or((*string)(&d.Join), string(EntraJoined))
	switch d.OS {
	case "Windows":
		or(&d.OSVersion, "10.0.26200.6899")
		or(&d.Manufacturer, "LENOVO")
		or(&d.Model, "21HMCTO1WW")
	case "iOS", "macOS":
		or(&d.OSVersion, "26.1")
		or(&d.Manufacturer, "Apple")
		or(&d.Model, "Apple device")
	default:
		or(&d.OSVersion, "16.0")
		or(&d.Manufacturer, "samsung")
		or(&d.Model, "SM-S931B")
	}
	or(&d.Serial, fmt.Sprintf("SN%08d", d.n))
	or(&d.ID, t.guid(idIntune, d.n))
	or(&d.EntraID, t.guid(idEntra, d.n))
	or(&d.ObjectID, t.guid(idObject, d.n))
	or(&d.DefenderID, t.defenderID(d.n, d.generation))
	if d.Enrolled.IsZero() {
		d.Enrolled = t.created.AddDate(0, 0, -90)
	}
	if d.LastSync.IsZero() {
		d.LastSync = now
	}
	d.synced, d.compliant, d.encrypted = d.LastSync, true, true
	d.quick, d.full, d.signed = d.LastSync, d.LastSync.AddDate(0, 0, -7), d.LastSync
}

// defenderID looks like Defender's machine ids: 40 hex digits.
func (t *Tenant) defenderID(n, generation int) string {
	return fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "%s/%d/%d", t.ID, n, generation))) //nolint:gosec // see the import
}

// at returns device n, whoever it is; nil if there never was one.
func (t *Tenant) at(n int) *device {
	if d := t.made[n]; d != nil {
		return d
	}
	for _, f := range t.fleets {
		if n >= f.first && n < f.end {
			d := &device{n: n, onlineAt: t.created, Device: Device{Name: fleetName(n), User: t.fleetUPN(n)}}
			if every := t.timing.CheckIn; every > 0 { // not all in the same moment
				d.LastSync = t.created.Add(-time.Duration(uint64(n) * idOdd % uint64(every)))
			} else {
				d.LastSync = t.created
			}
			t.complete(d, t.created)
			return d
		}
	}
	return nil
}

// keep makes sure that what happens to d is remembered.
func (t *Tenant) keep(d *device) *device {
	t.made[d.n] = d
	return d
}

// find returns the device of that name, to be changed.
func (t *Tenant) find(name string) *device {
	n, ok := t.byName[strings.ToLower(name)]
	if digits, isFleet := strings.CutPrefix(name, "PC-"); !ok && isFleet {
		v, err := strconv.Atoi(digits)
		n, ok = v, err == nil
	}
	if ok {
		if d := t.at(n); d != nil && strings.EqualFold(d.Name, name) {
			return t.keep(d)
		}
	}
	panic(fmt.Sprintf("graphtest: %s has no device %q", t.Name, name))
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

// Device returns the device as it is now; its DefenderID changes with a reset.
func (t *Tenant) Device(name string) Device {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now().UTC()
	t.settle(now)
	d := t.find(name)
	spec := d.Device
	spec.LastSync = t.lastSync(d, now)
	return spec
}

// lastSync is when the device last checked in: by itself every Timing.CheckIn,
// for as long as it is online.
func (t *Tenant) lastSync(d *device, now time.Time) time.Time {
	if d.Offline {
		now = d.offlineAt
	}
	every := t.timing.CheckIn
	if every <= 0 || now.Before(d.synced) {
		return d.synced
	}
	return d.synced.Add(now.Sub(d.synced) / every * every)
}
