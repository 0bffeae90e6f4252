package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/graph/graphtest"
)

func TestEntraTellsWhatChanged(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.SetRules(graphtest.Rules{DeltaPage: 100, DeltaEmptyPages: true, DeltaReplays: true})
		d.tenant.AddFleet(450)
		laptop, known := d.tenant.AddDevice(ana("LT-042")), d.tenant.AddDevice(ana("LT-043"))
		b := newBook()
		s := d.sweep(b)
		b.saw(d.look(known), false)
		if res := complete(t, s.SweepEntra(d.ctx)); res.Rows != 452 || res.Pages != 6 {
			t.Errorf("%+v", res)
		}
		expect(t, b.noticed(t)) // all are well, and being in the list means nothing the first time
		d.tenant.BreakBitLocker("LT-042")
		d.tenant.BreakBitLocker("LT-043")
		time.Sleep(time.Hour)
		complete(t, s.SweepEntra(d.ctx))
		expect(t, b.noticed(t), laptop.EntraID, known.EntraID)
		b.saw(d.look(known), true)
		d.tenant.FixBitLocker("LT-042")
		d.tenant.FixBitLocker("LT-043")
		time.Sleep(time.Hour)
		complete(t, s.SweepEntra(d.ctx))
		// The change before may be told again; who is known is told in any case.
		if !slices.Contains(b.noticed(t), known.EntraID) {
			t.Error("the device that is known was passed over")
		}
		d.tenant.Remove("LT-043")
		time.Sleep(time.Hour)
		complete(t, s.SweepEntra(d.ctx))
	})
}

func TestTheFirstReadingFindsWhatIsNotAsTheCaseHasIt(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		sick, healed, same := d.tenant.AddDevice(ana("LT-1")), d.tenant.AddDevice(ana("LT-2")), d.tenant.AddDevice(ana("LT-3"))
		b := newBook()
		b.saw(d.look(sick), false)
		d.tenant.BreakBitLocker("LT-1")
		d.tenant.BreakBitLocker("LT-2")
		b.saw(d.look(healed), true)
		d.tenant.FixBitLocker("LT-2")
		d.tenant.BreakBitLocker("LT-3")
		b.saw(d.look(same), true)
		time.Sleep(time.Hour)
		complete(t, d.sweep(b).SweepEntra(d.ctx))
		expect(t, b.noticed(t), sick.EntraID, healed.EntraID)
	})
}

func TestAnOldOrRefusedLinkStartsOver(t *testing.T) {
	for name, expire := range map[string]func(*desk, *book){
		"410": func(d *desk, _ *book) { d.tenant.ResetDelta() },
		"400": func(d *desk, _ *book) {
			d.tenant.SetRules(graphtest.Rules{DeltaExpiry400: true})
			d.tenant.ResetDelta()
		},
		"too old":  func(*desk, *book) { time.Sleep(8 * 24 * time.Hour) },
		"nonsense": func(d *desk, b *book) { b.marks["sweep."+contosoID+".entra"] = []byte(`{"link":17}`) },
		"a link to elsewhere": func(d *desk, b *book) {
			b.marks["sweep."+contosoID+".entra"] = fmt.Appendf(nil, `{"link":"https://evil.example/v1.0/devices/delta?$deltatoken=x","at":%q}`, time.Now().Format(time.RFC3339))
		},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, d *desk) {
				laptop := d.tenant.AddDevice(ana("LT-042"))
				hosts := map[string]bool{}
				d.client = d.instead(func(r *http.Request) *http.Response { hosts[r.URL.Host] = true; return nil })
				b := newBook()
				s := d.sweep(b)
				complete(t, s.SweepEntra(d.ctx))
				d.tenant.BreakBitLocker("LT-042")
				time.Sleep(time.Hour)
				expire(d, b)
				d.tenant.Forget()
				complete(t, s.SweepEntra(d.ctx))
				for _, r := range d.tenant.Requests() { // what can be known without asking is not asked
					if asked := name == "410" || name == "400"; r.Query.Has("$deltatoken") && !asked {
						t.Errorf("followed %v", r.Query)
					}
				}
				expect(t, b.noticed(t), laptop.EntraID)
				if len(hosts) != 1 {
					t.Errorf("asked %v", hosts)
				}
				complete(t, s.SweepEntra(d.ctx))
				expect(t, b.noticed(t))
			})
		})
	}
}

func TestALongFirstReadingGoesOnWhereItStopped(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddFleet(1000)
		b := newBook()
		s := d.sweep(b)
		served := 0
		s.Client = d.instead(func(*http.Request) *http.Response {
			if served++; served > 3 {
				return answer(500, "", "")
			}
			return nil
		})
		if res := s.SweepEntra(d.ctx); res.Complete || res.Rows != 600 {
			t.Errorf("%+v", res)
		}
		s.Client = d.client
		if res := complete(t, s.SweepEntra(d.ctx)); res.Rows != 400 {
			t.Errorf("%+v", res)
		}
	})
}

func TestAChangeThatDoesNotNameTheDevice(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		d.tenant.BreakBitLocker("LT-042")
		time.Sleep(time.Hour)
		d.client = d.instead(func(r *http.Request) *http.Response {
			if !strings.Contains(r.URL.Path, "delta") {
				return nil
			}
			return jsonAnswer(`{"value":[{"id":"` + laptop.ObjectID + `","isCompliant":false},{"id":"` + d.dev().IntuneID + `","isCompliant":false},
				{"id":"x","isCompliant":false},{"id":"y","@removed":{"reason":"changed"}}],
				"@odata.deltaLink":"https://graph.microsoft.com/v1.0/devices/delta()?$deltatoken=1"}`)
		})
		b := newBook()
		if res := d.sweep(b).SweepEntra(d.ctx); res.Err != nil || res.Unreadable != 1 {
			t.Errorf("%+v", res)
		}
		expect(t, b.noticed(t), laptop.EntraID)
	})
	for _, body := range []string{`{"value":[]}`, `{"value":[],"@odata.deltaLink":"https://evil.example/"}`} {
		story(t, func(t *testing.T, d *desk) {
			d.client = d.instead(func(*http.Request) *http.Response { return jsonAnswer(body) })
			b := newBook()
			if res := d.sweep(b).SweepEntra(d.ctx); res.Complete || len(b.marks) != 0 {
				t.Errorf("%+v, %s", res, b.marks)
			}
		})
	}
}
