package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Limits of files that the configuration names.
const (
	maxSecret = 64 << 10
	maxCA     = 4 << 20
)

// path resolves a path that the file names, from the file's own directory.
func (c *checker) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

// missingFile notes that something outside the file is not there.
func (c *checker) missingFile(path, format string, args ...any) {
	c.note(path, c.at(path), c.o.NoSecrets, format, args...)
}

// read reads a file and resolves its name. Neither is ever quoted: people put
// secrets where their file's name belongs.
func (c *checker) read(at string, name *string, limit int64) ([]byte, bool) {
	if c.vaulted[at] {
		return c.fromVault(at, *name)
	}
	*name = c.path(*name)
	b, err := readBounded(*name, limit+1)
	switch {
	case err != nil:
		c.missingFile(at, "cannot read the file that is named here: %s (relative names are taken from the directory of %s)", reason(err), filepath.Base(c.name))
		return nil, false
	case int64(len(b)) > limit:
		c.mistake(at, "the file that is named here has more than %d bytes", limit)
		return nil, false
	case len(strings.TrimSpace(string(b))) == 0:
		c.mistake(at, "the file that is named here is empty")
		return nil, false
	}
	return b, true
}

// secret reads a secret from a file, a vault or the environment; at is the path of its
// keys without _file and _env.
func (c *checker) secret(at string, file *string, env string) secret {
	switch {
	case *file != "" && env != "":
		key := at[strings.LastIndexByte(at, '/')+1:]
		c.mistake(at+"_env", "%s_file and %s_env: name one", key, key)
	case env != "":
		v := strings.TrimRight(c.o.Getenv(env), "\r\n")
		if v == "" {
			c.missingFile(at+"_env", "the environment variable that is named here is not set")
			return secret{}
		}
		v, err := secretLine(v)
		if err != nil {
			c.mistake(at+"_env", "%v", err)
			return secret{}
		}
		return newSecret(v)
	case *file != "":
		return c.keep(at+"_file", file, secretLine)
	}
	return secret{}
}

// keep reads a secret from a file or a vault, for it to be read again.
func (c *checker) keep(at string, file *string, form func(string) (string, error)) secret {
	b, ok := c.private(at, file)
	if !ok {
		return secret{}
	}
	v, err := form(string(b))
	if err != nil {
		c.mistake(at, "%v", err)
		return secret{}
	}
	return newKept(*file, v, form)
}

// secretLine is a secret of one line.
func secretLine(text string) (string, error) {
	if text = strings.TrimRight(text, "\r\n"); strings.ContainsAny(text, "\r\n\x00") {
		return "", errors.New("the secret has more than one line")
	}
	return text, nil
}

// private reads a file that holds a secret, and warns if everybody can.
func (c *checker) private(at string, file *string) ([]byte, bool) {
	b, ok := c.read(at, file, maxSecret)
	if info, err := os.Stat(*file); ok && err == nil && info.Mode().Perm()&0o004 != 0 && runtime.GOOS != "windows" {
		c.warning(at, "everybody on this machine can read the secret: chmod o-r")
	}
	return b, ok
}

// secretFile checks a file with a secret that is read elsewhere.
func (c *checker) secretFile(at string, file *string) {
	if *file != "" {
		c.private(at, file)
	}
}

// certificate reads a certificate with its key: PEM, or PKCS#12.
func (c *checker) certificate(at string, file *string) secret {
	return c.keep(at, file, certificateAndKey)
}

// certificateAndKey is a certificate with its key. Of PKCS#12 that is seen only
// when it is used, by its password.
func certificateAndKey(text string) (string, error) {
	if !strings.Contains(text, "-----BEGIN") {
		return text, nil
	}
	var cert, key bool
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		cert = cert || block.Type == "CERTIFICATE"
		key = key || strings.HasSuffix(block.Type, "PRIVATE KEY")
	}
	if !cert || !key {
		return "", errors.New("the file must hold both a CERTIFICATE and its PRIVATE KEY")
	}
	return text, nil
}

// authorities reads certificates to trust. Nil: the system's.
func (c *checker) authorities(at string, file *string) *x509.CertPool {
	if *file == "" {
		return nil
	}
	b, ok := c.read(at, file, maxCA)
	if !ok {
		return nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		c.mistake(at, "the file that is named here holds no certificate in PEM")
		return nil
	}
	return pool
}

// keyPair checks a certificate and its key.
func (c *checker) keyPair(path string, certFile, keyFile *string, server bool) {
	if *certFile == "" || *keyFile == "" {
		return // which the schema tells
	}
	cert, ok := c.read(path+"/cert_file", certFile, maxCA)
	key, ok2 := c.private(path+"/key_file", keyFile)
	if !ok || !ok2 {
		return
	}
	pair, err := tls.X509KeyPair(cert, key)
	switch {
	case err != nil:
		c.mistake(path+"/cert_file", "the certificate and its key do not fit: %v", err)
	case server && time.Now().After(pair.Leaf.NotAfter):
		c.warning(path+"/cert_file", "the certificate has expired on %s", pair.Leaf.NotAfter.Format(time.DateOnly))
	}
}

func isDir(path string) bool  { return isKind(path, fs.FileMode.IsDir) }
func isFile(path string) bool { return isKind(path, fs.FileMode.IsRegular) }

func isKind(path string, is func(fs.FileMode) bool) bool {
	info, err := os.Stat(path)
	return err == nil && is(info.Mode())
}
