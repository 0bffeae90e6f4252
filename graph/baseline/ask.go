package baseline

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// How often a request is made that Microsoft puts off, and how long at most until
// the next time. Conditional Access lets one request a second pass and does not
// say when the next may come.
const (
	tries     = 8
	firstWait = 2 * time.Second
	mostWait  = time.Minute
)

// ask makes a request, and again when it was put off. What has an effect is made
// again only where nothing was done by it.
func ask(ctx context.Context, api API, method, path string, header http.Header, body []byte) ([]byte, error) {
	wait := firstWait
	for try := 1; ; try++ {
		b, err := api.Do(ctx, method, path, header, body)
		if err == nil || method != http.MethodGet && isConflict(err) || givesUp(err) || isUnsure(err) || needsApproval(err) || isSignIn(err) || try == tries || ctx.Err() != nil {
			return b, err
		}
		pause := min(max(retryAfter(err), wait), mostWait)
		wait = min(2*wait, mostWait)
		if !sleep(ctx, pause) {
			return nil, fmt.Errorf("called off: %w", err)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// What errors say by their methods; see [API].

func givesUp(err error) bool {
	e, ok := errors.AsType[interface {
		error
		GiveUp() bool
	}](err)
	return ok && e.GiveUp()
}

func isUnsure(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Unsure() bool
	}](err)
	return ok && e.Unsure()
}

func isGone(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Gone() bool
	}](err)
	return ok && e.Gone()
}

func retryAfter(err error) time.Duration {
	e, ok := errors.AsType[interface {
		error
		RetryAfter() time.Duration
	}](err)
	if !ok {
		return 0
	}
	return e.RetryAfter()
}

func needsApproval(err error) bool {
	e, ok := errors.AsType[interface {
		error
		ApprovalRequired() bool
	}](err)
	return ok && e.ApprovalRequired()
}

func isConflict(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Conflict() bool
	}](err)
	return ok && e.Conflict()
}

func isSignIn(err error) bool {
	e, ok := errors.AsType[interface {
		error
		SignIn() bool
	}](err)
	return ok && e.SignIn()
}

func approvalCode(err error) string {
	e, ok := errors.AsType[interface {
		error
		ApprovalCode() string
	}](err)
	if !ok {
		return ""
	}
	return e.ApprovalCode()
}
