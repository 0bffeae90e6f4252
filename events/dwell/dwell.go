// Package dwell reads from the records of a device's case how long a threat kept
// its access: from when it was seen, over the device being marked non-compliant
// and Entra rescinding its access, to the threat being gone and the access back.
//
// Every moment is that of a look: the thing was so then, and was not yet at the
// look before. A [Moment] has both, so a delay is known to lie within two bounds,
// and nothing here pretends to be more exact than the looks were.
//
// It is pure: it is given records and returns values.
package dwell

import (
	"slices"
	"time"

	"curfew/events"
)

// A Moment is when something was first seen, and the last look before that, at
// which it was not so. A zero At: it was never seen. A zero After: there was no
// look before.
type Moment struct {
	At    time.Time `json:"at,omitzero"`
	After time.Time `json:"after,omitzero"`
}

// Seen reports whether it ever was.
func (m Moment) Seen() bool { return !m.At.IsZero() }

// A Round is one way of a device from health into danger and back.
type Round struct {
	Key    events.Key `json:"key"`
	Name   string     `json:"name,omitempty"`
	OS     string     `json:"os,omitempty"`
	Threat Moment     `json:"threat,omitzero"` // Defender's threat, as Intune has it, was above clear

	NonCompliant Moment `json:"nonCompliant,omitzero"` // Intune marked the device; in its grace it is not yet
	Rescinded    Moment `json:"rescinded,omitzero"`    // Entra's isCompliant was false: what Conditional Access goes by
	Clear        Moment `json:"clear,omitzero"`        // no threat, and Intune finds nothing against the device
	Back         Moment `json:"back,omitzero"`         // Entra's isCompliant was true again

	// Unrecorded means that looks of this round did not read Entra, so that a
	// missing Rescinded or Back says nothing.
	Unrecorded bool `json:"unrecorded,omitempty"`
}

// Began is when the round did, by the first look of it.
func (r Round) Began() time.Time {
	began := time.Time{}
	for _, m := range []Moment{r.Threat, r.NonCompliant, r.Rescinded} {
		if m.Seen() && (began.IsZero() || m.At.Before(began)) {
			began = m.At
		}
	}
	return began
}

// Ended reports whether the round came to its end.
func (r Round) Ended() bool { return r.Back.Seen() || r.Clear.Seen() && !r.Rescinded.Seen() }

// Rounds reads the records of one device's case, oldest first, as the journal's
// timeline has them. The last round may not have ended.
func Rounds(records []events.Case) []Round {
	var all []Round
	var now *Round
	var last time.Time // the look before
	for _, c := range records {
		d := c.Device
		if d.SeenAt.IsZero() || !d.SeenAt.After(last) {
			continue // not a new look
		}
		at := Moment{At: d.SeenAt, After: last}
		last = d.SeenAt
		if now == nil && endangered(d) {
			all = append(all, Round{Key: c.Key})
			now = &all[len(all)-1]
		}
		if now == nil {
			continue
		}
		now.take(d, at)
		if now.Ended() {
			now = nil
		}
	}
	return all
}

// take takes a look into a round.
func (r *Round) take(d events.Device, at Moment) {
	r.Name, r.OS = d.Name, d.OS
	note := func(m *Moment, is bool) {
		if is && !m.Seen() {
			*m = at
		}
	}
	if d.Access == "" {
		r.Unrecorded = true
	}
	note(&r.Threat, threatened(d))
	note(&r.NonCompliant, d.Compliance == "noncompliant")
	note(&r.Rescinded, d.Access == events.AccessRescinded)
	well := r.well(d)
	if r.Clear.Seen() && !well { // it was a short peace
		r.Clear = Moment{}
	}
	note(&r.Clear, well)
	note(&r.Back, r.Clear.Seen() && r.Rescinded.Seen() && d.Access == events.AccessGranted)
}

