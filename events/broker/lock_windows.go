package broker

import (
	"os"

	"golang.org/x/sys/windows"
)

// take claims an open file for this process; the claim ends with the file or
// the process. The byte it locks is far behind the end, so that others can read
// who holds it.
func take(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, &windows.Overlapped{Offset: 1 << 30})
}
