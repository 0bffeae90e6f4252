package rollout_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"curfew/graph"
	"curfew/graph/baseline"
	"curfew/graph/baseline/readiness"
	"curfew/graph/baseline/rollout"
	"curfew/graph/graphtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	tenantID = "0e3b7f0e-5a51-4c1e-9d0c-6f6a6f3c2a11"
	appID    = "b5a0c9d2-4a9e-4c55-9a3b-0d8a7f2f6e33"
	pilot    = "Curfew pilot"
	breaks   = "breakglass@contoso.example"
)

// A world is a tenant whose baseline is rolled out.
type world struct {
	*testing.T
	tenant *graphtest.Tenant
	api    *graph.Client
	spec   baseline.Spec
	began  time.Time
	laptop func(i int) string
	user   func(i int) string
}

func story(t *testing.T, tell func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := graphtest.NewCloud()
		defer cloud.Close()
		tenant := cloud.AddTenant("contoso", tenantID)
		tenant.AddApp(appID, "s3cret~", append(graphtest.BaselineRoles(), graphtest.RolloutRoles()...)...)
		tenant.AddUser(graphtest.User{UPN: breaks})
		tenant.ConnectDefender()
		client, err := graph.New(graph.Tenant{ID: tenantID, Name: "contoso", Auth: graph.Auth{Client: appID, Secret: "s3cret~"}, Transport: cloud.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		w := &world{T: t, tenant: tenant, api: client, began: time.Now(), spec: newSpec()}
		w.laptop, w.user = tenant.AddCrowd(4, 4, pilot)
		tell(w)
	})
}

// newSpec is a small baseline.
func newSpec() baseline.Spec {
	return baseline.Spec{
		Pilot: pilot, Emergency: baseline.Emergency{Accounts: []string{breaks}},
		Compliance: &baseline.Compliance{Policies: map[baseline.Platform]baseline.CompliancePolicy{baseline.Windows: {Name: "Risk: Windows", Level: baseline.Low, BlockAfter: 6}}},
		Access:     &baseline.Access{Name: "Curfew", Variant: "one", Applications: []string{"Office365"}, ClientApps: []string{"all"}, Start: "report-only"},
	}
}

func (w *world) state() *baseline.State {
	w.Helper()
	s, err := baseline.Read(w.Context(), w.api, tenantID, w.spec)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// judged is the report about the step from a stage.
func (w *world) judged(at baseline.Stage) readiness.Report {
	w.Helper()
	scope, err := rollout.Scope(w.spec, w.state(), at, "contoso", w.began)
	if err != nil {
		w.Fatal(err)
	}
	f, err := readiness.Read(w.Context(), w.api, scope, nil)
	if err != nil {
		w.Fatal(err)
	}
	return readiness.Judge(f, readiness.Rules{}, nil, time.Now())
}

// apply applies a plan for a stage.
func (w *world) apply(at baseline.Stage, gate *baseline.Gate) error {
	w.Helper()
	_, err := baseline.Apply(w.Context(), w.api, baseline.NewPlan(w.spec, w.state(), at, gate), baseline.Options{By: "ana", Log: nowhere{}})
	return err
}

// week lets everybody sign in for eight days.
func (w *world) week() {
	for range 8 {
		time.Sleep(24 * time.Hour)
		for i := range 4 {
			w.tenant.SignsIn(graphtest.SignIn{User: w.user(i), Device: w.laptop(i)})
		}
	}
}

// accessStates are the states of the tenant's Conditional Access policies, by name.
func (w *world) accessStates() string {
	var all []string
	for _, p := range w.tenant.Placed(graphtest.AccessPolicies) {
		name, _ := p["displayName"].(string)
		who := "all"
		if strings.Contains(name, "(pilot)") {
			who = "pilot"
		}
		state, _ := p["state"].(string)
		all = append(all, who+" "+state)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

type nowhere struct{}

func (nowhere) Save(context.Context, baseline.Run) error { return nil }

func TestFromThePilotToEverybody(t *testing.T) {
	story(t, func(w *world) {
		if err := w.apply(baseline.PilotReport, nil); err != nil {
			w.Fatal(err)
		}
		for _, step := range []struct {
			from baseline.Stage
			now  string
		}{
			{baseline.PilotReport, "pilot enabled"},
			{baseline.PilotEnforced, "all enabledForReportingButNotEnforced, pilot enabled"},
			{baseline.AllReport, "all enabled, pilot disabled"},
		} {
			if early := w.judged(step.from); early.Passed || rollout.Gate(early, step.from).Passed {
				w.Fatalf("%v: it passed at once", step.from)
			}
			w.week()
			r := w.judged(step.from)
			gate := rollout.Gate(r, step.from)
			if !gate.Passed {
				w.Fatalf("%v: %v", step.from, r.Reasons())
			}
			if err := w.apply(gate.To, gate); err != nil {
				w.Fatal(err)
			}
			w.began = time.Now()
			if got := w.accessStates(); got != step.now {
				w.Errorf("after %v: %s, want %s", step.from, got, step.now)
			}
		}
		if _, err := rollout.Scope(w.spec, w.state(), baseline.AllEnforced, "contoso", w.began); err != rollout.ErrLast {
			w.Errorf("there is a step after the last: %v", err)
		}
	})
}

func TestNothingIsEnforcedPastAFailedGate(t *testing.T) {
	for name, trouble := range map[string]func(w *world){
		"a device fails":               func(w *world) { w.tenant.BreakBitLocker(w.laptop(1)) },
		"the emergency account is hit": func(w *world) { w.tenant.AddUser(graphtest.User{UPN: breaks, Disabled: true}) },
		"a policy was edited": func(w *world) {
			for _, p := range w.tenant.Placed(graphtest.CompliancePolicies) {
				w.tenant.Alter(graphtest.CompliancePolicies, p["id"].(string), func(o map[string]any) { o["deviceThreatProtectionEnabled"] = false })
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				if err := w.apply(baseline.PilotReport, nil); err != nil {
					w.Fatal(err)
				}
				w.week()
				trouble(w)
				before := w.accessStates()
				gate := rollout.Gate(w.judged(baseline.PilotReport), baseline.PilotReport)
				if gate.Passed {
					w.Fatal("it passed")
				}
				if err := w.apply(gate.To, gate); err == nil || w.accessStates() != before {
					w.Errorf("%v, and now %s", err, w.accessStates())
				}
			})
		})
	}
}

// TestAReportOpensItsOwnStepOnly draws reports and stages.
func TestAReportOpensItsOwnStepOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stage := rapid.SampledFrom(baseline.Stages())
		from, about := stage.Draw(t, "from"), stage.Draw(t, "about")
		r := readiness.Report{Stage: about.String(), Passed: rapid.Bool().Draw(t, "passed")}
		next, more := about.Next()
		r.Next = next.String()
		if rapid.Bool().Draw(t, "checked") {
			r.Checks = []readiness.Check{{Name: readiness.Complete, State: readiness.Passed}}
		}
		g := rollout.Gate(r, from)
		if g.Passed && (from != about || !more || !r.Passed || len(r.Checks) == 0) || g.Passed && g.To != next {
			t.Fatalf("from %v, a report about %v: %+v", from, about, g)
		}
	})
}
