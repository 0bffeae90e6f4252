package graphtest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"curfew/graph/graphtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	contosoID = "0e3b7f0e-5a51-4c1e-9d0c-6f6a6f3c2a11"
	fabrikID  = "7c1f9a52-08d4-4b0e-8a56-2f3f5d1c9b22"
	clientID  = "b5a0c9d2-4a9e-4c55-9a3b-0d8a7f2f6e33"
	secret    = "s3cret~of+the/app&"
	root      = "https://graph.microsoft.com/v1.0"
)

// A desk is where a test sits: one tenant and an app that asks.
type desk struct {
	t      testing.TB
	cloud  *graphtest.Cloud
	tenant *graphtest.Tenant
	app    *graphtest.App
	token  string
	header http.Header
}

// story runs a test in a bubble, with an app that may do everything.
func story(t *testing.T, tell func(t *testing.T, d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := graphtest.NewCloud()
		defer cloud.Close()
		tell(t, newDesk(t, cloud, "contoso", contosoID))
	})
}

func newDesk(t testing.TB, cloud *graphtest.Cloud, name, id string) *desk {
	tenant := cloud.AddTenant(name, id)
	app := tenant.AddApp(clientID, secret, graphtest.AllRoles()...)
	return &desk{t: t, cloud: cloud, tenant: tenant, app: app, token: app.Token(), header: http.Header{}}
}

// An answer is what Graph said.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

func (d *desk) ask(method, address string, body any) answer {
	d.t.Helper()
	res, err := d.try(method, address, body)
	if err != nil {
		d.t.Fatalf("%s %s: %v", method, address, err)
	}
	return res
}

func (d *desk) try(method, address string, body any) (answer, error) {
	d.t.Helper()
	var raw []byte
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	default:
		var err error
		if raw, err = json.Marshal(b); err != nil {
			d.t.Fatal(err)
		}
	}
	if !strings.HasPrefix(address, "https://") {
		address = root + "/" + address
	}
	req, err := http.NewRequest(method, address, bytes.NewReader(raw))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header = d.header.Clone()
	if d.token != "" {
		req.Header.Set("Authorization", "Bearer "+d.token)
	}
	res, err := (&http.Client{Transport: d.cloud.Transport()}).Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		d.t.Fatal(err)
	}
	return answer{d.t, res.StatusCode, res.Header, b.String()}, nil
}

func (d *desk) get(address string) answer { d.t.Helper(); return d.ask("GET", address, nil) }

// where is a path with one query option, encoded.
func where(path, option, value string) string {
	return path + "?" + option + "=" + strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}

func (a answer) wants(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// at is the value at a path of keys and indices.
func (a answer) at(path ...any) any {
	a.t.Helper()
	var v any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		a.t.Fatalf("not JSON: %v: %s", err, a.body)
	}
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func (a answer) is(want any, path ...any) answer {
	a.t.Helper()
	if got := a.at(path...); got != want {
		a.t.Fatalf("%v is %v, want %v", path, got, want)
	}
	return a
}

func (a answer) rows() []any {
	a.t.Helper()
	rows, ok := a.at("value").([]any)
	if !ok {
		a.t.Fatalf("no rows: %s", a.body)
	}
	return rows
}

// names lists a property of the rows.
func (a answer) names(property string) string {
	var all []string
	for _, r := range a.rows() {
		s, _ := r.(map[string]any)[property].(string)
		all = append(all, s)
	}
	return strings.Join(all, " ")
}
