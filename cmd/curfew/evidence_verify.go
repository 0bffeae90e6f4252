package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/events/evidence"
)

func newEvidenceVerifyCmd(a *app) *cobra.Command {
	var head string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a bundle of evidence, and name the record where it was altered",
		Long: `Check a bundle that "curfew evidence" wrote. It needs no worker, no configuration
and no network; FILE may be - for standard input. Whatever is not as Curfew wrote
it is named: the record or fact, its number in the queue, and its time.

` + aboutEvidence + `

With --json it is one object: key, device, made, by, program and keeps (what the
bundle says of itself), records, facts, from and to (the first and the last record:
n, seq, at), begins (first: with the first record ever written about the device;
later: with one whose predecessor is not kept any more; unchained: with records of
before there were chains, which unchained counts), bound (facts that are as the
records took them), gone (facts that records took and that are not kept any more),
head, seal (the hash over everything), known (the record of --head), findings
(what, n, seq, at, text) and secrets (where something looks like one).

The exit code is 0 if nothing was altered, 1 if something was or the file cannot be
read, and 2 if it is no bundle.`,
		Example: `  curfew evidence verify LT-042.json
  curfew evidence verify LT-042.json --head 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.verifyEvidence(cmd.Context(), cmd.InOrStdin(), args[0], head, asJSON)
		},
	}
	cmd.Flags().StringVar(&head, "head", "", "the `HASH` of a record that was kept elsewhere; the bundle must hold that record")
	jsonFlag(cmd, &asJSON)
	return cmd
}

var isHash = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (a *app) verifyEvidence(ctx context.Context, stdin io.Reader, file, head string, asJSON bool) error {
	head = strings.ToLower(strings.TrimSpace(head))
	if head != "" && !isHash.MatchString(head) {
		return wrong(errors.New("--head is a hash of 64 hexadecimal digits, as `curfew evidence head` prints it"))
	}
	in := &watched{ctx: ctx, r: stdin}
	if file != "-" {
		f, err := os.Open(file)
		if errors.Is(err, fs.ErrNotExist) {
			return wrong(err)
		} else if err != nil {
			return err
		}
		defer f.Close()
		in.r = f
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && isTerminal(a.stderr) {
			in.size, in.tell = info.Size(), a.stderr
		}
	}
	r, err := evidence.Verify(in, head)
	in.done()
	if errors.Is(err, evidence.ErrNoBundle) {
		return wrong(fmt.Errorf("%s: %w", file, err))
	} else if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	p := a.printer()
	if asJSON {
		err = p.json(r)
	} else {
		(&teller{p, house{}}).evidence(r, "")
	}
	return errors.Join(err, p.flush(), altered(r))
}

// altered is the error about what was found.
func altered(r evidence.Report) error {
	if r.OK() {
		return nil
	}
	return fmt.Errorf("the evidence is not as Curfew wrote it: %s", count(len(r.Findings), "finding"))
}

// A watched reader stops when ctx ends, and tells a person who waits for a big
// file how far it is.
type watched struct {
	ctx     context.Context
	r       io.Reader
	tell    io.Writer // nil: nobody waits
	size, n int64
	last    time.Time
	told    bool
}

func (w *watched) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.r.Read(p)
	w.n += int64(n)
	switch now := time.Now(); {
	case w.last.IsZero():
		w.last = now
	case w.tell != nil && w.size > 0 && now.Sub(w.last) > time.Second/2:
		w.last, w.told = now, true
		fmt.Fprintf(w.tell, "\rchecked %d %% ", 100*w.n/w.size)
	}
	return n, err
}

// done wipes away what was told.
func (w *watched) done() {
	if w.told {
		fmt.Fprint(w.tell, "\r              \r")
	}
}

// evidence tells how a bundle is; file is where it was just written to, if it was.
func (s *teller) evidence(r evidence.Report, file string) {
	verdict, st := "nothing was altered", green
	if !r.OK() {
		verdict, st = "NOT AS CURFEW WROTE IT", red
	}
	name := r.Device
	if name == "" {
		name = r.Key.Device
	}
	s.printf("%s  %s\n", s.paint(bold, name), s.paint(st, verdict))
	s.evidenceFact("device", s.tenant(r.Key.Tenant)+"/"+r.Key.Device)
	s.evidenceFact("made", s.when(r.Made)+prefixed(" by ", r.By)+prefixed(", with curfew ", r.Program))
	s.evidenceFact("records", s.recordsOf(r))
	s.evidenceFact("facts", s.factsOf(r))
	if r.Known.N > 0 {
		since := "it is the last"
		if more := r.Records - r.Known.N; more > 0 {
			since = count(more, "record") + " came after it"
		}
		s.evidenceFact("kept head", fmt.Sprintf("is that of record %d, of %s: what is up to it is as it was then; %s", r.Known.N, s.clock(r.Known.At), since))
	}
	s.evidenceFact("head", r.Head)
	s.evidenceFact("seal", r.Seal)
	var wrongs, secrets []painted
	for _, f := range r.Findings {
		wrongs = append(wrongs, s.paint(red, s.local(f.String())))
	}
	for _, where := range r.Secrets {
		secrets = append(secrets, s.paint(yellow, s.local(where)))
	}
	s.section("What was altered", wrongs)
	s.section("Looks like a key or a token; read it before you give the file away", secrets)
	switch {
	case file != "":
		s.printf("\nWritten to %s. Keep the head where nobody who can write to the\nqueue can change it; `curfew evidence verify FILE --head HEAD` compares with it.\n", s.paint(bold, file))
	case r.OK() && r.Known.N == 0:
		s.printf("\nNo head was given that was kept elsewhere, so this does not show whether somebody\nwrote everything anew, or cut off the end; see `curfew evidence verify --help`.\n")
	}
}

func (s *teller) evidenceFact(name, text string) {
	if text != "" {
		s.printf("  %s %s\n", s.padded(faint, name, 10), text)
	}
}

func (s *teller) recordsOf(r evidence.Report) string {
	if r.Records == 0 {
		return "none"
	}
	return join("; ",
		fmt.Sprintf("%d, from %s to %s", r.Records, s.clock(r.From.At), s.clock(r.To.At)),
		map[string]string{
			evidence.BeginsFirst:     "the first is the first ever written about the device",
			evidence.BeginsLater:     "what came before the first is not kept any more",
			evidence.BeginsUnchained: "the first " + count(r.Unchained, "record") + " of before there were chains, which nothing shows to be as written but what follows",
		}[r.Begins])
}

func (s *teller) factsOf(r evidence.Report) string {
	text := fmt.Sprintf("%d; %d of them are as the records took them", r.Facts, r.Bound)
	if r.Gone > 0 {
		text += fmt.Sprintf("; %d that records took are not kept any more", r.Gone)
	}
	return text
}
