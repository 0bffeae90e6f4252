package graph

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Edit is one change of a policy that decides which devices count as healthy,
// or what follows from it: what a person asks for first when many devices turn bad
// at once.
type Edit struct {
	At   time.Time
	Who  string // a person's principal name or an app's name; empty: Microsoft does not say
	What string // the policy's display name, or its id where it has none
	Kind string // see the constants
	Did  string // created, updated, deleted, assigned; anything else in Microsoft's words
}

// The kinds of policies whose edits are read.
const (
	CompliancePolicy = "compliance policy"         // Intune's
	AccessPolicy     = "Conditional Access policy" // Entra's
	Connector        = "connector to Defender"     // Intune's; there is one of it
	Notification     = "notification template"     // Intune's
	Protection       = "app protection policy"     // Intune's
)

const (
	maxEdits  = 20
	auditDays = 30 * 24 * time.Hour // Entra docs: reference-reports-data-retention
)

// PolicyEdits reads who changed Entra's Conditional Access policies and, in Intune,
// compliance policies, the connector to Defender, notification templates and app
// protection since then, newest first, at most 20 of them.
// Microsoft keeps Entra's log for 30 days (7 in a tenant without a premium
// licence), so no more than 30 days are asked for. What failed is no edit.
//
// The two logs need a permission each, AuditLog.Read.All and
// DeviceManagementApps.Read.All. Where only one can be read, its edits come with an
// error that says why the other is missing; so does whatever else makes the list
// incomplete.
func (c *Client) PolicyEdits(ctx context.Context, since time.Time) ([]Edit, error) {
	if oldest := time.Now().Add(-auditDays); since.Before(oldest) {
		since = oldest
	}
	access, wrong := c.accessEdits(ctx, since)
	inIntune, worse := c.intuneEdits(ctx, since)
	all := append(access, inIntune...)
	slices.SortStableFunc(all, func(a, b Edit) int { return b.At.Compare(a.At) })
	if _, no := refused(wrong); no { // first comes what passes: errors.As meets that
		wrong, worse = worse, wrong
	}
	return all[:min(len(all), maxEdits)], errors.Join(wrong, worse)
}

// An auditRow is an entry of either log.
type auditRow interface {
	at() time.Time
	edit() (e Edit, ok bool)
}

