package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// The files beside the data of an embedded server, all of mode 0600.
const (
	seedFile   = "nats.nk"   // the key that opens it; made once
	accessFile = "nats.json" // where it listens, in the form of a context of the nats CLI
)

// Access is what accessFile holds.
type access struct {
	Description string `json:"description"`
	URL         string `json:"url"`
	NKey        string `json:"nkey"` // the path of seedFile
}

// ErrNotRunning reports that no server can be reached by a data directory.
var ErrNotRunning = errors.New("broker: no worker is running here")

// Local connects to the embedded server of another process by its data
// directory, as the same user. If there is none that answers, the error is
// [ErrNotRunning].
func Local(dir string, log *slog.Logger) (*Broker, error) {
	data, err := os.ReadFile(filepath.Join(dir, accessFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s has no %s; start `curfew run` with this data directory first", ErrNotRunning, dir, accessFile)
	} else if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	var a access
	if err := json.Unmarshal(data, &a); err != nil || a.URL == "" {
		return nil, fmt.Errorf("broker: %s is not as a worker writes it; restart the worker", filepath.Join(dir, accessFile))
	}
	key, err := nats.NkeyOptionFromSeed(filepath.Join(dir, seedFile))
	if err != nil {
		return nil, fmt.Errorf("broker: %s: %w", seedFile, err)
	}
	nc, gone, err := connect(a.URL, log, key)
	if errors.Is(err, nats.ErrNoServers) {
		return nil, fmt.Errorf("%w: nothing answers at %s; start `curfew run` with this data directory first", ErrNotRunning, a.URL)
	} else if err != nil {
		return nil, fmt.Errorf("broker: %s: %w", a.URL, err)
	}
	return &Broker{nc: nc, url: a.URL, gone: gone}, nil
}

// key returns the key that opens the server of a data directory, making it if
// there is none.
func key(dir string) (nkeys.KeyPair, error) {
	path := filepath.Join(dir, seedFile)
	seed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newKey(path)
	} else if err != nil {
		return nil, err
	}
	kp, err := nkeys.ParseDecoratedNKey(seed)
	if err != nil {
		return nil, fmt.Errorf("%s holds no key; delete it and a new one is made", path)
	}
	return kp, os.Chmod(path, 0o600)
}

func newKey(path string) (nkeys.KeyPair, error) {
	kp, err := nkeys.CreateUser()
	if err != nil {
		return nil, err
	}
	seed, err := kp.Seed()
	if err != nil {
		return nil, err
	}
	return kp, writeFile(path, append(seed, '\n'))
}

// announce tells the processes of the same user where the server listens.
func announce(dir, url string) error {
	abs, err := filepath.Abs(filepath.Join(dir, seedFile))
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(access{Description: "the queue of a running curfew worker", URL: url, NKey: abs}, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, accessFile), append(data, '\n'))
}

// writeFile replaces a file as a whole, so that nobody reads half of it.
func writeFile(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // of mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
