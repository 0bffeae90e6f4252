package readiness

import (
	"slices"
	"strings"
)

// A Platform is how ready its devices are. Each device counts once, by the worst
// that was found: Ready, Silent, NoPolicy, Grace, NonCompliant, Other.
type Platform struct {
	Name         string `json:"name"`
	Devices      int    `json:"devices"`
	Ready        int    `json:"ready"`
	Grace        int    `json:"inGrace"`
	NonCompliant int    `json:"nonCompliant"`
	Silent       int    `json:"notReporting"`
	NoPolicy     int    `json:"withoutPolicy"`
	Other        int    `json:"other"` // compliant, and something else was found
}

// platforms count the devices of each platform, the largest first.
func (j *judge) platforms() []Platform {
	by := map[string]*Platform{}
	for i, d := range j.Devices {
		name := cmpOr(d.OS, "unknown")
		p := by[name]
		if p == nil {
			p = &Platform{Name: name}
			by[name] = p
		}
		p.Devices++
		switch {
		case !j.faulty[i]:
			p.Ready++
		case d.Compliance == "inGracePeriod":
			p.Grace++
		case d.Compliance != "compliant":
			p.NonCompliant++
		case d.Policy == No:
			p.NoPolicy++
		case d.LastSync.IsZero() || j.now.Sub(d.LastSync) > j.rules.Reporting || j.Scope.Threat && !reported(d.Threat):
			p.Silent++
		default:
			p.Other++
		}
	}
	var all []Platform
	for _, p := range by {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b Platform) int {
		if a.Devices != b.Devices {
			return b.Devices - a.Devices
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all
}
