package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A ledger is a file that keeps when destructive tasks were called. It is the
// acting process's own: whoever keeps the cases has no business there.
type ledger struct{ file string }

const maxLedger = 16 << 20

// Load implements [actuator.Memory].
func (l ledger) Load() (map[string]time.Time, error) {
	b, err := readBounded(l.file, maxLedger)
	called := map[string]time.Time{}
	if errors.Is(err, fs.ErrNotExist) {
		return called, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &called)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", l.file, err)
	}
	return called, nil
}

// Save implements [actuator.Memory]. The file is as it was, or as it is to be.
func (l ledger) Save(called map[string]time.Time) (err error) {
	b, err := json.Marshal(called)
	if err != nil {
		return err
	}
	dir := filepath.Dir(l.file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".called-*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), l.file)
}
