package graph

import "context"

// maxPages is more than any list has; more means that the pages go in circles.
const maxPages = 20_000

// fetch makes a call: [Client.send], or a sweep's more patient way.
type fetch func(ctx context.Context, k call, into any) error

// read goes through a list page by page. next makes the request for a link;
// each is called with every page and ends the reading by an error. A nil error
// means that the list was read to its end.
func read[T any](ctx context.Context, get fetch, first call, next func(link string) call, each func(page[T]) error) error {
	k, seen := first, map[string]bool{}
	for range maxPages {
		var p page[T]
		if err := get(ctx, k, &p); err != nil {
			return err
		}
		if p.Value == nil {
			return &Error{Op: k.op, Message: "an answer that is no list"}
		}
		if err := each(p); err != nil {
			return err
		}
		link := string(p.Next)
		switch {
		case link == "":
			return nil
		case seen[link]:
			return &Error{Op: k.op, Message: "the pages of the list go in circles"}
		}
		seen[link] = true
		k = next(link)
	}
	return &Error{Op: k.op, Message: "the list has no end"}
}
