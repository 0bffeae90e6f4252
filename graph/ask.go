package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"
)

// Do makes one request in JSON, once, by the same guarded way as everything else:
// the tenant's own Graph and no other host, under Microsoft's limits, with errors
// that are all [*Error]. It is for objects that must not go through the SDK's
// models, which turn members of enumerations they do not know into others, and
// for what only /beta has.
//
// The path begins with "v1.0/" or "beta/" and may have a query, or is the link to
// a further page as Graph gave it. A header may be nil. An answer without a body
// gives nil. That something other than a GET was sent and its end is unknown is
// [Error.Unsure].
func (c *Client) Do(ctx context.Context, method, path string, header http.Header, body []byte) ([]byte, error) {
	reads := method == http.MethodGet || method == http.MethodPost && asks(path)
	k := call{op: "ask " + c.shown(path), write: !reads, effect: !reads, bare: true}
	if !reads {
		k.op = strings.ToLower(method) + " " + c.shown(path)
	}
	below, bad := c.below(path)
	if bad != nil {
		return nil, c.told(k, bad)
	}
	k.service, k.needs = serviceOf(below), roleOf(below, !reads)
	req := abstractions.NewRequestInformation()
	switch method {
	case http.MethodGet:
		req.Method = abstractions.GET
	case http.MethodPost:
		req.Method = abstractions.POST
	case http.MethodPatch:
		req.Method = abstractions.PATCH
	case http.MethodPut:
		req.Method = abstractions.PUT
	case http.MethodDelete:
		req.Method = abstractions.DELETE
	default:
		return nil, c.told(k, final("", "there is no method %.10q", method))
	}
	if body != nil {
		req.SetStreamContentAndContentType(body, "application/json")
	}
	for name, values := range header {
		for _, v := range values {
			req.Headers.Add(name, v)
		}
	}
	var answer json.RawMessage
	if err := c.send(ctx, k.of(c.linked(req, c.graph+"/"+below), nil), &answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// asks reports whether a POST of a path only asks: the what-if evaluation, and
// Intune's reports.
func asks(path string) bool {
	path, _, _ = strings.Cut(path, "?")
	return strings.HasSuffix(path, "/identity/conditionalAccess/evaluate") || strings.Contains(path, "/deviceManagement/reports/get")
}

// below is what a path, or a link to a page, names below the tenant's Graph. It is
// taken apart so that no id in it leads elsewhere.
func (c *Client) below(path string) (string, *Error) {
	path = strings.TrimPrefix(path, c.graph+"/")
	u, err := url.Parse(path)
	switch {
	case err != nil || u.IsAbs() || u.Host != "" || u.User != nil || u.Fragment != "":
		return "", final("", "refusing to call anything but the Graph of this tenant, %s", c.graph)
	case !strings.HasPrefix(path, "v1.0/") && !strings.HasPrefix(path, "beta/"):
		return "", final("", "a path begins with v1.0/ or beta/")
	case slices.Contains(strings.Split(u.Path, "/"), ".."):
		return "", final("", "a path does not climb")
	}
	return path, nil
}

// shown is a path without its query, for people.
func (c *Client) shown(path string) string {
	path, _, _ = strings.Cut(strings.TrimPrefix(path, c.graph+"/"), "?")
	return oneLine(path, 120)
}

// serviceOf is whose limits count for a path.
func serviceOf(path string) service {
	_, path, _ = strings.Cut(path, "/")
	first, rest, _ := strings.Cut(path, "/")
	switch {
	case first == "identity" && strings.HasPrefix(rest, "conditionalAccess"):
		return conditional
	case strings.HasPrefix(first, "deviceManagement"), strings.HasPrefix(first, "deviceAppManagement"):
		return intune
	case first == "security":
		return security
	case first == "auditLogs":
		return auditing
	}
	return identity
}

// roleOf is the application permission that a path of the baseline needs, for the
// advice in a refusal; empty where this table does not know.
func roleOf(path string, writes bool) string {
	_, path, _ = strings.Cut(path, "/")
	for _, r := range []struct{ begins, reads, writes string }{
		{"deviceManagement/mobileThreatDefenseConnectors", needsAutopilot, needsServiceWrite},
		{"deviceManagement/notificationMessageTemplates", needsAutopilot, needsServiceWrite},
		{"deviceManagement/deviceCompliancePolicies", needsConfig, needsConfigWrite},
		{"deviceManagement/managedDevices", needsDevices, ""},
		{"deviceManagement/detectedApps", needsDevices, ""},
		{"deviceManagement/reports", needsDevices, ""},
		{"deviceManagement?", needsConfig, needsConfigWrite},
		{"deviceAppManagement", needsIntuneAudit, needsAppsWrite},
		{"identity/conditionalAccess", needsAccess, needsAccessWrite},
		{"subscribedSkus", needsLicences, ""},
		{"groups", needsMembers, ""},
		{"users", needsUser, ""},
		{"devices", needsEntra, ""},
		{"auditLogs", needsAudit, ""},
	} {
		if strings.HasPrefix(path+"?", r.begins) {
			if writes {
				return r.writes
			}
			return r.reads
		}
	}
	return ""
}

// Permissions of the baseline (Graph docs: permissions tables of the pages that
// the paths name, v1.0 and beta).
const (
	needsServiceWrite = "DeviceManagementServiceConfig.ReadWrite.All"
	needsConfig       = "DeviceManagementConfiguration.Read.All"
	needsConfigWrite  = "DeviceManagementConfiguration.ReadWrite.All"
	needsAppsWrite    = "DeviceManagementApps.ReadWrite.All"
	needsAccess       = "Policy.Read.All"
	needsAccessWrite  = "Policy.ReadWrite.ConditionalAccess"
	needsAppRead      = "Application.Read.All"
	needsLicences     = "LicenseAssignment.Read.All"
)
