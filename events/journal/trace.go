package journal

import (
	"context"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"curfew/events"
)

// The trace of what led to a message is in its header, as W3C Trace Context has it
// (traceparent): of facts, cases, tasks, alarms and dead letters. So a fact is taken,
// and a task done, in the trace of what led to it, by whichever worker and after
// whatever restart. An alarm may ring days later: it begins a trace of its own that
// has a link to the one in which it was set.

// carry puts the trace of ctx, if there is one, into a header.
func carry(ctx context.Context, h nats.Header) {
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h))
}

// resume begins what a message asks for, in the trace that it carries, or linked to it.
func (j *Journal) resume(ctx context.Context, name string, h nats.Header, link bool, k events.Key, more ...attribute.KeyValue) (context.Context, trace.Span) {
	from := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(h)))
	o := []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(append(more, attribute.String("curfew.tenant_id", k.Tenant), attribute.String("curfew.device_id", k.Device))...),
	}
	switch {
	case !from.IsValid():
	case link:
		o = append(o, trace.WithNewRoot(), trace.WithLinks(trace.Link{SpanContext: from}))
	default:
		ctx = trace.ContextWithRemoteSpanContext(ctx, from)
	}
	return j.tracer.Start(ctx, name, o...)
}

// end ends a span. The text of an error is in the case and the log; it may name
// people, so it is not sent elsewhere.
func end(s trace.Span, err error) {
	if err != nil {
		s.SetStatus(codes.Error, "")
	}
	s.End()
}
