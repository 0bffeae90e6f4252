package rollout_test

import (
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"curfew/graph"
	"curfew/graph/baseline"
	"curfew/graph/baseline/readiness"
	"curfew/graph/baseline/rollout"
	"curfew/graph/graphtest"
)

// Microsoft publishes no latency of Graph; this is the one that the sweep is
// measured with too.
const latency = 150 * time.Millisecond

// What a read-only pass over the largest tenant may take.
const (
	mostTime   = 60 * time.Second
	mostMemory = 200 << 20
)

// BenchmarkReadOnlyPass reads what a plan and a judgement need of a tenant of 50,000
// devices and 5,000 users, plans and judges, at Microsoft's limits (Intune 2,000 in 20 s, directory 8,000 units in 10 s,
// audit logs 5 in 10 s; Conditional Access 1 in a second, as callers report), every
// answer after 150 ms, in real time. DEVICES names another number of devices, ten
// for each user.
func BenchmarkReadOnlyPass(b *testing.B) {
	devices, _ := strconv.Atoi(os.Getenv("DEVICES"))
	if devices <= 0 {
		devices = 50_000
	}
	for b.Loop() {
		took, grown, r := pass(b, devices)
		b.ReportMetric(took.Seconds(), "s/pass")
		b.ReportMetric(mostTime.Seconds(), "s-limit")
		b.ReportMetric(float64(grown)/(1<<20), "MiB-added")
		b.ReportMetric(mostMemory/(1<<20), "MiB-limit")
		b.ReportMetric(float64(r.Devices), "devices")
		if r.Devices != devices || took > mostTime || grown > mostMemory {
			b.Errorf("%d devices in %v with %d MiB", r.Devices, took, grown>>20)
		}
	}
}

// pass makes one, and says how long it took and how far the heap grew meanwhile.
func pass(t testing.TB, devices int) (took time.Duration, grown uint64, r readiness.Report) {
	cloud := graphtest.NewCloud()
	defer cloud.Close()
	tenant := cloud.AddTenant("contoso", tenantID)
	tenant.AddApp(appID, "s3cret~", append(graphtest.BaselineRoles(), graphtest.RolloutRoles()...)...)
	tenant.AddUser(graphtest.User{UPN: breaks, Groups: []string{pilot}})
	tenant.ConnectDefender()
	name, user := tenant.AddCrowd(devices, devices/10)
	for i := range devices / 100 { // one in a hundred fails
		tenant.BreakBitLocker(name(i * 100))
	}
	tenant.Clutter(devices / 10)
	for i := range devices / 10 {
		tenant.SignsIn(graphtest.SignIn{User: user(i % (devices / 10)), At: time.Now().Add(-time.Duration(i) * 6 * 24 * time.Hour / time.Duration(devices/10))})
	}
	tenant.SetRules(graphtest.Rules{Limits: true, SecurityPerMinute: 150})
	timing := graphtest.DefaultTiming()
	timing.Latency = latency
	tenant.SetTiming(timing)
	client, err := graph.New(graph.Tenant{ID: tenant.ID, Name: "contoso", Auth: graph.Auth{Client: appID, Secret: "s3cret~"}, Transport: cloud.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	// A token first: whoever waits for another's holds a lock, and in a bubble no
	// time passes meanwhile.
	if _, err := client.Do(t.Context(), "GET", "v1.0/subscribedSkus", nil, nil); err != nil {
		t.Fatal(err)
	}
	before := settled()
	var most atomic.Uint64
	stop := watch(&most)
	began := time.Now()
	spec := newSpec()
	state, err := baseline.Read(t.Context(), client, tenantID, spec)
	if err != nil {
		t.Fatal(err)
	}
	p := baseline.NewPlan(spec, state, baseline.AllReport, &baseline.Gate{To: baseline.AllReport, Passed: true})
	scope, err := rollout.Scope(spec, state, baseline.AllReport, "contoso", time.Now().AddDate(0, 0, -8))
	if err != nil {
		t.Fatal(err)
	}
	f, err := readiness.Read(t.Context(), client, scope, nil)
	if err != nil {
		t.Fatal(err)
	}
	r = readiness.Judge(f, readiness.Rules{}, nil, time.Now())
	took = time.Since(began)
	if p.Refused() || len(p.Work()) == 0 {
		t.Errorf("nothing was planned: %+v", p.Notes)
	}
	stop()
	for _, u := range f.Unread {
		t.Errorf("%s could not be read: %s", u.What, u.Why)
	}
	for _, c := range r.Checks {
		if c.Name == readiness.Compliant && len(c.Findings) != devices/100 {
			t.Errorf("%d of %d devices that fail were found", len(c.Findings), devices/100)
		}
	}
	return took, most.Load() - min(before, most.Load()), r
}

// settled is how much is in use when nothing goes on.
func settled() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// watch keeps the most that was in use, garbage included.
func watch(most *atomic.Uint64) (stop func()) {
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most.Store(max(most.Load(), m.HeapAlloc))
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-over }
}

// TestAPassKeepsToTheLimits makes a smaller one in virtual time.
func TestAPassKeepsToTheLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if took, _, r := pass(t, 5000); took > mostTime || r.Devices != 5000 {
			t.Errorf("%d devices in %v", r.Devices, took)
		}
	})
}
