package graphtest_test

import (
	"testing"
	"time"

	"curfew/graph/graphtest"
)

const property = "String {7f5b7c1e-5d7d-4a52-8a0a-0c7a3e1d9b10} Name Task"

func letter(task string, keep any) map[string]any {
	return map[string]any{
		"message": map[string]any{
			"subject":                "Your laptop",
			"body":                   map[string]string{"contentType": "text", "content": "Please leave it on."},
			"toRecipients":           []any{map[string]any{"emailAddress": map[string]string{"address": "ana@contoso.example"}}},
			"internetMessageHeaders": []any{map[string]string{"name": "x-curfew-case", "value": "17"}},
			"singleValueExtendedProperties": []any{
				map[string]string{"id": property, "value": task},
			},
		},
		"saveToSentItems": keep,
	}
}

// A sender can find out whether a mail went out.
func TestASentMailIsFoundByItsProperty(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddUser(graphtest.User{UPN: "curfew@contoso.example"})
		ask := func(task string) int {
			return len(d.get(where("users/curfew@contoso.example/mailFolders/sentitems/messages", "$filter",
				"singleValueExtendedProperties/Any(ep: ep/id eq '"+property+"' and ep/value eq '"+task+"')")).wants(200).rows())
		}
		d.ask("POST", "users/curfew@contoso.example/sendMail", letter("task-1", true)).wants(202)
		if n := ask("task-1"); n != 0 {
			t.Errorf("%d in Sent Items at once", n)
		}
		time.Sleep(2 * time.Second)
		d.ask("POST", "users/curfew@contoso.example/sendMail", letter("task-2", false)).wants(202)
		time.Sleep(2 * time.Second)
		if ask("task-1") != 1 || ask("task-2") != 0 || ask("task-3") != 0 {
			t.Errorf("%d, %d, %d", ask("task-1"), ask("task-2"), ask("task-3"))
		}
		mails := d.tenant.Mails()
		if len(mails) != 2 || mails[0].To[0] != "ana@contoso.example" || mails[0].Subject != "Your laptop" ||
			mails[0].Headers["x-curfew-case"] != "17" || mails[0].Extended[property] != "task-1" || mails[1].InSentItems {
			t.Errorf("%+v", mails)
		}
		d.app.Revoke("Mail.Read")
		d.get("users/curfew@contoso.example/mailFolders/sentitems/messages").wants(403).is("ErrorAccessDenied", "error", "code")
	})
}

func TestMailThatIsRefused(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.ask("POST", "users/nobody@contoso.example/sendMail", letter("1", nil)).wants(404)
		d.tenant.AddUser(graphtest.User{UPN: "curfew@contoso.example"})
		to := "users/curfew@contoso.example/sendMail"
		d.ask("POST", to, `{"message":{"subject":"x"}}`).wants(400).is("ErrorInvalidRecipients", "error", "code")
		bad := letter("1", nil)
		bad["message"].(map[string]any)["internetMessageHeaders"] = []any{map[string]string{"name": "Message-ID", "value": "1"}}
		d.ask("POST", to, bad).wants(400).is("InvalidInternetMessageHeader", "error", "code")
		if len(d.tenant.Mails()) != 0 {
			t.Errorf("%+v", d.tenant.Mails())
		}
	})
}

func TestUsersAndTheirGroups(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		id := d.tenant.AddUser(graphtest.User{UPN: "ana@contoso.example", Language: "de-DE", Groups: []string{"Staff", "VIP"}})
		d.get("users/"+id).wants(200).is("ana@contoso.example", "userPrincipalName").is("de-DE", "preferredLanguage").is(nil, "accountEnabled")
		d.get("users/ana@contoso.example?$select=accountEnabled").is(true, "accountEnabled")
		a := d.get("users/ana@contoso.example/transitiveMemberOf?$top=1").is(d.tenant.GroupID("Staff"), "value", 0, "id")
		d.get(a.at("@odata.nextLink").(string)).is("VIP", "value", 0, "displayName").is(nil, "@odata.nextLink")
		d.get("users/bo@contoso.example").wants(404)
	})
}
