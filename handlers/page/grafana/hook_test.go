package grafana_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"curfew/events"
	"curfew/handlers/page/grafana"
	"curfew/handlers/page/hook"
)

func outgoing(kind string, user any) hook.Request {
	b, _ := json.Marshal(map[string]any{
		"event": map[string]string{"type": kind, "time": "2026-08-01T10:00:00.123456+00:00"}, "user": user,
		"alert_group": map[string]any{"id": "I68T24C13IFW1", "state": "acknowledged"}, "alert_payload": map[string]string{"alert_uid": "contoso/d-1/3"},
	})
	return hook.Request{Header: http.Header{"Authorization": {"Bearer s3cret"}}, Body: b}
}

func TestAPersonsAnswersAreRead(t *testing.T) {
	h := grafana.Hook{Token: "s3cret"}
	bo := map[string]string{"id": "U1", "username": "bo", "email": "bo@contoso.example"}
	for _, tt := range []struct {
		kind string
		user any
		want events.Answer
	}{
		{"acknowledge", bo, events.Took}, {"resolve", bo, events.Ended}, {"Acknowledged", bo, events.Took},
		{"resolve", nil, ""}, {"resolve", map[string]string{}, ""}, // automatic, such as by Curfew's "ok"
		{"alert group created", bo, ""}, {"silence", bo, ""},
	} {
		got, err := h.Read(outgoing(tt.kind, tt.user))
		switch {
		case err != nil:
			t.Errorf("%s: %v", tt.kind, err)
		case tt.want == "" && len(got) > 0:
			t.Errorf("%s is read as %+v", tt.kind, got)
		case tt.want != "" && (len(got) != 1 || got[0].Case != "contoso/d-1/3" || got[0].Did != tt.want || got[0].By != "bo" || got[0].At.Month() != time.August):
			t.Errorf("%s: got %+v", tt.kind, got)
		}
	}
	if _, err := (grafana.Hook{Token: "another"}).Read(outgoing("resolve", bo)); !errors.Is(err, hook.ErrStranger) {
		t.Errorf("a stranger: %v", err)
	}
}

func FuzzHook(f *testing.F) {
	f.Add(outgoing("resolve", map[string]string{"username": "bo"}).Body)
	f.Fuzz(func(t *testing.T, body []byte) {
		r := outgoing("", nil)
		r.Body = body
		got, err := (grafana.Hook{Token: "s3cret"}).Read(r)
		if err != nil && len(got) > 0 || len(got) > 0 && (got[0].Did == "" || got[0].By == "" || got[0].Case == "") {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}
