package main

import (
	"slices"
	"strings"
	"testing"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

const feedApp = "5a0e35b9-1111-4222-8333-444455556666"

// A laptop's user is told in Teams and on their phone, through Graph as it is.
func TestUsersAreToldOtherwise(t *testing.T) {
	withHands(t, false, func(t *testing.T, h *hands) {
		h.tenant.InstallTeamsApp(feedApp, "ana@contoso.example")
		if d := h.done(h.laptop, events.Order{Action: events.Push}, ""); !strings.Contains(d.Receipt, "nobody was told") {
			t.Errorf("without a phone: %+v", d)
		}
		h.tenant.AddDevice(graphtest.Device{Name: "Ana's phone", User: "ana@contoso.example", OS: "iOS"})
		h.done(h.laptop, events.Order{Action: events.Push}, "")
		h.done(h.laptop, events.Order{Action: events.Notify}, "")
		pushed, shown := h.tenant.Pushes(), h.tenant.Activities()
		if len(pushed) != 1 || pushed[0].Device != "Ana's phone" || !strings.Contains(pushed[0].Body, laptopName) {
			t.Errorf("the phone shows %+v", pushed)
		}
		if len(shown) != 1 || shown[0].User != "ana@contoso.example" || !strings.Contains(shown[0].Preview, laptopName) {
			t.Errorf("Teams shows %+v", shown)
		}
	})
}

// A tenant that names no ways has none, and needs no permission more; a policy that
// orders what its tenant does not have is a mistake.
func TestReachOfTheConfiguration(t *testing.T) {
	const file = `
tenants:
  - name: contoso
    id: 8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69
    mail_from: it@contoso.example
    auth: {client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, client_secret_env: CURFEW_TEST_SECRET}
    REACH
policies:
  - {name: threat, when: device.threat >= medium, ladder: [{do: [mail]}, {do: [ORDER]}]}
`
	load := func(reach, order string) (*config, string) {
		o := testOptions()
		conf, problems := parseConfig("x.yaml", []byte(strings.NewReplacer("REACH", reach, "ORDER", order).Replace(file)), o)
		var all []string
		for _, p := range mistakes(problems) {
			all = append(all, p.String())
		}
		return conf, strings.Join(all, "\n")
	}
	conf, said := load("", "sync")
	if conf == nil || len(conf.Policies.Reach) > 0 {
		t.Fatal(said)
	}
	telling := []graph.Feature{graph.FeatureNotify, graph.FeaturePush, graph.FeatureTimeZone}
	watch, act := uses(conf, conf.Tenants[0])
	if slices.ContainsFunc(append(watch, act...), func(f graph.Feature) bool { return slices.Contains(telling, f) }) {
		t.Errorf("it needs %v and %v", watch, act)
	}
	conf, said = load("reach: {teams: "+strings.ToUpper(feedApp)+", portal: true}\n    look: {time_zone: true}", "notify, push")
	if conf == nil || !slices.Equal(conf.Policies.Reach[conf.Tenants[0].ID], []events.Action{events.Notify, events.Push}) || conf.Tenants[0].Reach.Teams != feedApp {
		t.Fatal(said)
	}
	watch, act = uses(conf, conf.Tenants[0])
	if !slices.Contains(watch, graph.FeatureNotify) || !slices.Contains(watch, graph.FeatureTimeZone) || !slices.Contains(act, graph.FeaturePush) || slices.Contains(watch, graph.FeaturePush) {
		t.Errorf("it needs %v and %v", watch, act)
	}
	if _, said := load("reach: {portal: true}", "notify"); !strings.Contains(said, "x.yaml:3:5: tenants[0]: policy threat orders notify, and users of tenant contoso are not told that way: write reach: {teams: …}") {
		t.Errorf("it says %s", said)
	}
	if _, said := load("cloud: china\n    reach: {teams: "+feedApp+"}", "sync"); !strings.Contains(said, "cloud in China") {
		t.Errorf("it says %s", said)
	}
}
