package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/gate"
	"curfew/events/rules"
	"curfew/handlers/mail"
)

// config is the configuration, read and checked. Paths are absolute or relative
// to the working directory, secrets are read, and what was left out has its
// default.
type config struct {
	File string `json:"-"`

	Role      role       `json:"role"`
	DryRun    bool       `json:"dry_run"`
	Data      string     `json:"data"`
	Listen    string     `json:"listen"`
	PublicURL string     `json:"public_url"` // empty: no subscriptions; no slash at its end
	TLS       *tlsConfig `json:"tls"`        // nil: plain HTTP
	Admin     string     `json:"admin"`
	Metrics   bool       `json:"metrics"`
	Pprof     bool       `json:"pprof"`

	Heartbeat *heartbeatConfig `json:"heartbeat"` // nil: nobody is told

	NATS  *natsConfig `json:"nats"`  // nil: embedded
	Queue string      `json:"queue"` // where the embedded one listens: a loopback address
	Pace  paceConfig  `json:"pace"`
	Log   logConfig   `json:"log"`
	Mail  mailConfig  `json:"mail"`

	Templates    string                       `json:"templates"` // a directory, or empty
	Tenants      []tenantConfig               `json:"tenants"`
	Destinations map[string]destinationConfig `json:"destinations"`
	OnCall       onCallConfig                 `json:"oncall"`

	Protect   protectConfig   `json:"protect"`
	Limits    limitsConfig    `json:"limits"`
	Approvals approvalsConfig `json:"approvals"`
	Preflight preflightConfig `json:"preflight"`
	Isolation isolationConfig `json:"isolation"`

	Maintenance []maintenanceConfig `json:"maintenance"`
	Baseline    baselineConfig      `json:"baseline"`
	Windows     []gate.Window       `json:"-"`

	Noise map[string]noiseConfig `json:"noise"` // by destination
	Hush  map[string]gate.Noise  `json:"-"`     // of every destination

	Report *reportConfig `json:"report"` // nil: none

	Policies events.Policies `json:"-"`

	// Observe is how often the metrics are brought up to date, in tests; zero: as
	// the observer does it.
	Observe time.Duration `json:"-"`
}

type tlsConfig struct {
	CertFile string `json:"cert_file"`
	KeyFile  string `json:"key_file"`
}

// paceConfig is how soon Microsoft is asked what became of an action, and how long
// its records may lag behind. Zero: each handler's own.
type paceConfig struct {
	CheckAfter rules.Duration `json:"check_after"`
	Settle     rules.Duration `json:"settle"`
}

type logConfig struct {
	Format string `json:"format"`
	Level  string `json:"level"` // debug, info, warn or error
}

type mailConfig struct {
	Ask      string            `json:"ask"`
	AskIn    map[string]string `json:"ask_in"`
	Language string            `json:"language"`
	Zone     *time.Location    `json:"-"`

	TimeZone string `json:"time_zone"`
}

// natsConfig is a NATS server that runs elsewhere. Its files are checked, but
// read where they are used.
type natsConfig struct {
	URL          string `json:"url"`
	CredsFile    string `json:"creds_file"`
	NKeyFile     string `json:"nkey_file"`
	User         string `json:"user"`
	PasswordFile string `json:"password_file"`
	CAFile       string `json:"ca_file"`
	CertFile     string `json:"cert_file"`
	KeyFile      string `json:"key_file"`
	Replicas     int    `json:"replicas"`
}

// loadOptions say how much of a configuration is looked at.
type loadOptions struct {
	// Templates returns the names of the mail templates there are with this
	// directory, which may be empty for none. Nil: names are not checked.
	Templates func(dir string) ([]string, error)

	// NoSecrets makes secrets and other files that cannot be read warnings instead
	// of mistakes: for a check on another machine than the worker's. Such a
	// configuration is not complete.
	NoSecrets bool

	// Baseline reads, strictly, the secrets of the identities that baselines are read
	// and written by, and of no other.
	Baseline bool

	Role role // whose secrets are read; empty: that of the file

	Getenv func(string) string // nil: os.Getenv

	// Vault reads a secret from Azure Key Vault. Nil: none is read.
	Vault func(address string) (string, error)
}

// loadConfig reads and checks a configuration file. It returns all problems at
// once, in the order of the file; if any of them is more than a warning, the
// configuration is nil.
func loadConfig(path string, o loadOptions) (*config, []problem) {
	data, err := readBounded(path, maxConfig+1)
	if err != nil {
		return nil, []problem{{File: path, Line: 1, Column: 1, Text: "cannot read the configuration: " + reason(err)}}
	}
	return parseConfig(path, data, o)
}

// parseConfig is loadConfig for what was read from a file of that name.
func parseConfig(path string, data []byte, o loadOptions) (*config, []problem) {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	c := &checker{yamlFile: readYAML(path, data), dir: filepath.Dir(path), o: o, vaulted: map[string]bool{}}
	conf := c.config()
	all := inOrder(append(c.problems, c.found...))
	if len(mistakes(all)) > 0 {
		return nil, all
	}
	return conf, all
}

// config goes from the file's shape to what it means. What does not have the
// right shape is left out of what follows, so that one slip is told once.
func (c *checker) config() *config {
	if c.value == nil {
		return nil
	}
	if !c.shape(configSchema) {
		return nil
	}
	c.vaults(c.value, "")
	conf := &config{
		File: c.name, Role: roleAll, DryRun: true, Data: "data", Listen: ":8443", Admin: "127.0.0.1:8081", Metrics: true, Queue: broker.DefaultListen,
		Log: logConfig{Format: "text", Level: "info"}, Mail: mailConfig{TimeZone: "UTC", Language: mail.Fallback},
		Limits: defaultLimits(),
	}
	var written rules.Rules
	b, err := json.Marshal(c.value)
	if err = errors.Join(err, json.Unmarshal(b, conf), json.Unmarshal(b, &written)); err != nil {
		c.say(position{1, 1}, "the file does not fit what Curfew expects: %v", err)
		return nil
	}
	c.role(conf)
	c.general(conf)
	c.heartbeat(conf)
	c.tenants(conf)
	if conf.Role.watches() {
		c.onCall(conf)
		c.destinations(conf)
	}
	c.rules(conf, written)
	c.reach(conf)
	c.gates(conf)
	c.apart(conf)
	c.isolation(conf)
	c.maintenance(conf)
	c.driftWatch(conf)
	c.noise(conf)
	c.report(conf)
	return conf
}

// shape notes what does not have the shape that a schema wants, and takes it out of
// the value. It reports whether anything is left.
func (c *checker) shape(schema []byte) bool {
	s, err := newShape(schema)
	if err != nil {
		c.say(position{1, 1}, "the schema is broken: %v", err)
		return false
	}
	c.misfits = c.broken
	for _, m := range s.check(c.value) {
		if covered(m.path, c.broken) {
			continue
		}
		at := c.at(m.path)
		if m.key {
			at = c.keyAt(m.path)
		}
		c.problems = append(c.problems, problem{File: c.name, Line: at.line, Column: at.column, Path: dotted(m.path), Text: m.text})
		c.misfits = append(c.misfits, m.path)
	}
	if covered("", c.misfits) {
		return false
	}
	prune(c.value, c.misfits)
	return true
}

// readBounded reads a file, up to so many bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("it is a directory")
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

// reason is why a file could not be read, without its name.
func reason(err error) string {
	var pe *os.PathError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, os.ErrPermission):
		return "permission denied; which user runs Curfew?"
	case errors.As(err, &pe):
		return pe.Err.Error()
	}
	return fmt.Sprint(err)
}
