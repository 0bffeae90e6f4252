package journal

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
)

// confirm makes sure that a case that was read at rev is the last one, for a decision
// that stores nothing: that a fact changes nothing, that a task is not wanted.
//
// A server of a cluster that was cut off takes itself for the leader until it hears of
// another, and answers with what was there when it was cut off. It can store nothing,
// for that takes most of the servers; so something is stored, beside the case and only
// if rev is still its last. A server on its own is always right.
func (j *Journal) confirm(ctx context.Context, k events.Key, rev uint64) error {
	if j.cases.CachedInfo().Config.Replicas <= 1 {
		return nil
	}
	if err := j.crashed("case: confirm"); err != nil {
		return err
	}
	err := stillAt(ctx, j.js, "fence."+strconv.Itoa(j.PartitionOf(k)), caseSubject(k), rev)
	var refused *jetstream.APIError
	if errors.As(err, &refused) && wrongSequence(refused) {
		return errConflict
	} else if err != nil {
		return fmt.Errorf("journal: confirm case %s: %w", k, err)
	}
	return nil
}

// stillAt stores an empty message if the last one of another subject of the same
// stream is that of a revision.
func stillAt(ctx context.Context, js jetstream.JetStream, fence, subject string, rev uint64) error {
	m := nats.NewMsg(fence)
	m.Header.Set(jetstream.ExpectedLastSubjSeqSubjHeader, subject)
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(rev, 10))
	_, err := js.PublishMsg(ctx, m)
	return err
}
