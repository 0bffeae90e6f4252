package graphtest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// An ApprovalRequest is one that waits, or waited, for a second administrator
// (Multi Admin Approval; Graph beta: operationApprovalRequest).
type ApprovalRequest struct {
	Code          string // its id, and the value of x-msft-approval-code
	App           string // who asked
	Device        string // or whatever else it is about
	Action        string // wipe, retire; or a method
	Justification string
	Status        string // needsApproval, approved, rejected, cancelled, completed, expired
	Asked         time.Time
	Expires       time.Time
}

type approvalRequest struct {
	ApprovalRequest
	path    string
	body    []byte
	covers  string
	changed time.Time
}

// approvals are the tenant's access policies, and its requests.
type approvals struct {
	on       bool                // for device actions
	excluded []string            // client ids
	covers   map[string][]string // the excluded client ids of further access policies, by what they cover
	requests []*approvalRequest
}

const (
	// Intune docs: multi-admin-approval, 2026-05: a request that was not processed
	// expires after three days and is shown for thirty.
	approvalLife  = 3 * 24 * time.Hour
	approvalShown = 30 * 24 * time.Hour
	// Graph docs: intune-rbac-operationapprovalrequest, requestJustification.
	maxJustification = 1024
)

// RequireApproval gives the tenant an access policy for device actions, which
// covers wipe, retire and delete (Intune docs: multi-admin-approval, 2026-05).
// Apps that are excluded from it, by client id, go on as before.
func (t *Tenant) RequireApproval(excluded ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.approvals.on, t.approvals.excluded = true, excluded
}

// RequireApprovalOf gives the tenant an access policy for something else than
// device actions: "compliancePolicy" (Graph beta: operationApprovalPolicyType).
func (t *Tenant) RequireApprovalOf(what string, excluded ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.approvals.covers == nil {
		t.approvals.covers = map[string][]string{}
	}
	t.approvals.covers[what] = excluded
}

// Approve lets an administrator approve a request, Reject refuse it and Cancel
// withdraw it. Only a person can: no app reaches these (Intune docs:
// multi-admin-approval-graph-api, 2026-05).
func (t *Tenant) Approve(code string) { t.decide(code, "approved", "needsApproval") }

// Reject refuses a request; see Approve.
func (t *Tenant) Reject(code string) { t.decide(code, "rejected", "needsApproval") }

// Cancel withdraws a request, even one that is approved (Graph docs:
// operationApprovalRequest cancelApproval).
func (t *Tenant) Cancel(code string) { t.decide(code, "cancelled", "needsApproval", "approved") }

func (t *Tenant) decide(code, status string, from ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now().UTC()
	r := t.approval(code, now)
	if r == nil || !slices.Contains(from, r.Status) {
		panic(fmt.Sprintf("graphtest: %s has no request %q that could become %s", t.Name, code, status))
	}
	r.Status, r.changed = status, now
}

// Approvals returns the tenant's requests, oldest first.
func (t *Tenant) Approvals() []ApprovalRequest {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire(time.Now().UTC())
	var all []ApprovalRequest
	for _, r := range t.approvals.requests {
		all = append(all, r.ApprovalRequest)
	}
	return all
}

// expire ends the requests whose time is over and forgets the old ones.
func (t *Tenant) expire(now time.Time) {
	t.approvals.requests = slices.DeleteFunc(t.approvals.requests, func(r *approvalRequest) bool {
		return now.Sub(r.Asked) > approvalShown
	})
	for _, r := range t.approvals.requests {
		if r.open() && !now.Before(r.Expires) {
			r.Status, r.changed = "expired", r.Expires
		}
	}
}

func (r *approvalRequest) open() bool { return r.Status == "needsApproval" || r.Status == "approved" }

func (t *Tenant) approval(code string, now time.Time) *approvalRequest {
	t.expire(now)
	for _, r := range t.approvals.requests {
		if strings.EqualFold(r.Code, code) {
			return r
		}
	}
	return nil
}

// gate is what Multi Admin Approval makes of a device action. The zero reply lets
// it through. Of its answers, the documented ones are those of Intune docs:
// multi-admin-approval-graph-api, 2026-05; Rules.ApprovalAsObserved gives those
// that callers saw instead.
func (k *call) gate(d *device, action string) reply {
	p := &k.tenant.approvals
	if !p.on || action != "wipe" && action != "retire" || slices.Contains(p.excluded, k.app.ID) {
		return reply{}
	}
	return k.approve(d.Name, action, "deviceAction")
}

// approveOf is gate for another kind of thing that an access policy covers, and any
// change of it.
func (k *call) approveOf(what, entity string) reply {
	excluded, covered := k.tenant.approvals.covers[what]
	if !covered || slices.Contains(excluded, k.app.ID) {
		return reply{}
	}
	return k.approve(entity, strings.ToLower(k.r.Method), what)
}

