package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A load is what a process takes of the machine, by Linux's /proc.
type load struct {
	resident float64       // MB of memory now
	peak     float64       // MB at most since the last resetPeak
	cpu      time.Duration // since its start
}

// takes reads what the worker takes.
func (w *worker) takes() (load, error) {
	var l load
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.cmd.Process.Pid))
	if err != nil {
		return l, fmt.Errorf("what a process takes is read from /proc, which Linux has: %w", err)
	}
	for line := range bytes.Lines(status) {
		name, rest, _ := strings.Cut(string(line), ":")
		kb, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64) // nought where it is no number
		switch name {
		case "VmRSS":
			l.resident = kb * 1024 / 1e6
		case "VmHWM":
			l.peak = kb * 1024 / 1e6
		}
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.cmd.Process.Pid))
	if err != nil {
		return l, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name in front may hold spaces
	field := strings.Fields(rest)
	if len(field) < 13 || l.resident == 0 {
		return l, fmt.Errorf("/proc/%d is not as it should be", w.cmd.Process.Pid)
	}
	const tick = 10 * time.Millisecond // of USER_HZ, 100 on every architecture that Go runs on
	for _, f := range field[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			return l, err
		}
		l.cpu += time.Duration(n) * tick
	}
	return l, nil
}

// resetPeak forgets the peak so far.
func (w *worker) resetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", w.cmd.Process.Pid), []byte("5"), 0o200)
}
