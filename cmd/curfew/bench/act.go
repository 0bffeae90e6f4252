package bench

import (
	"context"
	"errors"
	"strings"
	"time"

	"curfew/graph/graphtest"
)

// scanning has a device scanned as soon as it is known to be at risk.
const scanning = `
  - name: threat
    when: device.os == "Windows" && device.threat >= medium
    ladder:
      - do: [scan: {kind: quick}]
`

// act measures the way from Graph's notification about a device that has just
// fallen ill to the request that has it scanned, of one device after another,
// while nothing else goes on.
//
// Its limit are the writes that lie on that way, one after another, and as many
// bare requests as are made: the fact, the case, the task to look, what was seen,
// the case, the task to scan, that it begins, the case.
func act(ctx context.Context, r *Rig) ([]Figure, error) {
	const writes = 8
	var took []time.Duration
	var requests int
	var perRequest, perWrite float64
	err := r.worker(ctx, plan{Tenants: 1, Sweep: 20 * time.Second, Rules: scanning}, func(w *worker) (err error) {
		t := w.tenants[0]
		name := t.AddFleet(r.Size.Samples)
		if _, err := w.start(ctx, 30*time.Second); err != nil {
			return err
		}
		if err := until(ctx, 30*time.Second, "the devices are swept", func() error { return errors.Join(w.subscribed(), swept(t)) }); err != nil {
			return err
		}
		perRequest, err = r.beside(ctx, bareRequest, func() (err error) {
			perWrite, err = r.beside(ctx, onePublish, func() error {
				for i := range r.Size.Samples {
					d, n, err := scanned(ctx, t, name(i))
					if err != nil {
						return err
					}
					took, requests = append(took, d), requests+n
					time.Sleep(50 * time.Millisecond) // until it is idle again
				}
				return nil
			})
			return err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	least := writes*perWrite + float64(requests)/float64(len(took))*perRequest
	return []Figure{
		below("notification to Graph action request, 50 %", ms(quantile(took, 0.5)), "ms", least, 60),
		below("notification to Graph action request, 95 %", ms(quantile(took, 0.95)), "ms", least, 250),
	}, nil
}

// swept is an error until the tenant's devices were read once.
func swept(t *graphtest.Tenant) error {
	if t.Asked("GET", "/v1.0/devices/delta") == 0 || t.Asked("GET", "/v1.0/deviceManagement/managedDevices") == 0 {
		return errors.New("no sweep yet")
	}
	return nil
}

// scanned infects a device, has Graph notify of it, and waits for the request to
// scan it. It returns how long that took, and how many requests it took.
func scanned(ctx context.Context, t *graphtest.Tenant, name string) (time.Duration, int, error) {
	id := t.Device(name).ID
	t.Forget()
	t.Infect(name, graphtest.Medium)
	start, n := time.Now(), 0
	t.Notify(name)
	var took time.Duration
	err := until(ctx, 30*time.Second, "the device is scanned", func() error {
		for i, q := range t.Requests() {
			if q.Method == "POST" && strings.HasSuffix(q.Path, id+"/windowsDefenderScan") {
				took, n = q.At.Sub(start), i+1
				return nil
			}
		}
		return errors.New("no request yet")
	})
	return took, n, err
}
