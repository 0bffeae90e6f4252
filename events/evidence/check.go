package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"regexp"
	"slices"
	"time"
)

// A checker goes through a bundle once, records first and then facts. It keeps
// hashes and the account, but no item.
type checker struct {
	Report
	account
	seal      hash.Hash
	decisions []Decision

	last    Place
	lastSum string // the hash that the next record must hold
	marked  bool   // the last record holds one itself
	forged  bool   // the last record was found altered
	numbers map[string]int
	places  []Place
	taken   map[uint64]bond // by the sequence of the fact
	first   Place           // the first fact
	lastf   Place
}

// A bond is a record's word about the fact that it took.
type bond struct {
	seq uint64 // of the fact
	sum string // empty: from before there were chains
	by  Place
	at  time.Time // of the record
}

func newChecker(about About) *checker {
	c := &checker{Report: Report{About: about}, account: newAccount(), seal: sha256.New(), numbers: map[string]int{}, taken: map[uint64]bond{}}
	data, _ := json.Marshal(about) // texts, numbers and times can be JSON
	fmt.Fprintf(c.seal, "about %s\n", data)
	return c
}

func (c *checker) find(what string, at Place, format string, args ...any) {
	if len(c.Findings) < MostFindings {
		c.Findings = append(c.Findings, Finding{what, at, fmt.Sprintf(format, args...)})
	}
}

// item checks what records and facts have in common, and returns its place and
// whether it was altered.
func (c *checker) item(what string, n int, it Item, last Place) (at Place, forged bool) {
	fmt.Fprintf(c.seal, "%s %s\n", what, it.sum())
	at = Place{n, it.Seq, it.At}
	if forged = it.Sum != it.sum() || it.Text != "" && it.Base64 != nil; forged {
		c.find(what, at, "was altered: its bytes, sequence, time or kind are not those that the bundle was made with")
	}
	if n > 1 && it.Seq <= last.Seq {
		c.find(what, at, "is not where it was: it stands after number %d, which was stored later or is the same", last.N)
	}
	if looksSecret(it.Data()) && len(c.Secrets) < MostFindings {
		c.Secrets = append(c.Secrets, what+" "+at.String())
	}
	return at, forged
}

// looksSecret reports whether something in the data looks like a key or a token.
// None should be there; a person may have written one into a remark.
func looksSecret(data []byte) bool {
	maybe := func(mark string) bool { return bytes.Contains(data, []byte(mark)) }
	return slices.ContainsFunc([]string{"PRIVATE KEY", "eyJ", "earer ", "client_secret=", "password="}, maybe) && secret.Match(data)
}

var secret = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----|\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.|[Bb]earer [0-9A-Za-z._~+/-]{20,}|(client_secret|password)=[^&\s"]{8,}`)

// record takes the next record.
func (c *checker) record(it Item) error {
	c.Records++
	at, forged := c.item("record", c.Records, it, c.last)
	if c.Records == 1 {
		c.From = at
	}
	data := it.Data()
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		c.find("record", at, "cannot be read: %v", err)
	} else if r.Tenant != c.Key.Tenant || r.Device != c.Key.Device {
		c.find("record", at, "is about another device, %.130q", r.Tenant+"/"+r.Device)
	}
	c.follows(at, r.Prev)
	d, err := c.account.record(c.Records, it.Seq, r)
	if err != nil {
		return err
	}
	c.decisions = append(c.decisions, d)
	if r.Taken != 0 {
		c.taken[r.Taken] = bond{r.Taken, r.Fact, at, r.At}
	}
	c.last, c.To, c.lastSum, c.marked, c.forged = at, at, Sum(data), r.Prev != "", forged
	c.Head = c.lastSum
	c.numbers[c.lastSum] = c.Records
	c.places = append(c.places, at)
	return nil
}

// follows checks that a record follows the one before it.
func (c *checker) follows(at Place, prev string) {
	switch {
	case c.Records == 1 && prev == "":
		c.Begins, c.Unchained = BeginsUnchained, 1
	case c.Records == 1 && prev == First(c.Key):
		c.Begins = BeginsFirst
	case c.Records == 1:
		c.Begins = BeginsLater
	case prev == c.lastSum, c.forged: // as it should, or as was to be expected
	case prev == "" && !c.marked:
		c.Unchained++
	case prev == "":
		c.find("record", at, "holds no hash of the one before it, though that one does: it was altered or inserted, or written by a Curfew of before there were chains")
	case prev == First(c.Key):
		c.find("record", at, "is the first that was ever written about the device: the %s before it were inserted", count(c.Records-1, "record"))
	case c.numbers[prev] != 0:
		c.find("record", at, "follows record %s by its hash, and not the one before it here: what is between them was inserted or moved", c.places[c.numbers[prev]-1])
	default:
		c.find("record", at, "does not follow record %s: that one was altered, or what was between them was removed", c.last)
	}
}

// allRecords is called when the last record was taken. Too few are explained
// already if some were removed in between.
func (c *checker) allRecords() {
	if c.Begins == BeginsLater && c.Records < c.Keeps && c.OK() {
		c.find("record", c.From, "follows one that is not here, though the journal keeps %d and only %d are: those before it were removed", c.Keeps, c.Records)
	}
}

// fact takes the next fact, after all records.
func (c *checker) fact(it Item) error {
	c.Facts++
	at, forged := c.item("fact", c.Facts, it, c.lastf)
	if c.Facts == 1 {
		c.first = at
	}
	c.lastf = at
	if b, ok := c.taken[it.Seq]; ok && !later(it.At, b.at) {
		delete(c.taken, it.Seq)
		if sum := FactSum(it.Kind, it.Data()); b.sum == sum {
			c.Bound++
		} else if b.sum != "" && !forged {
			c.find("fact", at, "is not the one that record %s took: it was altered", b.by)
		}
	}
	return c.account.fact(it)
}

// later reports whether a fact was stored after the record at that time was
// made, so that it is none the record can have taken: a stream that was copied
// counts anew.
func later(fact, record time.Time) bool { return fact.After(record.Add(time.Minute)) }

// allFacts is called when the last fact was taken. What records took and is not
// there must be older than what is.
func (c *checker) allFacts() {
	var lost []bond
	for _, b := range c.taken {
		if c.Facts > 0 && c.first.Seq < b.seq && !later(c.first.At, b.at) {
			lost = append(lost, b)
		} else {
			c.Gone++
		}
	}
	slices.SortFunc(lost, func(a, b bond) int { return a.by.N - b.by.N })
	for _, b := range lost {
		c.find("record", b.by, "took a fact, sequence %d, that was removed", b.seq)
	}
}

func (c *checker) sealed() string {
	return hex.EncodeToString(c.seal.Sum(nil))
}

// known looks for a head that was kept elsewhere.
func (c *checker) known(head string) {
	if head == "" {
		return
	}
	if n := c.numbers[head]; n != 0 {
		c.Known = c.places[n-1]
		return
	}
	text := "holds no record with the hash that was kept: that record was altered or cut off"
	if c.Begins != BeginsFirst {
		text += ", or is older than the oldest here"
	}
	if c.Records > 0 {
		text += fmt.Sprintf("; the last one here is record %s", c.last)
	}
	c.find("bundle", Place{}, "%s", text)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
