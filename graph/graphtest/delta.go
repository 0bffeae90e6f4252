package graphtest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A change is one to a directory object.
type change struct {
	device    int
	at        time.Time
	compliant *bool // isCompliant became this
	removed   bool
}

// A changelog is what devices/delta reads.
type changelog struct {
	log     []change // published, in order
	dropped int      // how many older ones are forgotten
	coming  []change // not yet visible: Entra lags behind
	known   map[int]bool
	epoch   int // tokens of an earlier one are refused
}

// keptChanges bounds the log; a token that is older than it must start anew.
const keptChanges = 200_000

func (c *changelog) add(ch change) {
	i, _ := slices.BinarySearchFunc(c.coming, ch, func(a, b change) int {
		if a.at.After(b.at) {
			return 1
		}
		return -1 // behind those of the same time
	})
	c.coming = slices.Insert(c.coming, i, ch)
}

// publish moves to the log what is visible by now.
func (c *changelog) publish(now time.Time) {
	n := 0
	for n < len(c.coming) && !c.coming[n].at.After(now) {
		if ch := c.coming[n]; ch.compliant != nil {
			if c.known == nil {
				c.known = map[int]bool{}
			}
			c.known[ch.device] = *ch.compliant
		}
		n++
	}
	c.log = append(c.log, c.coming[:n]...)
	c.coming = slices.Delete(c.coming, 0, n)
	if extra := len(c.log) - keptChanges; extra > keptChanges/10 {
		c.log, c.dropped = slices.Delete(c.log, 0, extra), c.dropped+extra
	}
}

// compliant is what the directory says by now.
func (c *changelog) compliant(d *device) bool {
	if v, ok := c.known[d.n]; ok {
		return v
	}
	return true
}

// A deltaToken is what a nextLink or deltaLink carries: with it, the parameters
// of the first request (Graph docs: device-delta).
type deltaToken struct {
	Epoch  int       `json:"e"`
	Issued time.Time `json:"t"`
	Log    int       `json:"l"`           // position in the log from where changes count
	Stop   int       `json:"x,omitempty"` // of this round
	Full   int       `json:"f,omitempty"` // position in a full read
	IsFull bool      `json:"g,omitempty"`
	Began  bool      `json:"b,omitempty"` // the empty first page was sent
	Select string    `json:"s,omitempty"`
	IDs    []string  `json:"i,omitempty"`
}

func (d deltaToken) String() string {
	b, _ := json.Marshal(d) // always marshals
	return base64.RawURLEncoding.EncodeToString(b)
}

// ResetDelta makes every delta token so far worthless: 410 Gone, start anew.
func (t *Tenant) ResetDelta() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes.epoch++
}

// deltaDevices is devices/delta (Graph docs: device-delta, delta-query-overview).
func (k *call) deltaDevices() reply {
	t := k.tenant
	tok, out := k.deltaToken()
	if out.status != 0 {
		return out
	}
	chosen, unknown := pick(entraProperties, tok.Select, k.beta)
	if unknown != "" {
		return k.noDirectoryProperty(unknown)
	}
	size := t.rules.DeltaPage
	if size <= 0 {
		size = 200
	}
	var rows []byte
	row := func(b []byte) {
		if len(rows) > 0 {
			rows = append(rows, ',')
		}
		rows = append(rows, b...)
	}
	more := false
	switch {
	case t.rules.DeltaEmptyPages && !tok.Began:
		more = true
	case tok.IsFull:
		for n := 0; tok.Full < t.count && n < size; tok.Full++ {
			d := t.at(tok.Full)
			if d == nil || !d.inEntra() || !tok.wants(d) {
				continue
			}
			row(appendRow(nil, managed{device: d, t: t, now: k.now}, chosen, nil, false))
			n++
		}
		more = tok.Full < t.count
	default:
		if tok.Stop == 0 {
			tok.Stop = t.changes.dropped + len(t.changes.log)
		}
		for n := 0; tok.Log < tok.Stop && n < size; tok.Log++ {
			ch := t.changes.log[tok.Log-t.changes.dropped]
			d := t.at(ch.device)
			if d == nil || !tok.wants(d) {
				continue
			}
			if b := k.deltaRow(ch, d, chosen, tok.Select); b != nil {
				row(b)
				n++
			}
		}
		more = tok.Log < tok.Stop
	}
	head := object{{"@odata.context", k.base + "/$metadata#devices/$delta"}}
	tok.Began = true
	if more {
		head = append(head, pair{"@odata.nextLink", k.root + k.r.URL.Path + "?$skiptoken=" + tok.String()})
	} else {
		end := deltaToken{Epoch: tok.Epoch, Issued: k.now, Log: max(tok.Log, tok.Stop), Select: tok.Select, IDs: tok.IDs}
		head = append(head, pair{"@odata.deltaLink", k.root + k.r.URL.Path + "?$deltatoken=" + end.String()})
	}
	return reply{status: http.StatusOK, body: collection(head, rows)}
}

