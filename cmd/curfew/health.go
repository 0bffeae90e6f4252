package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newHealthCmd(a *app) *cobra.Command {
	var address string
	var live bool
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running worker whether it is well",
		Long: `Ask the worker on this machine, at the admin address of its configuration, whether
it is ready to take notifications in, and if not, why. For people and for the
health checks of containers, which may have no other program to ask with.

It ends with 0 if the worker is well, with 1 if it is not, and with 4 if none
answers.`,
		Example: "  curfew health -c curfew.yaml\n  curfew health --admin 127.0.0.1:8081 --live",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.health(cmd.Context(), address, map[bool]string{true: "/livez", false: "/readyz"}[live])
		},
	}
	cmd.Flags().StringVar(&address, "admin", "", "the worker's admin `ADDRESS`; left out: as the configuration says")
	cmd.Flags().BoolVar(&live, "live", false, "only whether its process works, not whether it is ready")
	return cmd
}

func (a *app) health(ctx context.Context, address, path string) error {
	if address == "" {
		h, err := a.house(a.logger(slog.LevelWarn))
		if err != nil {
			return err
		}
		if address = defaultAdmin; h.conf != nil {
			address = cmp.Or(h.conf.Admin, defaultAdmin)
		}
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return wrong(fmt.Errorf("--admin: %q is not an address such as %s", address, defaultAdmin))
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1" // it listens everywhere
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		return wrong(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: it is this machine
	res, err := client.Do(req)
	if err != nil {
		return noWorker(fmt.Errorf("no worker answers at %s: start it with `curfew run -c FILE` (%w)", net.JoinHostPort(host, port), err))
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return err
	}
	text := strings.TrimSpace(string(body))
	if res.StatusCode != http.StatusOK {
		return errors.New(text)
	}
	p := a.printer()
	p.printf("%s\n", text)
	return p.flush()
}
