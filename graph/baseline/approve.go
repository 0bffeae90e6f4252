package baseline

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Approvals show what became of requests for a second administrator's approval
// (Multi Admin Approval). Only a person can approve, in Intune's admin center.
type Approvals interface {
	// State says whether a request was approved; if not, open says whether it may
	// be yet, and said how it stands.
	State(ctx context.Context, code string) (approved, open bool, said string, err error)
	// Find finds the code of an open request of this app's by how its justification
	// begins; empty: there is none.
	Find(ctx context.Context, begins string) (code string, err error)
}

const (
	justificationHeader = "x-msft-approval-justification"
	codeHeader          = "x-msft-approval-code"

	approvalPoll = 30 * time.Second
)

// approved files a request for approval, or finds the one that a run before filed,
// waits until somebody decided, and sends the same request with the code.
func (a *applier) approved(s Step, e *Entry, r request, body []byte, refusal error) ([]byte, error) {
	if a.o.Approvals == nil {
		return nil, refusal
	}
	sum := sha256.Sum256([]byte(r.method + r.path + string(body)))
	begins := fmt.Sprintf("Curfew baseline %s %s", e.Object.Key, hex.EncodeToString(sum[:6]))
	code, err := a.o.Approvals.Find(a.ctx, begins)
	if err != nil {
		return nil, err
	}
	if code == "" {
		why := base64.StdEncoding.EncodeToString([]byte(begins + ": " + r.method + " " + s.Object.Name + ", asked for by " + a.o.By))
		answer, err := ask(a.ctx, a.api, r.method, r.path, http.Header{justificationHeader: {why}}, body)
		if err == nil || !needsApproval(err) {
			return answer, err // the access policy is gone, or it is refused for another reason
		}
		if code = approvalCode(err); code == "" {
			return nil, err
		}
	}
	e.Approval = code
	if err := a.save(); err != nil {
		return nil, err
	}
	if err := a.await(s, code); err != nil {
		return nil, err
	}
	answer, err := ask(a.ctx, a.api, r.method, r.path, http.Header{codeHeader: {code}}, body)
	if err == nil {
		e.Approval = ""
	}
	return answer, err
}

// await waits for a decision. Microsoft tells nobody, so who watches is told.
func (a *applier) await(s Step, code string) error {
	before := ""
	for {
		approved, open, said, err := a.o.Approvals.State(a.ctx, code)
		switch {
		case err != nil && givesUp(err):
			return err
		case err != nil:
		case approved:
			return nil
		case !open:
			return errors.New("the second administrator's approval " + code + " was not given: " + said)
		}
		if said != before {
			a.say(s, EventWaits, "request "+code+" waits for a second administrator, who approves it in Intune's admin center: Tenant administration, Multi Admin Approval. Microsoft tells nobody. If this is interrupted, apply again: the request is found")
			before = said
		}
		if !sleep(a.ctx, approvalPoll) {
			return fmt.Errorf("request %s still waits for a second administrator; apply again when it is approved: %w", code, a.ctx.Err())
		}
	}
}
