package try

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// invitation finds the link in the newest mail by which somebody is asked to
// approve, or "".
func (l *laptop) invitation(to string) string {
	for _, m := range slices.Backward(l.t.Mails()) {
		found := approveLink.FindStringSubmatch(m.Body)
		if slices.Contains(m.To, to) && contains(m.Subject, l.Name) && found != nil {
			return html.UnescapeString(found[1])
		}
	}
	return ""
}

var (
	approveLink = regexp.MustCompile(`href="(https://[^"]+/approve/[^"]+)"`)
	formSeal    = regexp.MustCompile(`name="seal" value="([^"]+)"`)
)

// browser opens pages of workers, whose certificates the cloud's authority has
// issued.
func (w *world) browser() (*http.Client, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(w.cloud.CA()) {
		return nil, errors.New("the authority's certificate cannot be read")
	}
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}, nil
}

// open asks for a page, or sends its form if there is one.
func open(ctx context.Context, c *http.Client, address string, form url.Values) (string, error) {
	method, kind := http.MethodGet, ""
	if form != nil {
		method, kind = http.MethodPost, "application/x-www-form-urlencoded"
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the page for approval answers %d: %s", res.StatusCode, body)
	}
	return string(body), err
}

// allow sends the form of a link's page, as a person does who has read it.
func allow(ctx context.Context, c *http.Client, address string) error {
	page, err := open(ctx, c, address, nil)
	if err != nil {
		return err
	}
	seal := formSeal.FindStringSubmatch(page)
	if seal == nil {
		return fmt.Errorf("the page has no form: %s", page)
	}
	said, err := open(ctx, c, address, url.Values{"seal": {seal[1]}, "answer": {"allow"}})
	if err == nil && !contains(said, "It is recorded") {
		err = fmt.Errorf("the page does not say that it is recorded: %s", said)
	}
	return err
}
