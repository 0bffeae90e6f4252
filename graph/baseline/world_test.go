package baseline_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"curfew/graph"
	"curfew/graph/baseline"
	"curfew/graph/graphtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	contosoID = "0e3b7f0e-5a51-4c1e-9d0c-6f6a6f3c2a11"
	clientID  = "b5a0c9d2-4a9e-4c55-9a3b-0d8a7f2f6e33"
	secret    = "s3cret~of+the/app&"
	breaks    = "breakglass@contoso.example"
)

// A world is a tenant, and how a baseline reaches it.
type world struct {
	t      *testing.T
	tenant *graphtest.Tenant
	app    *graphtest.App
	api    *crashing
	client *graph.Client
	runs   runs
	spec   baseline.Spec
	events []baseline.Event
	gate   *baseline.Gate // for what is beyond the stage reached
}

// story runs a test in a bubble: minutes cost nothing. Defender is connected.
func story(t *testing.T, tell func(t *testing.T, w *world)) {
	t.Helper()
	untouched(t, func(t *testing.T, w *world) {
		w.tenant.ConnectDefender()
		tell(t, w)
	})
}

// untouched is story in a tenant where nobody has done anything yet.
func untouched(t *testing.T, tell func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, leave := newWorld(t, newSpec())
		defer leave()
		tell(t, w)
	})
}

