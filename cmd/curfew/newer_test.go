package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"curfew/events/broker"
	"curfew/events/journal"
)

// TestRunOnAJournalOfANewerVersion: after a step back to an older version the worker
// does not start, says which one is needed, and leaves everything as it is.
func TestRunOnAJournalOfANewerVersion(t *testing.T) {
	p := newPlot(t, ownIdentity)
	write(t, p.dir, "nowhere", "worker-secret-0123456789", 0o600)
	data := filepath.Join(p.dir, "data")
	layout := func(js jetstream.JetStream) jetstream.KeyValue {
		kv, err := js.KeyValue(t.Context(), "STATE")
		check(t, err)
		return kv
	}
	const newer = `{"version":2,"partitions":16}`
	inQueue(t, data, func(js jetstream.JetStream) {
		_, err := layout(js).Put(t.Context(), "journal.layout", []byte(newer))
		check(t, err)
	})
	stdout, stderr, code := call(t.Context(), nothingSet, "run", "-c", p.file)
	if code != exitFailed || !strings.Contains(stderr, "it is of layout 2 and this version knows up to 1: run the newer version; nothing was changed") {
		t.Errorf("%d\n%s%s", code, stdout, stderr)
	}
	inQueue(t, data, func(js jetstream.JetStream) {
		e, err := layout(js).Get(t.Context(), "journal.layout")
		if err != nil || string(e.Value()) != newer {
			t.Errorf("%v %v", e, err)
		}
	})
}

// inQueue opens the queue of a data directory, in which a journal is made if there is
// none, and closes it again.
func inQueue(t *testing.T, dir string, do func(jetstream.JetStream)) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	b, err := broker.Embed(t.Context(), broker.Embedded{Dir: dir, DontListen: true}, log)
	check(t, err)
	defer func() { check(t, b.Stop(context.WithoutCancel(t.Context()))) }()
	js, err := jetstream.New(b.Conn())
	check(t, err)
	if _, err := js.KeyValue(t.Context(), "STATE"); err != nil {
		_, err = journal.Open(t.Context(), b.Conn(), journal.Options{}, log)
		check(t, err)
	}
	do(js)
}
