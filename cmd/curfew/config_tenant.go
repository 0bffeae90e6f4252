package main

import (
	"crypto/x509"
	"encoding/json"
	"time"

	"curfew/events/rules"
)

// tenantConfig is one Microsoft 365 tenant.
type tenantConfig struct {
	Name      string           `json:"name"`
	ID        string           `json:"id"`
	Cloud     string           `json:"cloud"` // global, usgov-l4, usgov-l5 or china
	Endpoints *endpointsConfig `json:"endpoints"`
	Auth      authConfig       `json:"auth"`
	Actuator  *authConfig      `json:"actuator"`  // what acts on devices; nil: Auth does both
	Baseline  *authConfig      `json:"baseline"`  // what reads and writes policies; the worker never does
	Defender  *defenderConfig  `json:"defender"`  // nil: it is not used
	MailFrom  string           `json:"mail_from"` // empty: no mail can be sent
	Reach     reachConfig      `json:"reach"`     // besides by mail
	Approvers []string         `json:"approvers"` // mail addresses; none: those of approvals
	Sweep     sweepConfig      `json:"sweep"`
	Subscribe []string         `json:"subscribe"` // Graph resources
	Look      lookConfig       `json:"look"`
}

// UnmarshalJSON sets what is left out to its default.
func (t *tenantConfig) UnmarshalJSON(b []byte) error {
	type plain tenantConfig
	p := plain{
		Cloud:     "global",
		Subscribe: []string{"users", "groups"},
		Look:      lookConfig{Settings: true, Protection: true, Alerts: true, Entra: true, User: true},
	}
	err := json.Unmarshal(b, &p)
	*t = tenantConfig(p)
	return err
}

type endpointsConfig struct {
	Graph  string         `json:"graph"` // origins: https://host or https://host:port
	Login  string         `json:"login"`
	Scope  string         `json:"scope"` // empty: Graph + "/.default"
	CAFile string         `json:"ca_file"`
	CA     *x509.CertPool `json:"-"` // nil: the system's
}

// sweepConfig is the time between two sweeps. Zero: the default of package graph.
type sweepConfig struct {
	Devices, Alerts, Entra time.Duration
}

// UnmarshalJSON takes one duration for all, or an object with one each.
func (s *sweepConfig) UnmarshalJSON(b []byte) error {
	var all rules.Duration
	if err := json.Unmarshal(b, &all); err == nil {
		d := time.Duration(all)
		*s = sweepConfig{d, d, d}
		return nil
	}
	var each struct {
		Devices rules.Duration `json:"devices"`
		Alerts  rules.Duration `json:"alerts"`
		Entra   rules.Duration `json:"entra"`
	}
	err := json.Unmarshal(b, &each)
	*s = sweepConfig{time.Duration(each.Devices), time.Duration(each.Alerts), time.Duration(each.Entra)}
	return err
}

// lookConfig says what is read of a device.
type lookConfig struct {
	Settings   bool `json:"settings"`
	Protection bool `json:"protection"`
	Alerts     bool `json:"alerts"`
	Entra      bool `json:"entra"`
	User       bool `json:"user"`
	TimeZone   bool `json:"time_zone"` // of the user's mailbox; left out: not read
	Groups     bool `json:"groups"`    // left out: whether a condition asks for them
	Tags       bool `json:"-"`         // Defender's, where something asks for them
}

// authConfig is how Curfew signs in to a tenant: exactly one of ClientSecret,
// Certificate, TokenFile and ManagedIdentity is set.
type authConfig struct {
	ClientID string `json:"client_id"`

	ClientSecretFile string `json:"client_secret_file"`
	ClientSecretEnv  string `json:"client_secret_env"`
	ClientSecret     secret `json:"-"`

	ClientSecretExpires string `json:"client_secret_expires"` // a day; empty: not known

	CertificateFile         string `json:"certificate_file"`
	Certificate             secret `json:"-"` // the file's bytes: PEM or PKCS#12 with the key
	CertificatePasswordFile string `json:"certificate_password_file"`
	CertificatePasswordEnv  string `json:"certificate_password_env"`
	CertificatePassword     secret `json:"-"`

	WorkloadIdentity *workloadConfig `json:"workload_identity"`
	TokenFile        string          `json:"-"` // of the workload identity

	ManagedIdentity *managedConfig `json:"managed_identity"` // nil: not used
}

// workloadConfig is where the platform keeps a federated token.
type workloadConfig struct {
	TokenFile string `json:"token_file"`
	off       bool   // workload_identity: false
}

// UnmarshalJSON takes true and false as well.
func (w *workloadConfig) UnmarshalJSON(b []byte) (err error) {
	type plain workloadConfig
	w.off, err = yesOr(b, (*plain)(w))
	return err
}

// managedConfig is the machine's own identity.
type managedConfig struct {
	ClientID string `json:"client_id"` // of a user-assigned one; empty: the system-assigned one
	off      bool   // managed_identity: false
}

// UnmarshalJSON takes true and false as well.
func (m *managedConfig) UnmarshalJSON(b []byte) (err error) {
	type plain managedConfig
	m.off, err = yesOr(b, (*plain)(m))
	return err
}

// yesOr reads JSON that is true or false, or else an object.
func yesOr(b []byte, object any) (off bool, err error) {
	var on bool
	if err := json.Unmarshal(b, &on); err == nil {
		return !on, nil
	}
	return false, json.Unmarshal(b, object)
}

// destinationConfig is where tickets or pages go. What belongs to another kind
// is not set.
type destinationConfig struct {
	Kind string `json:"kind"` // webhook or one of deskKinds (tickets), pagerduty (pages)

	Language string `json:"language"` // in which it is told what it is told; empty: English

	URLPlain          string `json:"url"`
	URLFile           string `json:"url_file"`
	URLEnv            string `json:"url_env"`
	URL               secret `json:"-"` // of a webhook
	SecretFile        string `json:"secret_file"`
	SecretEnv         string `json:"secret_env"`
	Secret            secret `json:"-"` // signs what is sent; at least 16 bytes
	AuthorizationFile string `json:"authorization_file"`
	AuthorizationEnv  string `json:"authorization_env"`
	Authorization     secret `json:"-"` // may be none

	APIKeyFile string `json:"api_key_file"`
	APIKeyEnv  string `json:"api_key_env"`
	APIKey     secret `json:"-"` // of Opsgenie, Jira Service Management and GoAlert

	Rotation  string `json:"rotation"`   // of a rota
	NextAfter int    `json:"next_after"` // pages that one person does not answer

	HookSecretFile string `json:"hook_secret_file"`
	HookSecretEnv  string `json:"hook_secret_env"`
	HookSecret     secret `json:"-"` // of what comes back from a pager; none: nothing may

	RoutingKeyFile string `json:"routing_key_file"`
	RoutingKeyEnv  string `json:"routing_key_env"`
	RoutingKey     secret `json:"-"`        // of PagerDuty; 32 characters
	Region         string `json:"region"`   // us or eu; empty: us
	Endpoint       string `json:"endpoint"` // instead of a region

	Desk        deskSection       `json:"-"` // of a vendor's desk; see deskKinds
	Secrets     map[string]secret `json:"-"` // of that, by their keys
	SecretFiles map[string]string `json:"-"` // and where they are, by the keys that end in _file

	CAFile string         `json:"ca_file"`
	CA     *x509.CertPool `json:"-"` // nil: the system's
}
