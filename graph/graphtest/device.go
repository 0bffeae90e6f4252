package graphtest

import (
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

	noAutopilot, noKey   bool
	shownAs              string    // its name in the directory; empty: Name
	unassigned           bool      // no compliance policy is assigned to it
	missing              []string  // of the apps that [Tenant.detected] has by itself
	machines             []machine // further records in Defender
	tags                 []string  // of its machine there
	isolated, offboarded bool      // by Defender, from the network; from Defender

	raw map[string]any // overrides, by property
}

// A fleet is many devices that are all alike, each with a user of its own; or a
// crowd, see [Tenant.AddCrowd].
type fleet struct {
	first, end int
	users      int // who share the devices; 0: as many as there are devices
	groups     []string
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
	t.fleets = append(t.fleets, fleet{first: first, end: t.count})
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

// at returns device n, whoever it is; nil if there never was one.
func (t *Tenant) at(n int) *device {
	if d := t.made[n]; d != nil {
		return d
	}
	for _, f := range t.fleets {
		if n >= f.first && n < f.end {
			d := &device{n: n, onlineAt: t.created, Device: f.device(t, n)}
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
