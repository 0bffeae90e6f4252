package reset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// Approvals are the tenant's requests for the approval of a second administrator.
type Approvals interface {
	// ApprovalState is the status of a request, and when it expires; zero: that is
	// not said. The statuses are those of operationApprovalRequest (Graph beta docs,
	// 2024-08) as Microsoft has them, or "notFound".
	ApprovalState(ctx context.Context, tenant, code string) (status string, expires time.Time, err error)

	// FindApproval is the code of the open request of this app whose justification
	// begins so; empty: there is none.
	FindApproval(ctx context.Context, tenant, begins string) (code string, err error)
}

// The statuses that say what to do.
const (
	needsApproval = "needsApproval"
	approved      = "approved"
	completed     = "completed" // carried out, with its code
	rejected      = "rejected"
	cancelled     = "cancelled"
	expired       = "expired"
	notFound      = "notFound"
)

// A held task asks again after shortest, and later the longer it is held. What a
// person must first do something about is asked hourly.
const (
	shortest = 5 * time.Minute
	longest  = time.Hour
)

// A request is what Microsoft says of a request for approval.
type request struct {
	status  string
	expires time.Time
}

// approvalRequired reports whether an error says that a second administrator must
// agree first.
func approvalRequired(err error) bool {
	var r interface{ ApprovalRequired() bool }
	return errors.As(err, &r) && r.ApprovalRequired()
}

// opening begins the justification of a task, and of no other one.
func (a try) opening() string { return "Curfew task " + a.t.ID + ": " }

// justification is what the tenant's administrators read, in at most 1,000
// characters: Intune takes 1,024 (Graph docs: operationApprovalRequest).
func (a try) justification() string {
	d := a.c.Inhabited()
	whose := cmp.Or(d.UserName, d.User)
	if whose != "" {
		whose = " of " + whose
	}
	findings, _ := handlers.Sentences(a.c)
	text := fmt.Sprintf("%s of device %s%s, by policy %s, because of: %s",
		a.is, cmp.Or(d.Name, d.Key.Device), whose, cmp.Or(a.t.Policy, a.c.Policy), strings.Join(findings, "; "))
	begins := a.opening()
	return begins + handlers.Line(text, 1000-len(begins))
}

func (a try) held(request, reason string, until time.Time) events.Held {
	return events.Held{Task: a.t.ID, Gate: events.GateMicrosoft, Reason: reason, Until: until.UTC(), Request: request}
}

// waits holds the task for a request that waits itself.
func (a try) waits(r request) events.Held {
	reason := "request " + a.t.Request + " waits for an administrator of the tenant in Intune's admin center"
	if r.status == approved {
		reason = "request " + a.t.Request + " is approved, and was not carried out yet"
	}
	if !r.expires.IsZero() {
		reason += ", until " + stamp(r.expires)
	}
	at := time.Now().Add(a.patience())
	if !r.expires.IsZero() && at.After(r.expires) {
		at = r.expires.Add(time.Second)
	}
	return a.held(a.t.Request, reason, at)
}

// patience grows with the time for which Microsoft has held the task.
func (a try) patience() time.Duration { return min(max(a.since()/4, shortest), longest) }

// since is for how long Microsoft has held the task.
func (a try) since() time.Duration {
	if h := a.t.Held; h != nil && h.Gate == events.GateMicrosoft {
		return time.Since(h.Since)
	}
	return 0
}

// review reads what became of the request that the task waits for. The fact is
// what came of it, if it is over or nobody can tell; nil: it waits or is approved.
func (a try) review(ctx context.Context) (request, events.Fact, error) {
	r, err := a.state(ctx)
	switch {
	case err != nil && handlers.Read(err).GiveUp:
		return r, a.held(a.t.Request, handlers.Line(err.Error(), 400), time.Now().Add(longest)), nil
	case err != nil:
		return r, nil, handlers.Sure(err)
	}
	switch r.status {
	case needsApproval, approved:
		return r, nil, nil
	case completed:
		fact, err := a.carriedOut(ctx)
		return r, fact, err
	case notFound:
		if a.since() < longest { // lists at Microsoft may be late
			return r, a.held(a.t.Request, "Intune does not show request "+a.t.Request, time.Now().Add(shortest)), nil
		}
	}
	if no, ok := a.declined(r); ok {
		return r, no, nil
	}
	reason := fmt.Sprintf("Intune says that request %s is %q, which this version of Curfew does not know", a.t.Request, handlers.Line(r.status, 60))
	return r, a.held(a.t.Request, reason, time.Now().Add(longest)), nil
}

func (a try) state(ctx context.Context) (request, error) {
	status, expires, err := a.Approvals.ApprovalState(ctx, a.c.Tenant, a.t.Request)
	if err != nil {
		return request{}, fmt.Errorf("what became of request %s cannot be read: %w", a.t.Request, err)
	}
	return request{status, expires}, nil
}

