package journal

import (
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/trace"

	"curfew/events"
	"curfew/events/broker"
)

// TestBacklog: what waits is counted, and the oldest of it is known.
func TestBacklog(t *testing.T) {
	began := time.Now().Add(-time.Second)
	j := open(t, fresh(t, broker.Embedded{}), Options{Partitions: 2})
	ctx := t.Context()
	queue := func(name string) Queue {
		t.Helper()
		all := must(t, of(j.Backlog(ctx)))
		i := slices.IndexFunc(all, func(q Queue) bool { return q.Name == name })
		if i < 0 {
			t.Fatalf("there is no queue %s in %v", name, all)
		}
		return all[i]
	}
	for p := range 2 { // as Keep makes them
		_, err := j.facts.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{Durable: keeperName(p), FilterSubject: factsOf(p), AckPolicy: jetstream.AckExplicitPolicy})
		check(t, err)
	}
	if q := queue("facts"); q.Waiting != 0 || !q.Oldest.IsZero() {
		t.Errorf("nothing waits, and it is %+v", q)
	}
	miscounted := jetstream.ConsumerInfo{NumPending: 24_433, Config: jetstream.ConsumerConfig{FilterSubject: factsOf(0)}}
	if n, since, err := waits(ctx, j.facts, &miscounted); n != 0 || !since.IsZero() || err != nil {
		t.Errorf("there is no first one, and %d wait since %v (%v)", n, since, err)
	}
	for _, d := range []string{"d1", "d2", "d3"} {
		check(t, j.Append(ctx, key(d), events.Noticed{Source: "test"}, ""))
	}
	// A consumer counts what is new a moment later.
	for deadline := time.Now().Add(20 * time.Second); queue("facts").Waiting < 3 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	if q := queue("facts"); q.Waiting != 3 || q.Oldest.Before(began) || time.Since(q.Oldest) > time.Minute {
		t.Errorf("%+v", q)
	}
	m, err := taskMsg(key("d1"), events.Task{ID: "contoso/d1/1-mail", N: 1, Order: events.Order{Action: events.Mail}}, 1)
	check(t, err)
	_, err = j.js.PublishMsg(ctx, m)
	check(t, err)
	if q := queue("mail"); q.Waiting != 1 || q.Oldest.Before(began) {
		t.Errorf("nobody serves it, and it is %+v", q)
	}
	if q := queue("scan"); q.Waiting != 0 {
		t.Errorf("%+v", q)
	}
}

// TestDeadCount counts by family and tenant without reading a letter.
func TestDeadCount(t *testing.T) {
	j := open(t, fresh(t, broker.Embedded{}), Options{})
	ctx := t.Context()
	if all, oldest, err := j.DeadCount(ctx); err != nil || len(all) != 0 || !oldest.IsZero() {
		t.Errorf("%v %v %v", all, oldest, err)
	}
	for i, subject := range []string{"fact.0.contoso.d1", "fact.0.contoso.d1", "fact.0.contoso.d2", "task.mail.fabrikam.d1.3", "what.is.this"} {
		check(t, j.write(ctx, subject, nil, []byte("?"), "unreadable", number(i)))
	}
	all, oldest, err := j.DeadCount(ctx)
	check(t, err)
	for _, want := range []Letters{{"fact", "contoso", 3}, {"task", "fabrikam", 1}, {"what", "", 1}} {
		if !slices.Contains(all, want) {
			t.Errorf("%+v is not in %+v", want, all)
		}
	}
	if len(all) != 3 || oldest.IsZero() {
		t.Errorf("%+v since %v", all, oldest)
	}
}

// TestTraceIsCarried in a header, and there is no header without one.
func TestTraceIsCarried(t *testing.T) {
	h := nats.Header{}
	carry(t.Context(), h)
	if len(h) != 0 {
		t.Errorf("without a trace: %v", h)
	}
	of := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	carry(trace.ContextWithSpanContext(t.Context(), of), h)
	j := open(t, fresh(t, broker.Embedded{}), Options{})
	ctx, span := j.resume(t.Context(), "take seen", h, false, key("d1"))
	defer span.End()
	if got := trace.SpanContextFromContext(ctx); got.TraceID() != of.TraceID() || !got.IsSampled() {
		t.Errorf("%v", got)
	}
}
