package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/mail"
)

func newTemplateCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "template",
		Short: "List the mails to users, or see how one reads",
		Long: `See the mails that users get before they do: those that Curfew brings along, and
those of the directory that "templates" names in the configuration.`,
		Example: "  curfew template list\n  curfew template preview threat-found --sample threat",
	}
	return family(cmd, newTemplateListCmd(a), newTemplatePreviewCmd(a))
}

func newTemplateListCmd(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the mail templates",
		Long: `List the mail templates, the languages they come in, and what their subjects say.
A template for everybody is one of your own that names no language.

With --json each line is an object with name, subject and languages.`,
		Example: "  curfew template list\n  curfew template list -c curfew.yaml",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			h, err := a.mailer()
			if err != nil {
				return err
			}
			p := a.printer()
			var rows [][]cell
			for _, name := range h.Templates.Names() {
				m, err := h.Preview(name, sampleFor(name, p.now))
				if err != nil {
					return err
				}
				languages := slices.DeleteFunc(h.Templates.Languages(name), func(l string) bool { return l == "" })
				if asJSON {
					if err := p.json(map[string]any{"name": name, "subject": m.Subject, "languages": languages}); err != nil {
						return err
					}
				}
				rows = append(rows, []cell{{text: name, style: bold}, {text: cmp.Or(strings.Join(languages, " "), "for everybody")}, {text: m.Subject}})
			}
			if !asJSON {
				p.table([]string{"TEMPLATE", "LANGUAGES", "SUBJECT, FOR A SAMPLE"}, rows)
			}
			return p.flush()
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

type previewOptions struct {
	sample, device, language string
	html, json               bool
}

func newTemplatePreviewCmd(a *app) *cobra.Command {
	var o previewOptions
	cmd := &cobra.Command{
		Use:   "preview NAME",
		Short: "Write a mail as a user would get it",
		Long: `Write a mail as the user of a sample device would get it, or of a device that a
running worker knows. Nothing is sent.

With --json it is one object with subject, text and html.`,
		Example: `  curfew template preview threat-found --sample threat
  curfew template preview last-warning --case LT-042
  curfew template preview threat-found --lang de
  curfew template preview cleared --html > cleared.html`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			h, err := a.mailer()
			if err != nil || len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return h.Templates.Names(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.preview(cmd.Context(), args[0], o) },
	}
	names := sampleNames()
	cmd.Flags().StringVar(&o.sample, "sample", "", "which sample device: "+strings.Join(names, ", ")+"; left out: the one that fits the template")
	cmd.Flags().StringVar(&o.device, "case", "", "this `DEVICE` instead of a sample")
	cmd.Flags().StringVar(&o.language, "lang", "", "for a user who reads this `LANGUAGE`, such as de or de-AT; left out: the language of the case's user")
	cmd.Flags().BoolVar(&o.html, "html", false, "write the HTML alone")
	jsonFlag(cmd, &o.json)
	cmd.MarkFlagsMutuallyExclusive("sample", "case")
	cmd.MarkFlagsMutuallyExclusive("html", "json")
	_ = cmd.RegisterFlagCompletionFunc("sample", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("case", a.completeDevices)
	_ = cmd.RegisterFlagCompletionFunc("lang", func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		h, err := a.mailer()
		if err != nil || len(args) == 0 {
			return handlers.Languages(), cobra.ShellCompDirectiveNoFileComp
		}
		return h.Templates.Languages(args[0]), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

// mailer writes mails as the configuration wants them, or as they come.
func (a *app) mailer() (mail.Handler, error) {
	h, err := a.house(a.logger(slog.LevelWarn))
	if err != nil {
		return mail.Handler{}, err
	}
	conf := h.conf
	if conf == nil {
		conf = &config{}
	}
	templates, err := templatesOf(conf.Templates)
	if err != nil {
		return mail.Handler{}, wrong(err)
	}
	out := writer(conf, templates)
	out.Tenant, out.Stakes = h.tenant, stakes
	if h.conf == nil || h.conf.links() {
		out.Invite = exampleInvite // a real link would be a way to approve
	}
	out.ResetDue = func(c events.Case) time.Time {
		if h.rules == nil {
			return time.Time{}
		}
		return c.ResetDue(*h.rules)
	}
	return out, nil
}

func (a *app) preview(ctx context.Context, name string, o previewOptions) error {
	h, err := a.mailer()
	if err != nil {
		return err
	}
	if !slices.Contains(h.Templates.Names(), name) {
		return notFound(fmt.Errorf("no template is called %q; there are: %s", name, strings.Join(h.Templates.Names(), ", ")))
	}
	p := a.printer()
	c := sampleFor(name, p.now)
	switch {
	case o.device != "":
		if c, err = a.caseOf(ctx, o.device); err != nil {
			return err
		}
	default:
		if o.sample != "" {
			var ok bool
			if c, ok = samples(p.now)[o.sample]; !ok {
				return wrong(fmt.Errorf("no sample is called %q; there are: %s", o.sample, strings.Join(sampleNames(), ", ")))
			}
		}
		h.ResetDue = sampleReset
	}
	if o.language != "" {
		if err := inLanguage(&h, &c, name, o.language); err != nil {
			return err
		}
	}
	m, err := h.Preview(name, c)
	if err != nil {
		return err
	}
	switch {
	case o.json:
		err = p.json(map[string]string{"subject": m.Subject, "text": m.Text, "html": m.HTML})
	case o.html:
		p.printf("%s\n", painted(cleanBlock(m.HTML)))
	default:
		p.printf("%s %s\n\n%s\n", p.paint(faint, "Subject:"), p.paint(bold, m.Subject), painted(cleanBlock(m.Text)))
	}
	if err != nil {
		return err
	}
	return p.flush()
}

// inLanguage makes the case one whose user reads a language.
func inLanguage(h *mail.Handler, c *events.Case, name, language string) error {
	there := h.Templates.Languages(name)
	if !slices.ContainsFunc(handlers.Widen(language), func(tag string) bool { return slices.Contains(there, tag) }) {
		known := slices.DeleteFunc(there, func(l string) bool { return l == "" })
		return notFound(fmt.Errorf("%s does not come in %q; languages it comes in: %s", name, language, cmp.Or(strings.Join(known, ", "), "none, it is one for everybody")))
	}
	c.Device.Language, c.Person.Language, h.Language = language, language, language
	return nil
}

// caseOf is the case of a device that a running worker knows.
func (a *app) caseOf(ctx context.Context, ref string) (c events.Case, err error) {
	err = a.withQueue(ctx, func(q *queue) error {
		found, err := q.find(ctx, ref)
		if err == nil {
			c = found[0]
		}
		return err
	})
	return c, err
}
