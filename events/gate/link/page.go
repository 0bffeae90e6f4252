package link

import (
	"bytes"
	"cmp"
	"context"
	"html/template"
	"net/http"

	"curfew/events"
)

// style is the whole look of a page. Its hash is in the page's policy.
const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:42em;margin:2em auto;padding:0 1em;color:#1a1a1a;background:#fff}
h1{font-size:1.4em}dt{font-weight:600;margin-top:.6em}dd{margin:0}
.note{border-left:4px solid #b45309;background:#fff7ed;padding:.5em 1em}
button{font:inherit;padding:.5em 1.2em;margin:.8em .8em 0 0;border:1px solid #1a1a1a;border-radius:4px;background:#fff}
.allow{background:#9b1c1c;border-color:#9b1c1c;color:#fff}
input{font:inherit;width:100%;box-sizing:border-box;padding:.4em}
small{color:#555}`

// A page is what people see.
type page struct {
	Title string
	Note  string // above all else
	Text  string

	Device, Tenant, Task string // Device "": there is nothing to decide about
	Stakes               []Stake
	Findings             []string
	SeenAt               string
	Approvals            []Stake // who, and when
	Needs                int

	Form  bool
	Allow bool // besides forbidding
	Deed  string
	Seal  string
	Who   string
	Until string
}

var pages = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.Title}}</title>
<style>` + style + `</style></head>
<body>
<h1>{{.Title}}</h1>
{{with .Note}}<p class="note"><b>{{.}}</b></p>
{{end}}{{with .Text}}<p>{{.}}</p>
{{end}}{{if .Device}}<dl>
<dt>device</dt><dd>{{.Device}}</dd>
<dt>tenant</dt><dd>{{.Tenant}}</dd>
{{range .Stakes}}<dt>{{.What}}</dt><dd>{{.Text}}</dd>
{{end}}<dt>risk now</dt><dd>{{range .Findings}}{{.}}<br>{{else}}none is seen{{end}}</dd>
<dt>seen</dt><dd>{{.SeenAt}}</dd>
<dt>approvals</dt><dd>{{len .Approvals}} of {{.Needs}}{{range .Approvals}}<br>{{.What}}, {{.Text}}{{end}}</dd>
<dt>task</dt><dd><code>{{.Task}}</code></dd>
</dl>
{{end}}{{if .Form}}<form method="post">
<input type="hidden" name="seal" value="{{.Seal}}">
<p>You answer as <b>{{.Who}}</b>, to whom this link was sent. It can be used once, until {{.Until}}.</p>
<p><label for="reason">Why, if you forbid it (optional)</label><input id="reason" name="reason" maxlength="500" autocomplete="off"></p>
<button name="answer" value="forbid">Forbid it</button>{{/* first, for it is what the Enter key chooses */}}
{{if .Allow}}<button class="allow" name="answer" value="allow">Allow: {{.Deed}}</button>
{{end}}</form>
{{end}}<p><small>Curfew. Opening this page changes nothing.</small></p>
</body>
</html>
`))

// say writes a page that decides nothing.
func (h *Handler) say(w http.ResponseWriter, status int, title, text string) {
	h.write(w, status, page{Title: title, Text: text})
}

// show writes how an invitation stands, with the form if it can be answered.
func (a answering) show(w http.ResponseWriter, r *http.Request, s standing, note string) {
	p := a.page(r.Context(), s)
	p.Note, p.Form, p.Allow = note, s.why == "", !s.full
	if s.why != "" {
		p.Text = s.why
		if note == "" {
			p.Title = "This link cannot be used"
		}
	}
	a.write(w, s.status, p)
}

// outcome writes what came of an answer.
func (a answering) outcome(w http.ResponseWriter, r *http.Request, s standing, title, text string) {
	p := a.page(r.Context(), s)
	p.Title, p.Text = title, text
	a.write(w, http.StatusOK, p)
}

// page says what there is to know about the task of an invitation.
func (a answering) page(ctx context.Context, s standing) page {
	p := page{Who: a.inv.Addressee, Until: a.when(a.inv.Expires)}
	if s.t.ID == "" || s.status == http.StatusForbidden { // it is over, or none of their business
		p.Title = "There is nothing to approve"
		return p
	}
	d := s.c.Device
	p.Device, p.Tenant = cmp.Or(line(d.Name, 80), s.c.Key.Device), s.c.Tenant
	if a.Tenant != nil {
		p.Tenant = cmp.Or(line(a.Tenant(s.c.Tenant), 80), p.Tenant)
	}
	p.Deed, p.Task, p.Seal, p.Needs = Deed(s.t.Action), s.t.ID, sealOf(s.t.Seal), s.t.Needs
	p.Title = p.Deed + ": " + p.Device + "?"
	for _, stake := range Stakes(s.c, s.t, a.escrow(ctx, s), a.when) {
		p.Stakes = append(p.Stakes, Stake{stake.What, line(stake.Text, 300)})
	}
	p.Findings, p.SeenAt = a.findings(d), "never"
	if !d.SeenAt.IsZero() {
		p.SeenAt = a.when(d.SeenAt)
	}
	for _, given := range s.t.Approvals {
		p.Approvals = append(p.Approvals, Stake{line(given.By, 254), a.when(given.At) + ", counts until " + a.when(given.At.Add(a.valid()))})
	}
	return p
}

func (a answering) findings(d events.Device) (out []string) {
	if a.Findings == nil {
		return []string{line(d.Risk(), 1000)}
	}
	for _, f := range a.Findings(d) {
		out = append(out, line(f, 300))
	}
	return out
}

// escrow is what is known of the recovery key, where it matters.
func (a answering) escrow(ctx context.Context, s standing) string {
	if a.Key == nil || !s.t.Action.Destructive() {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, readsIn)
	defer cancel()
	return a.Key(ctx, s.c)
}

func (h *Handler) write(w http.ResponseWriter, status int, p page) {
	var b bytes.Buffer
	if err := pages.Execute(&b, p); err != nil {
		h.log().Error("a page cannot be written", "err", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the asker may be gone
}
