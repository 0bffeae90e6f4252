package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"curfew/handlers/page/rota"
	"curfew/handlers/sign"
)

// onCallConfig is the rota of teams without a pager.
type onCallConfig struct {
	People    map[string]personConfig   `json:"people"`
	Rotations map[string]rotationConfig `json:"rotations"`
	Overrides []overrideConfig          `json:"overrides"`

	Rota rota.Rota `json:"-"`
}

// personConfig is how somebody is woken.
type personConfig struct {
	Mail string `json:"mail"`

	URLPlain   string `json:"url"`
	URLFile    string `json:"url_file"`
	URLEnv     string `json:"url_env"`
	URL        secret `json:"-"` // of a webhook; may be none
	SecretFile string `json:"secret_file"`
	SecretEnv  string `json:"secret_env"`
	Secret     secret `json:"-"` // signs what is sent
}

type rotationConfig struct {
	TimeZone string         `json:"time_zone"`
	HandOver handOverConfig `json:"hand_over"`
	Order    []string       `json:"order"`
	Start    string         `json:"start"` // a day
}

type handOverConfig struct {
	Day  string `json:"day"`
	Time string `json:"time"`
}

// overrideConfig has a person stand in. Times are RFC 3339, or on the clock of the
// rotation's zone.
type overrideConfig struct {
	Rotation string `json:"rotation"`
	From     string `json:"from"`
	Until    string `json:"until"`
	Person   string `json:"person"`
}

// kept are the secrets of people that can be exchanged.
func (o onCallConfig) kept() (all []*kept) {
	for _, p := range o.People {
		all = append(all, keptOf(p.URL, p.Secret)...)
	}
	return all
}

func pointerOf(path string, i int) string { return path + "/" + strconv.Itoa(i) }

// onCall checks the rota.
func (c *checker) onCall(conf *config) {
	o := &conf.OnCall
	for _, name := range slices.Sorted(maps.Keys(o.People)) {
		p, path := o.People[name], pointer("/oncall/people", name)
		if p.URLPlain != "" || p.URLFile != "" || p.URLEnv != "" {
			d := destinationConfig{URLPlain: p.URLPlain, URLFile: p.URLFile, URLEnv: p.URLEnv}
			c.urls(&d, path)
			c.required(path, "secret", p.SecretFile, p.SecretEnv)
			p.URL, p.URLPlain, p.URLFile = d.URL, "", d.URLFile
			p.Secret = c.secret(path+"/secret", &p.SecretFile, p.SecretEnv)
			if n := len(p.Secret.reveal()); p.Secret.set() && n < sign.MinSecret {
				c.mistake(path, "the secret has %d characters; it needs %d or more to sign with", n, sign.MinSecret)
			}
		} else if p.Mail == "" && c.whole(path) {
			c.mistake(path, "there is no way to reach them: name a mail address, or the url of a webhook")
		}
		o.People[name] = p
	}
	o.Rota.Rotations = map[string]rota.Rotation{}
	for _, name := range slices.Sorted(maps.Keys(o.Rotations)) {
		if r, ok := c.rotation(o.Rotations[name], pointer("/oncall/rotations", name)); ok {
			o.Rota.Rotations[name] = r
		}
	}
	whole := len(o.Rota.Rotations) == len(o.Rotations) && c.whole("/oncall")
	for i, ov := range o.Overrides {
		r, ok := c.override(ov, pointerOf("/oncall/overrides", i), o.Rota)
		o.Rota.Overrides = append(o.Rota.Overrides, r)
		whole = whole && ok
	}
	if !whole {
		return
	}
	for _, m := range o.Rota.Check(time.Now(), func(p string) bool { _, ok := o.People[p]; return ok }) {
		path := pointer("/oncall/rotations", m.Rotation)
		if m.Override >= 0 {
			path = pointerOf("/oncall/overrides", m.Override)
		}
		c.mistake(path, "%s", m.Text)
	}
}

func (c *checker) rotation(r rotationConfig, path string) (out rota.Rotation, ok bool) {
	if !c.whole(path) {
		return out, false
	}
	ok = true
	zone, err := time.LoadLocation(r.TimeZone)
	if err != nil {
		c.mistake(path+"/time_zone", "there is no time zone of this name; use one such as Europe/Berlin")
		zone, ok = time.UTC, false
	}
	start, err := time.ParseInLocation(time.DateOnly, r.Start, zone)
	if err != nil {
		c.mistake(path+"/start", "this is not a day such as 2026-01-05")
		ok = false
	}
	clock, err := time.Parse("15:04", r.HandOver.Time)
	if err != nil {
		c.mistake(path+"/hand_over/time", "this is not a time such as 09:00")
		ok = false
	}
	day := slices.IndexFunc(weekdays(), func(d string) bool { return d == r.HandOver.Day })
	return rota.Rotation{
		Zone: zone, Day: time.Weekday(max(day, 0)), Time: time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute,
		Order: r.Order, Start: start,
	}, ok && day >= 0
}

func weekdays() []string {
	var out []string
	for d := time.Sunday; d <= time.Saturday; d++ {
		out = append(out, strings.ToLower(d.String()))
	}
	return out
}

func (c *checker) override(o overrideConfig, path string, known rota.Rota) (out rota.Override, ok bool) {
	zone := time.UTC
	if r, is := known.Rotations[o.Rotation]; is {
		zone = r.Zone
	}
	ok = true
	at := func(key, text string) time.Time {
		t, err := moment(text, zone)
		if err != nil {
			c.mistake(path+"/"+key, "%v", err)
			ok = false
		}
		return t
	}
	return rota.Override{Rotation: o.Rotation, Person: o.Person, From: at("from", o.From), Until: at("until", o.Until)}, ok
}

// moment reads a time, on the clock of a zone if it names none.
func moment(text string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is not a time such as 2026-12-24 18:00, or 2026-12-24T18:00:00+01:00", text)
}
