package graph

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"strings"
	"time"
)

// verify looks whether Graph still has what State has, and removes what is not
// configured any more. Users and groups do not tell when they are gone.
func (s *Subscriptions) verify(ctx context.Context) {
	if err := s.verified(ctx); err != nil && ctx.Err() == nil {
		s.log().Warn("the subscriptions could not be checked", "err", err)
	}
}

func (s *Subscriptions) verified(ctx context.Context) error {
	keys, err := s.State.Keys(ctx, s.prefix())
	if err != nil {
		return s.failed("check", err)
	}
	have, wrong := map[string]subscription{}, []error(nil)
	for _, key := range keys {
		if !slices.ContainsFunc(s.Resources, func(r Resource) bool { return s.key(r) == key }) {
			wrong = append(wrong, s.retire(ctx, key))
			continue
		}
		r, err := s.read(ctx, key)
		wrong = append(wrong, err)
		have[key] = r
	}
	rows, err := s.Client.subscriptions(ctx)
	if err != nil {
		return errors.Join(append(wrong, err)...)
	}
	for key, r := range have {
		there := slices.ContainsFunc(rows, func(row subscriptionRow) bool { return strings.EqualFold(string(row.ID), r.ID) })
		if there || r.ID == "" || time.Since(r.Made) < gap {
			continue // a list may lag behind
		}
		wrong = append(wrong, s.ask(ctx, key, r.ID, askRemake))
	}
	return errors.Join(wrong...)
}

// ask notes that something is to be done out of turn about a subscription, if it
// still is the one with this id.
func (s *Subscriptions) ask(ctx context.Context, key, id string, what ask) error {
	_, err := s.change(ctx, key, func(r *subscription) bool {
		if !strings.EqualFold(r.ID, id) || r.Ask == askRemake {
			return false
		}
		r.Ask, r.Asked, r.Again = what, time.Now().UTC(), time.Time{}
		return true
	})
	return err
}

// nudge asks for a sweep.
func (s *Subscriptions) nudge(ctx context.Context) error {
	if s.Nudges == nil {
		return nil
	}
	return s.Nudges.Ask(ctx, s.Client.tenant.ID)
}

// equal compares secrets in constant time. No secret equals none.
func equal(a, b clientState) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

func sameChanges(a, b string) bool {
	set := func(s string) []string {
		list := strings.Split(strings.ToLower(strings.ReplaceAll(s, " ", "")), ",")
		slices.Sort(list)
		return slices.Compact(list)
	}
	return slices.Equal(set(a), set(b))
}
