package graph

import (
	"net/url"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"
)

// raw is a GET that the SDK has no builder for, or none that this package wants
// to compile: path is below the tenant's Graph, "beta/deviceManagement/…", and
// made of nothing but constants and ids that were checked. filter may be empty.
func (c *Client) raw(path, filter string) *abstractions.RequestInformation {
	if filter == "" {
		return c.query(path, nil)
	}
	return c.query(path, url.Values{"$filter": {filter}})
}

// query is raw with any options.
func (c *Client) query(path string, options url.Values) *abstractions.RequestInformation {
	req := abstractions.NewRequestInformation()
	req.Method = abstractions.GET
	link := c.graph + "/" + path
	if len(options) > 0 {
		// A plus in a query means a space to some and a plus to others.
		link += "?" + strings.NewReplacer("+", "%20", "%24", "$").Replace(options.Encode())
	}
	return c.linked(req, link)
}

// linked is a request to a link as it is; where it leads is checked when it goes
// out.
func (c *Client) linked(req *abstractions.RequestInformation, link string) *abstractions.RequestInformation {
	if u, err := url.Parse(link); err == nil {
		req.SetUri(*u)
	}
	req.Headers.TryAdd("Accept", "application/json")
	return req
}

// post is a POST of a JSON body, as raw is a GET.
func (c *Client) post(path string, body []byte) *abstractions.RequestInformation {
	req := abstractions.NewRequestInformation()
	req.Method = abstractions.POST
	req.SetStreamContentAndContentType(body, "application/json")
	return c.linked(req, c.graph+"/"+path)
}

// follow makes the request for a link to a further page.
func (c *Client) follow(k call) func(link string) call {
	return func(link string) call {
		req := abstractions.NewRequestInformation()
		req.Method = abstractions.GET
		return k.of(c.linked(req, link), nil)
	}
}
