// Package ticket keeps one ticket for each case at a help desk. It serves the
// actions ticket and close.
//
// What [Handler] guarantees at every desk:
//
//   - A case has at most one open ticket at a destination. It is searched by a key
//     before it is made, and again afterwards; of two that requests with lost
//     answers made, the older is kept and the newer resolved.
//   - An attempt whose answer was lost is never repeated before the desk's search
//     would show what it made ([Late]).
//   - A repeat is a note with a count, and the same is not said twice in an hour.
//   - A ticket that a person has changed since Curfew last did is not resolved: it
//     is told that the case is over. A resolved one is reopened if the same case
//     needs it again soon; later a new one goes on from it.
//   - A desk that asks for time is given it by every task, and one that does not
//     answer is left alone for a while, so that it does not hold up the others.
//
// What may not be assumed: that two people look at the same ticket at the same
// moment (between reading and resolving one a person may change it), or that a
// desk shows everything the account may not read.
//
// # How a vendor's desk is written
//
// A package below this one, of a vendor's name, holds a struct with the address,
// secrets as plain values, a *http.Client from [handlers.NewClient] and the
// [Customers], and makes it a [Desk]. It decides nothing; it only says:
//
//   - which field carries [New.Key] (it must be searchable and must not be shown
//     to customers), and how it is searched. Find sends generated keys only, and
//     drops rows with another key: some vendors answer with everything when they
//     do not understand a filter.
//   - how late the search is: a method Lag, if it is not read-after-write.
//   - how a text is kept from being markup: by the form of the body if there is a
//     plain one, else by escaping. Titles go through [handlers.Line].
//   - how a state is read, from what is the same for all customers (a category,
//     a flag), and how it is changed; [ErrCannot] if there is no way.
//   - whose notes and changes are Curfew's: by the account's id. All else but the
//     desk's own automation is a person's ([Ticket.PersonAt]).
//   - what a refusal means, where it is not what [handlers.CheckStatus] says.
//
// Requests go through [API], which marks errors, keeps secrets out of them and
// takes pages for people as no answer. Where a ticket goes is [Customers.Place],
// fields of the customer's own are [Fields] and [Put], and a text that is too long
// for a field is cut by [Shorten], which keeps the mark in its last line.
// A desk that takes no plain text is given [HTML] and read by [Plain]; an access
// token that ends is a [Grant], and the account's id is [Known] once it was asked for.
// Comments name the vendor's documentation and its version.
//
// Its fake is a server in a folder named after the package with "test" behind it,
// which keeps the vendor's rules, each with the place where it is documented, and
// has verbs for what people do at a desk. The test makes both and calls
// desktest.Run; what a fake must show is in desktest.World. What is the vendor's
// own is told by desktest.Tell.
//
// # What a receiver of the signed webhook gets, and must do
//
//   - A POST with an [Event] as its body, one for each task.
//   - Curfew-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">.
//     [Verify] checks it; in any language: over the raw body, in constant time, and
//     refusing a t that is more than five minutes off. There may be several v1 while
//     a secret is changed, and parts of other names; one v1 that fits is enough.
//   - Idempotency-Key: the task's id, at most 200 characters. The same key comes
//     again after a crash, a time-out or a 5xx, for days. The answer must then be
//     the first one, and nothing must be done a second time; the body may differ,
//     because the device was looked at again meanwhile.
//   - Answer 2xx with {"id": "...", "url": "..."}, both optional: what people call
//     the ticket, and where they find it (https). The id comes back as "ref" in what
//     follows. 408, 429 and 5xx are tried again, not before Retry-After; everything
//     else is given up and shown to a person. Redirects are not followed.
//
// "closed" may arrive for a ticket that somebody closed already, and "updated"
// for one that is not there any more; neither is an error.
package ticket
