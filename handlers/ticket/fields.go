package ticket

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/template"
	"unicode/utf8"

	"curfew/handlers"
)

// Fields are the fields of a customer's own, by the desk's names: any JSON value,
// in which every text is a template (text/template) over an [Event], such as
// "{{.Device.Serial}}" or {"value": "{{.Severity}}"}. What a template makes stays
// a text of JSON, whatever is in it.
type Fields map[string]any

// maxField bounds what a template makes, in bytes.
const maxField = 8 << 10

// Check reports every template that cannot be used: one that is none, or that
// asks for what an Event does not have.
func (f Fields) Check() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if _, err := fill(f[name], Event{Findings: []string{""}, Attention: []string{""}, Links: []handlers.Link{{}}}); err != nil {
			errs = append(errs, fmt.Errorf("its field %q: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// Fill returns the fields for an event.
func (f Fields) Fill(e Event) (map[string]any, error) {
	out := map[string]any{}
	for name, value := range f {
		filled, err := fill(value, e)
		if err != nil {
			return nil, handlers.GiveUp(fmt.Errorf("field %q: %w", name, err))
		}
		out[name] = filled
	}
	return out, nil
}

// Put fills the fields of several places into a body; the later ones outweigh the
// earlier ones, and both what is there already.
func Put(body map[string]any, e Event, of ...Fields) error {
	for _, f := range of {
		filled, err := f.Fill(e)
		if err != nil {
			return err
		}
		maps.Copy(body, filled)
	}
	return nil
}

func fill(value any, e Event) (any, error) {
	switch v := value.(type) {
	case string:
		return fillText(v, e)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = fill(v[i], e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		return Fields(v).Fill(e)
	}
	return value, nil
}

func fillText(text string, e Event) (string, error) {
	t, err := template.New("field").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := t.Execute(limited{&b}, e); err != nil {
		return "", err
	}
	if !utf8.Valid(b.Bytes()) {
		return "", errors.New("it makes something that is not UTF-8")
	}
	return b.String(), nil
}

// limited refuses to grow without end.
type limited struct{ b *bytes.Buffer }

func (l limited) Write(p []byte) (int, error) {
	if l.b.Len()+len(p) > maxField {
		return 0, io.ErrShortBuffer
	}
	return l.b.Write(p)
}
