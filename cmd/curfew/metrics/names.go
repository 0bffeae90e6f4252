package metrics

import (
	"slices"
	"strings"
)

// A Gauge is the name of a number that is shown as it was last seen.
type Gauge string

// A Total is the name of what counts up somewhere else.
type Total string

// A Counter is the name of what is counted here.
type Counter string

// A Histogram is the name of a distribution of seconds.
type Histogram string

// The gauges.
const (
	BuildInfo  Gauge = "curfew_build_info"
	Ready      Gauge = "curfew_ready"
	Observed   Gauge = "curfew_observed_timestamp_seconds"
	Heartbeat  Gauge = "curfew_heartbeat_last_success_timestamp_seconds"
	DryRun     Gauge = "curfew_dry_run"
	QueueDepth Gauge = "curfew_queue_messages"
	QueueAge   Gauge = "curfew_queue_oldest_age_seconds"
	Dead       Gauge = "curfew_dead_letters"
	DeadAge    Gauge = "curfew_dead_letters_oldest_age_seconds"
	JournalMsg Gauge = "curfew_journal_messages"
	JournalUse Gauge = "curfew_journal_bytes"
	DiskFree   Gauge = "curfew_journal_disk_free_bytes"
	DiskSize   Gauge = "curfew_journal_disk_size_bytes"

	Cases      Gauge = "curfew_cases"
	Overdue    Gauge = "curfew_cases_overdue"
	Unreadable Gauge = "curfew_cases_unreadable"
	Held       Gauge = "curfew_tasks_held"
	HeldAge    Gauge = "curfew_tasks_held_oldest_age_seconds"
	GivenUp    Gauge = "curfew_tasks_given_up"
	AtDesk     Gauge = "curfew_destination_tasks"

	Webhooked       Gauge = "curfew_webhook_last_timestamp_seconds"
	Swept           Gauge = "curfew_sweep_last_complete_timestamp_seconds"
	SweepTook       Gauge = "curfew_sweep_last_duration_seconds"
	SweepRows       Gauge = "curfew_sweep_last_rows"
	SubEnds         Gauge = "curfew_subscription_expiry_timestamp_seconds"
	SubState        Gauge = "curfew_subscription_state"
	IdentityEnds    Gauge = "curfew_credential_expiry_timestamp_seconds"
	CertificateEnds Gauge = "curfew_tls_certificate_expiry_timestamp_seconds"
	BudgetUsed      Gauge = "curfew_budget_used"
	BudgetLimit     Gauge = "curfew_budget_limit"
	Tripped         Gauge = "curfew_breaker_tripped"
	Pauses          Gauge = "curfew_pauses"
	GraphUsed       Gauge = "curfew_graph_budget_used_ratio"
	GraphClosed     Gauge = "curfew_graph_throttled_seconds"
)

// What is counted elsewhere.
const (
	WebhookTook        Total = "curfew_webhook_notifications_total"
	WebhookRefused     Total = "curfew_webhook_refused_total"
	WebhookUnavailable Total = "curfew_webhook_unavailable_total"
)

// The counters.
const (
	Facts       Counter = "curfew_facts_total"
	Changes     Counter = "curfew_changes_total"
	SweepsEnded Counter = "curfew_sweep_passes_total"
	Attempts    Counter = "curfew_task_attempts_total"
	DeskCalls   Counter = "curfew_destination_attempts_total"
	GraphCalls  Counter = "curfew_graph_requests_total"
	Beats       Counter = "curfew_heartbeats_total"
	Failures    Counter = "curfew_observe_failures_total"
)

// The histograms.
const (
	FactWait  Histogram = "curfew_fact_wait_seconds"
	TaskTook  Histogram = "curfew_task_duration_seconds"
	DeskTook  Histogram = "curfew_destination_duration_seconds"
	GraphTook Histogram = "curfew_graph_request_duration_seconds"
)

// A definition says what a metric is.
type definition struct {
	help    string
	labels  []string
	buckets []float64
}

func def(help string, labels ...string) definition { return definition{help: help, labels: labels} }

func (d definition) in(buckets ...float64) definition {
	d.buckets = buckets
	return d
}

