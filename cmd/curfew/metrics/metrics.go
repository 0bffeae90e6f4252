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
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are those of one worker.
type Metrics struct {
	reg *prometheus.Registry
}

// New makes the metrics of a worker of this version.
func New(version string) *Metrics {
	m := &Metrics{reg: prometheus.NewRegistry()}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "curfew_build_info", Help: "Always 1; the label says which version runs.",
		ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	m.reg.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
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
