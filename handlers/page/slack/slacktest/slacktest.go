// Package slacktest is a channel of Slack behind an incoming webhook, with its
// rules, and the eyes of somebody who reads the channel. It is a handler; package
// fake serves it.
//
// Facts are from the Slack documentation of incoming webhooks, Block Kit, text
// formatting and rate limits (2026-11).
package slacktest

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Channel is a webhook and its channel. The zero value with a Path is ready; it
// must not be copied once used.
type Channel struct {
	Path      string // of the webhook: /services/T…/B…/…
	Archived  bool
	PerSecond int // messages it takes: 1, by the documentation; 0: any number

	mu    sync.Mutex
	posts []Post
	heard []time.Time
}

// A Post is a message as people see it.
type Post struct {
	Notice string   // what a phone shows
	Texts  []string // line by line, the title first
	Links  []string // where its buttons lead
	Markup []string // mentions and links that were read out of texts
}

// Posts are all there are, oldest first.
func (c *Channel) Posts() []Post {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.posts)
}

// ServeHTTP is POST to the webhook: 200 with ok, or an error in one word.
func (c *Channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.heard = slices.DeleteFunc(c.heard, func(t time.Time) bool { return now.Sub(t) >= time.Second })
	status, word := http.StatusOK, "ok"
	switch {
	case r.URL.Path != c.Path:
		status, word = http.StatusNotFound, "no_service"
	case c.Archived:
		status, word = http.StatusGone, "channel_is_archived"
	case r.Method != http.MethodPost || err != nil:
		status, word = http.StatusBadRequest, "invalid_payload"
	case c.PerSecond > 0 && len(c.heard) >= c.PerSecond:
		w.Header().Set("Retry-After", "1")
		status, word = http.StatusTooManyRequests, "rate_limited"
	default:
		c.heard = append(c.heard, now)
		post, why := render(body)
		if why != "" {
			status, word = http.StatusBadRequest, why
		} else {
			c.posts = append(c.posts, post)
		}
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, word)
}

type text struct{ Type, Text string }

type message struct {
	Text      string
	LinkNames bool `json:"link_names"`
	Blocks    []struct {
		Type     string
		Text     *text
		Elements []struct {
			Type, URL string
			Text      text
		}
	}
}

var (
	// control is what Slack makes of < and > in text that is read as mrkdwn: links,
	// channels, people and everybody.
	control = regexp.MustCompile(`<[^>]+>`)
	// named is what link_names makes of it besides.
	named = regexp.MustCompile(`@\w+`)
	// bare addresses become links, too.
	bare = regexp.MustCompile(`https?://\S+`)
)

func marked(s string, names bool) []string {
	out := append(control.FindAllString(s, -1), bare.FindAllString(s, -1)...)
	if names {
		out = append(out, named.FindAllString(s, -1)...)
	}
	return out
}

// render is what the channel shows of a message, or the word that it is refused
// with.
func render(body []byte) (p Post, why string) {
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		return p, "invalid_payload"
	}
	if m.Text == "" {
		return p, "no_text"
	}
	p.Notice, p.Markup = html.UnescapeString(m.Text), marked(m.Text, m.LinkNames)
	if len(m.Blocks) > 50 {
		return p, "invalid_blocks"
	}
	for _, b := range m.Blocks {
		limit := map[string]int{"header": 150, "section": 3000}[b.Type]
		switch {
		case limit > 0 && (b.Text == nil || b.Text.Text == "" || utf8.RuneCountInString(b.Text.Text) > limit),
			b.Type == "header" && b.Text.Type != "plain_text",
			b.Type == "actions" && (len(b.Elements) == 0 || len(b.Elements) > 25),
			limit == 0 && b.Type != "actions":
			return p, "invalid_blocks"
		case limit > 0:
			shown := b.Text.Text
			if b.Text.Type == "mrkdwn" {
				p.Markup = append(p.Markup, marked(shown, m.LinkNames)...)
				shown = html.UnescapeString(shown)
			}
			for line := range strings.Lines(shown) {
				p.Texts = append(p.Texts, strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "• "))
			}
		}
		for _, e := range b.Elements {
			if e.Type != "button" || e.Text.Type != "plain_text" || e.Text.Text == "" || utf8.RuneCountInString(e.Text.Text) > 75 || len(e.URL) > 3000 {
				return p, "invalid_blocks"
			}
			p.Texts, p.Links = append(p.Texts, e.Text.Text), append(p.Links, e.URL)
		}
	}
	return p, ""
}
