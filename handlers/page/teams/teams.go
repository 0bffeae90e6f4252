// Package teams tells a channel of Microsoft Teams about cases, by the webhook of
// a workflow ("When a Teams webhook request is received") and Adaptive Cards.
//
// What may not be assumed (Teams docs: Workflows webhooks, 2026-08; Power Automate
// as seen): 202 says that the flow was started, not that anybody sees a card. A
// flow belongs to a person, and ends when that person's account does. So a channel
// must never be the only one who is told.
package teams

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"curfew/handlers"
	"curfew/handlers/page"
	"curfew/handlers/page/chat"
)

// A Channel is a channel that a workflow posts to.
type Channel struct {
	URL    string       // the workflow's address; its signature is in it, so all of it is a secret
	Client *http.Client // this channel's own, from [handlers.NewClient]
}

// Check reports every reason why the channel cannot be used.
func (c Channel) Check() error {
	errs := []error{handlers.CheckAddress(c.URL)}
	if u, err := url.Parse(c.URL); err == nil {
		switch host := strings.ToLower(u.Hostname()); {
		case strings.HasSuffix(host, ".webhook.office.com"), host == "outlook.office.com":
			errs = append(errs, errors.New("its url is of an Office 365 connector, and those have ended: make a workflow in Teams, \"when a Teams webhook request is received\", and take its address"))
		case strings.HasSuffix(host, ".logic.azure.com"):
			errs = append(errs, errors.New("its url is of the kind that stopped working in November 2025: open the workflow and copy its new address"))
		case u.Query().Get("sig") == "":
			errs = append(errs, errors.New("its url holds no signature (sig): copy the whole address, of a workflow that anyone may trigger"))
		}
	}
	if c.Client == nil {
		errs = append(errs, errors.New("it has no client"))
	}
	return errors.Join(errs...)
}

// Trigger posts the card of an alert.
func (c Channel) Trigger(ctx context.Context, a page.Alert) (string, error) {
	return a.Key, c.post(ctx, chat.Of(a, false))
}

// Resolve posts that it is over.
func (c Channel) Resolve(ctx context.Context, a page.Alert) error {
	return c.post(ctx, chat.Of(a, true))
}

func (c Channel) post(ctx context.Context, card chat.Card) error {
	call := page.Call{Client: c.Client, Method: http.MethodPost, URL: c.URL, Secrets: handlers.Tokens("", c.URL, nil)}
	err := call.Do(ctx, envelope(card), nil)
	switch handlers.Read(err).Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return fmt.Errorf("%w: the workflow is gone, switched off or has another address now: look it up in Teams", err)
	}
	return err
}

// What follows is the part of the Adaptive Card schema, version 1.4, that is used
// (adaptivecards.io/explorer). Texts from outside are in TextRun alone, where
// Markdown is not read.
type (
	message struct {
		Type        string       `json:"type"`
		Attachments []attachment `json:"attachments"`
	}
	attachment struct {
		ContentType string       `json:"contentType"`
		ContentURL  *string      `json:"contentUrl"` // null
		Content     adaptiveCard `json:"content"`
	}
	adaptiveCard struct {
		Schema  string     `json:"$schema"`
		Type    string     `json:"type"`
		Version string     `json:"version"`
		Teams   teamsWidth `json:"msteams"`
		Body    []richText `json:"body"`
		Actions []openURL  `json:"actions,omitempty"`
	}
	teamsWidth struct {
		Width string `json:"width"`
	}
	richText struct {
		Type    string    `json:"type"`
		Spacing string    `json:"spacing,omitempty"`
		Inlines []textRun `json:"inlines"`
	}
	textRun struct {
		Type   string `json:"type"`
		Text   string `json:"text"`
		Size   string `json:"size,omitempty"`
		Weight string `json:"weight,omitempty"`
		Color  string `json:"color,omitempty"`
	}
	openURL struct {
		Type  string `json:"type"`
		Title string `json:"title"`
		URL   string `json:"url"`
	}
)

func envelope(c chat.Card) message {
	card := adaptiveCard{
		Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4", Teams: teamsWidth{"full"},
		Body: []richText{
			line(textRun{Text: c.Title, Size: "Large", Weight: "Bolder", Color: color(c)}),
			line(textRun{Text: c.Summary}),
		},
	}
	for i, f := range c.Facts {
		l := line(textRun{Text: f.What + ": ", Weight: "Bolder"}, textRun{Text: f.Value})
		if i > 0 {
			l.Spacing = "None"
		}
		card.Body = append(card.Body, l)
	}
	for _, f := range c.Found {
		card.Body = append(card.Body, line(textRun{Text: "• " + f}))
	}
	for _, l := range c.Links {
		card.Actions = append(card.Actions, openURL{"Action.OpenUrl", l.Text, l.URL})
	}
	return message{"message", []attachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: card}}}
}

func line(runs ...textRun) richText {
	for i := range runs {
		runs[i].Type = "TextRun"
	}
	return richText{Type: "RichTextBlock", Inlines: runs}
}

func color(c chat.Card) string {
	switch {
	case c.Over:
		return "Good"
	case c.Severity == page.Critical:
		return "Attention"
	}
	return "Warning"
}