func threatened(d events.Device) bool {
	l := d.Threat.Level()
	return l > events.Clear && l != events.Strange
}

// endangered reports whether a round begins. A device that is only in its grace
// has its access and no threat.
func endangered(d events.Device) bool {
	return threatened(d) || d.Compliance == "noncompliant" || d.Access == events.AccessRescinded
}

// well asks for proof: after a threat, that nothing is reported is not health.
func (r *Round) well(d events.Device) bool {
	if r.Threat.Seen() && d.Threat.Level() != events.Clear {
		return false
	}
	return !threatened(d) && d.Compliance == "compliant"
}

// A Hop is a stretch of a round.
type Hop string

// The hops.
const (
	ToNonCompliant Hop = "threat seen to non-compliant"
	ToRescinded    Hop = "non-compliant to access rescinded"
	Exposed        Hop = "threat seen to access rescinded" // the dwell time proper
	ToClear        Hop = "access rescinded to clear"
	ToBack         Hop = "clear to access back"
	Whole          Hop = "threat seen to access back"
)

// Hops are all of them, in the order of a round.
func Hops() []Hop { return []Hop{ToNonCompliant, ToRescinded, Exposed, ToClear, ToBack, Whole} }

// ends are the moments that a hop lies between.
func (r Round) ends(h Hop) (from, to Moment) {
	switch h {
	case ToNonCompliant:
		return r.Threat, r.NonCompliant
	case ToRescinded:
		return r.NonCompliant, r.Rescinded
	case Exposed:
		return r.Threat, r.Rescinded
	case ToClear:
		return r.Rescinded, r.Clear
	case ToBack:
		return r.Clear, r.Back
	}
	return r.Threat, r.Back
}

// A Delay is how long a hop took: as the looks showed it, and the bounds between
// which it lies.
type Delay struct {
	Took  time.Duration `json:"took"`
	Least time.Duration `json:"least"`
	Most  time.Duration `json:"most"` // as Took, where no look before the first is known
}

// Delay is how long a hop took, if both ends of it were seen in this order.
func (r Round) Delay(h Hop) (Delay, bool) {
	from, to := r.ends(h)
	if !from.Seen() || !to.Seen() || to.At.Before(from.At) {
		return Delay{}, false
	}
	d := Delay{Took: to.At.Sub(from.At)}
	d.Least, d.Most = d.Took, d.Took
	if !to.After.IsZero() {
		d.Least = max(0, to.After.Sub(from.At))
	}
	if !from.After.IsZero() {
		d.Most = to.At.Sub(from.After)
	}
	return d, true
}

// A Figure is what is said of one hop over many rounds.
type Figure struct {
	Hop   Hop           `json:"hop"`
	Count int           `json:"count"`
	P50   time.Duration `json:"p50"`
	P95   time.Duration `json:"p95"`
	Most  time.Duration `json:"most"`
	// Within is by how much the p95 of looks may be off: the 95th percentile of
	// the widths between the bounds.
	Within time.Duration `json:"within"`
}

// Figures sums rounds up, a figure for each hop; one that nobody has made has a
// Count of 0. Percentiles are by nearest rank: each is a delay that was measured.
func Figures(rounds []Round) []Figure {
	var out []Figure
	for _, h := range Hops() {
		var took, wide []time.Duration
		for _, r := range rounds {
			if d, ok := r.Delay(h); ok {
				took, wide = append(took, d.Took), append(wide, d.Most-d.Least)
			}
		}
		f := Figure{Hop: h, Count: len(took)}
		if len(took) > 0 {
			slices.Sort(took)
			slices.Sort(wide)
			f.P50, f.P95, f.Most, f.Within = rank(took, 50), rank(took, 95), took[len(took)-1], rank(wide, 95)
		}
		out = append(out, f)
	}
	return out
}

// rank is the percentile by nearest rank of what is sorted and not empty.
func rank(sorted []time.Duration, percent int) time.Duration {
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}
