package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"curfew/cmd/curfew/metrics"
	"curfew/events/rules"
)

// heartbeatConfig is whom to tell that the worker is well, so that somebody is
// called when it says nothing: a check at a service for cron jobs, say.
type heartbeatConfig struct {
	URLPlain string         `json:"url"`
	URLFile  string         `json:"url_file"`
	URLEnv   string         `json:"url_env"`
	URL      secret         `json:"-"`
	Every    rules.Duration `json:"every"`
}

// heartbeatEvery is how often it is told.
const heartbeatEvery = rules.Duration(time.Minute)

func (c *checker) heartbeat(conf *config) {
	h := conf.Heartbeat
	if h == nil {
		return
	}
	d := destinationConfig{URLPlain: h.URLPlain, URLFile: h.URLFile, URLEnv: h.URLEnv}
	c.urls(&d, "/heartbeat")
	h.URL, h.URLPlain, h.URLFile = d.URL, "", d.URLFile
	if h.Every == 0 {
		h.Every = heartbeatEvery
	} else if time.Duration(h.Every) < 5*time.Second {
		c.mistake("/heartbeat/every", "this is more often than anybody needs to know: 5s or more")
	}
}

// renew follows the address, which is a secret: whoever has it can pretend to be well.
func (h *heartbeatConfig) renew(r *renewals) {
	if h == nil {
		return
	}
	r.add("the heartbeat", keptOf(h.URL), func(context.Context) error {
		if u, err := url.Parse(h.URL.reveal()); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return errors.New("it is no address such as https://example.com/ping")
		}
		return nil
	})
}

// A heartbeat tells that the worker is well, and nothing while it is not.
type heartbeat struct {
	url     secret
	every   time.Duration
	client  *http.Client
	ready   func(context.Context) health
	metrics *metrics.Metrics // nil: nobody counts
	log     *slog.Logger
}

// run pings until ctx ends. Trouble is told once, until it is over.
func (h *heartbeat) run(ctx context.Context) error {
	failing := false
	h.metrics.Show(metrics.Heartbeat, metrics.At(time.Now()))
	for {
		outcome, err := h.beat(ctx)
		if ctx.Err() != nil {
			return nil
		}
		h.metrics.Count(metrics.Beats, 1, outcome)
		switch {
		case err == nil:
			h.metrics.Show(metrics.Heartbeat, metrics.At(time.Now()))
			if failing {
				h.log.Info("the heartbeat gets through again")
			}
		case !failing:
			h.log.Warn("the heartbeat does not get through; work goes on", "outcome", outcome, "err", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(h.every):
		}
	}
}

// beat pings once, if the worker is ready. Its error holds no address.
func (h *heartbeat) beat(ctx context.Context) (outcome string, err error) {
	if is := h.ready(ctx); !is.OK {
		return "skipped", fmt.Errorf("not ready: %s: %s", is.Reasons[0].Check, is.Reasons[0].Reason)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url.reveal(), nil)
	if err != nil {
		return "failed", errors.New("its address cannot be used")
	}
	res, err := h.client.Do(req)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if err != nil {
		return "failed", errors.New(oneLine(err))
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return "failed", fmt.Errorf("the answer was %s", res.Status)
	}
	return "sent", nil
}