// declined is the outcome of a request that ended without an approval that counts.
func (a try) declined(r request) (events.Declined, bool) {
	out := events.Declined{Task: a.t.ID, By: "an administrator of the tenant"}
	switch r.status {
	case rejected:
		out.Reason = "request " + a.t.Request + " was rejected in Intune's admin center"
	case cancelled:
		out.Reason = "request " + a.t.Request + " was withdrawn in Intune's admin center"
	case expired:
		out.By, out.Reason = "Intune", "request "+a.t.Request+" has expired: it was not approved and carried out"
		if !r.expires.IsZero() {
			out.Reason += " before " + stamp(r.expires)
		}
	case notFound:
		out.By, out.Reason = "Intune", "it does not know request "+a.t.Request+" any more"
	default:
		return out, false
	}
	return out, true
}

// carriedOut follows a call up that Intune calls completed: it was made, whether
// its answer arrived or not.
func (a try) carriedOut(ctx context.Context) (events.Fact, error) {
	a.t.Accepted = &events.Progress{At: a.f.From(a.t), Receipt: "Intune has completed request " + a.t.Request}
	return a.follow(ctx)
}

// filed holds a task whose call was not carried out but became a request, or did
// not even become one because another is open.
func (a try) filed(ctx context.Context, refusal error) (events.Fact, error) {
	var coded interface{ ApprovalCode() string }
	if errors.As(refusal, &coded) {
		a.t.Request = coded.ApprovalCode()
	}
	if a.t.Request != "" {
		return a.waits(request{}), nil
	}
	code, err := a.find(ctx)
	if a.t.Request = code; code != "" {
		return a.waits(request{}), nil
	}
	var open interface{ ApprovalOpen() bool }
	switch {
	case err != nil && !handlers.Read(err).GiveUp:
		return nil, handlers.Sure(fmt.Errorf("a request for approval is open; whether it is this task's cannot be read: %w", err))
	case !errors.As(refusal, &open) || !open.ApprovalOpen():
		return nil, refusal
	}
	reason := "another request about this device waits in Intune's admin center, by somebody else or for another action; this one can be filed when it has ended"
	if err != nil {
		reason = handlers.Line("a request about this device waits in Intune's admin center, and whose it is cannot be read: "+err.Error(), 400)
	}
	return a.held("", reason, time.Now().Add(longest)), nil
}

func (a try) find(ctx context.Context) (code string, err error) {
	return a.Approvals.FindApproval(ctx, a.c.Tenant, a.opening())
}

// notTaken finds out why Intune refused a call with the code of a request that
// was approved a moment ago: mostly because it is not any more.
func (a try) notTaken(ctx context.Context, refusal error) (events.Fact, error) {
	r, over, err := a.review(ctx)
	switch {
	case err != nil || over == nil && r.status == approved:
		return nil, refusal
	case over == nil:
		return a.waits(r), nil
	}
	return over, nil
}

// settle finds out what became of a call that may have been carried out, or may
// have become a request whose code was lost.
func (a try) settle(ctx context.Context) (events.Fact, error) {
	fact, unclear := a.follow(ctx)
	if unclear == nil {
		return fact, nil
	}
	code, err := a.find(ctx)
	switch {
	case code != "":
		a.t.Request = code
		return a.back(request{}), nil
	case err != nil && !handlers.Read(err).GiveUp && handlers.Read(unclear).GiveUp:
		return nil, handlers.Unsure(fmt.Errorf("whether the call became a request for approval cannot be read: %w", err))
	}
	return nil, unclear
}

// settleRequest finds out what became of a call with a request's code. The code
// is good for one call, so the request knows: completed is carried out. Of what
// else it says, only the absence of any trace in the record is believed.
func (a try) settleRequest(ctx context.Context) (events.Fact, error) {
	r, unread := a.state(ctx)
	if r.status == completed {
		return a.carriedOut(ctx)
	}
	fact, err := a.follow(ctx)
	switch {
	case err == nil || !errors.Is(err, handlers.ErrNoTrace):
		return fact, err
	case unread != nil && !handlers.Read(unread).GiveUp:
		return nil, handlers.Unsure(unread)
	case r.status == needsApproval || r.status == approved:
		return a.back(r), nil
	}
	if no, ok := a.declined(r); ok && r.status != notFound {
		return no, nil
	}
	return nil, err
}

// back puts a task back whose call was not carried out. If its case has closed
// meanwhile, nobody wants it any more.
func (a try) back(r request) events.Fact {
	if !a.c.Open {
		return events.Declined{Task: a.t.ID, By: "Curfew", Reason: "the case has closed, and request " + a.t.Request + " was not carried out"}
	}
	return a.waits(r)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
