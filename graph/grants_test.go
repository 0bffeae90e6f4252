package graph_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"curfew/graph"
	"curfew/graph/graphtest"
)

// A coin is a credential that always gives the same token.
type coin string

func (c coin) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(c), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func jwt(body string) string {
	return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(body)) + ".c2ln"
}

func TestATokenThatCannotBeReadGrantsNothing(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		for name, token := range map[string]string{
			"opaque": "EwB4A8l6BAAU", "no JSON": jwt("x"), "no end": jwt(`{"roles":["User.Read.All"]}`),
			"not base64": "a.%%%.c", "encrypted": "a.b.c.d.e", "an odd end": jwt(`{"exp":"tomorrow"}`), "endless": jwt(`{"exp":1,"x":"` + strings.Repeat("y", 1<<20) + `"}`),
		} {
			c := d.reach(func(c *graph.Tenant) { c.Auth = graph.Auth{Credential: coin(token)} })
			got, err := c.Grants(d.ctx)
			e := want{says: "cannot be read"}.check(t, err)
			if got != nil || strings.Contains(e.Error(), token) {
				t.Errorf("%s: %+v %v", name, got, e)
			}
		}
	})
	story(t, func(t *testing.T, d *desk) { // odd roles and a stranger's text do no harm
		token := jwt(`{"exp":1795000000,"azp":"a\nb","roles":["B.Read",7,null,"A.Read","B.Read"]}`)
		got, err := d.reach(func(c *graph.Tenant) { c.Auth = graph.Auth{Credential: coin(token)} }).Grants(d.ctx)
		if err != nil || len(got) != 1 || got[0].App != "a b" || !slices.Equal(got[0].Roles, []string{"7", "A.Read", "B.Read"}) || !got[0].Issued.IsZero() {
			t.Errorf("%+v %v", got, err)
		}
	})
}

func TestNoTokenIsSaidInPlainWords(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.app.ExpireSecret()
		_, err := d.client.Grants(d.ctx)
		want{after: 30 * time.Second, says: "the client secret has expired"}.check(t, err)
		_, err = d.client.Probe(d.ctx)
		want{after: 30 * time.Second, says: "the client secret has expired"}.check(t, err)
	})
}

func TestGrantsAreReadFromTheTokensInUse(t *testing.T) {
	acting(t, func(t *testing.T, d *desk) {
		d.client = d.reach(func(c *graph.Tenant) { c.Defender = &graph.DefenderEndpoint{} })
		got, err := d.client.Grants(d.ctx)
		if err != nil || len(got) != 2 {
			t.Fatalf("%+v %v", got, err)
		}
		for i, api := range []graph.Audience{graph.GraphAPI, graph.DefenderAPI} {
			g := got[i]
			if g.Audience != api || g.App != clientID || g.Tenant != contosoID || !slices.IsSorted(g.Roles) ||
				g.Expires.Sub(g.Issued) != time.Hour || time.Since(g.Issued) > time.Second {
				t.Errorf("%+v", g)
			}
		}
		if !got.Holds(graph.GraphAPI, "User.Read.All") || got.Holds(graph.DefenderAPI, "User.Read.All") || !got.Holds(graph.DefenderAPI, "Machine.Scan") || got.Holds(graph.GraphAPI, "Machine.Scan") {
			t.Errorf("%+v", got)
		}
		signIns := d.tenant.Asked("POST", "/"+contosoID)
		d.look(d.tenant.AddDevice(ana("LT-042"))) // with another client, but by the same rules
		if _, err := d.client.Grants(d.ctx); err != nil || d.tenant.Asked("POST", "/"+contosoID) != signIns {
			t.Errorf("%d sign-ins, then %d: %v", signIns, d.tenant.Asked("POST", "/"+contosoID), err)
		}
		d.app.Grant("Sites.Read.All")
		if got, _ := d.client.Grants(d.ctx); got.Holds(graph.GraphAPI, "Sites.Read.All") {
			t.Error("the old token knows what was granted after it")
		}
		time.Sleep(2 * time.Hour)
		if got, err := (graph.Tenants{contosoID: d.client}).Grants(d.ctx, contosoID); err != nil || !got.Holds(graph.GraphAPI, "Sites.Read.All") {
			t.Errorf("%+v %v", got, err)
		}
		want{giveUp: true, says: "no tenant"}.check(t, second(graph.Tenants{}.Grants(d.ctx, contosoID)))
	})
}

