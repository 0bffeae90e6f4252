package readiness

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"
)

//go:embed page.html
var pageText string

// HTML writes the report as one page that needs nothing from elsewhere, and runs
// nothing. Names are text in it, whatever they are made of.
func (r Report) HTML(w io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{"clock": clock, "round": func(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("the page's template: %w", err)
	}
	var b bytes.Buffer // so that half a page is never written
	if err := t.Execute(&b, r); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// The chart is drawn in units of a thousandth of a platform's devices.
const chartWidth = 1000

// A Bar is one part of a platform's bar.
type Bar struct {
	Class, Label string
	X, Width     float64
	Count        int
}

// Bars are the parts of a platform's bar, from ready on.
func (p Platform) Bars() []Bar {
	var out []Bar
	x := 0.0
	for _, b := range []Bar{
		{Class: "ready", Label: "ready", Count: p.Ready},
		{Class: "other", Label: "other findings", Count: p.Other},
		{Class: "silent", Label: "not reporting", Count: p.Silent},
		{Class: "nopolicy", Label: "without a policy", Count: p.NoPolicy},
		{Class: "grace", Label: "in grace", Count: p.Grace},
		{Class: "bad", Label: "not compliant", Count: p.NonCompliant},
	} {
		if b.Count == 0 || p.Devices == 0 {
			continue
		}
		b.X, b.Width = x, chartWidth*float64(b.Count)/float64(p.Devices)
		x += b.Width
		out = append(out, b)
	}
	return out
}

// Share is how much of the platform is ready, in whole percent, rounded down: it
// says 100 of a platform only if all of it is.
func (p Platform) Share() int {
	if p.Devices == 0 {
		return 0
	}
	return 100 * p.Ready / p.Devices
}

// Legend are all parts that a bar may have.
func (r Report) Legend() []Bar {
	return Platform{Devices: 6, Ready: 1, Other: 1, Silent: 1, NoPolicy: 1, Grace: 1, NonCompliant: 1}.Bars()
}
