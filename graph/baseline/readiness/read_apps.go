package readiness

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Apps that phones need, by what their names have in inventories: in v1.0 a detected
// app has no other name.
const (
	portalApp = 1 << iota
	authenticatorApp
	defenderApp
)

func wanted(name string) int {
	name = strings.ToLower(name)
	switch {
	case strings.Contains(name, "company portal"), name == "comp portal":
		return portalApp
	case strings.Contains(name, "authenticator") && !strings.Contains(name, "google"):
		return authenticatorApp
	case strings.Contains(name, "microsoft defender"):
		return defenderApp
	}
	return 0
}

const (
	appPages = 60  // of the tenant's inventory
	mostApps = 200 // that look like those wanted: each version is one of its own
)

// Mobiles are all devices of a platform of phones, whoever's, with the apps that
// their inventories show.
func Mobiles(ctx context.Context, api API, os string) ([]Device, error) {
	r := &reading{api: api, words: pool{}}
	path := query("v1.0/deviceManagement/managedDevices", "$filter", "operatingSystem eq '"+os+"'", "$select", managedProperties, "$top", "1000")
	err := list(ctx, api, path, nil, func(rows []managedRow) error {
		for _, d := range rows {
			if strings.EqualFold(d.OS, os) { // Intune ignores filters now and then
				r.Devices = append(r.Devices, Device{ID: line(d.ID), Name: line(d.Name), User: -1, OS: os, Owner: r.keep(d.Owner)})
			}
		}
		return nil
	})
	if err == nil {
		err = r.apps(ctx)
	}
	return r.Devices, err
}

// apps reads from the inventory which phones have what they need: first the list of
// apps, then who has those that matter. Asking each phone is throttled hard, and
// without a Retry-After (learn.microsoft.com/answers 5784629).
func (r *reading) apps(ctx context.Context) error {
	phones := map[string]int{}
	for i := range r.Devices {
		if d := &r.Devices[i]; mobile(d.OS) {
			phones[strings.ToLower(d.ID)] = i
		}
	}
	if len(phones) == 0 {
		return nil
	}
	found, err := r.inventory(ctx)
	if err != nil {
		return err
	}
	has := make([]int, len(r.Devices))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, a := range found {
		g.Go(func() error {
			path := query("v1.0/deviceManagement/detectedApps/"+a.id+"/managedDevices", "$select", "id", "$top", "1000")
			return list(ctx, r.api, path, nil, func(rows []struct {
				ID string `json:"id"`
			}) error {
				r.mu.Lock()
				defer r.mu.Unlock()
				for _, d := range rows {
					if i, ours := phones[strings.ToLower(d.ID)]; ours {
						has[i] |= a.is
					}
				}
				return nil
			})
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, i := range phones {
		d := &r.Devices[i]
		known := d.Owner == "company" // of others only what Intune manages is listed
		d.Apps = Apps{shown(has[i]&portalApp, known), shown(has[i]&authenticatorApp, known), shown(has[i]&defenderApp, known)}
	}
	return nil
}

func shown(bit int, known bool) Answer {
	switch {
	case bit != 0:
		return Yes
	case known:
		return No
	}
	return NotKnown
}

type foundApp struct {
	id string
	is int
}

func (r *reading) inventory(ctx context.Context) (found []foundApp, err error) {
	pages, read := 0, 0
	err = list(ctx, r.api, query("v1.0/deviceManagement/detectedApps", "$select", "id,displayName,platform", "$top", "1000"), nil, func(rows []struct {
		ID       string `json:"id"`
		Name     string `json:"displayName"`
		Platform string `json:"platform"`
	}) error {
		for _, a := range rows {
			// detectedAppPlatformType (Graph v1.0 metadata, 2026-08)
			phone := !slices.Contains([]string{"windows", "windowsMobile", "windowsHolographic", "macOS", "chromeOS"}, a.Platform)
			if is := wanted(a.Name); is != 0 && phone && plainID(a.ID) {
				found = append(found, foundApp{a.ID, is})
			}
		}
		if read += len(rows); len(found) > mostApps {
			return errors.New("too many versions of the apps are in the inventory")
		}
		r.progress(partApps, read)
		if pages++; pages >= appPages {
			return errors.New("the inventory is too long to be searched")
		}
		return nil
	})
	return found, err
}

// plainID reports whether an id may become part of a path.
func plainID(id string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_="
	return id != "" && len(id) <= 200 && strings.Trim(id, letters) == ""
}
