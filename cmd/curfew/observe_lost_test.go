package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"curfew/events/broker"
	"curfew/events/journal"
)

// TestScrapeWithoutAQueue: when the queue is gone a scrape answers at once, with what
// was known and with the failures to learn more.
func TestScrapeWithoutAQueue(t *testing.T) {
	b, err := broker.Embed(t.Context(), broker.Embedded{Dir: t.TempDir(), Listen: "127.0.0.1:0"}, quiet)
	check(t, err)
	j, err := journal.Open(t.Context(), b.Conn(), journal.Options{Partitions: 1}, quiet)
	check(t, err)
	conf, problems := loadConfig("testdata/cli/curfew.yaml", testOptions())
	if conf == nil {
		t.Fatal(problems)
	}
	conf.Data, conf.Observe = t.TempDir(), 20*time.Millisecond
	o := newObserver(conf, quiet)
	o.journal, o.guard = j, guardOf(conf, j, quiet)
	o.admin = &admin{Ready: []probe{{"journal", j.Ready}}, Log: quiet}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- o.run(ctx) }()
	scrape := func() string {
		began, w := time.Now(), httptest.NewRecorder()
		o.metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if took := time.Since(began); w.Code != http.StatusOK || took > within {
			t.Fatalf("%d after %v", w.Code, took)
		}
		return w.Body.String()
	}
	until := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !strings.Contains(scrape(), want); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s does not come: %s", want, scrape())
			}
		}
	}
	until(`curfew_ready{check="journal"} 1`)
	until(`curfew_journal_messages{family="FACTS"} 0`)
	check(t, b.Stop(context.WithoutCancel(t.Context())))
	until(`curfew_observe_failures_total{group="queue"}`)
	until(`curfew_observe_failures_total{group="cases"}`)
	until(`curfew_ready{check="journal"} 0`)
	until(`curfew_journal_messages{family="FACTS"} 0`) // as it was last known
	cancel()
	check(t, <-ended)
}

// within is how long a scrape may take, on a machine that has much to do.
const within = 2 * time.Second
