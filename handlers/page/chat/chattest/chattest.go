// Package chattest reads a channel as a technician does: which cases are open,
// how often each was told, and what there is to read.
package chattest

import (
	"slices"
	"strings"

	"curfew/handlers/page/pagertest"
)

// Fold makes alerts of the posts of a channel, oldest first; each post is its
// texts, the title first. Two posts about one case are one thing to do.
func Fold(posts [][]string) []pagertest.Alert {
	var out []pagertest.Alert
	for _, texts := range posts {
		key := ""
		for _, t := range texts {
			if id, ok := strings.CutPrefix(t, "Case: "); ok {
				key = id
			}
		}
		open := slices.IndexFunc(out, func(a pagertest.Alert) bool { return a.Open && a.Key == key })
		switch over := strings.HasPrefix(texts[0], "Over: "); {
		case open < 0 && !over:
			out = append(out, pagertest.Alert{Key: key, Open: true, Pages: 1, Texts: texts})
		case open >= 0 && over:
			out[open].Open = false
			out[open].Texts = append(out[open].Texts, texts...)
		case open >= 0:
			out[open].Pages++
			out[open].Texts = append(out[open].Texts, texts...)
		}
	}
	return out
}
