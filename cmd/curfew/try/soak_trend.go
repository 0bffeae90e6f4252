package try

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Trend is how a figure went over time, as a straight line through all samples
// that were taken after the first fifth, in which a process warms up.
type Trend struct {
	What    string  `json:"what"`
	Unit    string  `json:"unit,omitempty"`
	First   float64 `json:"first"`   // where the line begins
	Last    float64 `json:"last"`    // where it ends
	Most    float64 `json:"most"`    // the highest sample of all
	Allowed float64 `json:"allowed"` // how much higher the end may be than the beginning
	Samples int     `json:"samples"`
	OK      bool    `json:"ok"`
}

// A sample is a figure at a time, in seconds.
type sample struct{ at, value float64 }

func trendOf(what, unit string, samples []sample, allowed float64) Trend {
	t := Trend{What: what, Unit: unit, Allowed: allowed, Samples: len(samples)}
	for _, s := range samples {
		t.Most = max(t.Most, s.value)
	}
	warm := samples[len(samples)/5:]
	if len(warm) < 5 {
		return t
	}
	var x, y, xx, xy float64
	n := float64(len(warm))
	for _, s := range warm {
		x, y, xx, xy = x+s.at, y+s.value, xx+s.at*s.at, xy+s.at*s.value
	}
	slope := (n*xy - x*y) / (n*xx - x*x)
	line := func(at float64) float64 { return y/n + slope*(at-x/n) }
	t.First, t.Last = line(warm[0].at), line(warm[len(warm)-1].at)
	t.OK = t.Last-t.First <= allowed
	return t
}

// A pulse is what a process of Linux takes.
type pulse struct{ descriptors, threads, residentMB, goroutines float64 }

// take reads the pulse of a worker, which must be running.
func (wk *worker) take(ctx context.Context) (p pulse, err error) {
	pid := wk.pid()
	if pid == 0 {
		return p, fmt.Errorf("%s does not run", wk.name)
	}
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	open, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		return p, err
	}
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		return p, err
	}
	p.descriptors = float64(len(open))
	p.threads = figure(status, "Threads:")
	p.residentMB = figure(status, "VmRSS:") / 1024
	if p.goroutines, err = wk.metric(ctx, "go_goroutines "); err == nil && p.goroutines == 0 {
		err = fmt.Errorf("%s does not say how many goroutines it has", wk.name)
	}
	return p, err
}

// figure is the number behind a word that begins a line, or 0.
func figure(text []byte, word string) float64 {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), word); ok {
			if words := strings.Fields(rest); len(words) > 0 {
				n, _ := strconv.ParseFloat(words[0], 64) // else 0
				return n
			}
		}
	}
	return 0
}

// metric is a figure that the worker tells of itself.
func (wk *worker) metric(ctx context.Context, name string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+wk.admin+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	res, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	return figure(text, name), err
}

func (wk *worker) pid() int {
	wk.mu.Lock()
	defer wk.mu.Unlock()
	if wk.cmd == nil {
		return 0
	}
	select {
	case <-wk.exited:
		return 0
	default:
		return wk.cmd.Process.Pid
	}
}

// A watchman takes the pulse of a worker every so often.
type watchman struct {
	worker *worker
	began  time.Time
	series map[string][]sample
	missed int
}

func (m *watchman) look(ctx context.Context) {
	p, err := m.worker.take(ctx)
	if err != nil {
		m.missed++
		return
	}
	at := time.Since(m.began).Seconds()
	for what, value := range map[string]float64{
		descriptors: p.descriptors, threads: p.threads, resident: p.residentMB, goroutines: p.goroutines,
	} {
		m.series[what] = append(m.series[what], sample{at, value})
	}
}

const (
	descriptors = "file descriptors"
	threads     = "threads"
	resident    = "resident memory"
	goroutines  = "goroutines"
)

// trends are those of the worker. What is allowed is what comes and goes with
// the load of a moment; a leak of one in a thousand facts would be more.
func (m *watchman) trends() (all []Trend) {
	for _, f := range []struct {
		what, unit string
		allowed    float64
	}{{goroutines, "", 60}, {descriptors, "", 20}, {threads, "", 6}, {resident, "MB", 30}} {
		all = append(all, trendOf(f.what, f.unit, m.series[f.what], f.allowed))
	}
	return slices.Clip(all)
}
