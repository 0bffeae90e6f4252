//go:build linux && faults

// These tests let the machine under a real worker fail: its disk, in a mount
// namespace of its own, and its calls of fsync, by strace. They need root, util-linux,
// e2fsprogs and strace:
//
//	go test -tags faults -run TestMachine ./cmd/curfew/try

package try

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"curfew/graph/graphtest"
)

// A ground is a world with one worker, whose data are on a small disk of its own.
type ground struct {
	*world
	t      *testing.T
	ctx    context.Context //nolint:containedctx // of one test
	wk     *worker
	tenant *graphtest.Tenant
	well   []graphtest.Device // of its laptops, which the worker knows from its first sweep
}

// onDisk runs a program with a disk in its data directory that nobody else sees. The
// script mounts it at $0.
func onDisk(data, script string) []string {
	return []string{"unshare", "--mount", "sh", "-euc", `mkdir -p "$0"; ` + script + `; exec "$@"`, data}
}

func newGround(t *testing.T, within func(wk *worker) []string) *ground {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	program := theProgram(t)
	w, err := newWorld(ctx, t.TempDir(), "1h", [][]string{{"contoso"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	g := &ground{world: w, t: t, ctx: ctx, wk: w.workers[0], tenant: w.tenants["contoso"]}
	for i := range 30 {
		g.well = append(g.well, g.tenant.AddDevice(graphtest.Device{Name: fmt.Sprintf("LT-%03d", i), User: fmt.Sprintf("user%d@%s", i, g.tenant.Domain)}))
	}
	g.wk.within = within(g.wk)
	rules, err := os.ReadFile(g.wk.config)
	if err != nil {
		t.Fatal(err)
	}
	// A slow disk has no time for a look at every laptop every five seconds.
	if err := os.WriteFile(g.wk.config, bytes.Replace(rules, []byte("relook: 5s"), []byte("relook: 10m"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.startWorkers(ctx, program); err != nil {
		t.Fatal(err)
	}
	g.until("the subscription is made", func() bool { return len(g.tenant.Subscriptions()) == 1 })
	return g
}

func (g *ground) until(what string, ok func() bool) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.ctx, time.Minute)
	defer cancel()
	if err := until(ctx, what, ok); err != nil {
		g.t.Fatalf("%v\n%s", err, g.wk.lastWords())
	}
}

// falls lets another laptop fall ill, and has Graph notify.
func (g *ground) falls() graphtest.Device {
	d := g.well[0]
	g.well = g.well[1:]
	g.tenant.Infect(d.Name, graphtest.Medium)
	g.tenant.Investigate(d.Name, "failed")
	g.tenant.Notify(d.Name)
	return d
}

// told counts the mails to the user of a laptop.
func (g *ground) told(d graphtest.Device) int { return (&laptop{Device: d, t: g.tenant}).mails() }

// tended reports whether everything due about these laptops was done.
func (g *ground) tended(all ...graphtest.Device) bool {
	for _, d := range all {
		l := &laptop{Device: d, t: g.tenant, s: &stage{world: g.world}}
		if l.mails() == 0 || len(l.tickets()) == 0 || l.scans() == 0 {
			return false
		}
	}
	return true
}

// once checks that nothing was done twice about these laptops.
func (g *ground) once(all ...graphtest.Device) {
	g.t.Helper()
	for _, d := range all {
		l := &laptop{Device: d, t: g.tenant, s: &stage{world: g.world}}
		if l.mails() != 1 || len(l.tickets()) != 1 || l.scans() != 1 {
			g.t.Errorf("%s: %d mails, %d tickets, %d scans, and it must be one of each", d.Name, l.mails(), len(l.tickets()), l.scans())
		}
	}
}

// health is what `curfew health` says, and its exit code.
func (g *ground) health(args ...string) (string, int) {
	out, err := exec.CommandContext(g.ctx, g.wk.program, append([]string{"health", "--config", g.wk.config}, args...)...).CombinedOutput()
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		g.t.Fatal(err)
	}
	return string(out), code
}

// says checks that the worker is alive, not ready, and tells why.
func (g *ground) says(why string) {
	g.t.Helper()
	g.until("it says: "+why, func() bool {
		out, code := g.health()
		return code == 1 && strings.Contains(out, "nothing can be stored") && strings.Contains(out, why)
	})
	if out, code := g.health("--live"); code != 0 {
		g.t.Errorf("it is not alive (%d): %s", code, out)
	}
	if log, err := os.ReadFile(g.wk.log); err != nil || !strings.Contains(string(log), `"level":"ERROR","msg":"nothing can be stored; what was acknowledged is safe`) {
		g.t.Errorf("the log does not say so: %v %s", err, g.wk.lastWords())
	}
}

// refused lets laptops fall ill until a notification is answered with 503, for Graph
// to come again: a few bytes may still fit.
func (g *ground) refused() (ill []graphtest.Device) {
	g.t.Helper()
	g.until("notifications are refused", func() bool {
		if len(ill) < 20 {
			ill = append(ill, g.falls())
		}
		time.Sleep(100 * time.Millisecond)
		return slices.ContainsFunc(g.tenant.Deliveries(), func(d graphtest.Delivery) bool { return d.Status == http.StatusServiceUnavailable })
	})
	return ill
}

// recovers waits until the worker is ready again.
func (g *ground) recovers() {
	g.t.Helper()
	if err := g.wk.ready(g.ctx, time.Minute); err != nil {
		g.t.Fatal(err)
	}
}

// disk is the worker's data directory, as the worker sees it.
func (g *ground) disk() string { return fmt.Sprintf("/proc/%d/root%s", g.wk.pid(), g.wk.data) }

// The disk is full: what was acknowledged is kept, what cannot be kept is refused,
// and Graph sends it again; when there is room all goes on by itself.
func TestMachineDiskFull(t *testing.T) {
	g := newGround(t, func(wk *worker) []string { return onDisk(wk.data, `mount -t tmpfs -o mode=700,size=24m curfew "$0"`) })
	before := g.falls()
	g.until("the first user is told", func() bool { return g.told(before) == 1 })
	ballast := filepath.Join(g.disk(), "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, zeros{}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk does not fill: %v", err)
	}
	f.Close()
	during := g.refused()
	g.says("no space left on device")
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	g.recovers()
	all := append(during, before, g.falls())
	g.until("everything is done", func() bool { return g.tended(all...) })
	g.once(all...)
}

// zeros is a file without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// The file system finds an error in itself and becomes read-only: the same, but that
// only a person can mend it. The worker can be stopped meanwhile, does not start on
// such a disk, and goes on when it was checked.
func TestMachineDiskReadOnly(t *testing.T) {
	image := filepath.Join(t.TempDir(), "image")
	mount := `e2fsck -fy "` + image + `" >&2 || [ $? -lt 4 ]; mount -o loop,errors=remount-ro "` + image + `" "$0"`
	if out, err := exec.CommandContext(t.Context(), "sh", "-euc", `truncate -s 64M "$0"; mkfs.ext4 -q "$0"`, image).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	g := newGround(t, func(wk *worker) []string { return onDisk(wk.data, mount) })
	before := g.falls()
	g.until("the first user is told", func() bool { return g.told(before) == 1 })
	if err := os.WriteFile(filepath.Join("/sys/fs/ext4", g.device(), "trigger_fs_error"), []byte("for a test"), 0o200); err != nil {
		t.Fatal(err)
	}
	during := g.refused()
	g.says("read-only file system")
	g.wk.stop()
	if !strings.Contains(g.wk.lastWords(), `"msg":"stopped"`) {
		t.Errorf("it did not stop in order: %s", g.wk.lastWords())
	}

	well := g.wk.within
	g.wk.within = onDisk(g.wk.data, mount+`; mount -o remount,ro "$0"`)
	if err := g.wk.start(g.ctx); err != nil {
		t.Fatal(err)
	}
	if err := g.wk.ready(g.ctx, 30*time.Second); err == nil || !strings.Contains(g.wk.lastWords(), "read-only file system") {
		t.Errorf("started on a disk that takes nothing: %v, %s", err, g.wk.lastWords())
	}
	g.wk.within = well
	if err := g.wk.start(g.ctx); err != nil {
		t.Fatal(err)
	}
	g.recovers()
	all := append(during, before, g.falls())
	g.until("everything is done", func() bool { return g.tended(all...) })
	g.once(all...)
}

// device is what is mounted in the worker's data directory: "loop0".
func (g *ground) device() string {
	g.t.Helper()
	mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mounts", g.wk.pid()))
	if err != nil {
		g.t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if words := strings.Fields(line); words[1] == g.wk.data {
			return filepath.Base(words[0])
		}
	}
	g.t.Fatalf("nothing is mounted at %s", g.wk.data)
	return ""
}

// Every fsync takes half a second, for a while. All is slow, notifications are taken
// in several tries, and nothing is lost, done twice, or thought dead.
func TestMachineDiskSlow(t *testing.T) {
	g := newGround(t, func(*worker) []string { return nil })
	before := g.falls()
	g.until("the first user is told", func() bool { return g.told(before) == 1 })
	slow := exec.CommandContext(g.ctx, "strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=500000", "-p", strconv.Itoa(g.wk.pid()))
	if err := slow.Start(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	all := []graphtest.Device{before, g.falls()}
	g.until("the second user is told", func() bool { return g.told(all[1]) == 1 })
	t.Logf("told within %v", time.Since(began))
	if took := time.Since(began); took < 3*time.Second {
		t.Errorf("took %v: was the disk slow?", took)
	}
	if out, code := g.health("--live"); code != 0 {
		t.Errorf("it is not alive (%d): %s", code, out)
	}
	if err := slow.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = slow.Wait() // it ends by the signal
	g.until("everything is done", func() bool { return g.tended(all...) })
	t.Logf("everything was done within %v", time.Since(began))
	g.once(all...)
	g.recovers()
}
