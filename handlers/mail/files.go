package mail

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"curfew/handlers"
)

//go:embed templates
var builtin embed.FS

// The three files of a template: its name, a language if it is not for all, and
// one of these. The layouts hold what templates share.
const (
	subjectFile = ".subject.txt"
	textFile    = ".txt"
	htmlFile    = ".html"
	layout      = "layout"
)

// suffixes are the files of a template, the longer suffix first.
func suffixes() []string { return []string{subjectFile, textFile, htmlFile} }

// Fallback is the language that what comes without one is in, and the last resort.
const Fallback = "en"

// tag is how a language stands in a file's name.
var tag = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{2,8})*$`)

// A version is a template, or the layout, in one language; empty: that of the
// configuration.
type version struct{ name, language string }

// files are what is in template files, by version and suffix.
type files map[version]map[string]string

// load reads the files that Curfew brings along, and those of dir in their place.
func load(dir fs.FS) (files, error) {
	brought, err := fs.Sub(builtin, "templates")
	if err != nil {
		return nil, fmt.Errorf("mail templates: %w", err)
	}
	all, err := read(brought)
	if err != nil {
		return nil, err
	}
	for v, parts := range all { // what Curfew brings without a language is English
		if v.language == "" {
			delete(all, v)
			all[version{v.name, Fallback}] = parts
		}
	}
	if dir == nil {
		return all, nil
	}
	own, err := read(dir)
	if err != nil {
		return nil, err
	}
	all.replace(own)
	return all, nil
}

// replace puts own files in the place of those that are there. A template of
// which there is one without a language comes in that version, and in languages
// of which there is a file, and in no other: what the operator wrote for everybody
// is for everybody. A layout without a language is the English one.
func (all files) replace(own files) {
	for v := range own {
		if v.language != "" || v.name == layout {
			continue
		}
		english := maps.Clone(all[version{v.name, Fallback}])
		maps.DeleteFunc(all, func(old version, _ map[string]string) bool { return old.name == v.name && own[old] == nil })
		if english != nil {
			all[v] = english // for the files that are not replaced
		}
	}
	for _, v := range own.sorted() { // those without a language first
		to := v
		if to == (version{layout, ""}) {
			to.language = Fallback
		}
		if all[to] == nil {
			all[to] = map[string]string{}
		}
		maps.Copy(all[to], own[v])
	}
}

// read collects the template files of a directory.
func read(dir fs.FS) (files, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, fmt.Errorf("mail templates: %w", err)
	}
	out := files{}
	var errs []error
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		v, suffix, err := split(e.Name())
		if err != nil {
			errs = append(errs, err)
			continue
		}
		b, err := fs.ReadFile(dir, e.Name())
		if err != nil {
			errs = append(errs, fmt.Errorf("mail templates: %w", err))
			continue
		}
		if out[v] == nil {
			out[v] = map[string]string{}
		}
		out[v][suffix] = string(b)
	}
	return out, errors.Join(errs...)
}

// split takes a file's name apart: NAME, NAME.de or NAME.de-AT, and a suffix.
func split(file string) (version, string, error) {
	ext := path.Ext(file)
	if ext != textFile && ext != htmlFile {
		return version{}, "", fmt.Errorf("mail templates: %s: want NAME%s, NAME%s or NAME%s, or with a language NAME.de%s", file, subjectFile, textFile, htmlFile, textFile)
	}
	for _, suffix := range suffixes() {
		stem, ok := strings.CutSuffix(file, suffix)
		if !ok {
			continue
		}
		name, language, _ := strings.Cut(stem, ".")
		language = strings.ToLower(language)
		if name == "" || language != "" && !tag.MatchString(language) || strings.HasSuffix(stem, ".") {
			return version{}, "", fmt.Errorf("mail templates: %s: what stands between the name and %s must be a language such as de or de-AT", file, suffix)
		}
		return version{name, language}, suffix, nil
	}
	return version{}, "", fmt.Errorf("mail templates: %s: there is nothing in front of %s", file, ext)
}

// sorted are the versions by name and language.
func (all files) sorted() []version {
	return slices.SortedFunc(maps.Keys(all), func(a, b version) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.language, b.language))
	})
}

// layout is what templates in a language share, in the nearest language there is.
func (all files) layout(language, suffix string) (name, text string) {
	for _, l := range append(handlers.Widen(language), Fallback) {
		if text, ok := all[version{layout, l}][suffix]; ok {
			return version{layout, l}.file(suffix), text
		}
	}
	return layout + suffix, ""
}

// file is the name of one of the version's files.
func (v version) file(suffix string) string {
	if v.language == "" || v.language == Fallback {
		return v.name + suffix
	}
	return v.name + "." + v.language + suffix
}
