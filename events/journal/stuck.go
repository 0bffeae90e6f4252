package journal

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A stuck remembers what is being tried and does not go.
type stuck struct {
	mu   sync.Mutex
	what map[string]trouble
}

type trouble struct {
	since time.Time
	err   error
}

// tolerated is how long something may be tried before it is said aloud.
const tolerated = 5 * time.Second

// set notes that something failed again, or with a nil error that it goes.
func (s *stuck) set(what string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch t, known := s.what[what]; {
	case err == nil:
		delete(s.what, what)
	case known:
		s.what[what] = trouble{t.since, err}
	default:
		if s.what == nil {
			s.what = map[string]trouble{}
		}
		s.what[what] = trouble{time.Now(), err}
	}
}

// err says what has not gone for long, or nil.
func (s *stuck) err(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for what, t := range s.what {
		if since := now.Sub(t.since); since >= tolerated {
			errs = append(errs, fmt.Errorf("journal: %s has been tried in vain for %v: %w", what, since.Round(time.Second), t.err))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return slices.Compare([]byte(a.Error()), []byte(b.Error())) })
	return errors.Join(errs...)
}
