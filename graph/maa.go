package graph

import (
	"context"
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"curfew/events"

	abstractions "github.com/microsoft/kiota-abstractions-go"
)

// An Approval is what a device action brings along where the tenant has an access
// policy of Multi Admin Approval on device actions, which covers wipe, retire and
// delete (Intune docs: multi-admin-approval-graph-api, 2026-05). The zero value
// brings nothing, which suits every tenant without one.
//
// The way goes so:
//
//  1. The action with a Justification fails with an [*Error] of which
//     ApprovalRequired is true and Approval is the code of the request that was
//     filed by it. Nothing was done to the device.
//  2. Microsoft tells nobody. Whoever may approve must be told, and does so in
//     Intune's admin center; no app can. The request lives for three days.
//  3. [Client.ApprovalState] with the code shows what became of it.
//  4. When it is approved, the same action with the Code is carried out, once:
//     approval alone does nothing. It must be the same app, device and action.
//
// Where the code was lost between 1 and 3, [Client.FindApproval] finds the
// request by how its justification begins, so let that name the task. Filing
// again is harmless: it is refused, see [Error.ApprovalOpen].
type Approval struct {
	// Justification is what approvers read: why, and whose doing it is. At most
	// 1,024 characters.
	Justification string
	// Code of a request that was approved, a GUID. With it, Justification is not
	// sent: that would file another request.
	Code string
}

const (
	approvalRequired = "ApprovalRequired"

	justificationHeader = "x-msft-approval-justification"
	codeHeader          = "x-msft-approval-code"

	// Graph docs: operationApprovalRequest, requestJustification.
	maxJustification = 1024
)

func (a Approval) check() *Error {
	switch {
	case a.Code != "" && !isGUID(a.Code):
		return final("", "%q is no code of an approval, which is a GUID", oneLine(a.Code, 64))
	case a.Code == "" && a.Justification != "":
		if !utf8.ValidString(a.Justification) || strings.TrimSpace(a.Justification) == "" {
			return final("", "a justification is words in UTF-8")
		}
		if n := utf8.RuneCountInString(a.Justification); n > maxJustification {
			return final("", "the justification has %d characters; Intune takes %d", n, maxJustification)
		}
	}
	return nil
}

func (a Approval) sign(h *abstractions.RequestHeaders) {
	switch {
	case a.Code != "":
		h.Add(codeHeader, a.Code)
	case a.Justification != "":
		h.Add(justificationHeader, base64.StdEncoding.EncodeToString([]byte(a.Justification)))
	}
}

// told says what a bare 403 means to a request with a code: Intune answers so
// where the code is not for it, as callers report.
func (a Approval) told(err error) error {
	if e, no := refused(err); no && a.Code != "" && e.Status == http.StatusForbidden && !e.ApprovalRequired() {
		e.Message = "Intune does not take the approval " + a.Code +
			": it was used, withdrawn or expired, or is for another app, device or action; " + e.Message
	}
	return err
}

var codeInMessage = regexp.MustCompile(codeHeader + `:\s*([0-9a-fA-F-]{36})`)

// readApproval finds out whether an answer is one of Multi Admin Approval's.
// Microsoft documents 403 and the code ApprovalRequired for all of them. Callers
// saw 400 where the justification is missing (Microsoft365DSC#7236), 412 where a
// request was filed, and 409 where one is open: so the header and the words count
// and not the status.
func (e *Error) readApproval(h http.Header) {
	if e.Status < 400 || e.Status >= 500 {
		return
	}
	code := h.Get(codeHeader)
	if m := codeInMessage.FindStringSubmatch(e.Message); code == "" && m != nil {
		code = m[1]
	}
	e.open = e.Status == http.StatusConflict && strings.Contains(strings.ToLower(e.Message), "active approval request already exists")
	switch {
	case isGUID(code):
		e.Approval = strings.ToLower(code)
	case e.open, e.Code == approvalRequired:
	case strings.Contains(e.Message, justificationHeader) && strings.Contains(e.Message, "is required"):
	default:
		return
	}
	e.Code, e.final = approvalRequired, true
}

func (e *Error) approvalAdvice() string {
	switch {
	case e.Approval != "":
		return "request " + e.Approval + " waits for a second administrator to approve it in Intune's admin center (Multi Admin Approval); Microsoft tells nobody"
	case e.open:
		return "a request about this device waits for a second administrator already (Multi Admin Approval)"
	}
	return "this tenant wants a second administrator to approve (Multi Admin Approval): take the app out of that access policy, give a justification, or do it by hand"
}

// ApprovalStatus is the status of a request: the members of
// operationApprovalRequestStatus (Graph beta docs, 2024-08) as Microsoft sent
// them, known or not, or NotFound.
type ApprovalStatus string

// The statuses. NeedsApproval and Approved may change yet, the others not.
const (
	NeedsApproval ApprovalStatus = "needsApproval"
	Approved      ApprovalStatus = "approved"  // to be carried out with the code
	Rejected      ApprovalStatus = "rejected"  // by an administrator
	Cancelled     ApprovalStatus = "cancelled" // withdrawn, perhaps after it was approved
	Completed     ApprovalStatus = "completed" // carried out with the code
	Expired       ApprovalStatus = "expired"   // nobody approved it, or nobody completed it, in time
	// NotFound: Intune shows no such request, to this app. It shows them for thirty
	// days (Intune docs: multi-admin-approval, 2026-05).
	NotFound ApprovalStatus = "notFound"
)

