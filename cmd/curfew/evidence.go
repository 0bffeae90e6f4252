package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/events/evidence"
	"curfew/events/journal"
)

// aboutEvidence says what a bundle proves, and what it does not.
const aboutEvidence = `Each record of a case holds the hash (SHA-256) of the record before it and of the
fact that it took. So nobody can change, remove or insert one, or change such a
fact, without changing everything that was written after it.

That does not stop somebody who writes everything anew: whoever can write to the
queue, or has the bundle, can compute every hash again, and can cut off the end.
Only a head shows that, which is the hash of the last record: write it down where
they cannot change it (in the ticket, in a mail, on paper), and check with --head.
Facts that changed nothing in the case are in no record; they are held by the hash
over the whole bundle alone.`

func newEvidenceCmd(a *app) *cobra.Command {
	var o evidenceOut
	cmd := &cobra.Command{
		Use:   "evidence DEVICE --out FILE",
		Short: "Write all that is kept about a device into a file that can be checked",
		Long: `Write all that is kept about a device into one file, which can be given to
somebody who has no access to Curfew, and be checked without it: every record of
the case and every fact exactly as stored; and, read from them, the decisions with
the version of the rules they were made by, and what became of each task: what held
it, who approved it, when it was begun and what Microsoft's record showed then, the
request ids, and the result.

` + aboutEvidence + `

The journal keeps the last 1000 records of a device, and facts for 90 days if the
configuration says nothing else. The file holds names, mail addresses and what
people wrote, and only you can read it (0600). Secrets are not kept in the journal.
If something looks like one all the same, you are told where.

` + aboutDevices + `

With --json what was written is told as by "curfew evidence verify --json". The
exit code is 1 if the chain was altered; the file is written then, too.`,
		Example: `  curfew evidence LT-042 --out LT-042.json
  curfew evidence contoso/LT-042 --out LT-042.json --force
  curfew evidence LT-042 --out - | gzip > LT-042.json.gz`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeDevice,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(a.stdout); err != nil {
				return err
			}
			return a.withQueue(cmd.Context(), func(q *queue) error { return a.makeEvidence(cmd.Context(), q, args[0], o) })
		},
	}
	cmd.Flags().StringVarP(&o.file, "out", "o", "", "the `FILE` to write; - is standard output")
	cmd.Flags().BoolVar(&o.force, "force", false, "replace the file if it is there")
	jsonFlag(cmd, &o.json)
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err) // there is no such flag
	}
	cmd.AddCommand(newEvidenceVerifyCmd(a), newEvidenceHeadCmd(a))
	return cmd
}

// evidenceOut says where a bundle goes.
type evidenceOut struct {
	file        string
	force, json bool
}

// place is what people call it.
func (o evidenceOut) place() string {
	if o.file == "-" {
		return "standard output"
	}
	return o.file
}

func (o evidenceOut) check(stdout io.Writer) error {
	if o.file == "-" {
		if isTerminal(stdout) {
			return wrong(errors.New("a bundle is not for reading on a terminal: name a file, or write it into a pipe"))
		}
		return nil
	}
	info, err := os.Lstat(o.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return wrong(err)
	case info.IsDir():
		return wrong(fmt.Errorf("%s is a directory; name a file", o.file))
	case !o.force:
		return wrong(fmt.Errorf("%s is there already; name another file, or replace it with --force", o.file))
	}
	return nil
}

func (a *app) makeEvidence(ctx context.Context, q *queue, ref string, o evidenceOut) error {
	key, name, err := q.evident(ctx, ref)
	if err != nil {
		return err
	}
	p, dir := a.printer(), filepath.Dir(o.file)
	if o.file == "-" {
		p.w, p.colour, dir = bufio.NewWriter(a.stderr), a.colours(a.stderr), ""
	}
	temp, err := os.CreateTemp(dir, ".curfew-evidence-*") // nobody else can read it
	if err != nil {
		return wrong(fmt.Errorf("the bundle cannot be written there: %w", err))
	}
	defer func() { _ = os.Remove(temp.Name()) }() // nothing is there if it has become the file
	defer temp.Close()
	b := readBuild()
	r, err := q.evidence(ctx, temp, evidence.About{
		Key: key, Device: name, Made: p.now, Keeps: journal.TimelineLength,
		By: a.operator(q.house, ""), Program: b.Version + prefixed(" ", b.Revision),
	})
	if err != nil {
		return err
	}
	if err := a.deliver(temp, o); err != nil {
		return err
	}
	if o.json {
		err = p.json(r)
	} else {
		(&teller{p, q.house}).evidence(r, o.place())
	}
	return errors.Join(err, p.flush(), altered(r))
}

