package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// JSON writes figures as one array.
func JSON(w io.Writer, figures []Figure) error {
	if figures == nil {
		figures = []Figure{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(figures)
}

// Table writes figures for people.
func Table(w io.Writer, figures []Figure, colour bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join([]string{"WHAT", "MEASURED", "LIMIT", "RATIO", "MUST BE", "REACHED"}, "\t"))
	for _, f := range figures {
		verdict := "yes"
		switch {
		case f.Must == "":
			verdict = ""
		case !f.Reached:
			verdict = "NO"
		}
		fmt.Fprintln(t, strings.Join([]string{f.Name, number(f.Value) + " " + f.Unit, number(f.Limit) + " " + f.Unit, fmt.Sprintf("%.2f", f.Ratio), f.Must, verdict}, "\t"))
	}
	_ = colour
	return t.Flush()
}

// number shows three digits at least.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
