package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"curfew/graph/baseline"
)

// loadBaseline reads and checks a baseline file, which may name these tenants only.
// It returns the specs by the tenants' names, and all problems at once, in the order
// of the file; if any of them is more than a warning, there are no specs.
func loadBaseline(path string, tenants []string) (map[string]baseline.Spec, []problem) {
	data, err := readBounded(path, maxConfig+1)
	if err != nil {
		return nil, []problem{{File: path, Line: 1, Column: 1, Text: "cannot read the baseline: " + reason(err) + "; `curfew baseline example` writes one to begin with"}}
	}
	return parseBaseline(path, data, tenants)
}

func parseBaseline(path string, data []byte, tenants []string) (map[string]baseline.Spec, []problem) {
	c := &checker{yamlFile: readYAML(path, data), dir: filepath.Dir(path), vaulted: map[string]bool{}}
	specs := map[string]baseline.Spec{}
	if c.value != nil && c.shape(baselineSchema) {
		file, _ := c.value.(map[string]any)
		overrides, _ := file["tenants"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(overrides)) {
			if spec, ok := c.tenantSpec(name, file["baseline"], overrides[name], tenants); ok {
				specs[name] = spec
			}
		}
	}
	all := inOrder(append(c.problems, c.found...))
	if len(mistakes(all)) > 0 {
		return nil, all
	}
	return specs, all
}

// tenantSpec puts a tenant's own words over those for all, and checks what comes of it.
func (c *checker) tenantSpec(name string, common, own any, tenants []string) (spec baseline.Spec, ok bool) {
	at := pointer("/tenants", name)
	if !slices.ContainsFunc(tenants, func(t string) bool { return strings.EqualFold(t, name) }) {
		pos := c.keyAt(at)
		c.found = append(c.found, problem{File: c.name, Line: pos.line, Column: pos.column, Path: dotted(at),
			Text: "the configuration has no tenant of this name; it has " + strings.Join(tenants, ", ")})
		return spec, false
	}
	b, err := json.Marshal(overlay(common, own))
	if err == nil {
		err = json.Unmarshal(b, &spec)
	}
	if err != nil {
		c.mistake(at, "this does not fit what a baseline is: %v", err)
		return spec, false
	}
	spec = spec.WithDefaults()
	for _, m := range spec.Check() {
		c.note(c.source(at, m.Path), c.at(c.source(at, m.Path)), m.Warning, "%s", m.Text)
	}
	return spec, true
}

// source is where what is at a path of a tenant's spec was written: in its own
// section, in the one for all, or as near to either as there is anything.
func (c *checker) source(tenant, path string) string {
	for near := path; ; near = above(near) {
		for _, begin := range []string{tenant, "/baseline"} {
			if c.written(begin + near) {
				return begin + near + path[len(near):]
			}
		}
		if near == "" {
			return tenant + path
		}
	}
}

// overlay puts one value over another: mappings key by key, anything else as a
// whole; null takes away.
func overlay(under, over any) any {
	mine, ok := over.(map[string]any)
	theirs, both := under.(map[string]any)
	if over == nil && both {
		return under // a tenant without words of its own
	}
	if !ok || !both {
		return over
	}
	out := maps.Clone(theirs)
	for key, v := range mine {
		if v == nil {
			delete(out, key)
		} else {
			out[key] = overlay(out[key], v)
		}
	}
	return out
}

func (c *config) tenantNames() (names []string) {
	for _, t := range c.Tenants {
		names = append(names, t.Name)
	}
	return names
}

// baselineFile is the file to use.
func (a *app) baselineFile(named string, conf *config) string {
	if named != "" {
		return named
	}
	return cmp.Or(conf.Baseline.File, filepath.Join(filepath.Dir(conf.File), "baseline.yaml"))
}

// specsOf are the specs of the tenants that a command is about, in the order of the
// configuration. Everything that is wrong is told.
func (a *app) specsOf(conf *config, s baselineScope) ([]tenantSpec, error) {
	id, err := houseOf(conf).knownTenant(s.tenant)
	if err != nil {
		return nil, err
	}
	file := a.baselineFile(s.file, conf)
	specs, problems := loadBaseline(file, conf.tenantNames())
	for _, p := range problems {
		fmt.Fprintln(a.stderr, clean(p.String()))
	}
	if specs == nil {
		return nil, wrong(fmt.Errorf("%s cannot be used: %s", file, count(len(mistakes(problems)), "mistake")))
	}
	var all []tenantSpec
	for _, t := range conf.Tenants {
		for name, spec := range specs {
			if strings.EqualFold(name, t.Name) && (id == "" || t.ID == id) {
				all = append(all, tenantSpec{t, spec})
			}
		}
	}
	if len(all) == 0 {
		return nil, notFound(fmt.Errorf("%s says nothing about tenant %s: put it under tenants", file, s.tenant))
	}
	return all, nil
}

// A tenantSpec is a tenant and how it is to be.
type tenantSpec struct {
	tenantConfig
	spec baseline.Spec
}
