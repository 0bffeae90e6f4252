package main

import (
	"curfew/handlers"
	"curfew/handlers/page"
	"curfew/handlers/page/shoutrrr"
	slackpager "curfew/handlers/page/slack"
	teamspager "curfew/handlers/page/teams"
)

// channelOf is the channel that technicians read of a destination, or nil if it is
// none.
func channelOf(d destinationConfig) page.Pager {
	switch d.Kind {
	case "teams":
		return teamspager.Channel{URL: d.URL.reveal(), Client: client(d.CA)}
	case "shoutrrr":
		return &shoutrrr.Channel{URL: d.URL.reveal()}
	case "slack":
		return slackpager.Channel{URL: d.URL.reveal(), Client: client(d.CA)}
	}
	return nil
}

// channel checks a destination that is one. All of its address is a secret, so it
// is never in the file.
func (c *checker) channel(d *destinationConfig, path string) {
	c.required(path, "url", d.URLFile, d.URLEnv)
	if d.URL = c.secret(path+"/url", &d.URLFile, d.URLEnv); !d.URL.set() {
		return
	}
	at := path + "/url_file"
	if d.URLEnv != "" {
		at = path + "/url_env"
	}
	if err := channelOf(*d).Check(); err != nil {
		c.mistake(at, "%s", handlers.Redact(err, handlers.Tokens("", d.URL.reveal(), nil)...))
	}
}
