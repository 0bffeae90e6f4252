package journal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// version is the layout of the streams this code knows. A change that an older
// version would misread makes it one more.
const version = 1

const (
	day            = 24 * time.Hour
	minAge         = day // facts and letters are kept at least so long
	dedup          = 2 * time.Minute
	timelineLength = 1000      // records kept of a case
	maxFact        = 256 << 10 // bytes of one fact
	maxCase        = 900 << 10 // bytes of one case; NATS takes messages of 1 MiB
	layoutKey      = own + "layout"
)

// A layout is what can only be chosen once.
type layout struct {
	Version    int `json:"version"`
	Partitions int `json:"partitions"`
}

func (l layout) check(o Options) error {
	switch {
	case l.Version > version:
		return fmt.Errorf("it is of layout %d and this version knows up to %d: run the newer version; nothing was changed", l.Version, version)
	case l.Version < 1 || l.Partitions < 1:
		return errors.New("its layout is not recorded as a journal would: is the bucket STATE somebody else's?")
	case o.Partitions != 0 && o.Partitions != l.Partitions:
		return fmt.Errorf("it was made with %d partitions, not %d, and the order of facts hangs on that: leave the number as it was, or copy the journal into a new one", l.Partitions, o.Partitions)
	}
	return nil
}

// lay makes the streams.
func (j *Journal) lay(ctx context.Context, o Options) error {
	kv, err := j.js.KeyValue(ctx, "STATE")
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = j.js.CreateOrUpdateKeyValue(ctx, stateConfig(max(o.Replicas, 1)))
	}
	if err != nil {
		return fmt.Errorf("bucket STATE: %w", err)
	}
	if j.state, err = j.bucket(ctx, kv); err != nil {
		return err
	}
	l, err := j.agree(ctx, layout{version, cmp.Or(o.Partitions, 16)})
	if err != nil {
		return err
	}
	if err := errors.Join(l.check(o), j.unmarked(ctx, o)); err != nil {
		return err
	}
	j.parts = l.Partitions
	if o.Replicas != 0 && j.state.st.CachedInfo().Config.Replicas != o.Replicas {
		if _, err := j.js.UpdateKeyValue(ctx, stateConfig(o.Replicas)); err != nil {
			return fmt.Errorf("bucket STATE: %w", err)
		}
	}
	if err := j.stateOfLeader(ctx); err != nil {
		return fmt.Errorf("bucket STATE: %w", err)
	}
	for name, at := range j.streams() {
		if *at, err = j.ensure(ctx, name, o); err != nil {
			return fmt.Errorf("stream %s: %w", name, err)
		}
	}
	return j.sameLease(ctx, o)
}

// stateOfLeader has the bucket read from its leader only, where there are several
// copies: a pause or an approval must not be missed because a replica lags behind. The
// client makes every bucket the other way.
func (j *Journal) stateOfLeader(ctx context.Context) error {
	st, err := j.js.Stream(ctx, "KV_STATE")
	if err != nil {
		return err
	}
	cfg := st.CachedInfo().Config
	direct := cfg.Replicas <= 1
	if cfg.AllowDirect == direct {
		return nil
	}
	cfg.AllowDirect = direct
	if _, err := j.js.UpdateStream(ctx, cfg); err != nil {
		return err
	}
	kv, err := j.js.KeyValue(ctx, "STATE")
	if err != nil {
		return err
	}
	j.state, err = j.bucket(ctx, kv)
	return err
}

// sameLease takes the lease of the workers that were here before, where o leaves it
// open: one that thinks it has longer than they do would work on what is theirs.
func (j *Journal) sameLease(ctx context.Context, o Options) error {
	if o.Lease != 0 {
		return nil
	}
	c, err := j.facts.Consumer(ctx, "keep-0")
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	} else if err != nil {
		return fmt.Errorf("the lease of its workers: %w", err)
	}
	j.lease = min(max(c.CachedInfo().Config.AckWait*5/4, leastLease), mostLease)
	return nil
}

// find binds to streams that somebody else has made.
func (j *Journal) find(ctx context.Context) error {
	kv, err := j.js.KeyValue(ctx, "STATE")
	if err != nil {
		return fmt.Errorf("there is none yet (%w): start `curfew run` first", err)
	}
	if j.state, err = j.bucket(ctx, kv); err != nil {
		return err
	}
	l, err := j.layout(ctx)
	if err != nil {
		return err
	}
	if err := l.check(Options{}); err != nil {
		return err
	}
	j.parts = l.Partitions
	for name, at := range j.streams() {
		if *at, err = j.js.Stream(ctx, name); err != nil {
			return fmt.Errorf("stream %s: %w", name, err)
		}
	}
	return nil
}