// verdicts are an area's verdicts by name.
func verdicts(t *testing.T, all []graph.Probed) map[string]graph.Probed {
	t.Helper()
	by := map[string]graph.Probed{}
	for _, p := range all {
		if (p.Reason == "") != (p.Verdict == graph.Allowed) || p.Role == "" || p.Audience == "" {
			t.Errorf("%+v", p)
		}
		by[p.Area] = p
	}
	return by
}

func TestAProbeSaysWhatIsRefused(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.client = d.reach(func(c *graph.Tenant) { c.Defender = &graph.DefenderEndpoint{} })
		d.tenant.AddDevice(ana("LT-042"))
		d.app.Revoke(graphtest.AllRoles()...)
		d.app.Grant("DeviceManagementManagedDevices.Read.All")
		all, err := d.client.Probe(d.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for area, p := range verdicts(t, all) {
			switch {
			case area == "Intune's devices", area == "compliance settings of a device":
				if p.Verdict != graph.Allowed {
					t.Errorf("%+v", p)
				}
			case p.Verdict == graph.CannotTell && strings.Contains(p.Reason, "only doing it"):
			case p.Verdict != graph.Refused || !strings.Contains(p.Reason, p.Role):
				t.Errorf("%+v", p)
			}
		}
	})
	story(t, func(t *testing.T, d *desk) { // trouble is no refusal, and does not end the probing
		d.app.Grant("Machine.Read.All")
		d.client = d.reach(func(c *graph.Tenant) { c.MailFrom, c.Defender = "", &graph.DefenderEndpoint{} })
		d.tenant.Throttle("security", 1, time.Minute)
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.BadGateway, Path: "users"})
		all, err := d.client.Probe(d.ctx)
		by := verdicts(t, all)
		for area, says := range map[string]string{
			"Defender's alerts": "429", "Defender's incidents": "budget", "users": "502", "sent items": "no mailbox", "compliance settings of a device": "no device",
			"sending mail": "only doing it",
		} {
			if p := by[area]; err != nil || p.Verdict != graph.CannotTell || !strings.Contains(p.Reason, says) {
				t.Errorf("%+v does not say %q (%v)", p, says, err)
			}
		}
		for _, area := range []string{"groups", "Defender's machines"} { // there are none, which Defender tells by 404
			if by[area].Verdict != graph.Allowed {
				t.Errorf("%+v", by[area])
			}
		}
		ctx, cancel := context.WithCancel(d.ctx)
		cancel()
		if all, err := d.client.Probe(ctx); err == nil || all != nil {
			t.Errorf("%+v", all)
		}
	})
}

func TestAProbeReadsOneRowOfEachAreaAndWritesNothing(t *testing.T) {
	acting(t, func(t *testing.T, d *desk) {
		d.tenant.AddFleet(1000)
		d.client = d.reach(func(c *graph.Tenant) { c.Defender = &graph.DefenderEndpoint{} })
		all, err := (graph.Tenants{contosoID: d.client}).Probe(d.ctx, contosoID)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			if p.Verdict != graph.Allowed && !strings.Contains(p.Reason, "only doing it") {
				t.Errorf("%+v", p)
			}
			if n := len(slices.DeleteFunc(graph.Needs(graph.Features()...), func(n graph.Need) bool {
				return n.Audience != p.Audience || n.Role != p.Role
			})); n == 0 {
				t.Errorf("nothing needs the role that %s is probed with, %s", p.Area, p.Role)
			}
		}
		for _, r := range d.tenant.Requests() {
			if strings.HasPrefix(r.Path, "/"+contosoID) { // signing in
				continue
			}
			if r.Method != http.MethodGet || r.Query.Get("$top") != "1" {
				t.Errorf("%s %s %v", r.Method, r.Path, r.Query)
			}
		}
		want{giveUp: true, says: "no tenant"}.check(t, second(graph.Tenants{}.Probe(d.ctx, contosoID)))
	})
}
