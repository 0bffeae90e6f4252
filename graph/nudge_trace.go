package graph

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
)

const traceparent = "traceparent" // W3C Trace Context

// traceOf is the trace of ctx as text, or "".
func traceOf(ctx context.Context) string {
	c := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, c)
	return c[traceparent]
}

// inTrace is ctx within a trace that was kept as text.
func inTrace(ctx context.Context, text string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceparent: text})
}
