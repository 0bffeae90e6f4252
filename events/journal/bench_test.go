package journal

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"curfew/events"
)

// rate reports how many of n were done in a second, beside how many raw
// synchronous publishes the same disk takes meanwhile.
func rate(b *testing.B, n int, took time.Duration, raw float64) {
	b.Helper()
	got := float64(n) / took.Seconds()
	b.ReportMetric(got, "facts/s")
	b.ReportMetric(raw, "raw/s")
	b.ReportMetric(got/raw, "ratio")
	b.ReportMetric(0, "ns/op")
}

// raw measures acknowledged publishes of 300 bytes by 16 publishers.
func raw(b *testing.B, j *Journal) float64 {
	b.Helper()
	const n = 4000
	start := time.Now()
	together(16, func(p int) {
		for i := range n / 16 {
			if _, err := j.js.Publish(b.Context(), fmt.Sprintf("dead.raw.%d.%d", p, i), make([]byte, 300)); err != nil {
				b.Error(err)
			}
		}
	})
	return n / time.Since(start).Seconds()
}

func together(n int, do func(int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

// bench makes a journal of 16 partitions.
func bench(b *testing.B) (*Journal, func()) {
	b.Helper()
	br := embed(b, b.TempDir())
	j := open(b, br, Options{})
	return j, func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(b.Context()), 10*time.Second)
		defer cancel()
		check(b, br.Stop(stop))
	}
}

func fill(b *testing.B, j *Journal, n int, f func(i int) Entry) {
	b.Helper()
	entries := make([]Entry, n)
	for i := range entries {
		entries[i] = f(i)
	}
	if err := j.AppendAll(b.Context(), entries); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkKeepChange takes facts that change a case each: the case, a task and
// an alarm are written for every one.
func BenchmarkKeepChange(b *testing.B) {
	const n = 5000
	for b.Loop() {
		j, stop := bench(b)
		before := raw(b, j)
		fill(b, j, n, func(i int) Entry {
			k := key("d" + number(i))
			return Entry{Key: k, Fact: events.Noticed{Source: "webhook"}}
		})
		took := keepAll(b, j, n)
		rate(b, n, took, (before+raw(b, j))/2)
		stop()
	}
}

// keepAll keeps until n facts are taken, and says how long it took.
func keepAll(b *testing.B, j *Journal, n uint64) time.Duration {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	start := time.Now()
	wg.Go(func() { check(b, j.Keep(ctx, rules)) })
	for taken := uint64(0); taken < n; time.Sleep(2 * time.Millisecond) {
		taken = 0
		list := j.facts.ListConsumers(b.Context())
		for c := range list.Info() {
			taken += c.Delivered.Consumer - uint64(c.NumAckPending)
		}
		check(b, list.Err())
	}
	took := time.Since(start)
	cancel()
	wg.Wait()
	return took
}

// BenchmarkKeepNothing takes facts that change nothing: notices of devices that
// are being looked at.
func BenchmarkKeepNothing(b *testing.B) {
	const n, devices = 20000, 500
	notice := func(i int) Entry {
		return Entry{Key: key("d" + number(i%devices)), Fact: events.Noticed{Source: "webhook"}}
	}
	for b.Loop() {
		j, stop := bench(b)
		before := raw(b, j)
		fill(b, j, 2*devices, notice)
		keepAll(b, j, 2*devices)
		fill(b, j, n, notice)
		took := keepAll(b, j, 2*devices+n)
		rate(b, n, took, (before+raw(b, j))/2)
		stop()
	}
}

// BenchmarkAppend appends facts one by one, from 16 sides.
func BenchmarkAppend(b *testing.B) {
	const n = 8000
	for b.Loop() {
		j, stop := bench(b)
		before := raw(b, j)
		start := time.Now()
		together(16, func(p int) {
			for i := range n / 16 {
				check(b, j.Append(b.Context(), key(fmt.Sprintf("d%d-%d", p, i)), events.Noticed{Source: "webhook"}, fmt.Sprintf("%d/%d", p, i)))
			}
		})
		took := time.Since(start)
		rate(b, n, took, (before+raw(b, j))/2)
		stop()
	}
}
