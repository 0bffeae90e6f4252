// Package metrics holds what a worker shows to Prometheus. Every name is in
// docs/metrics.md, which a test compares with what is here.
//
// What holds:
//
//   - A scrape reads what is in memory and asks nobody, so it neither hangs when the
//     queue is away nor costs more the more cases there are. What has to be asked for
//     is asked for by the worker itself, at a pace of its own.
//   - Labels are tenants, actions, destinations and the like, as the configuration
//     and this code name them: never a device, a person or what somebody else wrote.
//
// What may not be assumed: that a number is of this moment. Those that the worker
// asks for are as old as curfew_observed_timestamp_seconds says.
package metrics

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are those of one worker. They are safe for concurrent use.
type Metrics struct {
	reg    *prometheus.Registry
	counts map[Counter]*prometheus.CounterVec
	times  map[Histogram]*prometheus.HistogramVec
	descs  map[string]*prometheus.Desc // of gauges and totals

	mu    sync.Mutex
	shown map[string][]Sample
	live  []func()
}

// A Sample is one value with the labels of its metric, in their order.
type Sample struct {
	Value  float64
	Labels []string
}

// Of is the sample of a value.
func Of(value float64, labels ...string) Sample { return Sample{value, labels} }

// At is the sample of a moment; none is 0.
func At(t time.Time, labels ...string) Sample {
	if t.IsZero() {
		return Sample{0, labels}
	}
	return Sample{float64(t.UnixMilli()) / 1000, labels}
}

// New makes the metrics of a worker of this version.
func New(version string) *Metrics {
	m := &Metrics{
		reg: prometheus.NewRegistry(), shown: map[string][]Sample{},
		counts: map[Counter]*prometheus.CounterVec{}, times: map[Histogram]*prometheus.HistogramVec{}, descs: map[string]*prometheus.Desc{},
	}
	m.reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for name, d := range counters() {
		m.counts[name] = prometheus.NewCounterVec(prometheus.CounterOpts{Name: string(name), Help: d.help}, d.labels)
		m.reg.MustRegister(m.counts[name])
	}
	for name, d := range histograms() {
		m.times[name] = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: string(name), Help: d.help, Buckets: d.buckets}, d.labels)
		m.reg.MustRegister(m.times[name])
	}
	for name, d := range gauges() {
		m.descs[string(name)] = prometheus.NewDesc(string(name), d.help, d.labels, nil)
	}
	for name, d := range totals() {
		m.descs[string(name)] = prometheus.NewDesc(string(name), d.help, d.labels, nil)
	}
	m.reg.MustRegister((*board)(m))
	m.Show(BuildInfo, Of(1, version))
	return m
}

// Count adds to a counter. A nil m counts nothing.
func (m *Metrics) Count(c Counter, n int, labels ...string) {
	if m != nil {
		m.counts[c].WithLabelValues(labels...).Add(float64(n))
	}
}

// Took adds to a histogram of times. A nil m adds nothing.
func (m *Metrics) Took(h Histogram, d time.Duration, labels ...string) {
	if m != nil {
		m.times[h].WithLabelValues(labels...).Observe(d.Seconds())
	}
}

// Show replaces all that is shown of a gauge. A nil m shows nothing.
func (m *Metrics) Show(g Gauge, all ...Sample) { m.show(string(g), all) }

// ShowTotal replaces all that is shown of what counts elsewhere.
func (m *Metrics) ShowTotal(t Total, all ...Sample) { m.show(string(t), all) }

func (m *Metrics) show(name string, all []Sample) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shown[name] = all
}

// Shown is what is shown of a gauge now.
func (m *Metrics) Shown(g Gauge) []Sample {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.shown[string(g)])
}

// Live has f called at every scrape, to show what it can read from memory. It must
// wait for nothing.
func (m *Metrics) Live(f func()) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.live = append(m.live, f)
}

// A board is the collector of what is shown.
type board Metrics

// Describe implements [prometheus.Collector].
func (b *board) Describe(to chan<- *prometheus.Desc) {
	for _, d := range b.descs {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (b *board) Collect(to chan<- prometheus.Metric) {
	b.mu.Lock()
	live := slices.Clone(b.live)
	b.mu.Unlock()
	for _, f := range live {
		f()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	known := totals()
	for name, all := range b.shown {
		kind := prometheus.GaugeValue
		if _, ok := known[Total(name)]; ok {
			kind = prometheus.CounterValue
		}
		for _, s := range all {
			got, err := prometheus.NewConstMetric(b.descs[name], kind, s.Value, s.Labels...)
			if err != nil {
				got = prometheus.NewInvalidMetric(b.descs[name], err)
			}
			to <- got
		}
	}
}

// How many scrapes are answered at once, and for how long one is.
const (
	atOnce = 4
	within = 5 * time.Second
)

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.reg, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: atOnce, Timeout: within,
	})
}
