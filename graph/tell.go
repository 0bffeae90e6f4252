package graph

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf16"

	"curfew/events"
)

// Limits of what users are told besides by mail (Graph docs:
// userteamwork-sendactivitynotification: Teams shows 150 characters of the preview;
// Intune docs: send-custom-notification, 2025-10: 50 and 500).
const (
	maxActivity = 150
	maxTitle    = 50
	maxPush     = 500
)

// Activity puts a notification into the activity feed of Teams, of a user by
// object id or principal name: 204. It is the app [Tenant].TeamsApp that speaks; a
// user who does not have it is an error for which NotThere reports true. key names
// the notification: another one with the same key takes its place (Graph docs:
// userteamwork-sendactivitynotification, chainId), so after an Unsure error the same
// call may be made again.
//
// That Teams took it does not say that anybody saw it: users may switch an app's
// notifications off.
func (c *Client) Activity(ctx context.Context, user, title, preview, key string) error {
	k := call{op: "notify in Teams", needs: needsActivity, service: teams, write: true, effect: true}
	host, ok := c.tenant.Cloud.teams()
	switch {
	case c.tenant.TeamsApp == "":
		return c.told(k, final("", "the configuration names no app of Teams for this tenant"))
	case !ok:
		return c.told(k, final("", "Teams is not known in the cloud %s", c.tenant.Cloud))
	case !isGUID(user) && !isPrincipal(user):
		return c.told(k, final("", "%q is neither the object id nor the principal name of a user", oneLine(user, 64)))
	}
	type named struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	body, err := json.Marshal(map[string]any{
		// The reserved type, whose text is free, and which no manifest declares
		// (Graph docs: teams-send-activityfeednotifications, systemDefault).
		"activityType":       "systemDefault",
		"templateParameters": []named{{"systemDefaultText", brief(title, maxActivity)}},
		"previewText":        map[string]string{"content": brief(preview, maxActivity)},
		"topic": map[string]string{
			"source": "text", "value": brief(title, maxTitle),
			"webUrl": "https://" + host + "/l/app/" + c.tenant.TeamsApp,
		},
		"teamsAppId": c.tenant.TeamsApp, // or an app id that two of them share is a conflict
		"chainId":    chain(key),
	})
	if err != nil {
		return c.told(k, final("", "the notification cannot be written: %v", err))
	}
	err = c.send(ctx, k.of(c.post("v1.0/users/"+url.PathEscape(user)+"/teamwork/sendActivityNotification", body), nil), nil)
	if e, ok := refused(err); ok && e.Status == http.StatusForbidden && strings.Contains(e.Message, "Teams app is installed") {
		e.absent, e.Message = true, "the user does not have the app of Teams" // as it says (microsoft-365-agents-toolkit#6067)
	}
	return err
}

// brief is a text of so many characters, as Microsoft counts them, on one line.
func brief(s string, most int) string {
	s = oneLine(s, 4*most)
	if len(utf16.Encode([]rune(s))) <= most {
		return s
	}
	n := 1 // the mark at the end
	for i, r := range s {
		if n += utf16.RuneLen(r); n > most {
			return s[:i] + "…"
		}
	}
	return s
}

// chain is a number that stands for a key, above zero.
func chain(key string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // which never fails
	return int64(h.Sum64()>>1) | 1
}

// teams is where links into Teams lead (Teams docs: deep links; for governments:
// plan for Teams for government).
func (c Cloud) teams() (host string, ok bool) {
	host, ok = map[Cloud]string{"": "teams.microsoft.com", Global: "teams.microsoft.com", USGovL4: "gov.teams.microsoft.us", USGovL5: "dod.teams.microsoft.us"}[c]
	return host, ok
}

// Push has Company Portal show something on a phone: 204. Only iOS, iPadOS and
// Android with a work profile do (Intune docs: send-custom-notification, 2025-10);
// a device that Intune refuses is an error for which NotThere reports true. A device
// is told 10 times an hour at most. On Android other apps may read it, so nothing
// confidential belongs there.
//
// Intune neither promises nor records that it was shown, and shows again what it
// is asked again.
func (c *Client) Push(ctx context.Context, d events.Device, title, text string) error {
	k := call{op: "push to Company Portal", needs: needsPush, service: intune, write: true, effect: true}
	if !isGUID(d.IntuneID) {
		return c.told(k, final("", "the device has no id in Intune"))
	}
	body, err := json.Marshal(map[string]string{"notificationTitle": brief(title, maxTitle), "notificationBody": brief(text, maxPush)})
	if err != nil {
		return c.told(k, final("", "the notification cannot be written: %v", err))
	}
	err = c.send(ctx, k.of(c.post("beta/deviceManagement/managedDevices/"+d.IntuneID+"/sendCustomNotificationToCompanyPortal", body), nil), nil)
	if e, ok := refused(err); ok && (e.Status == http.StatusBadRequest || e.Status == http.StatusNotFound) {
		e.absent = true
	}
	return err
}

// NotThere reports whether there is nobody, or nothing, that could show what it was
// asked to: the person lacks an app, or the device is not of the kind.
func (e *Error) NotThere() bool { return e.absent }

// isPrincipal reports whether a text may be a user principal name in a path.
func isPrincipal(user string) bool {
	return strings.Contains(user, "@") && len(user) <= 320 && !strings.ContainsAny(user, "/?\\%") && user == oneLine(user, 320)
}

// Activity is [Client.Activity] in a tenant.
func (ts Tenants) Activity(ctx context.Context, tenant, user, title, preview, key string) error {
	c, err := ts.of("notify in Teams", tenant)
	if err != nil {
		return err
	}
	return c.Activity(ctx, user, title, preview, key)
}

// Push is [Client.Push].
func (ts Tenants) Push(ctx context.Context, d events.Device, title, text string) error {
	return ts.act(ctx, "push to Company Portal", d, func(c *Client, ctx context.Context, d events.Device) error { return c.Push(ctx, d, title, text) })
}
