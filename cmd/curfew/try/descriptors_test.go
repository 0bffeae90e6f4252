//go:build linux

package try

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestOutOfDescriptors takes from a real worker the right to open anything more,
// under a stream of notifications. It lives, keeps what it has answered, and goes on
// by itself when it may.
func TestOutOfDescriptors(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	b := besiege(ctx, t, 100)
	time.Sleep(time.Second) // real processes: let the stream flow
	pid := b.wk.pid()
	var was unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &was); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: was.Max}, nil); err != nil {
		t.Fatal(err)
	}
	b.tenant.Notify(b.all[0].Name) // by a connection that cannot be accepted
	strangers := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	if err := until(ctx, "nobody new gets in", func() bool { return knock(ctx, strangers, b.wk.admin) != nil }); err != nil {
		t.Fatal(err)
	}
	if err := until(ctx, "the log says why", func() bool {
		log, err := os.ReadFile(b.wk.log)
		return err == nil && strings.Contains(string(log), "too many open files")
	}); err != nil {
		t.Error(err, b.wk.lastWords())
	}
	time.Sleep(3 * time.Second)
	if b.wk.pid() != pid {
		t.Fatal("it died: ", b.wk.lastWords())
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &was, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.wk.ready(ctx, time.Minute); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	b.tally(ctx)
}

// knock asks a worker how it is, by a connection of its own.
func knock(ctx context.Context, by *http.Client, admin string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/livez", nil)
	if err != nil {
		return err
	}
	res, err := by.Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}
