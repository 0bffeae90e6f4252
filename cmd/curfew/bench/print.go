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
		verdict, paint := "yes", "32"
		switch {
		case f.Must == "":
			verdict = ""
		case !f.Reached:
			verdict, paint = "NO", "31"
		}
		if colour && verdict != "" {
			verdict = "\x1b[" + paint + "m" + verdict + "\x1b[0m"
		}
		fmt.Fprintln(t, strings.Join([]string{f.Name, number(f.Value) + " " + f.Unit, number(f.Limit) + " " + f.Unit, fmt.Sprintf("%.2f", f.Ratio), f.Must, verdict}, "\t"))
	}
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
