package graphtest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a message (Intune docs: quickstart-send-notification, 2025: subject 78,
// message 2,000 characters).
const (
	maxMailSubject = 78
	maxMailBody    = 2000
)

const messagesKey = "localizedNotificationMessages"

// bare is a template without its messages, which only $expand brings (Graph docs:
// intune-notification-notificationmessagetemplate-get).
func (k *call) bareTemplate(o thing) thing {
	if !k.expands(messagesKey) {
		delete(o, messagesKey)
	}
	return o
}

// listTemplates does not expand: the messages come with one template.
func (k *call) listTemplates() reply {
	return k.things("deviceManagement/notificationMessageTemplates", k.shelved(Templates), func(o thing) thing {
		delete(o, messagesKey)
		return o
	})
}

func (k *call) getTemplate() reply {
	o, out := k.find(Templates)
	if out.status != 0 {
		return out
	}
	return k.thing(http.StatusOK, k.bareTemplate(o.clone()))
}

// writeTemplate makes or changes one. v1.0 has no description.
func (k *call) writeTemplate() reply {
	in, out := k.read()
	if out.status != 0 {
		return out
	}
	known := []string{"displayName", "defaultLocale", "brandingOptions", "roleScopeTagIds"}
	if k.beta {
		known = append(known, "description")
	}
	if out := k.onlyKnown(in, "notificationMessageTemplate", known); out.status != 0 {
		return out
	}
	for flag := range strings.SplitSeq(in.text("brandingOptions"), ",") {
		if flag = strings.TrimSpace(flag); flag != "" && !slices.Contains([]string{"none", "includeCompanyLogo", "includeCompanyName", "includeContactInformation", "includeCompanyPortalLink", "includeDeviceDetails"}, flag) {
			return k.badRequest("Cannot convert the literal '%s' to the expected type 'microsoft.graph.notificationTemplateBrandingOptions'.", in.text("brandingOptions"))
		}
	}
	if k.r.Method == http.MethodPost {
		if in.text("displayName") == "" {
			return k.badRequest("displayName is required")
		}
		in[messagesKey] = []any{}
		k.make(Templates, in)
		return k.thing(http.StatusCreated, k.bareTemplate(in.clone()))
	}
	o, out := k.find(Templates)
	if out.status != 0 {
		return out
	}
	maps.Copy(o, in)
	return k.thing(http.StatusOK, k.bareTemplate(o.clone()))
}

func (k *call) removeTemplate() reply { return k.remove(Templates) }

// writeMessage makes or changes a template's message in one language. The default
// is moved by making another one the default.
func (k *call) writeMessage() reply {
	t, out := k.find(Templates)
	if out.status != 0 {
		return out
	}
	in, out := k.read()
	if out.status != 0 {
		return out
	}
	if out := k.onlyKnown(in, "localizedNotificationMessage", []string{"locale", "subject", "messageTemplate", "isDefault"}); out.status != 0 {
		return out
	}
	all, _ := t[messagesKey].([]any)
	creates := k.r.Method == http.MethodPost
	at := slices.IndexFunc(all, func(m any) bool {
		have := thing(m.(map[string]any))
		return creates && strings.EqualFold(have.text("locale"), in.text("locale")) || !creates && have.text("id") == k.args[1]
	})
	m := thing{"isDefault": false}
	switch {
	case creates && at >= 0:
		return k.failIntune(http.StatusConflict, "Conflict", "A message of this locale exists already")
	case !creates && at < 0:
		return k.failIntune(http.StatusNotFound, "ResourceNotFound", "An error has occurred")
	case creates:
		m["id"] = t.text("id") + "_" + strings.ToLower(in.text("locale"))
	default:
		m = thing(all[at].(map[string]any)).clone()
	}
	if in["isDefault"] == false && m["isDefault"] == true {
		return k.failIntune(http.StatusBadRequest, "BadRequest", "A template has one default message")
	}
	maps.Copy(m, in)
	if n := utf8.RuneCountInString(m.text("subject")); n == 0 || n > maxMailSubject {
		return k.failIntune(http.StatusBadRequest, "BadRequest", "Subject must be between 1 and 78 characters")
	}
	if n := utf8.RuneCountInString(m.text("messageTemplate")); n == 0 || n > maxMailBody {
		return k.failIntune(http.StatusBadRequest, "BadRequest", "MessageTemplate must be between 1 and 2000 characters")
	}
	if m["isDefault"] == true {
		for _, other := range all {
			other.(map[string]any)["isDefault"] = false
		}
	}
	if m["lastModifiedDateTime"] = stamp(k.now); creates {
		t[messagesKey] = append(all, map[string]any(m))
		return k.thing(http.StatusCreated, m)
	}
	all[at] = map[string]any(m)
	return k.thing(http.StatusOK, m)
}

func (k *call) removeMessage() reply {
	t, out := k.find(Templates)
	if out.status != 0 {
		return out
	}
	all, _ := t[messagesKey].([]any)
	t[messagesKey] = slices.DeleteFunc(all, func(m any) bool { return thing(m.(map[string]any)).text("id") == k.args[1] })
	return empty(http.StatusNoContent)
}
