package graphtest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/graph/graphtest"
)

func TestFaultsOfRequests(t *testing.T) {
	for kind, c := range map[graphtest.Kind]struct {
		status int
		body   string
	}{
		graphtest.Throttled:      {429, `"code":"TooManyRequests"`},
		graphtest.Unavailable:    {503, `"serviceNotAvailable"`},
		graphtest.TimedOut:       {504, `"UnknownError"`},
		graphtest.BadGateway:     {502, "<html>"},
		graphtest.EmptyError:     {500, ""},
		graphtest.BareError:      {500, "{}"},
		graphtest.ConsentRevoked: {403, "Authorization_RequestDenied"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
				d.tenant.Inject(graphtest.Fault{Kind: kind, Path: "devices", Times: 2})
				for range 2 {
					a := d.get("devices/" + lt.ObjectID).wants(c.status)
					if !strings.Contains(a.body, c.body) || c.body == "" && a.body != "" {
						t.Errorf("body %q", a.body)
					}
				}
				d.get("devices").wants(200)
				all := d.tenant.Requests()
				if last := all[len(all)-2]; last.Fault != kind || last.Status != c.status {
					t.Errorf("recorded as %+v", last)
				}
			})
		})
	}
}

func TestThrottlingWithAndWithoutRetryAfter(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, _ graphtest.Device) {
		d.tenant.Throttle("security", 1, 1500*time.Millisecond)
		if got := d.get("security/alerts_v2").wants(429).header.Get("Retry-After"); got != "2" {
			t.Errorf("Retry-After %q", got)
		}
		lift := d.tenant.Throttle("security", 0, 0)
		for range 5 {
			if got := d.get("security/alerts_v2").wants(429).header.Get("Retry-After"); got != "" {
				t.Errorf("Retry-After %q", got)
			}
		}
		lift()
		d.get("security/alerts_v2").wants(200)
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.Throttled, RetryAfter: time.Minute, AsDate: true, For: time.Hour})
		at, err := http.ParseTime(d.get("devices").wants(429).header.Get("Retry-After"))
		if err != nil || time.Until(at) < time.Minute {
			t.Errorf("%s, %v", at, err)
		}
		time.Sleep(time.Hour)
		d.get("devices").wants(200)
	})
}

// 504, or a broken connection, and it was done all the same.
func TestTimedOutButDone(t *testing.T) {
	for kind, done := range map[graphtest.Kind]int{
		graphtest.TimedOut: 0, graphtest.TimedOutButDone: 1, graphtest.CutOff: 0, graphtest.CutOffButDone: 1,
	} {
		t.Run(string(kind), func(t *testing.T) {
			patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
				d.tenant.Inject(graphtest.Fault{Kind: kind, Path: managed + "/*/wipe", Method: "POST", Times: 1})
				d.get(managed + "/" + lt.ID).wants(200)
				a, err := d.try("POST", managed+"/"+lt.ID+"/wipe", autopilotReset)
				if cut := errors.Is(err, io.ErrUnexpectedEOF); cut != strings.HasPrefix(string(kind), "cut") || !cut && a.status != 504 {
					t.Errorf("%d, %v", a.status, err)
				}
				time.Sleep(2 * time.Hour)
				if got := d.tenant.Happened("LT-042", graphtest.AutopilotReset); got != done {
					t.Errorf("it happened %d times, want %d", got, done)
				}
			})
		})
	}
}

func TestSlowAnswersEndWithTheContext(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.Slow, Wait: time.Minute})
		began := time.Now()
		d.get("devices").wants(200)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("took %s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, "POST", root+"/"+managed+"/"+lt.ID+"/syncDevice", nil)
		req.Header.Set("Authorization", "Bearer "+d.token)
		if _, err := d.cloud.Transport().RoundTrip(req); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if n := len(d.tenant.Actions("LT-042")); n != 0 {
			t.Error("it was done although the asker left before")
		}
	})
}

func TestOneTenantsTroubleIsItsOwn(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, _ graphtest.Device) {
		other := newDesk(t, d.cloud, "fabrik", fabrikID)
		restore := d.tenant.RevokeConsent()
		d.get("devices").wants(403)
		other.get("devices").wants(200)
		restore()
		d.get("devices").wants(200)
	})
}

// A plain body labelled gzip, as kiota sends on some retries, is refused; a real
// one is taken.
func TestContentEncodingIsBelieved(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		d.header.Set("Content-Encoding", "gzip")
		d.act(lt, "wipe", autopilotReset).wants(400)
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, autopilotReset)
		_ = z.Close()
		d.act(lt, "wipe", b.String()).wants(204)
		if all := d.tenant.Actions("LT-042"); len(all) != 1 || string(all[0].Body) != autopilotReset {
			t.Errorf("%+v", all)
		}
	})
}

func TestTheRecordIsBounded(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, _ graphtest.Device) {
		for range 10_010 {
			d.get("users/nobody")
		}
		d.get("devices")
		all := d.tenant.Requests()
		if len(all) != 10_000 || all[len(all)-1].Path != "/v1.0/devices" || all[0].Path != "/v1.0/users/nobody" {
			t.Errorf("%d kept", len(all))
		}
		d.tenant.Forget()
		if len(d.tenant.Requests()) != 0 {
			t.Error("not forgotten")
		}
	})
}
