package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/events/gate/actuator"
)

// A role is which part of the work a process does.
type role string

// The roles. One that only acts has no door to the outside, keeps no cases, and
// believes no other process; see package actuator.
const (
	roleAll   role = "all"
	roleWatch role = "watch" // everything but what is done to devices
	roleAct   role = "act"   // only that
)

func (r role) watches() bool { return r != roleAct }
func (r role) acts() bool    { return r != roleWatch }

// does reports whether tasks of this action are the role's.
func (r role) does(a events.Action) bool {
	if actuator.Do(a) {
		return r.acts()
	}
	return r.watches()
}

// Set, String and Type make a role a flag.
func (r *role) Set(s string) error {
	switch v := role(strings.ToLower(s)); v {
	case roleAll, roleWatch, roleAct:
		*r = v
		return nil
	}
	return errors.New("it is all, watch or act")
}
func (r *role) String() string { return string(*r) }
func (r *role) Type() string   { return "ROLE" }

// roleFlag gives a command its --role.
func roleFlag(cmd *cobra.Command, to *role) {
	cmd.Flags().Var(to, "role", "which part of the work: all, watch or act; left out: as the configuration says")
	_ = cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions(
		[]string{"all\tboth in one process", "watch\teverything but what is done to devices", "act\tonly what is done to devices"}, cobra.ShellCompDirectiveNoFileComp))
}

// role settles which role counts, and what it needs.
func (c *checker) role(conf *config) {
	if c.o.Role != "" {
		conf.Role = c.o.Role
	}
	if conf.Role == roleAct && !c.written("/nats") {
		c.mistake("/nats", "this is missing: with role act the tasks come from the queue of the process that watches; name the NATS server that it uses, or, on the same machine, its own queue: {url: \"nats://%s\", nkey_file: %s}", conf.Queue, "data/nats.nk")
	}
}

// identities checks how Curfew signs in to a tenant, and reads the secrets of
// those identities that the role acts by.
func (c *checker) identities(conf *config, t *tenantConfig, path string) {
	if c.o.Baseline {
		lax := c.o.NoSecrets
		c.o.NoSecrets = false
		defer func() { c.o.NoSecrets = lax }()
	}
	c.auth(&t.Auth, t.Cloud, path+"/auth", !c.o.Baseline && (conf.Role.watches() || t.Actuator == nil) || c.o.Baseline && t.Baseline == nil)
	if b := t.Baseline; b != nil {
		c.auth(b, t.Cloud, path+"/baseline", c.o.Baseline)
		if b.ClientID != "" && (strings.EqualFold(b.ClientID, t.Auth.ClientID) || t.Actuator != nil && strings.EqualFold(b.ClientID, t.Actuator.ClientID)) {
			c.mistake(path+"/baseline/client_id", "this is an app of the worker's: give the baseline an app registration of its own, which may change policies while the worker may not")
		}
	}
	if t.Actuator == nil {
		return
	}
	c.auth(t.Actuator, t.Cloud, path+"/actuator", conf.Role.acts() && !c.o.Baseline)
	if a, b := t.Auth.ClientID, t.Actuator.ClientID; a != "" && strings.EqualFold(a, b) {
		c.mistake(path+"/actuator/client_id", "this is the app of auth: give the actuator an app registration of its own, or leave it out")
	}
}

// told is the role in words, for logs and `curfew check`.
func (r role) told() string {
	return map[role]string{roleWatch: "watches only: another process acts", roleAct: "acts only: another process watches"}[r]
}

// apart checks what two processes cannot do without: signed approvals for all
// that is destructive.
func (c *checker) apart(conf *config) {
	if conf.Role == roleAll {
		return
	}
	destructive := false
	for i, p := range conf.Policies.List {
		for j, r := range p.Ladder {
			if !r.Destructive() {
				continue
			}
			destructive = true
			if r.Approvals == 0 {
				c.warning(fmt.Sprintf("/policies/%d/ladder/%d", i, j), "the process that acts does nothing destructive without an approval that is signed: write approval: one, or two")
			}
		}
	}
	if _, named := conf.keyFile(); destructive && conf.Role == roleAct && !named {
		c.warning("/approvals", "key_file is missing: without the key no approval can be checked, and nothing destructive is done")
	}
}
