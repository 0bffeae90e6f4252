package graph_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"curfew/graph"
)

// TestNudgeKeepsItsTrace: the sweep that a notification asked for is of the trace of
// that notification, also if another process runs it.
func TestNudgeKeepsItsTrace(t *testing.T) {
	st := newShelf()
	id := trace.TraceID{1, 2, 3}
	of := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: trace.SpanID{4}, TraceFlags: trace.FlagsSampled}))
	if err := (&graph.Nudges{State: st}).Ask(of, contosoID); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var got trace.SpanContext
	err := (&graph.Nudges{State: st}).Serve(ctx, contosoID, func(ctx context.Context) error {
		got = trace.SpanContextFromContext(ctx)
		cancel()
		return nil
	})
	if err != nil || got.TraceID() != id || !got.IsRemote() || !got.IsSampled() {
		t.Errorf("%v, %v", got, err)
	}
}