func (d deltaToken) wants(dev *device) bool {
	return len(d.IDs) == 0 || slices.ContainsFunc(d.IDs, func(id string) bool { return strings.EqualFold(id, dev.ObjectID) })
}

// deltaRow is one changed object: its id and at least what changed. A change to
// a property that $select leaves out does not show.
func (k *call) deltaRow(ch change, d *device, chosen []*property[managed], sel string) []byte {
	m := managed{device: d, t: k.tenant, now: k.now}
	switch {
	case ch.removed || d.deleted:
		return object{{"id", d.ObjectID}, {"@removed", object{{"reason", "deleted"}}}}.bytes()
	case ch.compliant == nil:
		return appendRow(nil, m, chosen, nil, false)
	case sel != "" && !slices.ContainsFunc(chosen, func(p *property[managed]) bool { return p.name == "isCompliant" || p.name == "isManaged" }):
		return nil
	}
	return object{{"id", d.ObjectID}, {"deviceId", d.EntraID}, {"isCompliant", *ch.compliant}, {"isManaged", !d.retired}}.bytes()
}

// deltaToken reads the state a request carries, or begins a round.
func (k *call) deltaToken() (deltaToken, reply) {
	t := k.tenant
	now := t.changes.dropped + len(t.changes.log)
	begin := deltaToken{Epoch: t.changes.epoch, Issued: k.now, Log: now, Select: k.query.Get("$select")}
	text := k.query.Get("$deltatoken")
	if text == "" {
		text = k.query.Get("$skiptoken")
	}
	switch {
	case strings.EqualFold(text, "latest"): // "sync from now" (Graph docs: delta-query-overview)
		begin.Began = true
		return begin, reply{}
	case text == "":
		begin.IsFull = true
		ids, out := k.deltaIDs()
		begin.IDs = ids
		return begin, out
	}
	var tok deltaToken
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &tok)
	}
	if err != nil || tok.Log > now || tok.Stop > now {
		return tok, k.fail(http.StatusBadRequest, "Directory_InvalidDeltaToken", "Badly formed token.")
	}
	life := t.timing.Delta
	if life <= 0 {
		life = 7 * 24 * time.Hour
	}
	switch {
	case tok.Epoch == t.changes.epoch && k.now.Sub(tok.Issued) < life && tok.Log >= t.changes.dropped:
	case t.rules.DeltaExpiry400:
		return tok, k.fail(http.StatusBadRequest, "syncStateNotFound",
			"The sync state generation is not found. The delta token is expired and data must be synchronized again.")
	default:
		out := k.fail(http.StatusGone, "resyncRequired", "Resync required. Replace any local items with the server's version.")
		out.header = map[string]string{"Location": k.root + k.r.URL.Path + "?$deltatoken="}
		return tok, out
	}
	if t.rules.DeltaReplays && k.query.Has("$deltatoken") {
		tok.Log = max(t.changes.dropped, tok.Log-replayed)
	}
	return tok, reply{}
}

// replayed is how many changes DeltaReplays sends again.
const replayed = 3

// deltaIDs reads the one filter that delta has: id eq 'a' or id eq 'b'.
func (k *call) deltaIDs() (ids []string, bad reply) {
	where, err := parseFilter(k.query.Get("$filter"))
	supported := err == nil
	visit(where, func(c compare) {
		supported = supported && strings.EqualFold(c.path, "id") && c.op == "eq"
		ids = append(ids, c.value)
	})
	if !supported {
		return nil, k.fail(http.StatusBadRequest, "Request_UnsupportedQuery", "Unsupported Query: only id eq is supported with delta, "+
			strconv.Quote(k.query.Get("$filter"))+" was asked.")
	}
	return ids, reply{}
}
