// Package verify proves that a baseline bites: it watches a device that was made to
// fail, until Intune marks it, Entra rescinds its access, and Conditional Access
// would refuse its user, and says how long each hop took.
//
// It watches, and changes nothing: making the device fail is for whoever has it in
// hand. Whether a sign-in is refused is not asked of Microsoft, which says only
// which policies apply to it; [Refuses] concludes it from their controls.
package verify

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"curfew/graph/baseline"
	"curfew/graph/baseline/readiness"
)

// A Hop is a thing that must come about.
type Hop string

// The hops, in their order. The last two are watched only when asked for.
const (
	NonCompliant Hop = "Intune marks the device non-compliant"
	Rescinded    Hop = "Entra's isCompliant is false"
	Blocked      Hop = "Conditional Access would refuse the user"
	Compliant    Hop = "Intune marks the device compliant"
	Granted      Hop = "Entra's isCompliant is true"
)

// An Event is that a hop came about.
type Event struct {
	Hop   Hop           `json:"hop"`
	At    time.Time     `json:"at"`
	Took  time.Duration `json:"took"`  // since the hop before, or the beginning
	Least time.Duration `json:"least"` // at least so long: it was not so at the look before
	What  string        `json:"what,omitempty"`
}

// Options say how to watch.
type Options struct {
	Every time.Duration // between two looks; 0: 30 s
	Back  bool          // watch the way back, too
	App   string        // that what-if asks about; empty: Exchange Online
	Tell  func(Event)   // nil: nobody watches
}

const (
	lookEvery      = 30 * time.Second
	exchangeOnline = "00000002-0000-0ff1-ce00-000000000000"
)

// ErrCompliant is the error of a device that did not fail in time.
var ErrCompliant = errors.New("the device is compliant: make it fail a setting that the policy asks for, and sync it")

// Watch looks at a device, by its name in Intune, until every hop came about or ctx
// ends. It returns those that did; a hop is not skipped, so the first that is not
// there is where it is stuck.
func Watch(ctx context.Context, api baseline.API, name string, o Options) (events []Event, err error) {
	if o.Every <= 0 {
		o.Every = lookEvery
	}
	if o.App == "" {
		o.App = exchangeOnline
	}
	d, err := find(ctx, api, name)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	last, before := began, began
	hops := []Hop{NonCompliant, Rescinded, Blocked}
	if o.Back {
		hops = append(hops, Compliant, Granted)
	}
	for len(hops) > 0 {
		came, what, err := d.came(ctx, api, hops[0], o.App)
		switch now := time.Now(); {
		case err != nil && ctx.Err() == nil:
			return events, fmt.Errorf("%s: %w", hops[0], err)
		case came:
			e := Event{Hop: hops[0], At: now.UTC(), Took: now.Sub(last), Least: max(0, before.Sub(last)), What: what}
			events, last, hops = append(events, e), now, hops[1:]
			if o.Tell != nil {
				o.Tell(e)
			}
			before = now
			continue // the next may be there already
		default:
			before = now
		}
		timer := time.NewTimer(o.Every)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return events, stuck(events, hops[0], time.Since(last))
		}
	}
	return events, nil
}

// stuck is the error of a hop that did not come about in time.
func stuck(events []Event, at Hop, waited time.Duration) error {
	if len(events) == 0 {
		return ErrCompliant
	}
	return fmt.Errorf("after %s it has not come about that %s", waited.Round(time.Second), at)
}

// A device is the one that is watched.
type device struct{ id, entra, user, os string }

// find finds the one device of that name. Intune ignores filters now and then.
func find(ctx context.Context, api baseline.API, name string) (device, error) {
	q := url.Values{"$filter": {"deviceName eq '" + strings.ReplaceAll(name, "'", "''") + "'"}, "$select": {"id,deviceName,azureADDeviceId,userId,operatingSystem"}}
	var page struct {
		Value []struct {
			ID    string `json:"id"`
			Name  string `json:"deviceName"`
			Entra string `json:"azureADDeviceId"`
			User  string `json:"userId"`
			OS    string `json:"operatingSystem"`
		} `json:"value"`
	}
	if err := readiness.Get(ctx, api, "v1.0/deviceManagement/managedDevices?"+strings.ReplaceAll(q.Encode(), "+", "%20"), &page); err != nil {
		return device{}, err
	}
	var found []device
	for _, d := range page.Value {
		if strings.EqualFold(d.Name, name) {
			found = append(found, device{d.ID, d.Entra, d.User, d.OS})
		}
	}
	switch {
	case len(found) == 0:
		return device{}, fmt.Errorf("no device of Intune is called %q", name)
	case len(found) > 1:
		return device{}, fmt.Errorf("%d devices of Intune are called %q: choose one whose name is its own", len(found), name)
	case found[0].user == "":
		return device{}, fmt.Errorf("%q has no primary user, so nobody's sign-in can be evaluated", name)
	}
	return found[0], nil
}

// came reports whether a hop has come about.
func (d device) came(ctx context.Context, api baseline.API, h Hop, app string) (bool, string, error) {
	switch h {
	case NonCompliant, Compliant:
		var m struct {
			State string `json:"complianceState"`
		}
		err := readiness.Get(ctx, api, "v1.0/deviceManagement/managedDevices/"+url.PathEscape(d.id)+"?$select=complianceState", &m)
		return h == NonCompliant && m.State == "noncompliant" || h == Compliant && m.State == "compliant", "complianceState is " + m.State, err
	case Rescinded, Granted:
		var o struct {
			Compliant *bool `json:"isCompliant"`
		}
		err := readiness.Get(ctx, api, "v1.0/devices(deviceId='"+url.PathEscape(d.entra)+"')?$select=id,isCompliant", &o)
		return o.Compliant != nil && *o.Compliant == (h == Granted), "", err
	}
	no := false
	all, err := readiness.Evaluate(ctx, api, d.user, app, platform(d.os), "mobileAppsAndDesktopClients", &no)
	if err != nil {
		return false, "", err
	}
	by, refuses := Refuses(all, platform(d.os))
	return refuses, by, nil
}

func platform(os string) string {
	switch strings.ToLower(os) {
	case "ios", "ipados":
		return "iOS"
	case "android":
		return "android"
	case "macos":
		return "macOS"
	}
	return "windows"
}

// Refuses reports whether a sign-in from a device that is not compliant is refused
// by the policies that apply to it, and by which. A protected app may satisfy one
// that lets it, on a phone; on a desktop only Edge could (Entra docs:
// concept-conditional-access-grant).
func Refuses(all []readiness.Outcome, platform string) (by string, refuses bool) {
	for _, o := range all {
		if !o.Applies || o.State != "enabled" {
			continue
		}
		asks := slices.Contains(o.Controls, "compliantDevice")
		other := strings.EqualFold(o.Operator, "OR") && slices.ContainsFunc(o.Controls, func(c string) bool {
			return c != "compliantDevice" && c != "block" && (c != "compliantApplication" || platform == "iOS" || platform == "android")
		})
		switch {
		case slices.Contains(o.Controls, "block"):
			return o.Name + " (blocks)", true
		case asks && !other:
			note := ""
			if slices.Contains(o.Controls, "compliantApplication") {
				note = ", unless by an app under app protection"
			}
			return o.Name + note, true
		}
	}
	return "no policy that is on refuses it", false
}
