package graph

import (
	"context"
	"net/http"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	sdksubscriptions "github.com/microsoftgraph/msgraph-sdk-go/subscriptions"
)

// subscriptionRow is a subscription of Graph v1.0.
type subscriptionRow struct {
	ID       long   `json:"id"`
	Resource long   `json:"resource"`
	Changes  long   `json:"changeType"`
	URL      long   `json:"notificationUrl"`
	Life     long   `json:"lifecycleNotificationUrl"`
	State    long   `json:"clientState"`
	Expires  moment `json:"expirationDateTime"`
}

func (c *Client) subscribed() *sdksubscriptions.SubscriptionsRequestBuilder {
	return sdksubscriptions.NewSubscriptionsRequestBuilderInternal(nil, c.adapter)
}

// subscriptions are all that the app has in this tenant (Graph docs:
// subscription-list).
func (c *Client) subscriptions(ctx context.Context) ([]subscriptionRow, error) {
	k := call{op: "list subscriptions", service: subscribing}
	next := func(link string) call {
		return k.of(c.subscribed().WithUrl(link).ToGetRequestInformation(ctx, nil))
	}
	var all []subscriptionRow
	err := read(ctx, c.send, k.of(c.subscribed().ToGetRequestInformation(ctx, nil)), next, func(p page[subscriptionRow]) error {
		if p.Value.bad > 0 {
			return &Error{Op: k.op, Message: "a subscription that cannot be read"}
		}
		all = append(all, p.Value.list...)
		return nil
	})
	if err != nil {
		return nil, c.about(k, err)
	}
	for _, row := range all {
		if !isGUID(string(row.ID)) {
			return nil, c.told(k, final("", "%q is not the id of a subscription", oneLine(string(row.ID), 64)))
		}
	}
	return all, nil
}

// subscribe makes a subscription. Before it answers, Graph knocks at both URLs
// (Graph docs: subscription-post-subscriptions,
// change-notifications-delivery-webhooks, 2025-01).
func (c *Client) subscribe(ctx context.Context, s subscription, expires time.Time) (subscriptionRow, error) {
	state := string(s.State)
	body := models.NewSubscription()
	body.SetResource(&s.Resource)
	body.SetChangeType(&s.Changes)
	body.SetNotificationUrl(&s.URL)
	body.SetLifecycleNotificationUrl(&s.Lifecycle) // cannot be added later
	body.SetClientState(&state)
	body.SetExpirationDateTime(&expires)
	k := call{op: "subscribe to " + oneLine(s.Resource, 64), service: subscribing, write: true, effect: true}
	var row subscriptionRow
	if err := c.send(ctx, k.of(c.subscribed().ToPostRequestInformation(ctx, body, nil)), &row); err != nil {
		return row, err
	}
	return row, c.sound(k, row)
}

// renew gives a subscription a longer life, which also answers a request to
// reauthorize (Graph docs: change-notifications-lifecycle-events, 2024-12).
func (c *Client) renew(ctx context.Context, id string, expires time.Time) (subscriptionRow, error) {
	body := models.NewSubscription()
	body.SetExpirationDateTime(&expires)
	k := call{op: "renew a subscription", service: subscribing, write: true, effect: true}
	var row subscriptionRow
	if err := c.send(ctx, k.of(c.subscribed().BySubscriptionId(id).ToPatchRequestInformation(ctx, body, nil)), &row); err != nil {
		return row, err
	}
	return row, c.sound(k, row)
}

// sound makes sure that an answer has what will be needed of it.
func (c *Client) sound(k call, row subscriptionRow) error {
	if !isGUID(string(row.ID)) || row.Expires.time().IsZero() {
		return c.told(k, &Error{Message: "Graph answers without the subscription's id or end"})
	}
	return nil
}

// unsubscribe removes a subscription; one that is not there is removed.
func (c *Client) unsubscribe(ctx context.Context, id string) error {
	k := call{op: "remove a subscription", service: subscribing, write: true, effect: true}
	err := c.send(ctx, k.of(c.subscribed().BySubscriptionId(id).ToDeleteRequestInformation(ctx, nil)), nil)
	if status(err) == http.StatusNotFound {
		return nil
	}
	return err
}
