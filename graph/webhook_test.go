package graph_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

// indexed is an index of kind/id.
type indexed map[string]string

func (x indexed) Device(_ context.Context, tenant, kind, id string) (events.Key, bool) {
	device, ok := x[kind+"/"+id]
	return events.Key{Tenant: tenant, Device: device}, ok
}

var devices = graph.Resource{Path: "deviceManagement/managedDevices"}

// floor is an office with a laptop, in a tenant whose devices can be subscribed to.
func floor(t *testing.T, tell func(t *testing.T, o *office, laptop graphtest.Device)) {
	t.Helper()
	mailroom(t, func(t *testing.T, o *office) {
		o.tenant.SetRules(graphtest.Rules{Subscribable: map[string]string{devices.Path: "", "devices": ""}})
		tell(t, o, o.tenant.AddDevice(graphtest.Device{Name: "LT-042"}))
	})
}

func (o *office) indexes(d graphtest.Device) {
	o.index[graph.KindManagedDevice+"/"+d.ID] = d.EntraID
	o.index[graph.KindDevice+"/"+d.ObjectID] = d.EntraID
}

// noticed is what the book has about a device, each fact once.
func (o *office) noticed(d graphtest.Device) int {
	o.t.Helper()
	ids := map[string]bool{}
	for _, e := range o.book.told() {
		if (e.key != events.Key{Tenant: o.tenant.ID, Device: d.EntraID}) || e.fact != (events.Noticed{Source: "webhook"}) {
			o.t.Errorf("the book has %+v", e)
		}
		ids[e.id] = true
	}
	return len(ids)
}

// statuses are the answers to change notifications, in order.
func (o *office) statuses() string {
	var all []string
	for _, d := range o.tenant.Deliveries() {
		if d.Kind == "change" {
			all = append(all, fmt.Sprint(d.Status))
		}
	}
	return strings.Join(all, " ")
}

func TestANotificationIsALookAtTheDevice(t *testing.T) {
	for _, resource := range []graph.Resource{devices, {Path: "/devices"}} {
		t.Run(resource.Path, func(t *testing.T) {
			floor(t, func(t *testing.T, o *office, laptop graphtest.Device) {
				o.indexes(laptop)
				w := o.hire(resource).start()
				defer w.end()
				o.tenant.Notify(laptop.Name)
				later(time.Second)
				if n := o.noticed(laptop); n != 1 || o.statuses() != "202" || w.swept.Load() != 0 {
					t.Errorf("noticed %d times, swept %d times, answered %s", n, w.swept.Load(), o.statuses())
				}
				if st := w.hook.Stats(); st.Accepted != 1 || st.Noticed != 1 || st.Nudges != 0 || st.Handshakes != 2 {
					t.Errorf("counted %+v", st)
				}
			})
		})
	}
}

func TestWhatIsNoKnownDeviceIsASweep(t *testing.T) {
	for name, c := range map[string]struct {
		resource graph.Resource
		about    string
		spoil    func(*office, graphtest.Device, *worker)
	}{
		"a device that the index does not know": {devices, "LT-042", func(*office, graphtest.Device, *worker) {}},
		"no index":                              {devices, "LT-042", func(_ *office, _ graphtest.Device, w *worker) { w.hook.Index = nil }},
		"an index that says nonsense": {devices, "LT-042", func(o *office, d graphtest.Device, _ *worker) {
			o.index[graph.KindManagedDevice+"/"+d.ID] = "*.>"
		}},
		"a user": {users, "curfew@contoso.example", func(o *office, d graphtest.Device, _ *worker) { o.indexes(d) }},
	} {
		t.Run(name, func(t *testing.T) {
			floor(t, func(t *testing.T, o *office, laptop graphtest.Device) {
				w := o.hire(c.resource)
				c.spoil(o, laptop, w)
				w.start()
				defer w.end()
				o.tenant.Notify(c.about)
				later(time.Second)
				if n := len(o.book.told()); n != 0 || o.statuses() != "202" || w.swept.Load() != 1 {
					t.Fatalf("noticed %d times, swept %d times, answered %s", n, w.swept.Load(), o.statuses())
				}
				for range 100 { // a busy tenant is swept a little more often, not all the time
					o.tenant.Notify(c.about)
					later(3 * time.Second)
				}
				if w.swept.Load() < 4 || w.swept.Load() > 8 {
					t.Errorf("swept %d times in 5 minutes, want about one a minute", w.swept.Load())
				}
				if st := w.hook.Stats(); st.Accepted != 101 || st.Noticed != 0 || st.Nudges != 101 {
					t.Errorf("counted %+v", st)
				}
			})
		})
	}
}