// evident finds the device of a bundle. One whose last record cannot be read, for
// it may have been tampered with, has no name any more, but its id.
func (q *queue) evident(ctx context.Context, ref string) (events.Key, string, error) {
	found, err := q.find(ctx, ref)
	if err == nil {
		return found[0].Key, found[0].Device.Name, nil
	}
	tenant, device, _ := strings.Cut(ref, "/")
	if k := (events.Key{Tenant: q.tenantID(tenant), Device: device}); errors.Is(err, journal.ErrUnreadable) && k.Valid() {
		return k, "", nil
	}
	return events.Key{}, "", err
}

// evidence writes a bundle. While it is read the journal may drop the oldest
// records and add new ones, so one that looks altered is read again.
func (q *queue) evidence(ctx context.Context, file *os.File, about evidence.About) (r evidence.Report, err error) {
	for range 3 {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return r, err
		}
		if err := file.Truncate(0); err != nil {
			return r, err
		}
		out := bufio.NewWriterSize(file, 1<<16)
		if r, err = q.bundle(ctx, out, about); err != nil {
			return r, err
		}
		if err := errors.Join(out.Flush(), file.Sync()); err != nil {
			return r, err
		}
		if r.OK() {
			break
		}
	}
	return r, nil
}

// bundle writes one: first the records, so that the facts they took are there.
func (q *queue) bundle(ctx context.Context, out io.Writer, about evidence.About) (evidence.Report, error) {
	w := evidence.NewWriter(out, about)
	for it, err := range q.RawCases(ctx, about.Key) {
		if err := errors.Join(err, w.Record(it)); err != nil {
			return evidence.Report{}, err
		}
	}
	for it, err := range q.RawFacts(ctx, about.Key) {
		if err := errors.Join(err, w.Fact(it)); err != nil {
			return evidence.Report{}, err
		}
	}
	return w.Close()
}

// deliver puts the finished bundle where it belongs.
func (a *app) deliver(temp *os.File, o evidenceOut) error {
	if o.file != "-" {
		if err := o.check(a.stdout); err != nil { // somebody else may have written it meanwhile
			return err
		}
		return errors.Join(temp.Close(), os.Rename(temp.Name(), o.file))
	}
	if _, err := temp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(a.stdout, temp); err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	return nil
}

// A headLine is a head as "curfew evidence head --json" writes it.
type headLine struct {
	events.Key
	Name string `json:"name,omitempty"`
	Head string `json:"head"`
	evidence.Place
}

func newEvidenceHeadCmd(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "head DEVICE...",
		Short: "Print the newest hash of a device's chain, to be kept elsewhere",
		Long: `Print the head of a device's chain: the hash of its last record, which stands for
everything before it. Kept where nobody who can write to the queue can change it,
it shows later whether anything up to that record was altered:

  curfew evidence LT-042 --out LT-042.json
  curfew evidence verify LT-042.json --head HASH

` + aboutDevices + `

With --json each line is an object with tenant, device, name, head, and seq and at,
the number of the record in the stream and when it was stored.`,
		Example:           "  curfew evidence head LT-042\n  curfew evidence head LT-042 LT-044 --json",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeDevices,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withQueue(cmd.Context(), func(q *queue) error { return a.tellHeads(cmd.Context(), q, args, asJSON) })
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) tellHeads(ctx context.Context, q *queue, refs []string, asJSON bool) error {
	found, err := q.find(ctx, refs...)
	if err != nil {
		return err
	}
	p := a.printer()
	for _, c := range found {
		it, err := q.Head(ctx, c.Key)
		if err != nil {
			return errors.Join(p.flush(), err)
		}
		h := headLine{c.Key, c.Device.Name, evidence.Sum(it.Data()), evidence.Place{Seq: it.Seq, At: it.At}}
		if asJSON {
			if err := p.json(h); err != nil {
				return err
			}
			continue
		}
		p.printf("%s  %s, sequence %d of %s\n", h.Head, p.paint(bold, cmp.Or(clean(h.Name), h.Device)), it.Seq, p.clock(it.At))
	}
	return p.flush()
}
