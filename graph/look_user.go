package graph

import (
	"context"
	"errors"

	"curfew/events"

	"github.com/microsoftgraph/msgraph-sdk-go/users"
)

const maxGroups = 500 // of a user; more are named in Missing

type userRow struct {
	ID       text `json:"id"`
	UPN      text `json:"userPrincipalName"`
	Name     text `json:"displayName"`
	Mail     text `json:"mail"`
	Language text `json:"preferredLanguage"`
}

const needsUser = "User.Read.All"

func (c *Client) user(id string) *users.UserItemRequestBuilder {
	return users.NewUsersRequestBuilderInternal(nil, c.adapter).ByUserId(id)
}

// primary is how the device's user is asked for: by id, which survives a change
// of name, or else by name.
func primary(d *events.Device) string {
	if isGUID(d.UserID) {
		return d.UserID
	}
	return d.User
}

// lookUser reads whom to tell and in which language. A user that Entra does not
// have any more is nobody who could be told.
func (c *Client) lookUser(ctx context.Context, d *events.Device) error {
	var u userRow
	err := c.send(ctx, call{op: "read the user", needs: needsUser, service: identity}.
		of(c.user(primary(d)).ToGetRequestInformation(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{
				Select: []string{"id", "userPrincipalName", "displayName", "mail", "preferredLanguage"},
			},
		})), &u)
	if status(err) == 404 {
		d.Missing = append(d.Missing, "user: Entra does not have "+d.User+" any more")
		d.User, d.UserID, d.UserName = "", "", ""
		return nil
	}
	if err != nil {
		return orMissing(d, "user", err)
	}
	if u.UPN != "" {
		d.User = string(u.UPN)
	}
	if u.Name != "" {
		d.UserName = string(u.Name)
	}
	d.UserMail, d.Language = string(u.Mail), string(u.Language)
	if c.tenant.Look.TimeZone {
		c.lookZone(ctx, d)
	}
	return nil
}

type groupRow struct {
	Type text `json:"@odata.type"`
	ID   text `json:"id"`
	Name text `json:"displayName"`
}

// errStop ends a reading that has enough.
var errStop = errors.New("enough")

// lookGroups reads the groups of the user, those within groups included.
func (c *Client) lookGroups(ctx context.Context, d *events.Device) error {
	if primary(d) == "" {
		return nil // the user is gone
	}
	top := int32(999)
	k := call{op: "read the user's groups", needs: needsMembers, service: identity}
	b := c.user(primary(d)).TransitiveMemberOf()
	first := k.of(b.ToGetRequestInformation(ctx, &users.ItemTransitiveMemberOfRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.ItemTransitiveMemberOfRequestBuilderGetQueryParameters{Select: []string{"id", "displayName"}, Top: &top},
	}))
	next := func(link string) call { return k.of(b.WithUrl(link).ToGetRequestInformation(ctx, nil)) }
	seen := 0
	err := read(ctx, c.send, first, next, func(p page[groupRow]) error {
		for _, g := range p.Value.list {
			if g.Type != "#microsoft.graph.group" { // directory roles and administrative units come along
				continue
			}
			if seen++; seen > maxGroups {
				return errStop
			}
			d.Groups = append(d.Groups, string(g.ID))
			if g.Name != "" {
				d.Groups = append(d.Groups, string(g.Name))
			}
		}
		return nil
	})
	if errors.Is(err, errStop) {
		tooMany(d, "groups", maxGroups)
		return nil
	}
	return orMissing(d, "groups", c.about(k, err))
}