func TestWhatCannotBeStoredIsSentAgain(t *testing.T) {
	full := errors.New("no space left on the device")
	for name, c := range map[string]struct {
		known bool
		fails func(o *office) (over func())
	}{
		"a fact": {true, func(o *office) func() {
			o.book.fails(func(entry) error { return full })
			return func() { o.book.fails(nil) }
		}},
		"a nudge": {false, func(o *office) func() {
			o.shelf.set(func(op, _ string) error {
				if op != "get" {
					return full
				}
				return nil
			})
			return func() { o.shelf.set(nil) }
		}},
		"a nudge, the state cannot even be read": {false, func(o *office) func() {
			o.shelf.set(func(string, string) error { return full })
			return func() { o.shelf.set(nil) }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			floor(t, func(t *testing.T, o *office, laptop graphtest.Device) {
				if c.known {
					o.indexes(laptop)
				}
				w := o.hire(devices).start()
				defer w.end()
				over := c.fails(o)
				o.tenant.Notify(laptop.Name)
				later(time.Second)
				if o.statuses() != "503" {
					t.Fatalf("answered %s", o.statuses())
				}
				if st := w.hook.Stats(); st.Accepted != 0 || st.Unavailable["not stored"] != 1 {
					t.Errorf("counted %+v", st)
				}
				over()
				later(time.Minute)
				if o.statuses() != "503 202" {
					t.Errorf("answered %s", o.statuses())
				}
				if n := o.noticed(laptop); c.known && n != 1 || !c.known && w.swept.Load() != 1 {
					t.Errorf("noticed %d times, swept %d times", n, w.swept.Load())
				}
			})
		})
	}
}

// A sink is a Sink that does as a test says.
type sink func(ctx context.Context, id string) error

func (s sink) Append(ctx context.Context, _ events.Key, _ events.Fact, id string) error {
	return s(ctx, id)
}

func stuck(ctx context.Context, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestAStuckJournalDoesNotMakeTheWebhookSlow(t *testing.T) {
	floor(t, func(t *testing.T, o *office, laptop graphtest.Device) {
		o.indexes(laptop)
		w := o.hire(devices)
		w.hook.Sink = sink(stuck)
		took := time.Duration(0)
		o.front.put(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			began := time.Now()
			w.hook.ServeHTTP(rw, r)
			took = max(took, time.Since(began))
		}))
		w.start()
		defer w.end()
		o.tenant.Notify(laptop.Name)
		later(5 * time.Second)
		if o.statuses() != "503" || took > 2900*time.Millisecond { // slower than that counts as slow
			t.Errorf("answered %s after %v", o.statuses(), took)
		}
	})
}

func TestFactsAreStoredSideBySide(t *testing.T) {
	floor(t, func(t *testing.T, o *office, laptop graphtest.Device) {
		var names []string
		for i := range 30 {
			d := o.tenant.AddDevice(graphtest.Device{Name: fmt.Sprint("LT-1", i)})
			o.indexes(d)
			names = append(names, d.Name)
		}
		w := o.hire(devices)
		var stored atomic.Int32
		w.hook.Sink = sink(func(context.Context, string) error {
			time.Sleep(time.Second) // one after the other would take half a minute
			stored.Add(1)
			return nil
		})
		w.start()
		defer w.end()
		o.tenant.Notify(names...)
		later(3 * time.Second)
		if o.statuses() != "202" || stored.Load() != 30 {
			t.Errorf("answered %s with %d of 30 stored", o.statuses(), stored.Load())
		}
	})
}

func TestTheSameNotificationFiftyTimesIsOneFact(t *testing.T) {
	floor(t, func(t *testing.T, o *office, laptop graphtest.Device) {
		o.indexes(laptop)
		w := o.hire(devices).start()
		defer w.end()
		o.tenant.Inject(graphtest.Fault{Kind: graphtest.Duplicated, Copies: 50, Times: 1})
		o.tenant.Notify(laptop.Name)
		later(time.Second)
		if n := o.noticed(laptop); n != 1 || w.hook.Stats().Accepted != 50 {
			t.Errorf("%d facts of %d notifications, want 1 of 50", n, w.hook.Stats().Accepted)
		}
		// Another change is another fact.
		o.tenant.Notify(laptop.Name)
		later(time.Second)
		if n := o.noticed(laptop); n != 1 {
			t.Errorf("%d facts of another change", n)
		}
	})
}

func TestASubscriptionOfAnotherWorkerIsKnown(t *testing.T) {
	floor(t, func(t *testing.T, o *office, laptop graphtest.Device) {
		o.indexes(laptop)
		idle := o.hire(devices)
		busy := o.hire(devices).start()
		defer busy.end()
		o.front.put(idle.hook) // which has not made it, nor run at all
		o.tenant.Notify(laptop.Name)
		later(time.Second)
		if n := o.noticed(laptop); n != 1 || o.statuses() != "202" {
			t.Errorf("noticed %d times, answered %s", n, o.statuses())
		}
	})
}

func TestANotificationMayBeFasterThanTheSubscriptionsID(t *testing.T) {
	floor(t, func(t *testing.T, o *office, laptop graphtest.Device) {
		o.indexes(laptop)
		o.shelf.set(killed(1)) // before the id is written down
		w := o.hire(devices).start()
		defer w.end()
		if st := w.list()[devices.Path]; st.ID != "" {
			t.Fatalf("listed as %+v", st)
		}
		o.tenant.Notify(laptop.Name)
		later(time.Second)
		if n := o.noticed(laptop); n != 1 || o.statuses() != "202" {
			t.Errorf("noticed %d times, answered %s", n, o.statuses())
		}
	})
}