// editsIn reads a log page by page. Both are asked for the newest first; where
// that is what comes, the reading ends as soon as there is enough, or as it comes
// to what is too old.
func editsIn[T auditRow](ctx context.Context, c *Client, k call, path, filter string, since time.Time, most int) (found []Edit, err error) {
	pages, bad, last, ordered := 0, 0, time.Now().Add(time.Hour), true
	query := url.Values{"$filter": {filter}, "$orderby": {"activityDateTime desc"}, "$top": {strconv.Itoa(auditTop)}}
	err = read(ctx, c.send, k.of(c.query(path, query), nil), c.follow(k), func(p page[T]) error {
		if pages++; pages > most {
			return final(k.op, "the log has more than %d pages: look for the rest in the admin center", most)
		}
		bad += p.Value.bad
		for _, r := range p.Value.list {
			at := r.at()
			if at.IsZero() {
				bad++
				continue
			}
			ordered, last = ordered && !at.After(last), at
			if e, ok := r.edit(); ok && !at.Before(since) {
				found = append(found, e)
			}
		}
		if ordered && (len(found) >= maxEdits || last.Before(since)) {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	if err == nil && bad > 0 {
		err = &Error{Op: k.op, Message: strconv.Itoa(bad) + " entries that cannot be read"}
	}
	return found, c.about(k, err)
}

const (
	auditTop    = 100 // entries on a page
	accessPages = 3   // the limit of calls is 5 in 10 s; Entra keeps to the filter
	intunePages = 20
)

// accessRow is a directoryAudit of Entra (Graph v1.0 metadata, 2026-08).
type accessRow struct {
	At       moment `json:"activityDateTime"`
	Activity text   `json:"activityDisplayName"`
	Service  text   `json:"loggedByService"`
	Did      text   `json:"operationType"`
	Result   text   `json:"result"`
	By       struct {
		User *struct {
			Name text `json:"userPrincipalName"`
			ID   text `json:"id"`
		} `json:"user"`
		App *struct {
			Name text `json:"displayName"`
			ID   text `json:"appId"`
		} `json:"app"`
	} `json:"initiatedBy"`
	Of parts[struct {
		ID   text `json:"id"`
		Name text `json:"displayName"`
	}] `json:"targetResources"`
}

func (r accessRow) at() time.Time { return r.At.time() }

// edit leaves out what the service logs beside policies: named locations,
// authentication contexts and others.
func (r accessRow) edit() (Edit, bool) {
	if !strings.EqualFold(string(r.Service), accessService) || strings.EqualFold(string(r.Result), "failure") ||
		!strings.Contains(strings.ToLower(string(r.Activity)), "conditional access policy") {
		return Edit{}, false
	}
	e := Edit{At: r.at(), Kind: AccessPolicy, Did: did(r.Did, r.Activity)}
	if u := r.By.User; u != nil {
		e.Who = firstOf(u.Name, u.ID)
	}
	if a := r.By.App; a != nil && e.Who == "" {
		e.Who = firstOf(a.Name, a.ID)
	}
	if len(r.Of.list) > 0 {
		e.What = firstOf(r.Of.list[0].Name, r.Of.list[0].ID)
	}
	return e, true
}

const accessService = "Conditional Access"

// accessEdits asks with the filter of Microsoft's own examples (Entra docs:
// scenario-health-conditional-access-block-policy, loggedByService; Entra External
// ID docs: audit logs, with activityDateTime).
func (c *Client) accessEdits(ctx context.Context, since time.Time) ([]Edit, error) {
	// Graph docs: directoryaudit-list, permissions.
	k := call{op: "read Entra's audit log", needs: needsAudit, service: auditing}
	filter := "loggedByService eq " + quote(accessService) + " and activityDateTime ge " + since.UTC().Format(time.RFC3339)
	return editsIn[accessRow](ctx, c, k, "v1.0/auditLogs/directoryAudits", filter, since, accessPages)
}

// intuneRow is an auditEvent of Intune (Graph v1.0 metadata, 2026-08).
type intuneRow struct {
	At       moment `json:"activityDateTime"`
	Activity text   `json:"activityType"`
	Did      text   `json:"activityOperationType"`
	Result   text   `json:"activityResult"`
	By       struct {
		User text `json:"userPrincipalName"`
		App  text `json:"applicationDisplayName"`
		SP   text `json:"servicePrincipalName"`
	} `json:"actor"`
	Of parts[struct {
		Type text `json:"auditResourceType"`
		ID   text `json:"resourceId"`
		Name text `json:"displayName"`
	}] `json:"resources"`
}

func (r intuneRow) at() time.Time { return r.At.time() }

// edit tells what was edited by the type that the entry names: which categories
// there are is not documented.
func (r intuneRow) edit() (Edit, bool) {
	e := Edit{At: r.at(), Kind: intuneKind(r.Activity), Did: did(r.Did, r.Activity), Who: firstOf(r.By.User, r.By.App, r.By.SP)}
	for _, of := range r.Of.list {
		if kind := intuneKind(of.Type); kind != "" || e.What == "" {
			e.What, e.Kind = firstOf(of.Name, of.ID), cmp.Or(kind, e.Kind)
		}
	}
	result := strings.ToLower(string(r.Result))
	return e, e.Kind != "" && (result == "" || result == "success")
}

// intuneKind is what an entry is about by the name of a type (Graph v1.0 metadata,
// 2026-08: the types of what has policies), or "".
func intuneKind(named text) string {
	for _, k := range []struct{ part, kind string }{
		{"compliancepolicy", CompliancePolicy},
		{"mobilethreatdefenseconnector", Connector},
		{"notificationmessage", Notification}, // templates, and what they say in a language
		{"managedappprotection", Protection},
	} {
		if strings.Contains(strings.ToLower(string(named)), k.part) {
			return k.kind
		}
	}
	return ""
}

// intuneEdits filters by time only (Intune docs: Cloud PKI audit logs have an
// example); the rest is done here, for Intune ignores what it does not support.
func (c *Client) intuneEdits(ctx context.Context, since time.Time) ([]Edit, error) {
	// Graph docs: intune-auditing-auditevent-list, permissions.
	k := call{op: "read Intune's audit log", needs: needsIntuneAudit, service: intune}
	filter := "activityDateTime gt " + since.UTC().Add(-time.Second).Format(time.RFC3339)
	return editsIn[intuneRow](ctx, c, k, "v1.0/deviceManagement/auditEvents", filter, since, intunePages)
}

const (
	needsAudit       = "AuditLog.Read.All"
	needsIntuneAudit = "DeviceManagementApps.Read.All"
)

// did is what was done, in one word if it is one that is known.
func did(operation, activity text) string {
	verb, _, _ := strings.Cut(strings.ToLower(string(activity)), " ")
	if strings.HasPrefix(verb, "assign") {
		return "assigned"
	}
	for _, said := range []string{strings.ToLower(string(operation)), verb} {
		switch said {
		case "create", "add":
			return "created"
		case "patch", "update", "set":
			return "updated"
		case "delete", "remove":
			return "deleted"
		}
	}
	return firstOf(activity, operation)
}

func firstOf(all ...text) string {
	for _, s := range all {
		if s != "" {
			return string(s)
		}
	}
	return ""
}

// PolicyEdits is [Client.PolicyEdits].
func (ts Tenants) PolicyEdits(ctx context.Context, tenant string, since time.Time) ([]Edit, error) {
	c, err := ts.of("read the edits of policies", tenant)
	if err != nil {
		return nil, err
	}
	return c.PolicyEdits(ctx, since)
}
