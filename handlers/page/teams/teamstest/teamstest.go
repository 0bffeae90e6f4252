// Package teamstest is a workflow that posts Adaptive Cards to a channel of
// Teams, with its rules, and the eyes of somebody who reads the channel. It is a
// handler; package fake serves it.
//
// Facts are from the Teams documentation of Workflows webhooks and of Adaptive
// Cards (2026-08) unless a comment says otherwise.
package teamstest

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Channel is a workflow and its channel. The zero value with a Sig is ready; it
// must not be copied once used.
type Channel struct {
	Sig       string // of the workflow's address
	PerSecond int    // requests it takes: 4, by the documentation; 0: any number

	mu    sync.Mutex
	posts []Post
	lost  []string
	heard []time.Time
}

// A Post is a card as people see it.
type Post struct {
	Texts  []string // line by line, the title first
	Links  []string // where its buttons lead
	Markup []string // what was read as Markdown in it
}

// Posts are all there are, oldest first.
func (c *Channel) Posts() []Post {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.posts)
}

// Lost are the reasons for which cards were taken and never posted: nobody is told
// of them but the owner, in the flow's run history.
func (c *Channel) Lost() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lost)
}

const maxMessage = 28 << 10 // of a message to a channel

// ServeHTTP is the workflow's trigger.
func (c *Channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.heard = slices.DeleteFunc(c.heard, func(t time.Time) bool { return now.Sub(t) >= time.Second })
	switch {
	case r.Method != http.MethodPost || err != nil:
		w.WriteHeader(http.StatusBadRequest)
	case r.URL.Query().Get("sig") != c.Sig: // seen in Power Automate: 401 with this code
		http.Error(w, `{"error":{"code":"DirectApiAuthorizationRequired","message":"sig `+r.URL.Query().Get("sig")+` is not valid"}}`, http.StatusUnauthorized)
	case c.PerSecond > 0 && len(c.heard) >= c.PerSecond: // and there is no Retry-After
		w.WriteHeader(http.StatusTooManyRequests)
	case !json.Valid(body):
		w.WriteHeader(http.StatusBadRequest)
	default:
		c.heard = append(c.heard, now)
		post, why := render(body)
		if why != "" {
			c.lost = append(c.lost, why)
		} else {
			c.posts = append(c.posts, post)
		}
		w.WriteHeader(http.StatusAccepted)
	}
}

type message struct {
	Type        string
	Attachments []struct {
		ContentType string
		Content     struct {
			Type, Version string
			Body          []struct {
				Type, Text string
				Inlines    []struct{ Type, Text string }
			}
			Actions []struct{ Type, Title, URL string }
		}
	}
}

// markdown is what a TextBlock would make of a text: links and emphasis (Adaptive
// Cards: text features). A TextRun shows its text as it is, but for dates.
var (
	markdown = regexp.MustCompile(`\[[^\]]*\]\([^)]*\)|\*\*[^*]+\*\*|_[^_]+_`)
	dates    = regexp.MustCompile(`\{\{(DATE|TIME)\([^)]*\)\}\}`)
)

// render is what the channel shows of a message, or why it shows nothing.
func render(body []byte) (p Post, why string) {
	var m message
	if len(body) > maxMessage {
		return p, "the message is too big"
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return p, err.Error()
	}
	if m.Type != "message" || len(m.Attachments) != 1 || m.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" {
		return p, "not a message with one card"
	}
	card := m.Attachments[0].Content
	if card.Type != "AdaptiveCard" || card.Version != "1.4" || len(card.Body) == 0 || len(card.Actions) > 6 {
		return p, "not a card that Teams shows"
	}
	for _, e := range card.Body {
		text := e.Text
		switch e.Type {
		case "TextBlock":
			p.Markup = append(p.Markup, markdown.FindAllString(text, -1)...)
		case "RichTextBlock":
			for _, run := range e.Inlines {
				if run.Type != "TextRun" || run.Text == "" {
					return p, "a run of text that is none"
				}
				text += run.Text
			}
		default:
			return p, "an unknown element: " + e.Type
		}
		p.Markup = append(p.Markup, dates.FindAllString(text, -1)...)
		p.Texts = append(p.Texts, strings.TrimPrefix(text, "• "))
	}
	for _, a := range card.Actions { // a workflow's card cannot submit anything
		if a.Type != "Action.OpenUrl" || a.Title == "" || !strings.HasPrefix(a.URL, "https://") {
			return p, "a button that Teams does not show: " + a.Type
		}
		p.Texts, p.Links = append(p.Texts, a.Title), append(p.Links, a.URL)
	}
	return p, ""
}
