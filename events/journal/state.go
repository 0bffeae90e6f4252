package journal

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// Errors of [State].
var (
	ErrNoKey    = errors.New("journal: no such key")
	ErrConflict = errors.New("journal: the key was changed by somebody else")
)

// State keeps what is not about one device: marks of sweeps, subscriptions,
// pauses, budgets. Keys are letters, digits, - _ = / and dots between; those
// that start with "journal." are the journal's own.
type State struct {
	kv jetstream.KeyValue
	st jetstream.Stream // that keeps it
	js jetstream.JetStream
}

const own = "journal."

// Get returns the value of a key and its revision, or [ErrNoKey].
func (s *State) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	e, err := s.kv.Get(ctx, key)
	if err != nil {
		return nil, 0, stateError(key, err)
	}
	return e.Value(), e.Revision(), nil
}

// Put sets a key whatever it was, and returns the new revision.
func (s *State) Put(ctx context.Context, key string, value []byte) (uint64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	rev, err := s.kv.Put(ctx, key, value)
	return rev, stateError(key, err)
}

// Create sets a key that is not there; one that is gives [ErrConflict].
func (s *State) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	rev, err := s.kv.Create(ctx, key, value)
	return rev, stateError(key, err)
}

// Update sets a key that is still at a revision; otherwise [ErrConflict].
func (s *State) Update(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	rev, err := s.kv.Update(ctx, key, value, rev)
	return rev, stateError(key, err)
}

// Confirm makes sure that a key that was read is still at its revision, 0 for one that
// was not there; otherwise [ErrConflict]. A server of a cluster that was cut off may
// have answered as of then; see [Journal.confirm]. It is for what must not be done on
// such a word.
func (s *State) Confirm(ctx context.Context, key string, rev uint64) error {
	if s.st.CachedInfo().Config.Replicas <= 1 {
		return nil
	}
	return stateError(key, stillAt(ctx, s.js, stateSubject+own+"fence", stateSubject+key, rev))
}

// Delete removes a key and leaves no trace. One that is not there is no error.
func (s *State) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return stateError(key, s.st.Purge(ctx, jetstream.WithPurgeSubject(stateSubject+key)))
}

// Keys lists the keys that start with a prefix, in order.
func (s *State) Keys(ctx context.Context, prefix string) ([]string, error) {
	info, err := s.st.Info(ctx, jetstream.WithSubjectFilter(stateSubject+">"))
	if err != nil {
		return nil, fmt.Errorf("journal: list keys: %w", err)
	}
	var keys []string
	for subject := range info.State.Subjects {
		if key := strings.TrimPrefix(subject, stateSubject); strings.HasPrefix(key, prefix) && !strings.HasPrefix(key, own) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

// stateSubject is where the bucket keeps its keys (NATS, ADR-8).
const stateSubject = "$KV.STATE."

var keyForm = regexp.MustCompile(`^[-/_=a-zA-Z0-9]+(\.[-/_=a-zA-Z0-9]+)*$`)

func checkKey(key string) error {
	if !keyForm.MatchString(key) || len(key) > 256 {
		return fmt.Errorf("journal: %.80q cannot be a key: it must be letters, digits, - _ = / and dots between", key)
	}
	if strings.HasPrefix(key, own) {
		return fmt.Errorf("journal: key %s is the journal's own", key)
	}
	return nil
}

func stateError(key string, err error) error {
	var conflict *jetstream.APIError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return fmt.Errorf("%w: %s", ErrNoKey, key)
	case errors.Is(err, jetstream.ErrKeyExists), errors.As(err, &conflict) && wrongSequence(conflict):
		return fmt.Errorf("%w: %s", ErrConflict, key)
	}
	return fmt.Errorf("journal: key %s: %w", key, err)
}

// wrongSequence reports whether a compare-and-set was lost. Streams with replicas
// answer with a code of their own.
func wrongSequence(err *jetstream.APIError) bool {
	return err.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || err.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant
}
