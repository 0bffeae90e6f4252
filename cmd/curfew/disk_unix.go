//go:build unix

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// diskOf measures the file system that a directory is on.
func diskOf(dir string) (free, size uint64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, fmt.Errorf("measure the disk of %s: %w", dir, err)
	}
	block := uint64(st.Bsize)
	return uint64(st.Bavail) * block, uint64(st.Blocks) * block, nil //nolint:unconvert // the types differ from system to system
}