// approve files a request for an approval, or spends one.
func (k *call) approve(entity, action, covers string) reply {
	why, code := k.r.Header.Get("x-msft-approval-justification"), k.r.Header.Get("x-msft-approval-code")
	switch {
	case why != "": // it files a request even where a code comes along
		return k.fileRequest(entity, action, covers, why)
	case code != "":
		return k.completeRequest(code)
	}
	const missing = "Header 'x-msft-approval-justification' is required to request approval"
	if k.tenant.rules.ApprovalAsObserved { // Microsoft365DSC#7236
		return k.failIntune(http.StatusBadRequest, "BadRequest", missing)
	}
	return k.fail(http.StatusForbidden, "ApprovalRequired", missing)
}

func (k *call) fileRequest(entity, action, covers, why string) reply {
	text, err := base64.StdEncoding.DecodeString(why)
	switch {
	case err != nil || !utf8.Valid(text):
		return k.failIntune(http.StatusBadRequest, "BadRequest", "Header 'x-msft-approval-justification' must be base64 encoded")
	case utf8.RuneCount(text) > maxJustification:
		return k.failIntune(http.StatusBadRequest, "BadRequest",
			"Decoded content of 'x-msft-approval-justification' header must be no greater than 1024 characters")
	}
	k.tenant.expire(k.now)
	for _, r := range k.tenant.approvals.requests {
		if r.Device == entity && r.open() { // as callers saw it; no page of Microsoft's names the status
			return k.failIntune(http.StatusConflict, "Conflict", "An active Approval Request already exists for this entity")
		}
	}
	r := &approvalRequest{path: k.r.URL.Path, body: slices.Clone(k.body), changed: k.now, covers: covers, ApprovalRequest: ApprovalRequest{
		Code: newGUID(), App: k.app.ID, Device: entity, Action: action, Justification: string(text),
		Status: "needsApproval", Asked: k.now, Expires: k.now.Add(approvalLife),
	}}
	k.tenant.approvals.requests = append(k.tenant.approvals.requests, r)
	message := "Approval Required. Request Approval using the request ID returned as part of the x-msft-approval-code response header. x-msft-approval-code: " + r.Code
	out := k.fail(http.StatusForbidden, "ApprovalRequired", message)
	if k.tenant.rules.ApprovalAsObserved {
		out = k.failIntune(http.StatusPreconditionFailed, "BadRequest", message)
	}
	out.header = map[string]string{"x-msft-approval-code": r.Code}
	return out
}

// completeRequest lets the request through that was approved, once: by the app
// that filed it, to the same address and with the same body.
func (k *call) completeRequest(code string) reply {
	if !isGUID(code) {
		return k.failIntune(http.StatusBadRequest, "BadRequest", "Invalid approval header format, expected GUID format")
	}
	r := k.tenant.approval(code, k.now)
	if r == nil || r.Status != "approved" || r.App != k.app.ID || r.path != k.r.URL.Path || string(r.body) != string(k.body) {
		return k.failIntune(http.StatusForbidden, "Forbidden", "An error has occurred")
	}
	r.Status, r.changed = "completed", k.now
	return reply{}
}

func isGUID(s string) bool {
	return len(s) == 36 && strings.Count(s, "-") == 4 && strings.Trim(strings.ToLower(s), "0123456789abcdef-") == ""
}

// row is an operationApprovalRequest (Graph beta docs, 2024-08). It has no
// requestId, although Microsoft's own example filters by one.
func (r *approvalRequest) row() object {
	return object{
		{"id", r.Code}, {"requestDateTime", r.Asked}, {"expirationDateTime", r.Expires}, {"lastModifiedDateTime", r.changed},
		{"requestor", object{{"application", object{{"id", r.App}, {"displayName", nil}}}, {"device", nil}, {"user", nil}}},
		{"approver", nil}, {"status", r.Status}, {"requestJustification", r.Justification}, {"approvalJustification", nil},
		{"requiredOperationApprovalPolicyTypes", []string{r.covers}},
	}
}

// listApprovals is operationApprovalRequests. Whether Intune honours the filter
// of Microsoft's example is not known: as observed it does not.
func (k *call) listApprovals() reply {
	where, err := parseFilter(k.query.Get("$filter"))
	if err != nil {
		return k.failIntune(http.StatusBadRequest, "BadRequest", "Invalid filter clause: "+err.Error())
	}
	k.tenant.expire(k.now)
	rows := []object{}
	for _, r := range k.tenant.approvals.requests {
		ids := func(path string) any {
			if path == "id" || path == "requestId" {
				return r.Code
			}
			return nil
		}
		if where == nil || k.tenant.rules.ApprovalAsObserved || where.match(ids) {
			rows = append(rows, r.row())
		}
	}
	return k.list("deviceManagement/operationApprovalRequests", rows)
}

func (k *call) getApproval() reply {
	if r := k.tenant.approval(k.args[0], k.now); r != nil {
		return reply{status: http.StatusOK, body: k.entity("deviceManagement/operationApprovalRequests", r.row().bytes())}
	}
	return k.failIntune(http.StatusNotFound, "ResourceNotFound", "ResourceNotFound: approval request "+k.args[0])
}
