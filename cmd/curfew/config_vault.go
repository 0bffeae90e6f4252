package main

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"curfew/cmd/curfew/vault"
)

// vaults turns each KEY_vault into KEY_file, with the address of the secret as the
// file's name: from here on a secret in a vault is one in a file that is read
// elsewhere, wherever secrets are possible. No file is named like it, because the
// names of files are made absolute or cleaned of //.
func (c *checker) vaults(v any, at string) {
	switch in := v.(type) {
	case []any:
		for i, e := range in {
			c.vaults(e, pointer(at, strconv.Itoa(i)))
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(in)) {
			base, isVault := strings.CutSuffix(key, "_vault")
			address, isText := in[key].(string)
			switch path := pointer(at, base); {
			case strings.HasSuffix(key, "fields"): // of a desk, which may have any name
			case !isVault || !isText:
				c.vaults(in[key], pointer(at, key))
			default:
				delete(in, key)
				for _, other := range []string{"_file", "_env"} {
					if in[base+other] != nil {
						c.mistake(path+"_vault", "%s%s and %s_vault: name one", base, other, base)
						delete(in, base+other)
					}
				}
				in[base+"_file"] = address
				c.places[path+"_file"] = c.places[path+"_vault"]
				c.vaulted[path+"_file"] = true
			}
		}
	}
}

// inVault reports whether a secret is in a vault, by what the configuration has as
// the name of its file.
func inVault(file string) bool { return strings.HasPrefix(file, "https://") }

// fromVault reads a secret from a vault. No machine but the worker's need have
// access to it.
func (c *checker) fromVault(at, address string) ([]byte, bool) {
	if err := vault.Check(address); err != nil {
		c.mistake(at, "%v", err)
		return nil, false
	}
	if c.o.Vault == nil {
		c.missingFile(at, "the vault is not asked here")
		return nil, false
	}
	v, err := c.o.Vault(address)
	switch {
	case err != nil:
		c.missingFile(at, "cannot read the secret that is named here: %v", err)
	case strings.TrimSpace(v) == "":
		c.mistake(at, "the secret that is named here is empty")
	default:
		return []byte(v), true
	}
	return nil, false
}

// vaultsWithin is how long all vaults together may take to answer while a
// configuration is read: many secrets are in one that may not answer.
const vaultsWithin = 45 * time.Second

// askingVaults reads from vaults as this machine.
func askingVaults(ctx context.Context) func(string) (string, error) {
	var r vault.Reader
	end := time.Now().Add(vaultsWithin)
	return func(address string) (string, error) {
		ctx, cancel := context.WithDeadline(ctx, end)
		defer cancel()
		return r.Read(ctx, address)
	}
}
