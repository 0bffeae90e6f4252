package goalert_test

import (
	"encoding/json"
	"errors"
	"testing"

	"curfew/events"
	"curfew/handlers/page/goalert"
	"curfew/handlers/page/hook"
)

func notification(kind, entry string) hook.Request {
	b, _ := json.Marshal(map[string]any{
		"AppName": "GoAlert", "Type": kind, "AlertID": 10, "LogEntry": entry, "Summary": "s", "ServiceID": "x", "Meta": map[string]string{goalert.MetaKey: "contoso/d-1/3"},
	})
	return hook.Request{Rest: "s3cret", Body: b}
}

func TestAPersonsAnswersAreRead(t *testing.T) {
	h := goalert.Hook{Token: "s3cret"}
	for _, tt := range []struct {
		kind, entry string
		did         events.Answer
		by          string
	}{
		{"AlertStatus", "Acknowledged by Bo Berg via SMS", events.Took, "Bo Berg"},
		{"AlertStatus", "Closed by Bo Berg (Web)", events.Ended, "Bo Berg"},
		{"AlertStatus", "Closed by Bo Berg", events.Ended, "Bo Berg"},
		{"AlertStatus", "Closed via Curfew (Generic API)", "", ""},
		{"AlertStatus", "Escalated to step #2", "", ""},
		{"Alert", "Acknowledged by Bo Berg", "", ""},
		{"Verification", "", "", ""},
	} {
		got, err := h.Read(notification(tt.kind, tt.entry))
		switch {
		case err != nil:
			t.Errorf("%s %q: %v", tt.kind, tt.entry, err)
		case tt.did == "" && len(got) > 0:
			t.Errorf("%s %q is read as %+v", tt.kind, tt.entry, got)
		case tt.did != "" && (len(got) != 1 || got[0].Case != "contoso/d-1/3" || got[0].Did != tt.did || got[0].By != tt.by):
			t.Errorf("%s %q: got %+v", tt.kind, tt.entry, got)
		}
	}
	if _, err := (goalert.Hook{Token: "another"}).Read(notification("AlertStatus", "Closed by Bo")); !errors.Is(err, hook.ErrStranger) {
		t.Errorf("a stranger: %v", err)
	}
}

func FuzzHook(f *testing.F) {
	f.Add(notification("AlertStatus", "Acknowledged by Bo via SMS").Body)
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := (goalert.Hook{Token: "s3cret"}).Read(hook.Request{Rest: "s3cret", Body: body})
		if err != nil && len(got) > 0 || len(got) > 0 && (got[0].Did == "" || got[0].By == "" || got[0].Case == "") {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}
