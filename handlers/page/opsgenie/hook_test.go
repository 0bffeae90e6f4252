package opsgenie_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/handlers/page/hook"
	"curfew/handlers/page/opsgenie"
)

// post is a webhook as the documentation shows it.
func post(action, username string) hook.Request {
	body := `{"source":{"name":"","type":"web"},"alert":{"updatedAt":1420452224764002246,"tags":["t"],"message":"m","username":"` + username +
		`","alertId":"052652ac-5d1c","source":"s","alias":"contoso.d-1.3","tinyId":"23","createdAt":1420452191104,"userId":"u","entity":""},"action":"` +
		action + `","integrationId":"i","integrationName":"n"}`
	return hook.Request{Header: http.Header{"Authorization": {"Bearer s3cret"}}, Body: []byte(body)}
}

func TestAPersonsAnswersAreRead(t *testing.T) {
	h := opsgenie.Hook{Token: "s3cret"}
	for action, want := range map[string]events.Answer{
		"Acknowledge": events.Took, "AssignOwnership": events.Took, "AddNote": events.Commented, "Close": events.Ended,
		"Create": "", "UnAcknowledge": "", "Escalate": "",
	} {
		got, err := h.Read(post(action, "bo@contoso.example"))
		switch {
		case err != nil:
			t.Errorf("%s: %v", action, err)
		case want == "" && len(got) > 0:
			t.Errorf("%s is read as %+v", action, got)
		case want != "" && (len(got) != 1 || got[0].Case != "contoso/d-1/3" || got[0].Did != want || got[0].By != "bo@contoso.example" || got[0].At.Year() != 2015):
			t.Errorf("%s: got %+v", action, got)
		}
	}
	if got, err := h.Read(post("Close", "Curfew")); err != nil || len(got) > 0 {
		t.Errorf("what Curfew closed is read as %+v, %v", got, err)
	}
}

func TestStrangersAndNonsense(t *testing.T) {
	r := post("Close", "bo")
	if _, err := (opsgenie.Hook{Token: "another"}).Read(r); !errors.Is(err, hook.ErrStranger) {
		t.Errorf("a stranger: %v", err)
	}
	for _, body := range []string{"", "hello", "[]", "{}", `{"action":7}`, strings.Repeat("[", 100_000)} {
		r.Body = []byte(body)
		if got, err := (opsgenie.Hook{Token: "s3cret"}).Read(r); err == nil || errors.Is(err, hook.ErrStranger) {
			t.Errorf("%.20q is read as %v", body, got)
		}
	}
}

func FuzzHook(f *testing.F) {
	f.Add(post("Close", "bo").Body)
	f.Add([]byte(`{"action":"Close","alert":{"alias":"a","username":"b","updatedAt":-1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := post("", "")
		r.Body = body
		got, err := (opsgenie.Hook{Token: "s3cret"}).Read(r)
		if err != nil && len(got) > 0 {
			t.Error("an error and an answer")
		}
		for _, s := range got {
			if s.Did == "" || s.Case == "" || s.At.Before(time.Time{}) {
				t.Errorf("got %+v", s)
			}
		}
	})
}
