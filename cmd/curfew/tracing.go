package main

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"curfew/events"
	"curfew/graph"
)

// A tracing is how a worker's traces leave it, by OTLP over HTTP and as the standard
// environment variables of OpenTelemetry say. Without an endpoint there they do not,
// and cost nothing.
type tracing struct {
	tracer trace.Tracer
	stop   func(context.Context) error
}

// traced reports whether somebody wants traces (OpenTelemetry docs: OTLP exporter
// configuration, SDK environment variables).
func traced(getenv func(string) string) bool {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") || strings.EqualFold(getenv("OTEL_TRACES_EXPORTER"), "none") {
		return false
	}
	return cmp.Or(getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), getenv("OTEL_EXPORTER_OTLP_ENDPOINT")) != ""
}

const tracerName = "curfew"

func newTracing(ctx context.Context, getenv func(string) string, log *slog.Logger) (*tracing, error) {
	if !traced(getenv) {
		return &tracing{noop.NewTracerProvider().Tracer(tracerName), func(context.Context) error { return nil }}, nil
	}
	if p := cmp.Or(getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf"); p != "http/protobuf" {
		log.Warn("traces are sent by http/protobuf only", "asked_for", p)
	}
	out, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, err
	}
	is, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "curfew"), attribute.String("service.version", readBuild().Version)), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	p := sdktrace.NewTracerProvider(sdktrace.WithBatcher(&exporting{out, log, false}), sdktrace.WithResource(is))
	return &tracing{p.Tracer(tracerName), p.Shutdown}, nil
}

// close sends what is left, for as long as a moment takes.
func (t *tracing) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	_ = t.stop(ctx) // what does not get through was logged
}

// An exporting exports, and says once in the log that it cannot, until it can again.
type exporting struct {
	sdktrace.SpanExporter
	log     *slog.Logger
	failing bool // only the batcher calls, one at a time
}

// ExportSpans implements [sdktrace.SpanExporter].
func (e *exporting) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	switch {
	case err == nil && e.failing:
		e.log.Info("traces get through again")
	case err != nil && !e.failing:
		e.log.Warn("traces do not get through and are dropped; work goes on", "spans", len(spans), "err", oneLine(err))
	}
	e.failing = err != nil
	return nil
}

// webhook begins the trace of each delivery of notifications. What strangers send as
// theirs is not believed.
func (t *tracing) webhook(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Query().Has("validationToken") { // a handshake
			next.ServeHTTP(w, r)
			return
		}
		ctx, span := t.tracer.Start(r.Context(), "notifications", trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		answer := &answering{w, http.StatusOK}
		next.ServeHTTP(answer, r.WithContext(ctx))
		span.SetAttributes(attribute.Int("http.response.status_code", answer.status))
		if answer.status >= 500 {
			span.SetStatus(codes.Error, "")
		}
	})
}

// An answering notes the status of an answer.
type answering struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (a *answering) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (a *answering) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// sweep puts a sweep into the trace of what asked for it.
func (t *tracing) sweep(tenant string, sweep func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, span := t.tracer.Start(ctx, "sweep", trace.WithAttributes(attribute.String("curfew.tenant", tenant)))
		defer span.End()
		err := sweep(ctx)
		if err != nil {
			span.SetStatus(codes.Error, "")
		}
		return err
	}
}

// around puts the requests to Microsoft that belong to a trace into it, and lets
// next hear of all. Requests of sweeps that nothing asked for belong to none.
func (t *tracing) around(next graph.Around) graph.Around {
	return func(ctx context.Context, r graph.Request) (context.Context, func(error)) {
		done := func(error) {}
		if next != nil {
			ctx, done = next(ctx, r)
		}
		if !trace.SpanContextFromContext(ctx).IsValid() {
			return ctx, done
		}
		ctx, span := t.tracer.Start(ctx, "graph: "+r.Op, trace.WithSpanKind(trace.SpanKindClient),
			trace.WithAttributes(attribute.String("curfew.tenant", r.Tenant), attribute.String("curfew.service", r.Service)))
		return ctx, func(err error) {
			span.SetAttributes(attribute.String("curfew.outcome", graph.Outcome(err)))
			if err != nil {
				span.SetStatus(codes.Error, "")
			}
			span.End()
			done(err)
		}
	}
}

// spanSays adds to the span of a task what came of it.
func spanSays(ctx context.Context, t events.Task, outcome, destination string) {
	span := trace.SpanFromContext(ctx)
	span.SetAttributes(attribute.String("curfew.outcome", outcome))
	if destination != "" {
		span.SetAttributes(attribute.String("curfew.destination", destination))
	}
	if t.Unsure {
		span.SetAttributes(attribute.Bool("curfew.unsure", true))
	}
}