func (j *Journal) bucket(ctx context.Context, kv jetstream.KeyValue) (*State, error) {
	st, err := j.js.Stream(ctx, "KV_STATE")
	if err != nil {
		return nil, fmt.Errorf("bucket STATE: %w", err)
	}
	return &State{kv, st, j.js}, nil
}

func (j *Journal) streams() map[string]*jetstream.Stream {
	return map[string]*jetstream.Stream{"FACTS": &j.facts, "CASES": &j.cases, "TASKS": &j.tasks, "DEAD": &j.dead}
}

// agree records a layout if there is none, and returns the one that counts.
func (j *Journal) agree(ctx context.Context, mine layout) (layout, error) {
	data, err := json.Marshal(mine)
	if err != nil {
		return layout{}, err
	}
	if _, err := j.state.kv.Create(ctx, layoutKey, data); err != nil && !errors.Is(err, jetstream.ErrKeyExists) {
		return layout{}, err
	}
	return j.layout(ctx)
}

func (j *Journal) layout(ctx context.Context) (layout, error) {
	var l layout
	data, _, err := j.state.Get(ctx, layoutKey)
	if err != nil {
		return l, fmt.Errorf("its layout: %w", err)
	}
	if err := json.Unmarshal(data, &l); err != nil {
		return l, fmt.Errorf("its layout: %w", err)
	}
	return l, nil
}

// ensure makes a stream, or changes one that is there and not as it should be.
// One that is is left alone: an update, even one that changes nothing, makes the
// server look for messages that are too old, which is slow on a big stream.
func (j *Journal) ensure(ctx context.Context, name string, o Options) (jetstream.Stream, error) {
	st, err := j.js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		o.Replicas = max(o.Replicas, 1)
		o.FactsAge, o.DeadAge = cmp.Or(o.FactsAge, 90*day), cmp.Or(o.DeadAge, 90*day)
		return j.js.CreateOrUpdateStream(ctx, wanted(jetstream.StreamConfig{Name: name}, o))
	} else if err != nil {
		return nil, err
	}
	is := st.CachedInfo().Config
	if want := wanted(is, o); !reflect.DeepEqual(is, want) {
		return j.js.UpdateStream(ctx, want)
	}
	return st, nil
}

// wanted is the configuration of a stream as o wants it; what o leaves open is
// as it was.
func wanted(cfg jetstream.StreamConfig, o Options) jetstream.StreamConfig {
	cfg.Storage = jetstream.FileStorage
	cfg.Duplicates = dedup
	cfg.Replicas = cmp.Or(o.Replicas, cfg.Replicas)
	switch cfg.Name {
	case "FACTS":
		cfg.Description = "what happened, and alarms"
		cfg.Subjects = []string{"fact.*.*.*", "alarm.*.*.*"}
		cfg.MaxAge = cmp.Or(o.FactsAge, cfg.MaxAge)
		cfg.AllowMsgSchedules = true
		cfg.AllowRollup = true // an alarm replaces the one before
	case "CASES":
		cfg.Description = "the case of each device, after each fact that changed it"
		cfg.Subjects = []string{"case.*.*"}
		if cfg.Replicas > 1 {
			cfg.Subjects = append(cfg.Subjects, "fence.*")
		}
		cfg.MaxMsgsPerSubject = timelineLength
		// With several replicas any of them answers a direct get, also one that
		// lags behind. A case must be read as it was written.
		cfg.AllowDirect = cfg.Replicas == 1
	case "TASKS":
		cfg.Description = "what is to be done"
		cfg.Subjects = []string{"task.*.*.*.*"}
		cfg.Retention = jetstream.WorkQueuePolicy
		// A second copy of a task that is still in the queue is refused.
		cfg.MaxMsgsPerSubject = 1
		cfg.Discard = jetstream.DiscardNew
		cfg.DiscardNewPerSubject = true
	case "DEAD":
		cfg.Description = "what could not be read or was given up on"
		cfg.Subjects = []string{"dead.>"}
		cfg.MaxAge = cmp.Or(o.DeadAge, cfg.MaxAge)
	}
	return cfg
}

// Replicated is the configuration of a stream, or of the bucket's, for so many
// replicas.
func Replicated(cfg jetstream.StreamConfig, replicas int) jetstream.StreamConfig {
	return wanted(cfg, Options{Replicas: replicas})
}

func stateConfig(replicas int) jetstream.KeyValueConfig {
	return jetstream.KeyValueConfig{Bucket: "STATE", Description: "what is not about one device", History: 1, Storage: jetstream.FileStorage, Replicas: replicas}
}
