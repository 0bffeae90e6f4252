package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestFilesOfSecrets: files that cannot serve as one.
func TestFilesOfSecrets(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "open", appSecret, 0o644)
	write(t, dir, "group", appSecret, 0o640)
	write(t, dir, "empty", " \n", 0o600)
	write(t, dir, "lines", "one\ntwo\n", 0o600)
	write(t, dir, "big", strings.Repeat("x", maxSecret+1), 0o600)
	write(t, dir, "dir/x", "", 0o600)
	for file, want := range map[string]string{
		"open": "warning: tenants[0].auth.client_secret_file: everybody on this machine can read", "group": "",
		"empty": "empty", "lines": "more than one line", "big": "more than 65536 bytes", "dir": "it is a directory", "none": "no such file",
	} {
		text := "public_url: https://x.example\ndry_run: false\nattention: [{ticket: {destination: desk}}]\n" +
			"tenants:\n  - name: contoso\n    id: 8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69\n" +
			"    auth: {client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, client_secret_file: " + file + "}\n" +
			"destinations: {desk: {kind: webhook, url: https://x.example, secret_env: CURFEW_TEST_SECRET}}\n" +
			"policies: [{name: p, when: device.threat > low, ladder: [{do: [sync]}]}]\n"
		_, problems := parseConfig(filepath.Join(dir, "curfew.yaml"), []byte(text), testOptions())
		if want == "" && len(problems) > 0 || want != "" && (len(problems) != 1 || len(told(problems, want)) != 1) {
			t.Errorf("%s: %v", file, problems)
		}
	}
}

// keyPairs writes certificates: good, of another key, and expired.
func keyPairs(t *testing.T, dir string) {
	t.Helper()
	for name, until := range map[string]time.Time{"good": time.Now().Add(time.Hour), "other": time.Now().Add(time.Hour), "old": time.Now().Add(-time.Hour)} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until}
		cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		c := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
		k := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		write(t, dir, name+".pem", c, 0o644)
		write(t, dir, name+".key", k, 0o600)
		write(t, dir, name+".both", c+k, 0o600)
	}
}

func TestCertificates(t *testing.T) {
	dir := t.TempDir()
	keyPairs(t, dir)
	for line, want := range map[string]string{
		"tls: {cert_file: good.pem, key_file: good.key}":                                                 "",
		"tls: {cert_file: good.pem, key_file: other.key}":                                                "tls.cert_file: the certificate and its key do not fit",
		"tls: {cert_file: old.pem, key_file: old.key}":                                                   "warning: tls.cert_file: the certificate has expired",
		"tls: {cert_file: good.key, key_file: good.key}":                                                 "do not fit",
		"nats: {url: 'tls://n.example:4222', ca_file: good.pem, cert_file: good.pem, key_file: old.key}": "nats.cert_file: the certificate and its key do not fit",
		"nats: {url: 'tls://n.example:4222', ca_file: good.key}":                                         "nats.ca_file: the file that is named here holds no certificate",
		"nats: {url: 'tls://n.example:4222', cert_file: good.pem}":                                       "cert_file and key_file go together",
		"nats: {url: 'tls://n.example:4222', user: curfew}":                                              "user and password_file go together",
		"nats: {url: 'tls://n.example:4222', user: curfew, password_file: good.key}":                     "",
		"auth: {client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, certificate_file: good.both}":           "",
		"auth: {client_id: 3f9d1c7a-2b4e-4a6f-8d5c-7e6f5a4b3c2d, certificate_file: good.key}":            "must hold both a CERTIFICATE and its PRIVATE KEY",
	} {
		auth, other := "auth: {managed_identity: true}", line
		if strings.HasPrefix(line, "auth") {
			auth, other = line, "dry_run: false"
		}
		text := "public_url: https://x.example\nattention: []\n" + other +
			"\ntenants:\n  - name: contoso\n    id: 8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69\n    " + auth +
			"\npolicies: [{name: p, when: device.threat > low, ladder: [{do: [sync]}]}]\n"
		conf, problems := parseConfig(filepath.Join(dir, "curfew.yaml"), []byte(text), testOptions())
		problems = slices.DeleteFunc(problems, func(p problem) bool { return p.Path == "dry_run" })
		if want == "" && len(problems) > 0 || want != "" && (len(problems) != 1 || len(told(problems, want)) != 1) {
			t.Errorf("%s: %v", line, problems)
		}
		if conf != nil && strings.HasPrefix(line, "auth") && !strings.Contains(conf.Tenants[0].Auth.Certificate.reveal(), "PRIVATE KEY") {
			t.Errorf("%s: the certificate is not read", line)
		}
	}
}
