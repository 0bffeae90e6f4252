//go:build unix

package broker

import (
	"os"
	"syscall"
)

// take claims an open file for this process; the claim ends with the file or
// the process.
func take(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
