package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"curfew/graph/graphtest"
)

// away is how far Graph is.
const away = 150 * time.Millisecond

// sweep measures one pass of a worker over the devices of a big tenant, of which
// it knew none, under the budget that it keeps for Microsoft's limits. What makes
// it sweep is a notification about a device that it does not know. The limit is how
// long a bare client takes to read the same pages.
func sweep(ctx context.Context, r *Rig) ([]Figure, error) {
	var figures []Figure
	err := r.worker(ctx, plan{Tenants: 1, Sweep: 24 * time.Hour, Rules: patient}, func(w *worker) error {
		t := w.tenants[0]
		if _, err := w.start(ctx, 30*time.Second); err != nil {
			return err
		}
		if err := until(ctx, 30*time.Second, "the subscription is made", w.subscribed); err != nil {
			return err
		}
		time.Sleep(r.Size.Settle)
		timing := graphtest.QuickTiming()
		timing.Latency = away
		t.SetTiming(timing)
		name := t.AddFleet(r.Size.Fleet)
		bare, err := readAll(ctx, w)
		if err != nil {
			return err
		}
		before, err := w.takes()
		if err == nil {
			err = w.resetPeak()
		}
		if err != nil {
			return err
		}
		t.Notify(name(0))
		var took time.Duration
		err = until(ctx, 3*time.Minute, "the devices are swept", func() (err error) {
			took, err = w.swept(r.Size.Fleet)
			return err
		})
		if err != nil {
			return err
		}
		after, err := w.takes()
		of := fmt.Sprintf("sweep of %d devices, Graph %v away: ", r.Size.Fleet, away)
		figures = []Figure{
			below(of+"time", took.Seconds(), "s", bare.Seconds(), 60),
			below(of+"memory added", max(after.peak-before.resident, 0), "MB", 0, 50),
		}
		return err
	})
	return figures, err
}

// swept is how long a pass over so many devices took that the worker has logged.
func (w *worker) swept(devices int) (time.Duration, error) {
	log, err := os.ReadFile(filepath.Join(w.dir, "log"))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(log) {
		var said struct {
			Msg, Sweep string
			Rows       int
			Took       time.Duration
		}
		if json.Unmarshal(line, &said) == nil && said.Msg == "swept" && said.Sweep == "devices" && said.Rows == devices {
			return said.Took, nil
		}
	}
	return 0, errors.New("not yet")
}

// readAll is how long a client takes that does nothing but read page after page
// of the first tenant's devices.
func readAll(ctx context.Context, w *worker) (time.Duration, error) {
	client := w.cloud.Client()
	defer client.CloseIdleConnections()
	token := w.apps[0].Token()
	link := w.cloud.URL + "/v1.0/deviceManagement/managedDevices?$top=1000&$select=id,azureADDeviceId,deviceName,operatingSystem,complianceState," +
		"partnerReportedThreatState,managementState,lastSyncDateTime,deviceCategoryDisplayName"
	start := time.Now()
	for link != "" {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
		if err != nil {
			return 0, err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		page, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err == nil && res.StatusCode != http.StatusOK {
			err = fmt.Errorf("the page was answered with %s", res.Status)
		}
		if err != nil {
			return 0, err
		}
		_, rest, _ := bytes.Cut(page[:min(len(page), 4096)], []byte(`"@odata.nextLink":"`))
		next, _, _ := bytes.Cut(rest, []byte(`"`))
		link = string(next)
	}
	return time.Since(start), nil
}
