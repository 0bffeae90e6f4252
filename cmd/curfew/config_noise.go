package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	"curfew/events"
	"curfew/events/gate"
	"curfew/events/rules"
)

// noiseConfig is how much the people at one destination are told, and when.
type noiseConfig struct {
	Rate   *rateConfig   `json:"rate"` // nil: the default
	Quiet  []hoursConfig `json:"quiet"`
	Urgent string        `json:"urgent"` // a level; empty: high
}

// rateConfig is a token bucket, and how often digests tell of what is over it.
type rateConfig struct {
	Count       int            `json:"count"`
	Urgent      int            `json:"urgent"` // 0: three times count
	Within      rules.Duration `json:"within"`
	DigestEvery rules.Duration `json:"digest_every"` // 0: the default
}

// hoursConfig are quiet hours.
type hoursConfig struct {
	Days     []string `json:"days"` // on which they begin; empty: every day
	From     string   `json:"from"`
	Until    string   `json:"until"`
	TimeZone string   `json:"time_zone"` // empty: that of mail
}

// The rates that only a storm exceeds: of messages to people, and of remarks on a
// desk's tickets, which many watch by mail.
func defaultNoise(desk bool) gate.Noise {
	n := gate.Noise{Rate: gate.DefaultRate()}
	if desk {
		n.Rate.Count = n.Rate.Urgent
	}
	return n
}

// Bounds of a rate: a longer digest would be silence.
const (
	shortestRate = time.Minute
	longestRate  = 24 * time.Hour
)

// noise settles how much each destination is told.
func (c *checker) noise(conf *config) {
	conf.Hush = map[string]gate.Noise{}
	for name, d := range conf.Destinations {
		n := defaultNoise(isDesk(d.Kind))
		n.PerTenant = d.Kind == "rota" // its mails leave by a tenant's mailbox
		conf.Hush[name] = n
	}
	for _, name := range slices.Sorted(maps.Keys(conf.Noise)) {
		path := pointer("/noise", name)
		n, known := conf.Hush[name]
		if !known {
			if !c.written(pointer("/destinations", name)) { // or what is wrong with it has been told
				names := slices.Sorted(maps.Keys(conf.Destinations))
				hint := "; there are " + strings.Join(names, ", ")
				if near := rules.Nearest(name, names); near != "" {
					hint = "; did you mean " + near + "?"
				}
				c.mistake(path, "no destination is called %.64q%s", name, hint)
			}
			continue
		}
		written := conf.Noise[name]
		if written.Rate != nil {
			n.Rate = c.rate(n.Rate, *written.Rate, path+"/rate", isDesk(conf.Destinations[name].Kind))
		}
		n.Quiet = c.quiet(conf, written.Quiet, path+"/quiet")
		n.Urgent = levelOf(written.Urgent)
		conf.Hush[name] = n
	}
}

// isDesk reports whether a kind of destination keeps tickets.
func isDesk(kind string) bool {
	_, desk := deskKinds()[kind]
	return desk || kind == "webhook"
}

// levelOf is the level of this name; none for a name that is none.
func levelOf(name string) events.Level {
	for l := events.Clear; l <= events.Compromised; l++ {
		if l.String() == name {
			return l
		}
	}
	return events.Nothing
}

func (c *checker) rate(r gate.Rate, written rateConfig, path string, desk bool) gate.Rate {
	within := func(key string, d rules.Duration) time.Duration {
		if d := time.Duration(d); d < shortestRate || d > longestRate {
			c.mistake(path+"/"+key, "%s: it may be %s to %s", span(d), span(shortestRate), span(longestRate))
		}
		return time.Duration(d)
	}
	if !c.whole(path) {
		return r
	}
	r.Count, r.Urgent = written.Count, 3*written.Count
	if written.Urgent > 0 {
		r.Urgent = written.Urgent
	}
	r.Within = within("within", written.Within)
	switch {
	case written.DigestEvery != 0 && desk:
		c.mistake(path+"/digest_every", "a desk gets no digests: a ticket about many cases would be no customer's. What is over the rate is said later")
	case written.DigestEvery != 0:
		r.Every = within("digest_every", written.DigestEvery)
	}
	return r
}

func (c *checker) quiet(conf *config, written []hoursConfig, path string) []gate.Hours {
	var all []gate.Hours
	for i, h := range written {
		at := pointerOf(path, i)
		if !c.whole(at) {
			return nil
		}
		hours := gate.Hours{Zone: conf.Mail.Zone}
		if h.TimeZone != "" {
			zone, err := time.LoadLocation(h.TimeZone)
			if err != nil {
				c.mistake(at+"/time_zone", "there is no time zone %.64q; names are as in the IANA database: Europe/Berlin", h.TimeZone)
				return nil
			}
			hours.Zone = zone
		}
		for d, name := range weekdays() {
			hours.Days[d] = len(h.Days) == 0 || slices.Contains(h.Days, name)
		}
		hours.From, hours.Until = clockOf(h.From), clockOf(h.Until)
		switch {
		case hours.From == 24*time.Hour:
			c.mistake(at+"/from", "no day begins at 24:00: write 00:00, and the day after")
			return nil
		case hours.From == hours.Until:
			c.mistake(at+"/until", "they end when they begin; a whole day is from 00:00 until 24:00")
			return nil
		}
		all = append(all, hours)
	}
	if gate.Always(all, time.Now()) {
		c.mistake(path, "these hours leave no minute of the week: what is not urgent would never be told")
	}
	return all
}

// clockOf reads a time such as 07:30, of which the schema knows that it is one.
func clockOf(text string) time.Duration {
	if text == "24:00" {
		return 24 * time.Hour
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
}
