// Package slack tells a channel of Slack about cases, by an incoming webhook and
// Block Kit.
//
// What may not be assumed (Slack docs: incoming webhooks, 2026-11): the answer is
// a plain ok and names no message, so nothing that was posted can be changed,
// answered or found again.
package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"curfew/handlers"
	"curfew/handlers/page"
	"curfew/handlers/page/chat"
)

// A Channel is the channel that a webhook posts to.
type Channel struct {
	URL    string       // the webhook's address, all of it a secret
	Client *http.Client // this channel's own, from [handlers.NewClient]
}

// Check reports every reason why the channel cannot be used.
func (c Channel) Check() error {
	errs := []error{handlers.CheckAddress(c.URL)}
	if c.Client == nil {
		errs = append(errs, errors.New("it has no client"))
	}
	return errors.Join(errs...)
}

// Trigger posts an alert.
func (c Channel) Trigger(ctx context.Context, a page.Alert) (string, error) {
	return a.Key, c.post(ctx, chat.Of(a, false))
}

// Resolve posts that it is over.
func (c Channel) Resolve(ctx context.Context, a page.Alert) error {
	return c.post(ctx, chat.Of(a, true))
}

func (c Channel) post(ctx context.Context, card chat.Card) error {
	call := page.Call{Client: c.Client, Method: http.MethodPost, URL: c.URL, Secrets: handlers.Tokens("", c.URL, nil)}
	err := call.Do(ctx, of(card), nil)
	switch handlers.Read(err).Status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return fmt.Errorf("%w: the webhook was revoked or its channel is gone: make a new one in Slack", err)
	}
	return err
}

// Limits (Slack docs: Block Kit): a header has 150 characters, a text in a section
// 3,000.
const (
	maxHeader = 150
	maxText   = 2900
)

// What follows is the part of Block Kit that is used. Texts are plain_text, in
// which nothing is markup; the fallback alone is, and is escaped.
type (
	message struct {
		Text        string  `json:"text"` // for notifications
		Blocks      []block `json:"blocks"`
		UnfurlLinks bool    `json:"unfurl_links"`
		UnfurlMedia bool    `json:"unfurl_media"`
		LinkNames   bool    `json:"link_names"`
	}
	block struct {
		Type     string   `json:"type"`
		Text     *text    `json:"text,omitempty"`
		Elements []button `json:"elements,omitempty"`
	}
	text struct {
		Type  string `json:"type"`
		Text  string `json:"text"`
		Emoji bool   `json:"emoji"`
	}
	button struct {
		Type string `json:"type"`
		Text text   `json:"text"`
		URL  string `json:"url"`
	}
)

func of(c chat.Card) message {
	m := message{Text: escape(c.Title + " – " + c.Summary), Blocks: []block{{Type: "header", Text: plain(c.Title, maxHeader)}}}
	section := func(lines []string) {
		if s := strings.Join(lines, "\n"); s != "" {
			m.Blocks = append(m.Blocks, block{Type: "section", Text: plain(s, maxText)})
		}
	}
	section([]string{c.Summary})
	var facts, found []string
	for _, f := range c.Facts {
		facts = append(facts, f.String())
	}
	for _, f := range c.Found {
		found = append(found, "• "+f)
	}
	section(facts)
	section(found)
	links := block{Type: "actions"}
	for _, l := range c.Links {
		links.Elements = append(links.Elements, button{"button", *plain(l.Text, 75), l.URL})
	}
	if len(links.Elements) > 0 {
		m.Blocks = append(m.Blocks, links)
	}
	return m
}

func plain(s string, n int) *text {
	if runes := []rune(s); len(runes) > n {
		s = string(runes[:n-1]) + "…"
	}
	return &text{Type: "plain_text", Text: s}
}

// escape is what Slack asks of texts from elsewhere (Slack docs: formatting text).
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
