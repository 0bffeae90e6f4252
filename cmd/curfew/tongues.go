package main

import (
	"context"
	"strings"
	"sync"
	"time"
)

// Tongues know in which languages people who approve read, as Entra has it.
type tongues struct {
	conf    *config
	tenants interface {
		LanguageOf(ctx context.Context, tenant, user string) (string, error)
	}

	mu    sync.Mutex
	known map[string]tongue
}

// A tongue is somebody's language, and when it was read.
type tongue struct {
	language string
	at       time.Time
}

// How long what was read is good, and how long somebody is waited for: an invitation
// in another language is better than a late one.
const (
	tongueFor    = 24 * time.Hour
	tongueWithin = 3 * time.Second
)

// of is somebody's language, or "".
func (t *tongues) of(ctx context.Context, tenant, who string) string {
	for _, x := range t.conf.Tenants {
		if strings.EqualFold(x.ID, tenant) && !x.Look.User {
			return "" // the app may have no permission to read users
		}
	}
	key := strings.ToLower(tenant + " " + who)
	t.mu.Lock()
	have, ok := t.known[key]
	t.mu.Unlock()
	if ok && time.Since(have.at) < tongueFor {
		return have.language
	}
	ctx, cancel := context.WithTimeout(ctx, tongueWithin)
	defer cancel()
	language, err := t.tenants.LanguageOf(ctx, tenant, who)
	if err != nil {
		return have.language
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil || len(t.known) >= 1000 {
		t.known = map[string]tongue{}
	}
	t.known[key] = tongue{language, time.Now()}
	return language
}
