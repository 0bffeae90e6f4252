package graph

import (
	"context"
	"net/mail"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
)

// keyProperty is the extended property that a mail carries its key in. It stays
// with the copy in Sent Items and never travels to the recipient. The GUID is
// Curfew's own namespace and must not change: mails are found again by it.
const keyProperty = "String {6f3c0c5e-2f0b-4f39-9d0b-5a7a3f2f8f41} Name CurfewKey"

const (
	maxSubject = 255
	maxMail    = 1 << 20 // of the text; Graph takes 4 MB of JSON
	maxKey     = 255
)

// SendMail sends a mail from [Tenant].MailFrom to one address, in HTML if there
// is any, else as text. key names the mail for [Client.Sent].
//
// 202 means that Exchange took it, not that anybody got it (Graph docs: user
// sendMail). Exchange does not know a mail it was given before: after an Unsure
// error ask Sent first.
func (c *Client) SendMail(ctx context.Context, to, subject, html, content, key string) error {
	k := call{op: "send mail", needs: needsMail, service: mailbox, write: true, effect: true}
	if err := c.mailable(k, key); err != nil {
		return err
	}
	address, err := mail.ParseAddress(to)
	switch {
	case err != nil || len(to) > 320:
		return c.told(k, final("", "%q is not a mail address", oneLine(to, 100)))
	case html == "" && content == "":
		return c.told(k, final("", "the mail is empty"))
	case len(html) > maxMail || len(content) > maxMail:
		return c.told(k, final("", "the mail is longer than %d MB", maxMail>>20))
	}
	body := users.NewItemSendMailPostRequestBody()
	save := true
	body.SetSaveToSentItems(&save)
	body.SetMessage(message(address.Address, oneLine(subject, maxSubject), html, content, key))
	return c.send(ctx, k.of(c.user(c.tenant.MailFrom).SendMail().ToPostRequestInformation(ctx, body, nil)), nil)
}

func (c *Client) mailable(k call, key string) error {
	switch {
	case c.tenant.MailFrom == "":
		return c.told(k, final("", "the configuration names no mailbox to send from in this tenant"))
	case key == "" || len(key) > maxKey || key != oneLine(key, maxKey):
		return c.told(k, final("", "a mail needs a key of at most %d bytes on one line", maxKey))
	}
	return nil
}

func message(to, subject, html, content, key string) models.Messageable {
	kind := models.HTML_BODYTYPE
	if html == "" {
		kind, html = models.TEXT_BODYTYPE, content
	}
	body := models.NewItemBody()
	body.SetContentType(&kind)
	body.SetContent(&html)
	address, recipient := models.NewEmailAddress(), models.NewRecipient()
	address.SetAddress(&to)
	recipient.SetEmailAddress(address)
	property, name := models.NewSingleValueLegacyExtendedProperty(), keyProperty
	property.SetId(&name)
	property.SetValue(&key)
	m := models.NewMessage()
	m.SetSubject(&subject)
	m.SetBody(body)
	m.SetToRecipients([]models.Recipientable{recipient})
	m.SetSingleValueExtendedProperties([]models.SingleValueLegacyExtendedPropertyable{property})
	return m
}

type messageRow struct {
	Properties parts[struct {
		ID    text `json:"id"`
		Value text `json:"value"`
	}] `json:"singleValueExtendedProperties"`
}

// Sent reports whether a mail with this key is in Sent Items. A mail appears
// there a moment after it was sent, so a no means something only when the call
// that sent it is some time ago. Needs the permission Mail.Read.
func (c *Client) Sent(ctx context.Context, key string) (bool, error) {
	k := call{op: "look for a sent mail", needs: needsSent, service: mailbox}
	if err := c.mailable(k, key); err != nil {
		return false, err
	}
	var (
		filter = "singleValueExtendedProperties/Any(ep: ep/id eq " + quote(keyProperty) + " and ep/value eq " + quote(key) + ")"
		expand = "singleValueExtendedProperties($filter=id eq " + quote(keyProperty) + ")"
		top    = int32(5)
	)
	var p page[messageRow]
	b := c.user(c.tenant.MailFrom).MailFolders().ByMailFolderId("sentitems").Messages()
	err := c.send(ctx, k.of(b.ToGetRequestInformation(ctx, &users.ItemMailFoldersItemMessagesRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.ItemMailFoldersItemMessagesRequestBuilderGetQueryParameters{
			Filter: &filter, Expand: []string{expand}, Select: []string{"id"}, Top: &top,
		},
	})), &p)
	if err != nil {
		return false, err
	}
	if p.Value == nil {
		return false, c.told(k, &Error{Message: "an answer that is no list"})
	}
	for _, m := range p.Value.list { // the filter is checked again: a user must not be taken to have been told
		for _, property := range m.Properties.list {
			if strings.EqualFold(string(property.ID), keyProperty) && string(property.Value) == key {
				return true, nil
			}
		}
	}
	if len(p.Value.list)+p.Value.bad > 0 {
		return false, c.told(k, &Error{Message: "Graph answered with mails that do not carry the key"})
	}
	return false, nil
}
