package baseline

import (
	"context"
	"net/http"
)

// An API is one tenant's Graph. [curfew/graph.Client] is one.
//
// The path begins with "v1.0/" or "beta/", or is the link to a further page. An
// error says by its methods what to do, asked for through errors.As: Gone() bool,
// GiveUp() bool, Unsure() bool, RetryAfter() time.Duration, ApprovalRequired()
// bool and ApprovalCode() string. A request is made once; an answer without a body
// is nil.
type API interface {
	Do(ctx context.Context, method, path string, header http.Header, body []byte) ([]byte, error)
}
