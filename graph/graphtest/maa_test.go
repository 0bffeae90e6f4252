package graphtest_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"curfew/graph/graphtest"
)

const requests = "https://graph.microsoft.com/beta/deviceManagement/operationApprovalRequests"

// asks sends a wipe with headers of Multi Admin Approval.
func (d *desk) asks(lt graphtest.Device, header, value string) answer {
	d.t.Helper()
	d.header.Set(header, value)
	defer d.header.Del(header)
	return d.act(lt, "wipe", autopilotReset)
}

func reason(s string) (header, value string) {
	return "x-msft-approval-justification", base64.StdEncoding.EncodeToString([]byte(s))
}

func TestAnApprovalIsForOneRequestAndOnce(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		d.app.Grant(graphtest.ActingRoles()...)
		d.token = d.app.Token()
		d.tenant.RequireApproval()
		d.act(lt, "wipe", autopilotReset).wants(403).is("ApprovalRequired", "error", "code")
		d.act(lt, "syncDevice", nil).wants(204) // is not covered
		filed := d.asks(lt, "x-msft-approval-justification", "not base64!")
		filed.wants(400)
		h, v := reason(strings.Repeat("x", 1025))
		d.asks(lt, h, v).wants(400)
		h, v = reason("malware")
		filed = d.asks(lt, h, v).wants(403)
		code := filed.header.Get("x-msft-approval-code")
		if !strings.Contains(filed.body, code) || len(code) != 36 {
			t.Fatalf("%q %s", code, filed.body)
		}
		d.asks(lt, h, v).wants(409)
		d.asks(lt, "x-msft-approval-code", base64.StdEncoding.EncodeToString([]byte(code))).wants(400)
		d.asks(lt, "x-msft-approval-code", code).wants(403) // nobody approved it
		d.get(requests+"/"+code).is("needsApproval", "status").is("malware", "requestJustification")
		d.get(where(requests, "$filter", "requestId eq '"+code+"'")).is(code, "value", 0, "id").is(nil, "value", 0, "requestId")
		d.get(where(requests, "$filter", "requestId eq 'x'")).is(nil, "value", 0)
		d.get(strings.Replace(requests, "beta", "v1.0", 1)).wants(400)
		d.tenant.Approve(code)
		d.header.Set("x-msft-approval-code", code)
		d.act(lt, "wipe", `{"keepEnrollmentData":false,"keepUserData":false}`).wants(403) // is another request
		d.act(lt, "wipe", autopilotReset).wants(204)
		d.act(lt, "wipe", autopilotReset).wants(403) // is once too often
		d.get(requests+"/"+code).is("completed", "status")
		if n := len(d.tenant.Actions("LT-042")); n != 2 {
			t.Errorf("%d actions", n)
		}
	})
}

func TestAnApprovalExpires(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		d.app.Grant(graphtest.ActingRoles()...)
		d.token = d.app.Token()
		d.tenant.SetRules(graphtest.Rules{ApprovalAsObserved: true})
		d.tenant.RequireApproval("7d3a7d2e-55a5-4a43-8f2c-5a6f5c7b8d90")
		d.act(lt, "retire", nil).wants(400).is("BadRequest", "error", "code")
		h, v := reason("malware")
		code := d.asks(lt, h, v).wants(412).header.Get("x-msft-approval-code")
		d.tenant.Approve(code)
		time.Sleep(72 * time.Hour)
		d.asks(lt, "x-msft-approval-code", code).wants(403)
		d.get(requests+"/"+code).is("expired", "status")
		h, v = reason("again")
		second := d.asks(lt, h, v).wants(412).header.Get("x-msft-approval-code")
		if rows := d.get(where(requests, "$filter", "requestId eq 'x'")).rows(); len(rows) != 2 {
			t.Errorf("%d rows", len(rows))
		}
		time.Sleep(28 * 24 * time.Hour)
		d.get(requests + "/" + code).wants(404)
		d.get(requests+"/"+second).is("expired", "status")
	})
}
