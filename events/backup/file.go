package backup

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/nats-io/nats-server/v2/server/archive"
)

// A File is a backup that was opened.
type File struct {
	Manifest
	f *os.File
	z *zip.Reader
}

// Open opens a backup and reads what it says of itself.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	b, err := read(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("backup: %s: %w", path, err), f.Close())
	}
	return b, nil
}

func read(f *os.File) (*File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(f, info.Size())
	if errors.Is(err, zip.ErrFormat) {
		return nil, fmt.Errorf("%w, or it was cut off", ErrNoBackup)
	} else if err != nil {
		return nil, err
	}
	b := &File{f: f, z: z}
	r, err := b.entry(manifestEntry)
	if err != nil {
		return nil, ErrNoBackup
	}
	defer r.Close()
	if err := json.NewDecoder(io.LimitReader(r, mostJSON)).Decode(&b.Manifest); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoBackup, err)
	}
	return b, b.check()
}

// Close closes the file.
func (b *File) Close() error { return b.f.Close() }

func (b *File) entry(name string) (io.ReadCloser, error) {
	for _, e := range b.z.File {
		if e.Name == name {
			return e.Open()
		}
	}
	return nil, fmt.Errorf("it has no %s", name)
}

// Verify reads everything, and is an error if anything is not as it was written.
func (b *File) Verify() error {
	names := whileRunning
	if b.Exact {
		names = exactly
	}
	for _, name := range names {
		s, ok := b.find(name)
		if !ok {
			return fmt.Errorf("backup: it has no stream %s", name)
		}
		if err := b.each(s, func(*archive.Header, []byte) error { return nil }, nil); err != nil {
			return err
		}
	}
	return nil
}

// each hands on what is kept of a stream: first all that stands before the
// messages, then each of them. Whether it was whole is known at the end.
func (b *File) each(s Stream, take func(h *archive.Header, data []byte) error, first func(*reading) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("backup: stream %s: %w", s.Name, err)
		}
	}()
	r, err := b.entry(s.Name + suffix)
	if err != nil {
		return err
	}
	defer r.Close()
	a, err := open(r)
	if err != nil {
		return err
	}
	if first != nil {
		if err := first(a); err != nil {
			return err
		}
	}
	sum, err := a.messages(take)
	if err == nil {
		_, err = io.Copy(io.Discard, r) // the file's own sum is checked at its end
	}
	switch {
	case err != nil:
		return err
	case !sum.same(s.Sum):
		return fmt.Errorf("it is damaged: %d messages with SHA-256 %.12s…, and %d with %.12s… were written", sum.Messages, sum.SHA256, s.Messages, s.SHA256)
	}
	return nil
}
