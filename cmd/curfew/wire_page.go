package main

import (
	"cmp"

	"curfew/handlers/page"
	"curfew/handlers/page/goalert"
	"curfew/handlers/page/grafana"
	"curfew/handlers/page/oncall"
	"curfew/handlers/page/opsgenie"
	"curfew/handlers/page/pagerduty"
	"curfew/handlers/page/webhook"
)

// pagersOf are the destinations of pages.
func pagersOf(conf *config, mails oncall.Mailer, r *renewals) map[string]page.Pager {
	out := map[string]page.Pager{}
	for name, d := range conf.Destinations {
		if p := r.pager(name, d.kept(), func() page.Pager { return pagerOf(d) }); p != nil {
			out[name] = p
		}
		if d.Kind == "rota" {
			out[name] = r.pager(name, conf.OnCall.kept(), func() page.Pager { return rotaOf(conf, d, mails) })
		}
	}
	return out
}

// pagerOf is the pager of a destination, or nil if it is none.
func pagerOf(d destinationConfig) page.Pager {
	switch d.Kind {
	case "pagerduty":
		region := cmp.Or(d.Endpoint, map[string]string{"eu": pagerduty.EU}[d.Region], pagerduty.US)
		return pagerduty.Service{Key: d.RoutingKey.reveal(), Region: region, Client: client(d.CA)}
	case "opsgenie":
		base := cmp.Or(d.Endpoint, map[string]string{"eu": opsgenie.EU}[d.Region], opsgenie.US)
		return opsgenie.Integration{Key: d.APIKey.reveal(), Base: base, Client: client(d.CA)}
	case "jsm":
		return opsgenie.Integration{Key: d.APIKey.reveal(), Base: cmp.Or(d.Endpoint, opsgenie.JSM), Client: client(d.CA)}
	case "goalert":
		return goalert.Service{Base: d.URL.reveal(), Key: d.APIKey.reveal(), Client: client(d.CA)}
	case "grafana":
		return grafana.Integration{URL: d.URL.reveal(), Client: client(d.CA)}
	case "page-webhook":
		h := webhook.Hook{URL: d.URL.reveal(), Secret: d.Secret.reveal(), Client: client(d.CA)}
		if d.Authorization.set() {
			h.Header = map[string]string{"Authorization": d.Authorization.reveal()}
		}
		return h
	}
	return channelOf(d)
}

// rotaOf wakes the people of a rotation.
func rotaOf(conf *config, d destinationConfig, mails oncall.Mailer) oncall.Pager {
	p := oncall.Pager{Rota: conf.OnCall.Rota, Rotation: d.Rotation, People: map[string]oncall.Person{}, NextAfter: d.NextAfter, Mailer: mails}
	for name, who := range conf.OnCall.People {
		person := oncall.Person{Mail: who.Mail}
		if who.URL.set() {
			person.Hook = &webhook.Hook{URL: who.URL.reveal(), Secret: who.Secret.reveal(), Client: client(d.CA)}
		}
		p.People[name] = person
	}
	return p
}
