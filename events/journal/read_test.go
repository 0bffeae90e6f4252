package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/evidence"
)

// Ten thousand devices are listed as they are now, not as they were.
func TestTenThousandCases(t *testing.T) {
	nc, err := nats.Connect("", nats.InProcessServer(hall(t, t.TempDir())))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	j := must(t, of(Open(t.Context(), nc, Options{}, quiet)))
	const devices = 10000
	tenant := func(i int) string { return [...]string{"contoso", "fabrikam"}[i%2] }
	var acks []jetstream.PubAckFuture
	for _, rung := range []int{1, 2} {
		for i := range devices {
			k := events.Key{Tenant: tenant(i), Device: "d" + number(i)}
			m := must(t, of(pack(caseSubject(k), events.Case{Key: k, Open: true, Rung: rung}, maxCase)))
			acks = append(acks, must(t, of(j.js.PublishMsgAsync(m))))
			if len(acks) == 500 {
				for _, ack := range acks {
					check(t, wait(t.Context(), ack))
				}
				acks = nil
			}
		}
	}
	for tenant, want := range map[string]int{"": devices, "contoso": devices / 2, "nobody": 0} {
		seen := map[events.Key]bool{}
		for c, err := range j.Cases(t.Context(), tenant) {
			if err != nil || c.Rung != 2 || tenant != "" && c.Tenant != tenant {
				t.Fatal(c.Key, c.Rung, err)
			}
			seen[c.Key] = true
		}
		if len(seen) != want {
			t.Errorf("%d cases of %q are listed", len(seen), tenant)
		}
	}
	if known := must(t, of(j.Known(t.Context(), "fabrikam"))); len(known) != devices/2 || !known["d1"] || known["d2"] {
		t.Errorf("%d devices are known", len(known))
	}
	for range j.Cases(t.Context(), "") {
		break // whoever has seen enough may go
	}
	ctx, cancel := context.WithCancel(t.Context())
	last := error(nil)
	for _, err := range j.Cases(ctx, "") {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("got %v", last)
	}
	cancel()
}

func TestTimelineIsBounded(t *testing.T) {
	j := open(t, fresh(t, broker.Embedded{}), Options{})
	k, rev := key("d1"), uint64(0)
	if all := must(t, of(j.Timeline(t.Context(), k))); len(all) != 0 {
		t.Errorf("%d records of a device never heard of", len(all))
	}
	for i := range 1005 {
		rev = must(t, of(j.store(t.Context(), evidence.Record{Case: events.Case{Key: k, Asked: i}}, rev)))
	}
	all := must(t, of(j.Timeline(t.Context(), k)))
	if len(all) != 1000 || all[0].Asked != 5 || all[999].Asked != 1004 {
		t.Errorf("%d records, from %d", len(all), all[0].Asked)
	}
	if _, err := j.store(t.Context(), evidence.Record{Case: events.Case{Key: k}}, rev-1); !errors.Is(err, errConflict) {
		t.Errorf("got %v", err)
	}
	if _, err := j.store(t.Context(), evidence.Record{Case: events.Case{Key: k, Attention: []string{strings.Repeat("x", maxCase)}}}, rev); !errors.Is(err, errTooBig) {
		t.Errorf("got %v", err)
	}
}

func TestNamesThatAreNone(t *testing.T) {
	j := open(t, fresh(t, broker.Embedded{}), Options{})
	ctx := t.Context()
	for _, k := range []events.Key{{}, {Tenant: "contoso"}, {Tenant: "contoso", Device: "*"}, {Tenant: ">", Device: "d1"}, {Tenant: "a.b", Device: "d1"}, {Tenant: "contoso", Device: strings.Repeat("d", 65)}} {
		errs := []error{j.Append(ctx, k, events.Noticed{}, ""), j.AppendAll(ctx, []Entry{{Key: k, Fact: events.Noticed{}}})}
		_, _, err := j.Case(ctx, k)
		errs = append(errs, err)
		_, err = j.Timeline(ctx, k)
		errs = append(errs, err)
		for _, err = range j.Facts(ctx, k) {
			errs = append(errs, err)
		}
		if len(errs) != 5 || slices.Contains(errs, nil) {
			t.Errorf("%q: got %v", k, errs)
		}
	}
	for _, tenant := range []string{"*", "a.b", ">"} {
		for _, err := range j.Cases(ctx, tenant) {
			if err == nil {
				t.Errorf("%q was taken as a tenant", tenant)
			}
		}
	}
	for _, tenant := range []string{"*", "a.b", ">", ""} {
		if _, err := j.Known(ctx, tenant); err == nil {
			t.Errorf("%q was taken as a tenant", tenant)
		}
	}
}

func TestUsage(t *testing.T) {
	j := open(t, fresh(t, broker.Embedded{}), Options{FactsAge: 36 * time.Hour})
	check(t, j.Append(t.Context(), key("d1"), events.Noticed{}, ""))
	uses := must(t, of(j.Usage(t.Context())))
	var got []string
	for _, u := range uses {
		got = append(got, fmt.Sprintf("%s %d %s", u.Family, u.Messages, u.Keeps))
	}
	want := []string{"FACTS 1 for 1.5 days", "CASES 0 the last 1000 of each", "TASKS 0 until done", "DEAD 0 for 90 days", "KV_STATE 1 the last 1 of each"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if uses[0].Bytes == 0 || time.Since(uses[0].Oldest) > time.Minute || uses[0].Subjects != 1 {
		t.Errorf("%+v", uses[0])
	}
}
