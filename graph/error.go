package graph

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// An Error is anything that went wrong between Curfew and Microsoft, in words
// that may go into a log, a ticket and the journal: bounded, on one line, and
// without secrets.
//
// Its methods say what to do next. They are asked for by name through
// errors.As, so no one needs this package to understand them.
type Error struct {
	Tenant string // its name
	Op     string // what was being done: "list managed devices"

	Status  int    // the HTTP status; 0: there was no answer, or nothing was asked
	Code    string // Graph's error code, or Entra's AADSTS number
	Message string

	// Approval is the code of the request that now waits for a second administrator,
	// where ApprovalRequired says so; empty: none was filed.
	Approval string

	RequestID       string // what Microsoft's support asks for
	ClientRequestID string
	After           time.Duration // see RetryAfter
	Err             error         // the cause, where there is one; not part of the text

	final  bool // nothing will change by trying again
	unsure bool // something with an effect was sent, and how it ended is unknown
	local  bool // nothing was sent: the budget is used up
	open   bool // see ApprovalOpen
	signIn bool // there is no token
	absent bool // see NotThere
}

// Error is one line for people.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("graph: ")
	for _, part := range []string{e.Tenant, e.Op} {
		if part != "" {
			b.WriteString(part + ": ")
		}
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, "%d %s", e.Status, http.StatusText(e.Status))
		if e.Code != "" || e.Message != "" {
			b.WriteString(": ")
		}
	}
	switch {
	case e.Code != "" && e.Message != "":
		b.WriteString(e.Code + ": " + e.Message)
	default:
		b.WriteString(e.Code + e.Message)
	}
	if e.RequestID != "" {
		b.WriteString(" (request-id " + e.RequestID + ")")
	}
	return b.String()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// GiveUp reports whether trying again cannot help until a person has changed
// something: Graph understood the request and refused it.
//
// Not among these are 401 (a credential that is being replaced), 408, 409, 423,
// 425 and 429, which pass, and everything from 500 but 501.
func (e *Error) GiveUp() bool {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusConflict,
		http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests:
		return e.final
	case http.StatusNotImplemented:
		return true
	}
	return e.final || e.Status >= 400 && e.Status < 500
}

// Unsure reports whether what was asked for may have been done although it
// failed: an action was sent, and then the answer was a 5xx or none at all.
func (e *Error) Unsure() bool { return e.unsure && !e.GiveUp() }

// maxRetryAfter bounds what a server may ask for.
const maxRetryAfter = time.Hour

// RetryAfter is how long to wait before coming again, at most an hour. Zero:
// nobody said, the caller knows best.
func (e *Error) RetryAfter() time.Duration { return min(max(e.After, 0), maxRetryAfter) }

// ApprovalRequired reports whether the tenant wants a second administrator to
// agree first (Intune docs: Multi Admin Approval, 2026-05). The request was not
// carried out; asking again changes nothing until somebody approved, or took
// Curfew's app out of the access policy. See [Approval] for how to go on.
func (e *Error) ApprovalRequired() bool { return e.Code == approvalRequired }

// ApprovalCode is Approval.
func (e *Error) ApprovalCode() string { return e.Approval }

// ApprovalOpen reports whether, moreover, a request about the same device waits
// already, and so none was filed. [Client.FindApproval] finds it again if it is
// Curfew's own; else it is somebody else's, whose end must be waited for.
func (e *Error) ApprovalOpen() bool { return e.ApprovalRequired() && e.open }

// Gone reports whether Microsoft says that there is no such thing, or no more.
func (e *Error) Gone() bool {
	return e.Status == http.StatusNotFound || e.Status == http.StatusGone
}

// Conflict reports whether Microsoft says that something is in the way: it is there
// already, or was changed by somebody else.
func (e *Error) Conflict() bool {
	return e.Status == http.StatusConflict || e.Status == http.StatusPreconditionFailed
}

// SignIn reports whether nothing was asked because there is no token.
func (e *Error) SignIn() bool { return e.signIn }

// final is an error that no repetition can cure.
func final(op, format string, args ...any) *Error {
	return &Error{Op: op, Message: fmt.Sprintf(format, args...), final: true}
}

// refused reports whether err is Graph's considered no, which a reader of many
// parts may note and go on from; anything else means come back.
func refused(err error) (*Error, bool) {
	e, ok := errors.AsType[*Error](err)
	return e, ok && e.GiveUp()
}

// status is the HTTP status that err came with, or 0.
func status(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

// parseRetryAfter reads the header, which is seconds or a date (RFC 9110).
// What cannot be read counts as absent.
func parseRetryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseFloat(header, 64); err == nil {
		if !(seconds > 0) {
			return 0
		}
		return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}