func gauges() map[Gauge]definition {
	return map[Gauge]definition{
		BuildInfo:  def("Always 1; the label says which version runs.", "version"),
		Ready:      def("1 if a check of /readyz is well, 0 if it is not.", "check"),
		Observed:   def("When a group of the gauges was last brought up to date.", "group"),
		Heartbeat:  def("When the dead-man ping last got through; before the first time, when the worker started."),
		DryRun:     def("1 while nothing is done to devices."),
		QueueDepth: def("Facts that are not taken yet, and tasks by action that are not done yet.", "queue"),
		QueueAge:   def("How long the oldest of them has waited; 0 if there is none.", "queue"),
		Dead:       def("Dead letters by family and tenant: what could not be read or was given up.", "family", "tenant"),
		DeadAge:    def("The age of the oldest dead letter; 0 if there is none."),
		JournalMsg: def("Messages kept, by family.", "family"),
		JournalUse: def("Bytes on disk, by family.", "family"),
		DiskFree:   def("Bytes that are free where the data directory is; only of an embedded queue."),
		DiskSize:   def("Bytes that there are where the data directory is; only of an embedded queue."),

		Cases:      def("Cases that are open, by state.", "tenant", "state"),
		Overdue:    def("Cases that stand still although something is due, or with nothing that would ever move them.", "tenant"),
		Unreadable: def("Cases that this version cannot read."),
		Held:       def("Tasks that a gate holds back.", "tenant", "gate"),
		HeldAge:    def("How long the oldest of them has been held.", "tenant", "gate"),
		GivenUp:    def("Tasks of open cases that were given up.", "tenant"),
		AtDesk:     def("Tasks of cases for a destination: waiting, failing (of these) or given_up.", "destination", "state"),

		Webhooked:       def("When the last notification was taken; before the first one, since when Curfew counts.", "tenant"),
		Swept:           def("When the last complete sweep ended; before the first one, since when Curfew counts.", "tenant", "kind"),
		SweepTook:       def("How long the last sweep took.", "tenant", "kind"),
		SweepRows:       def("Rows that the last sweep read.", "tenant", "kind"),
		SubEnds:         def("When a subscription ends if it is not renewed; 0: there is none yet.", "tenant", "resource"),
		SubState:        def("1 for the state that a subscription is in: live, pending, failing, refused or expired.", "tenant", "resource", "state"),
		IdentityEnds:    def("When an identity can sign in no more, where that can be known.", "tenant", "identity"),
		CertificateEnds: def("When the certificate of the webhook runs out."),
		BudgetUsed:      def("Slots of a limit that are taken now.", "tenant", "budget"),
		BudgetLimit:     def("Slots of a limit that there are.", "tenant", "budget"),
		Tripped:         def("1 while the breaker of a tenant has tripped.", "tenant"),
		Pauses:          def("Pauses in force."),
		GraphUsed:       def("The part of Microsoft's limit that is used up now.", "tenant", "service"),
		GraphClosed:     def("For how long Microsoft still wants to be left alone; 0 if it does not.", "tenant", "service"),
	}
}

func totals() map[Total]definition {
	return map[Total]definition{
		WebhookTook:        def("Notifications that were taken: accepted, repeated (of these), noticed (of these: about a device), lifecycle, nudges (sweeps asked for), handshakes.", "what"),
		WebhookRefused:     def("Notifications and bodies that were refused.", "reason"),
		WebhookUnavailable: def("Requests that were answered with 503, so that they come again.", "reason"),
	}
}

func counters() map[Counter]definition {
	return map[Counter]definition{
		Facts:       def("Facts that were taken by this worker, and whether they changed a case.", "fact", "changed"),
		Changes:     def("Times that a device was found otherwise than its case had it, by who made Curfew look: webhook, nudge (a sweep that a notification asked for), sweep or other.", "tenant", "found_by"),
		SweepsEnded: def("Sweeps that ended, complete or incomplete.", "tenant", "kind", "outcome"),
		Attempts:    def("What came of tasks: done, accepted, seen, held, declined, later, unsure or given_up.", "action", "outcome"),
		DeskCalls:   def("The same of tasks for one destination.", "destination", "outcome"),
		GraphCalls:  def("Requests to Microsoft: ok, refused (4xx), unauthorized (401 and sign-in), throttled (429 and 503), failed (5xx), unanswered, or budget (not sent).", "tenant", "service", "outcome"),
		Beats:       def("Dead-man pings: sent, failed, or skipped because the worker was not ready.", "outcome"),
		Failures:    def("Times that a group of the gauges could not be brought up to date.", "group"),
	}
}

func histograms() map[Histogram]definition {
	return map[Histogram]definition{
		FactWait:  def("From when a fact was appended to when it was taken.").in(.005, .02, .1, .5, 2, 10, 60, 600, 3600),
		TaskTook:  def("How long handlers were at tasks.", "action").in(.05, .2, 1, 5, 15, 30),
		DeskTook:  def("How long handlers were at tasks for one destination.", "destination").in(.05, .1, .25, .5, 1, 2.5, 5, 10, 30),
		GraphTook: def("How long Microsoft took to answer.", "service").in(.05, .1, .25, .5, 1, 2.5, 5, 15, 60),
	}
}

// A Described is what docs/metrics.md says of a metric.
type Described struct {
	Name, Kind, Help string
	Labels           []string
}

// All describes every metric of Curfew's own, by name.
func All() []Described {
	var all []Described
	add := func(kind, name string, d definition) {
		all = append(all, Described{name, kind, d.help, d.labels})
	}
	for name, d := range gauges() {
		add("gauge", string(name), d)
	}
	for name, d := range totals() {
		add("counter", string(name), d)
	}
	for name, d := range counters() {
		add("counter", string(name), d)
	}
	for name, d := range histograms() {
		add("histogram", string(name), d)
	}
	slices.SortFunc(all, func(a, b Described) int { return strings.Compare(a.Name, b.Name) })
	return all
}
