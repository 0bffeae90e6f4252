package try

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// A worker is a real "curfew run", which can be killed and started again.
type worker struct {
	name    string
	program string
	config  string
	data    string
	admin   string
	listen  string
	log     string
	tenants []string // their names
	within  []string // a command that runs the program, such as one that slows its disk; it must keep the process

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
}

// start runs the program and returns at once.
func (wk *worker) start(ctx context.Context) error {
	log, err := os.OpenFile(wk.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	line := append(slices.Clone(wk.within), wk.program, "run", "--config", wk.config, "--log", "json")
	cmd := exec.CommandContext(context.WithoutCancel(ctx), line[0], line[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = filepath.Dir(wk.config)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", wk.name, err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is seen by who waits for it to be ready
		close(exited)
	}()
	wk.mu.Lock()
	defer wk.mu.Unlock()
	wk.cmd, wk.exited = cmd, exited
	return nil
}

// ready waits until the worker says that it is.
func (wk *worker) ready(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	wk.mu.Lock()
	exited := wk.exited
	wk.mu.Unlock()
	var last error
	for {
		if last = wk.probe(ctx); last == nil {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("%s ended before it was ready: %s", wk.name, wk.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready after %v: %w", wk.name, within, last)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (wk *worker) probe(ctx context.Context) error { return Ready(ctx, wk.admin) }

// Ready asks the worker whose health checks answer at an address whether it is.
func Ready(ctx context.Context, admin string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := (&http.Client{Timeout: 2 * time.Second}).Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(string(body))
	}
	return err
}

// has reports whether the worker looks after a tenant.
func (wk *worker) has(tenant string) bool { return slices.Contains(wk.tenants, tenant) }

// lastWords are the end of the worker's log.
func (wk *worker) lastWords() string {
	b, err := os.ReadFile(wk.log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-2000):])
}

// command runs a command of the program against the worker, as a person would.
func (wk *worker) command(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, wk.program, append(args, "--config", wk.config)...)
	if os.Geteuid() == 0 { // root is nobody in particular, and may not approve
		cmd.Env = append(os.Environ(), "SUDO_USER=technician")
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("curfew %s: %w: %s", args[0], err, out)
	}
	return nil
}

// kill ends the worker as a power cut would.
func (wk *worker) kill() { wk.end(syscall.SIGKILL) }

// stop ends the worker as its owner would.
func (wk *worker) stop() { wk.end(syscall.SIGTERM) }

func (wk *worker) end(sig os.Signal) {
	wk.mu.Lock()
	cmd, exited := wk.cmd, wk.exited
	wk.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(sig) // it may have ended already
	select {
	case <-exited:
	case <-time.After(15 * time.Second):
		_ = cmd.Process.Kill()
		<-exited
	}
}
