package try

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/journal"
	"curfew/graph/graphtest"
)

// TestKilledUnderNotifications kills real workers, three times, under a stream of
// notifications from sixteen senders. Whatever was answered 202 must have left its
// mark: a fact about its device, or a nudge if the worker did not know the device
// yet. What was not answered is Graph's to send again, and may be there or not.
func TestKilledUnderNotifications(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	b := besiege(ctx, t, 300)
	b.lives(ctx, 3, b.wk.kill)
	b.tally(ctx)
}

// TestStoppedUnderNotifications does the same by SIGTERM: each worker ends by itself,
// with 0 and in time, and keeps what it has answered.
func TestStoppedUnderNotifications(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	b := besiege(ctx, t, 100)
	b.lives(ctx, 2, func() {
		began := time.Now()
		b.wk.stop()
		if took := time.Since(began); took > 14*time.Second { // then it would be killed
			t.Errorf("took %v to stop", took)
		}
		if code := b.wk.cmd.ProcessState.ExitCode(); code != 0 || !strings.Contains(b.wk.lastWords(), `"msg":"stopped"`) {
			t.Errorf("ended with %d: %s", code, b.wk.lastWords())
		}
	})
	b.tally(ctx)
}

// A besieged worker gets notifications from sixteen senders.
type besieged struct {
	t       *testing.T
	wk      *worker
	tenant  *graphtest.Tenant
	all     []graphtest.Device
	s       *sender
	senders sync.WaitGroup
	stop    context.CancelFunc // ends the senders
}

func besiege(ctx context.Context, t *testing.T, fleet int) *besieged {
	t.Helper()
	program := theProgram(t)
	w, err := newWorld(ctx, t.TempDir(), "1h", [][]string{{"contoso"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	b := &besieged{t: t, wk: w.workers[0], tenant: w.tenants["contoso"]}
	name := b.tenant.AddFleet(fleet)
	if err := w.startWorkers(ctx, program); err != nil {
		t.Fatal(err)
	}
	if err := until(ctx, "the subscription is made", func() bool { return len(b.tenant.Subscriptions()) == 1 }); err != nil {
		t.Fatal(err, b.wk.lastWords())
	}
	b.s = &sender{sub: b.tenant.Subscriptions()[0], tenant: b.tenant.ID, http: w.cloud.Client(), acked: map[string]int{}}
	for i := range fleet {
		b.all = append(b.all, b.tenant.Device(name(i)))
	}
	sending, stop := context.WithCancel(ctx)
	b.stop = stop
	for i := range 16 {
		b.senders.Go(func() { b.s.send(sending, b.all, i) })
	}
	return b
}

// lives ends the worker and starts another, so many times.
func (b *besieged) lives(ctx context.Context, n int, end func()) {
	b.t.Helper()
	for range n {
		time.Sleep(1500 * time.Millisecond) // real processes: let the stream flow
		end()
		if err := b.wk.start(ctx); err != nil {
			b.t.Fatal(err)
		}
		if err := b.wk.ready(ctx, 30*time.Second); err != nil {
			b.t.Fatal(err)
		}
	}
	time.Sleep(time.Second)
}

// tally compares what was acknowledged with what was kept.
func (b *besieged) tally(ctx context.Context) {
	b.t.Helper()
	b.stop()
	b.senders.Wait()
	total, lost := 0, 0
	j, leave := attach(ctx, b.t, b.wk)
	defer leave()
	for _, d := range b.all {
		n := b.s.acked[d.EntraID]
		total += n
		if n == 0 {
			continue
		}
		if stored := noticedBy(ctx, b.t, j, events.Key{Tenant: b.tenant.ID, Device: d.EntraID}); stored < n {
			lost += n - stored
		}
	}
	nudged := nudges(ctx, b.t, j, b.tenant.ID)
	b.t.Logf("%d notifications acknowledged; %d of them became nudges (%d stored)", total, lost, nudged)
	if total < 200 {
		b.t.Errorf("only %d notifications were acknowledged: that proves little", total)
	}
	if lost > nudged {
		b.t.Errorf("%d acknowledged notifications left no fact, and only %d nudges are stored", lost, nudged)
	}
}

// A sender plays Graph, which notes what was acknowledged.
type sender struct {
	sub    graphtest.Subscription
	tenant string
	http   *http.Client

	mu    sync.Mutex
	acked map[string]int // by Entra device id
}

func (s *sender) send(ctx context.Context, all []graphtest.Device, from int) {
	for i := from; ctx.Err() == nil; i += 16 {
		d := all[i%len(all)]
		body, err := json.Marshal(map[string]any{"value": []any{map[string]any{
			"id": fmt.Sprintf("%s-%d-%d", d.ID, from, i), "subscriptionId": s.sub.ID, "clientState": s.sub.ClientState,
			"subscriptionExpirationDateTime": s.sub.Expires.Format(time.RFC3339), "changeType": "updated",
			"tenantId": s.tenant, "resource": resource + "/" + d.ID, "resourceData": map[string]any{"id": d.ID},
		}}})
		if err != nil {
			panic(err)
		}
		if s.post(ctx, body) {
			s.mu.Lock()
			s.acked[d.EntraID]++
			s.mu.Unlock()
		}
	}
}

// post reports whether the notification was acknowledged. Every other end, a
// connection that breaks off included, acknowledges nothing.
func (s *sender) post(ctx context.Context, body []byte) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.sub.NotificationURL, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := s.http.Do(req)
	if err != nil {
		time.Sleep(10 * time.Millisecond) // nobody listens just now
		return false
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode == http.StatusAccepted
}

func attach(ctx context.Context, t *testing.T, wk *worker) (*journal.Journal, func()) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	b, err := broker.Local(wk.data, log)
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Attach(ctx, b.Conn(), log)
	if err != nil {
		t.Fatal(err)
	}
	return j, func() { _ = b.Stop(ctx) }
}

// noticedBy counts the facts that notifications became.
func noticedBy(ctx context.Context, t *testing.T, j *journal.Journal, k events.Key) int {
	t.Helper()
	n := 0
	for r, err := range j.Facts(ctx, k) {
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := r.Fact.(events.Noticed); ok && f.Source == "webhook" {
			n++
		}
	}
	return n
}

func nudges(ctx context.Context, t *testing.T, j *journal.Journal, tenant string) int {
	t.Helper()
	b, _, err := j.State().Get(ctx, "nudge."+tenant)
	if err != nil {
		return 0
	}
	var v struct{ Asked int }
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v.Asked
}
