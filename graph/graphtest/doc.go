// Package graphtest is Microsoft 365 for tests: tenants with Intune devices,
// Defender alerts, an Entra directory, mailboxes and change notifications, behind
// a sign-in service, a Graph and a Defender for Endpoint of their own. It is a
// server that keeps Microsoft's rules, not a mock that repeats what a test told
// it: a filter that Intune ignores is ignored, a 204 only means queued, "done" may
// be a lie.
//
//	cloud := graphtest.NewCloud()
//	defer cloud.Close()
//	contoso := cloud.AddTenant("contoso", "0e3b7f0e-5a51-4c1e-9d0c-6f6a6f3c2a11")
//	contoso.AddApp(clientID, secret, graphtest.AllRoles()...)
//	laptop := contoso.AddDevice(graphtest.Device{Name: "LT-042", User: "ana@contoso.example"})
//	contoso.Infect("LT-042", graphtest.Medium)
//	contoso.Notify("LT-042")
//	… the code under test asks, scans, mails, resets …
//	contoso.Happened("LT-042", graphtest.AutopilotReset) // 1
//
// A cloud needs no socket: Transport calls it in-process whatever the host, so it
// works in a testing/synctest bubble, where minutes and months cost nothing.
// Listen puts it on loopback HTTPS with a CA of its own; azidentity works against
// it with ActiveDirectoryAuthorityHost set to URL and DisableInstanceDiscovery.
//
// # What it guarantees
//
// State changes only by requests, by a tenant's verbs, and by time: what a device
// is doing is worked out from the clock when somebody looks, so nothing runs in
// the background but deliveries of notifications, which end at Close. Everything
// asked is recorded, the newest 10,000 requests of each tenant. A fleet of
// 100,000 devices costs nothing until something happens to one of them.
//
// # What may not be assumed
//
// That it knows more of Microsoft's service than its documentation and the public
// record do. Each rule names where it is from; where nothing is known, Rules has a
// switch or a comment says so. Properties that this product does not look at have
// plausible constants. There is no $batch, no $search, no $orderby but that of the
// audit logs, no write but those listed in routes.go, and no throttling but by
// Inject, Rules.SecurityPerMinute, and the limits of the audit logs and of
// Defender. Notifications are delivered in no promised order.
package graphtest
