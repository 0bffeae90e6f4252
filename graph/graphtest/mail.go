package graphtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Mail is one that sendMail accepted.
type Mail struct {
	ID          string
	At          time.Time
	From        string // the mailbox
	To, Cc, Bcc []string
	Subject     string
	Body        string
	ContentType string // text or html
	Importance  string
	Headers     map[string]string // internetMessageHeaders
	Extended    map[string]string // singleValueExtendedProperties, by id
	InSentItems bool
}

// Mails returns the newest 10,000 mails sent, oldest first.
func (t *Tenant) Mails() []Mail {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mails.all()
}

type recipient struct {
	EmailAddress struct{ Address, Name string }
}

// message is the part of microsoft.graph.message that a sender may set.
type message struct {
	Subject    string
	Importance string
	Body       struct{ ContentType, Content string }
	To         []recipient                    `json:"toRecipients"`
	Cc         []recipient                    `json:"ccRecipients"`
	Bcc        []recipient                    `json:"bccRecipients"`
	Headers    []struct{ Name, Value string } `json:"internetMessageHeaders"`
	Extended   []struct{ ID, Value string }   `json:"singleValueExtendedProperties"`
}

// sendMail accepts a mail with 202 (Graph docs: user-sendmail): accepted, not
// delivered. Headers of one's own must begin with x- (Graph docs: message,
// internetMessageHeaders).
func (k *call) sendMail() reply {
	from := k.tenant.user(k.args[0])
	if from == nil {
		return k.fail(http.StatusNotFound, "ErrorInvalidUser", "The requested user '"+k.args[0]+"' is invalid.")
	}
	var body struct {
		Message         *message
		SaveToSentItems *bool
	}
	if err := json.Unmarshal(k.body, &body); err != nil || body.Message == nil {
		return k.badRequest("Empty Payload. JSON content expected.")
	}
	in := body.Message
	m := Mail{
		ID: "AAMk" + strings.ReplaceAll(newGUID(), "-", ""), At: k.now, From: from.UPN,
		To: addresses(in.To), Cc: addresses(in.Cc), Bcc: addresses(in.Bcc),
		Subject: in.Subject, Body: in.Body.Content, ContentType: in.Body.ContentType, Importance: in.Importance,
		Headers: map[string]string{}, Extended: map[string]string{},
		InSentItems: body.SaveToSentItems == nil || *body.SaveToSentItems,
	}
	all := slices.Concat(m.To, m.Cc, m.Bcc)
	if len(all) == 0 || slices.ContainsFunc(all, func(a string) bool { return !strings.Contains(a, "@") }) {
		return k.fail(http.StatusBadRequest, "ErrorInvalidRecipients", "At least one recipient is not valid.")
	}
	for _, h := range in.Headers {
		if !strings.HasPrefix(strings.ToLower(h.Name), "x-") {
			return k.fail(http.StatusBadRequest, "InvalidInternetMessageHeader",
				"The internet message header name '"+h.Name+"' should start with 'x-' or 'X-'.")
		}
		m.Headers[h.Name] = h.Value
	}
	for _, e := range in.Extended {
		m.Extended[e.ID] = e.Value
	}
	k.tenant.mails.add(m)
	return empty(http.StatusAccepted)
}

func addresses(list []recipient) []string {
	var all []string
	for _, r := range list {
		all = append(all, r.EmailAddress.Address)
	}
	return all
}

// property gives a mail's extended properties to a filter. Names in an id are
// case-sensitive, values are not (Graph docs:
// singlevaluelegacyextendedproperty-get, 2024-04).
func (m Mail) property(path string) any {
	switch strings.ToLower(path) {
	case "subject":
		return m.Subject
	case "sentdatetime", "createddatetime", "receiveddatetime":
		return m.At
	case "singlevalueextendedproperties":
		var elements []func(string) any
		for id, value := range m.Extended {
			elements = append(elements, func(path string) any {
				if path == "id" {
					return exactly(id)
				}
				return value
			})
		}
		return elements
	}
	return nil
}

// exactly is a string that compares with its case.
type exactly string

// listSent lists the mailbox's Sent Items, newest first, 10 to a page or up to
// 1,000 (Graph docs: user-list-messages). It does not show the extended
// properties it is filtered by, only $expand does.
func (k *call) listSent() reply {
	u, out := k.pathUser()
	if out.status != 0 {
		return out
	}
	where, err := parseFilter(k.query.Get("$filter"))
	if err != nil {
		return k.fail(http.StatusBadRequest, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes: "+err.Error())
	}
	size, from, out := k.page(10, 1000)
	if out.status != 0 {
		return out
	}
	visible := k.now.Add(-k.tenant.timing.SentItems)
	expand := strings.Contains(k.query.Get("$expand"), "singleValueExtendedProperties")
	rows, found := []object{}, 0
	for _, m := range slices.Backward(k.tenant.mails.all()) {
		if !m.InSentItems || !strings.EqualFold(m.From, u.UPN) || m.At.After(visible) || where != nil && !where.match(m.property) {
			continue
		}
		if found++; found <= from || found > from+size {
			continue
		}
		rows = append(rows, m.row(k.query.Get("$select"), expand))
	}
	head := object{{"@odata.context", k.base + "/$metadata#users('" + k.args[0] + "')/mailFolders('sentitems')/messages"}}
	if found > from+size {
		head = append(head, pair{"@odata.nextLink", k.next("$skiptoken", pageToken(from+size))})
	}
	return ok(append(head, pair{"value", rows}))
}

func (m Mail) row(sel string, expand bool) object {
	full := object{
		{"@odata.etag", `W/"` + m.ID + `"`}, {"id", m.ID}, {"createdDateTime", m.At}, {"sentDateTime", m.At},
		{"internetMessageId", "<" + m.ID + "@graphtest>"}, {"subject", m.Subject}, {"importance", m.Importance},
		{"isDraft", false}, {"body", object{{"contentType", m.ContentType}, {"content", m.Body}}},
		{"from", address(m.From)}, {"toRecipients", addressRows(m.To)}, {"ccRecipients", addressRows(m.Cc)},
	}
	var row object
	for _, p := range full {
		if sel == "" || p.key == "id" || p.key == "@odata.etag" || slices.Contains(strings.Split(sel, ","), p.key) {
			row = append(row, p)
		}
	}
	if expand {
		var props []object
		for id, value := range m.Extended {
			props = append(props, object{{"id", id}, {"value", value}})
		}
		row = append(row, pair{"singleValueExtendedProperties", props})
	}
	return row
}

func address(a string) object { return object{{"emailAddress", object{{"name", a}, {"address", a}}}} }

func addressRows(list []string) []object {
	rows := []object{}
	for _, a := range list {
		rows = append(rows, address(a))
	}
	return rows
}
