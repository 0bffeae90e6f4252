package graphtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Application permissions of what tells users, from the pages named.
var (
	// Graph docs: userteamwork-sendactivitynotification. TeamsActivity.Send.User is
	// consented to with the app of Teams, in its manifest.
	sendActivity = []string{"TeamsActivity.Send", "TeamsActivity.Send.User"}
	// Graph docs: intune-devices-manageddevice-sendcustomnotificationtocompanyportal,
	// which names this one only.
	pushToPortal = []string{"DeviceManagementServiceConfig.ReadWrite.All"}
	// Graph docs: user-get-mailboxsettings.
	readMailbox = []string{"MailboxSettings.Read", "MailboxSettings.ReadWrite"}
)

// An Activity is a notification in somebody's activity feed.
type Activity struct {
	At            time.Time
	User          string // principal name
	Text, Preview string
	Chain         int64
}

// A Pushed is what Company Portal was asked to show on a device.
type Pushed struct {
	At          time.Time
	Device      string // its name
	Title, Body string
}

// told is what the tenant's users were told besides by mail.
type told struct {
	apps       map[string][]string // ids of apps of Teams, by user in small letters
	zones      map[string]string   // of mailboxes, by user in small letters
	activities []Activity
	pushes     []Pushed
}

// InstallTeamsApp gives a user an app of Teams.
func (t *Tenant) InstallTeamsApp(app, upn string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.told.apps == nil {
		t.told.apps = map[string][]string{}
	}
	key := strings.ToLower(upn)
	t.told.apps[key] = append(t.told.apps[key], strings.ToLower(app))
}

// SetTimeZone gives a user's mailbox a time zone, in Windows' words or IANA's.
func (t *Tenant) SetTimeZone(upn, zone string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.told.zones == nil {
		t.told.zones = map[string]string{}
	}
	t.told.zones[strings.ToLower(upn)] = zone
}

// Activities are the notifications that feeds show, oldest first.
func (t *Tenant) Activities() []Activity {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.told.activities)
}

// Pushes are what Company Portal was asked to show, oldest first.
func (t *Tenant) Pushes() []Pushed {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.told.pushes)
}

// activity takes a notification for the activity feed: 204. One with the chainId of
// another takes its place. Only an app that is installed for the user may notify
// (Graph docs: teams-send-activityfeednotifications, requirements; the refusal's
// words are those in microsoft-365-agents-toolkit#6067).
func (k *call) activity() reply {
	u := k.tenant.user(k.args[0])
	if u == nil {
		return k.fail(http.StatusNotFound, "NotFound", "Failed to find user.")
	}
	var in struct {
		ActivityType string
		ChainID      int64 `json:"chainId"`
		TeamsAppID   string
		PreviewText  struct{ Content string }
		Topic        struct{ Source, Value, WebURL string }
		Parameters   []struct{ Name, Value string } `json:"templateParameters"`
	}
	if err := json.Unmarshal(k.body, &in); err != nil {
		return k.badRequest("Unable to read JSON request payload: %v", err)
	}
	free := slices.IndexFunc(in.Parameters, func(p struct{ Name, Value string }) bool { return p.Name == "systemDefaultText" })
	switch {
	case in.Topic.Source == "text" && !strings.HasPrefix(in.Topic.WebURL, "https://teams.microsoft.com/l/"): // teamworkactivitytopic
		return k.badRequest("The 'webUrl' must be a Microsoft Teams deep link when the source is 'text'.")
	case len(in.Topic.WebURL) > 1024: // techcommunity, Teams developers, 2023: UnknownError beyond
		return k.badRequest("UnknownError")
	case in.ActivityType != "systemDefault" || free < 0: // no manifest of ours declares another
		return k.badRequest("The activity type '%s' is not declared in the app's manifest.", in.ActivityType)
	case !slices.Contains(k.tenant.told.apps[strings.ToLower(u.UPN)], strings.ToLower(in.TeamsAppID)):
		return k.fail(http.StatusForbidden, "Forbidden", fmt.Sprintf("Application with AAD App Id '%s' is not authorized to generate custom text notifications about '%s' to the recipient. "+
			"Ensure that the expected Teams app is installed in the target scope (user, team, or chat).", k.app.ID, in.Topic.Value))
	}
	a := Activity{At: k.now, User: u.UPN, Text: in.Parameters[free].Value, Preview: in.PreviewText.Content, Chain: in.ChainID}
	same := func(b Activity) bool { return a.Chain != 0 && b.Chain == a.Chain && strings.EqualFold(a.User, b.User) }
	k.tenant.told.activities = append(slices.DeleteFunc(k.tenant.told.activities, same), a)
	return empty(http.StatusNoContent)
}

// Limits of a notification of Company Portal (Intune docs:
// send-custom-notification, 2025-10).
const (
	pushTitle    = 50
	pushBody     = 500
	pushesAnHour = 10
)

// push takes a notification for Company Portal: 204, which does not say that it was
// shown, and each call is one more (Graph docs: managedDevice
// sendCustomNotificationToCompanyPortal). Only iOS, iPadOS and Android with a work
// profile show any, and a device gets 10 in an hour (Intune docs:
// send-custom-notification, 2025-10). With which codes the rest is refused is not
// documented; it is taken to be 400 and 429.
func (k *call) push() reply {
	m, out := k.managedDevice()
	if out.status != 0 {
		return out
	}
	d := m.device
	var in struct {
		Title string `json:"notificationTitle"`
		Body  string `json:"notificationBody"`
	}
	if err := json.Unmarshal(k.body, &in); err != nil || in.Title == "" || in.Body == "" {
		return k.failIntune(http.StatusBadRequest, "BadRequest", "A notification needs a title and a body")
	}
	hour := 0
	for _, p := range k.tenant.told.pushes {
		if p.Device == d.Name && k.now.Sub(p.At) < time.Hour {
			hour++
		}
	}
	switch {
	case utf8.RuneCountInString(in.Title) > pushTitle || utf8.RuneCountInString(in.Body) > pushBody:
		return k.failIntune(http.StatusBadRequest, "BadRequest", "The title or the body is too long")
	case !slices.Contains([]string{"iOS", "iPadOS", "Android"}, d.OS):
		return k.failIntune(http.StatusBadRequest, "BadRequest", "The device does not support custom notifications")
	case hour >= pushesAnHour:
		return k.failIntune(http.StatusTooManyRequests, "TooManyRequests", "Too many notifications for this device")
	}
	k.tenant.told.pushes = append(k.tenant.told.pushes, Pushed{k.now, d.Name, in.Title, in.Body})
	return empty(http.StatusNoContent)
}

// zone shows the time zone of a mailbox, which is UTC where nobody has set one
// (Graph docs: user-get-mailboxsettings, example 4).
func (k *call) zone() reply {
	u := k.tenant.user(k.args[0])
	if u == nil {
		return k.fail(http.StatusNotFound, "ErrorInvalidUser", "The requested user '"+k.args[0]+"' is invalid.")
	}
	zone := cmp.Or(k.tenant.told.zones[strings.ToLower(u.UPN)], "UTC")
	return ok(object{{"@odata.context", k.base + "/$metadata#users('" + k.args[0] + "')/mailboxSettings/timeZone"}, {"value", zone}})
}