// Open reports whether the request may still lead to the action. A status that
// this version does not know may.
func (s ApprovalStatus) Open() bool {
	return !slices.Contains([]ApprovalStatus{Rejected, Cancelled, Completed, Expired, NotFound}, s)
}

const needsApprovals = "DeviceManagementRBAC.Read.All"

// approvalRow is an operationApprovalRequest. Its id is the code; the requestId
// of Microsoft's example is not among its documented properties.
type approvalRow struct {
	ID            text   `json:"id"`
	RequestID     text   `json:"requestId"`
	Status        text   `json:"status"`
	Expires       moment `json:"expirationDateTime"`
	Justification long   `json:"requestJustification"`
	Requestor     struct {
		Application struct {
			ID text `json:"id"`
		} `json:"application"`
	} `json:"requestor"`
}

func (r approvalRow) is(code string) bool {
	return strings.EqualFold(string(r.ID), code) || strings.EqualFold(string(r.RequestID), code)
}

// state is the status as it is at now. After expirationDateTime no action on the
// request is permitted (Graph beta docs), whatever its status says.
func (r approvalRow) state(now time.Time) (ApprovalStatus, time.Time) {
	s, until := ApprovalStatus(r.Status), r.Expires.time()
	if s == "canceled" { // as the admin center spells it
		s = Cancelled
	}
	if s.Open() && !until.IsZero() && !now.Before(until) {
		s = Expired
	}
	return s, until
}

// ApprovalState reads what became of a request for approval, and when it
// expires; zero: Intune does not say. What a person decided is a status and
// never an error.
func (c *Client) ApprovalState(ctx context.Context, code string) (ApprovalStatus, time.Time, error) {
	k := call{op: "read the approval request", needs: needsApprovals, service: intune}
	if !isGUID(code) {
		return "", time.Time{}, c.told(k, final("", "%q is no code of an approval, which is a GUID", oneLine(code, 64)))
	}
	found, err := c.approvals(ctx, k, "requestId eq "+quote(code), func(r approvalRow) bool { return r.is(code) })
	if e, no := refused(err); no && e.Status == http.StatusBadRequest {
		err = nil // the filter names a property that is not there; the id is
	}
	if err != nil {
		return "", time.Time{}, err
	}
	if len(found) == 0 {
		var r approvalRow
		err := c.send(ctx, k.of(c.raw("beta/deviceManagement/operationApprovalRequests/"+code, ""), nil), &r)
		switch {
		case status(err) == http.StatusNotFound:
			return NotFound, time.Time{}, nil
		case err != nil:
			return "", time.Time{}, err
		case !r.is(code):
			return "", time.Time{}, c.told(k, &Error{Message: "Intune shows another request than the one asked for"})
		}
		found = append(found, r)
	}
	s, until := found[0].state(time.Now())
	return s, until, nil
}

// FindApproval finds the code of a request that this app filed with a
// justification that begins so, the newest open one if there are several; empty:
// there is none. It is for when the code was lost: what else the justification
// said may not be known any more.
func (c *Client) FindApproval(ctx context.Context, begins string) (code string, err error) {
	k := call{op: "find the approval request", needs: needsApprovals, service: intune}
	if strings.TrimSpace(begins) == "" {
		return "", c.told(k, final("", "a request is found by its justification, and there is none"))
	}
	now := time.Now()
	var newest time.Time
	_, err = c.approvals(ctx, k, "", func(r approvalRow) bool {
		app := string(r.Requestor.Application.ID)
		own := c.tenant.Auth.Client == "" || strings.EqualFold(app, c.tenant.Auth.Client)
		s, until := r.state(now)
		if own && strings.HasPrefix(string(r.Justification), begins) && s.Open() && isGUID(string(r.ID)) && !until.Before(newest) {
			code, newest = strings.ToLower(string(r.ID)), until
		}
		return false
	})
	if err != nil {
		return "", err
	}
	return code, nil
}

// approvals are the requests that are wanted. The filter may be ignored.
func (c *Client) approvals(ctx context.Context, k call, filter string, wanted func(approvalRow) bool) (found []approvalRow, err error) {
	pages := 0
	first := k.of(c.raw("beta/deviceManagement/operationApprovalRequests", filter), nil)
	err = read(ctx, c.send, first, c.follow(k), func(p page[approvalRow]) error {
		if pages++; pages > findPages {
			return &Error{Message: "this tenant has too many approval requests to search"}
		}
		for _, r := range p.Value.list {
			if wanted(r) {
				found = append(found, r)
			}
		}
		return nil
	})
	return found, c.about(k, err)
}

// ResetWith is [Client.ResetWith].
func (ts Tenants) ResetWith(ctx context.Context, d events.Device, a Approval) error {
	return ts.act(ctx, "Autopilot Reset", d, func(c *Client, ctx context.Context, d events.Device) error { return c.ResetWith(ctx, d, a) })
}

// ApprovalState is [Client.ApprovalState].
func (ts Tenants) ApprovalState(ctx context.Context, tenant, code string) (ApprovalStatus, time.Time, error) {
	c, err := ts.of("read the approval request", tenant)
	if err != nil {
		return "", time.Time{}, err
	}
	return c.ApprovalState(ctx, code)
}

// FindApproval is [Client.FindApproval].
func (ts Tenants) FindApproval(ctx context.Context, tenant, begins string) (code string, err error) {
	c, err := ts.of("find the approval request", tenant)
	if err != nil {
		return "", err
	}
	return c.FindApproval(ctx, begins)
}
