package ticket

import (
	"context"
	"net/http"
	"sync"
	"time"

	"curfew/handlers"
)

// A Grant is an access token, such as that of OAuth client credentials, kept
// until it ends. The zero value is ready. It must not be copied once used.
type Grant struct {
	mu    sync.Mutex
	token string
	until time.Time
}

// Do makes a call with the token, which ask gets anew when it has ended, with the
// time that it will live. If the other side does not know the token any more, the
// call is made once more with a new one: 401 says that nothing was done.
func (g *Grant) Do(ctx context.Context, ask func(context.Context) (token string, life time.Duration, err error), call func(token string) error) error {
	token, fresh, err := g.get(ctx, ask)
	if err != nil {
		return err
	}
	err = call(token)
	if fresh || handlers.Read(err).Status != http.StatusUnauthorized {
		return err
	}
	g.keep("", 0)
	if token, _, err = g.get(ctx, ask); err != nil {
		return err
	}
	return call(token)
}

// get is the token, and whether it was given just now.
func (g *Grant) get(ctx context.Context, ask func(context.Context) (string, time.Duration, error)) (token string, fresh bool, err error) {
	g.mu.Lock()
	token, until := g.token, g.until
	g.mu.Unlock()
	if token != "" && time.Now().Before(until) {
		return token, false, nil
	}
	token, life, err := ask(ctx)
	if err != nil {
		return "", false, err
	}
	g.keep(token, life-time.Minute)
	return token, true, nil
}

func (g *Grant) keep(token string, life time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.token, g.until = token, time.Now().Add(life)
}

// A Known is something that is asked for once, such as the id of an account. The
// zero value is ready. It must not be copied once used.
type Known[T comparable] struct {
	mu    sync.Mutex
	value T
}

// Get is what is known, or what ask says without an error. ask may be called more
// than once at a time.
func (k *Known[T]) Get(ask func() (T, error)) (T, error) {
	k.mu.Lock()
	value := k.value
	k.mu.Unlock()
	var none T
	if value != none {
		return value, nil
	}
	value, err := ask()
	if err != nil {
		return none, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.value = value
	return value, nil
}