func newWorld(t *testing.T, spec baseline.Spec) (w *world, leave func()) {
	t.Helper()
	cloud := graphtest.NewCloud()
	tenant := cloud.AddTenant("contoso", contosoID)
	app := tenant.AddApp(clientID, secret, graphtest.BaselineRoles()...)
	tenant.AddUser(graphtest.User{UPN: breaks, Groups: []string{"Emergency"}})
	tenant.AddUser(graphtest.User{UPN: "ana@contoso.example", Groups: []string{"Curfew pilot", "Help desk"}})
	tenant.AddUser(graphtest.User{UPN: "kiosk@contoso.example", Groups: []string{"Kiosks"}})
	client, err := graph.New(graph.Tenant{ID: contosoID, Name: "contoso", Auth: graph.Auth{Client: clientID, Secret: secret}, Transport: cloud.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	w = &world{t: t, tenant: tenant, app: app, api: &crashing{API: client}, client: client, spec: spec}
	return w, cloud.Close
}

// newSpec is a whole baseline.
func newSpec() baseline.Spec {
	six, day, yes := baseline.Hours(6), baseline.Hours(24), true
	policy := func(name string, level baseline.Level) baseline.CompliancePolicy {
		return baseline.CompliancePolicy{Name: name, Level: level, BlockAfter: 6, Notify: []baseline.NotifyAction{{CC: []string{"Help desk"}}}, PushAfter: &six}
	}
	windows := policy("Risk: Windows", baseline.Low)
	windows.RetireIn = &day
	return baseline.Spec{
		Pilot: "Curfew pilot", Exclude: []string{"Kiosks"},
		Emergency: baseline.Emergency{Accounts: []string{breaks}, Groups: []string{"Emergency"}},
		Connector: &baseline.Connector{
			Platforms:     []baseline.Platform{baseline.Windows, baseline.MacOS, baseline.IOS, baseline.Android},
			AppProtection: []baseline.Platform{baseline.IOS, baseline.Android}, UnresponsiveAfter: 7, AppInventory: true,
		},
		Notification: &baseline.Notification{
			Name: "Device is above acceptable risk threshold", Default: "en-US", Branding: []string{"company_logo", "contact_information"},
			Messages: map[string]baseline.Message{
				"en-US": {Subject: "Your device is at risk", Body: "<p>{{DeviceName}} must be looked at.</p>"},
				"de-DE": {Subject: "Ihr Gerät ist gefährdet", Body: "<p>{{DeviceName}} braucht Hilfe.</p>"},
			},
		},
		Compliance: &baseline.Compliance{
			NoPolicyFails: &yes, ValidDays: 20,
			Policies: map[baseline.Platform]baseline.CompliancePolicy{
				baseline.Windows: windows, baseline.MacOS: policy("Risk: macOS", baseline.Low), baseline.IOS: policy("Risk: iOS", baseline.Clear),
				baseline.AndroidWorkProfile: policy("Risk: Android", baseline.Clear), baseline.AndroidDeviceOwner: policy("Risk: Android, ours", baseline.Medium),
			},
		},
		AppProtection: map[baseline.Platform]baseline.ProtectionPolicy{
			baseline.IOS:     {Name: "Risk: apps on iOS", Level: baseline.Clear, Action: "block", Apps: []string{"core"}},
			baseline.Android: {Name: "Risk: apps on Android", Level: baseline.Clear, Action: "block", Apps: []string{"com.microsoft.office.outlook"}},
		},
		Access: &baseline.Access{Name: "Curfew", Variant: "two", Applications: []string{"Office365"}, ClientApps: []string{"all"}, Start: "report-only"},
	}
}

// small leaves of the baseline one or two objects of each kind.
func (w *world) small() {
	p := w.spec.Compliance.Policies
	w.spec.Compliance.Policies = map[baseline.Platform]baseline.CompliancePolicy{baseline.Windows: p[baseline.Windows]}
	w.spec.AppProtection = map[baseline.Platform]baseline.ProtectionPolicy{baseline.IOS: w.spec.AppProtection[baseline.IOS]}
	w.spec.Access.Variant = "one"
}

// plan reads the tenant and plans.
func (w *world) plan(at baseline.Stage) *baseline.Plan {
	w.t.Helper()
	state, err := baseline.Read(w.t.Context(), w.api, contosoID, w.spec)
	if err != nil {
		w.t.Fatal(err)
	}
	return baseline.NewPlan(w.spec, state, at, w.gate)
}

// apply applies a plan.
func (w *world) apply(p *baseline.Plan) (*baseline.Run, error) {
	w.t.Helper()
	return baseline.Apply(w.t.Context(), w.api, p, baseline.Options{
		By: "ana", Log: &w.runs, Previous: w.runs.last(), Progress: func(e baseline.Event) { w.events = append(w.events, e) },
	})
}

// reach brings the tenant to a stage, and finds that nothing is left to do.
func (w *world) reach(at baseline.Stage) {
	w.t.Helper()
	for stage := baseline.PilotReport; stage <= at; stage++ {
		w.gate = &baseline.Gate{To: stage, Passed: true}
		if _, err := w.apply(w.plan(stage)); err != nil {
			w.t.Fatalf("%v: %v", stage, err)
		}
		w.done(stage)
	}
}

// done checks that nothing is left to do.
func (w *world) done(at baseline.Stage) {
	w.t.Helper()
	p := w.plan(at)
	if p.Refused() || len(p.Work()) > 0 || len(p.Open()) > 0 {
		w.t.Fatalf("%v: something is left to do:\n%s", at, show(p))
	}
}

// writes are what was written to the tenant, as method and path.
func (w *world) writes() (all []string) {
	for _, r := range w.tenant.Requests() {
		if r.Method != http.MethodGet && r.Status < 300 && !strings.HasSuffix(r.Path, "/token") {
			all = append(all, r.Method+" "+r.Path)
		}
	}
	return all
}

// crashing is the way to the tenant, which breaks at the write that it is told to:
// before it, or after it.
type crashing struct {
	baseline.API
	writes int
	at     int // the number of the write; 0: none
	after  bool
}

var errCrash = errors.New("the machine is gone")

func (c *crashing) Do(ctx context.Context, method, path string, header http.Header, body []byte) ([]byte, error) {
	if method == http.MethodGet {
		return c.API.Do(ctx, method, path, header, body)
	}
	c.writes++
	if c.at > 0 && c.writes > c.at || c.writes == c.at && !c.after {
		return nil, final{errCrash}
	}
	b, err := c.API.Do(ctx, method, path, header, body)
	if c.writes == c.at {
		return nil, final{errCrash}
	}
	return b, err
}

// final is an error after which nothing is tried again.
type final struct{ error }

func (final) GiveUp() bool    { return true }
func (f final) Unwrap() error { return f.error }

// runs keep the runs in memory, as the journal would.
type runs struct{ all []baseline.Run }

func (r *runs) Save(_ context.Context, run baseline.Run) error {
	run.Entries = slices.Clone(run.Entries)
	if i := slices.IndexFunc(r.all, func(other baseline.Run) bool { return other.ID == run.ID }); i >= 0 {
		r.all[i] = run
		return nil
	}
	r.all = append(r.all, run)
	return nil
}

func (r *runs) last() *baseline.Run {
	if len(r.all) == 0 {
		return nil
	}
	return &r.all[len(r.all)-1]
}
