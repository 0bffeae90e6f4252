package baseline

import (
	"context"
	"errors"
)

// Read fetches what a tenant has, as far as the spec is about it, and changes
// nothing. What Microsoft refuses is noted in [State].Unread; an error means that
// the state is not known.
func Read(_ context.Context, _ API, _ string, _ Spec) (*State, error) {
	return nil, errors.New("baseline: nothing is read yet")
}
