package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

// bench is a webhook with one live subscription, and a body for it.
func bench(t testing.TB, s graph.Sink, items int) (hook *graph.Webhook, body, state string) {
	t.Helper()
	cloud := graphtest.NewCloud()
	tenant := cloud.AddTenant("contoso", contosoID)
	tenant.SetRules(graphtest.Rules{Subscribable: map[string]string{devices.Path: ""}})
	tenant.AddApp(clientID, secret, graphtest.AllRoles()...)
	client, err := graph.New(graph.Tenant{ID: tenant.ID, Auth: graph.Auth{Client: clientID, Secret: secret}, Transport: cloud.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	shelf := newShelf()
	subs := &graph.Subscriptions{Client: client, State: shelf, Nudges: &graph.Nudges{State: shelf}, URL: publicURL, Resources: []graph.Resource{devices}}
	hook = &graph.Webhook{Sink: s, Subscriptions: []*graph.Subscriptions{subs}, Index: anyone{}}
	cloud.DeliverBy(graphtest.InProcess(hook))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- subs.Run(ctx) }()
	for end := time.Now().Add(30 * time.Second); len(tenant.Subscriptions()) == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond) // there is no bubble in fuzz tests and benchmarks
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	made := tenant.Subscriptions()
	if len(made) != 1 {
		t.Fatalf("%d subscriptions", len(made))
	}
	var list []any
	for i := range items {
		list = append(list, itemOf(made[0], tenant.ID, otherGUID).with("id", i))
	}
	cloud.Close()
	return hook, bodyOf(list...), made[0].ClientState
}

// anyone is an index that knows every device.
type anyone struct{}

func (anyone) Device(_ context.Context, tenant, _, id string) (events.Key, bool) {
	return events.Key{Tenant: tenant, Device: id}, true
}

// FuzzWebhook: whatever is posted, the webhook answers as it should, and nothing
// is stored that did not bring the secret.
func FuzzWebhook(f *testing.F) {
	stored := 0
	hook, body, state := bench(f, sink(func(context.Context, string) error { stored++; return nil }), 1)
	f.Add([]byte(body))
	f.Add([]byte(bodyOf(nil, "x", item{"subscriptionId": otherGUID, "tenantId": contosoID, "lifecycleEvent": "missed"})))
	f.Add([]byte(strings.Replace(body, state, "guess", 1)))
	f.Add([]byte(`{"value":[{"resourceData":[]}],"validationTokens":[1]}`))
	f.Add([]byte("{\"value\":[{}]}\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		stored = 0
		got := send(hook, graph.NotificationsPath, bytes.NewReader(body)).Code
		known := bytes.Contains(body, []byte(state)) || bytes.Contains(body, []byte(`\`)) // escaped, perhaps
		switch {
		case got != 202 && got != 400 && got != 413:
			t.Errorf("answered %d", got)
		case stored > 0 && (got != 202 || !known):
			t.Errorf("stored %d facts, and answered %d", stored, got)
		case got == 202 && !json.Valid(body):
			t.Error("took what is no JSON")
		}
	})
}

func BenchmarkWebhook(b *testing.B) {
	for name, n := range map[string]int{"1 notification": 1, "100 notifications": 100} {
		b.Run(name, func(b *testing.B) {
			hook, body, _ := bench(b, sink(func(context.Context, string) error { return nil }), n)
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if got := post(hook, body); got != http.StatusAccepted {
					b.Fatal(got)
				}
			}
		})
	}
}
