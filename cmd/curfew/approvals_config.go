package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"curfew/events"
	"curfew/events/gate/link"
	"curfew/events/rules"
)

// approvalsConfig is who is asked to approve, and what their word is worth.
type approvalsConfig struct {
	ValidFor rules.Duration `json:"valid_for"` // 0: a day
	People   []string       `json:"people"`    // mail addresses, for tenants that name none
	KeyFile  string         `json:"key_file"`  // empty: in the data directory
}

// defaultKey is the name of the key for approvals in the data directory.
const defaultKey = "approval.key"

// keyFile is where the key for approvals is, and whether only what is signed with
// it counts: where the file is named, an approval without it is none.
func (c *config) keyFile() (file string, demanded bool) {
	return cmp.Or(c.Approvals.KeyFile, filepath.Join(c.Data, defaultKey)), c.Approvals.KeyFile != ""
}

// links reports whether links can be sent: people are asked, and can reach us.
func (c *config) links() bool {
	u, err := url.Parse(c.PublicURL)
	return err == nil && u.Scheme == "https" && len(c.Policies.Approvers) > 0
}

// approvals checks who approves, and takes them into the policies and under the
// protection of their own devices.
func (c *checker) approvals(conf *config) {
	conf.Policies.Approval = time.Duration(conf.Approvals.ValidFor)
	conf.Approvals.KeyFile = c.path(conf.Approvals.KeyFile)
	all := events.Approvers{}
	take := func(path, tenant string, list []string) {
		if len(list) > 0 {
			c.addressees(path, list)
			all[tenant] = list
			conf.Protect.Approvers = append(conf.Protect.Approvers, list...)
		}
	}
	take("/approvals/people", "", conf.Approvals.People)
	for i, t := range conf.Tenants {
		take(fmt.Sprintf("/tenants/%d/approvers", i), t.ID, t.Approvers)
	}
	if len(all) > 0 {
		conf.Policies.Approvers = all
	}
	c.approvalKey(conf)
	c.asked(conf)
}

// addressees checks a list of mail addresses.
func (c *checker) addressees(path string, list []string) {
	for i, who := range list {
		at := fmt.Sprintf("%s/%d", path, i)
		same := func(other string) bool { return strings.EqualFold(other, who) }
		if a, err := mail.ParseAddress(who); err != nil || a.Address != who {
			c.mistake(at, "%.60q is not a mail address such as kim@contoso.example", who)
		} else if slices.ContainsFunc(list[:i], same) {
			c.mistake(at, "%s is named twice", who)
		}
	}
}

// approvalKey checks the key file, as far as there is one: the worker makes it.
func (c *checker) approvalKey(conf *config) {
	const at = "/approvals/key_file"
	if !c.written(at) {
		if conf.NATS != nil && conf.links() {
			c.warning("/approvals", "key_file is missing: a link that one worker has sent is nothing to another, unless all have the same key")
		}
		return
	}
	_, err := link.OpenKey(conf.Approvals.KeyFile)
	info, statErr := os.Stat(conf.Approvals.KeyFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if isFile(filepath.Dir(conf.Approvals.KeyFile)) {
			c.mistake(at, "the file that is named here cannot be made: its directory is a file")
		}
	case err != nil:
		c.missingFile(at, "the file that is named here cannot be used: it holds a key for approvals on each line, as `curfew run` makes it (%s)", keyTrouble(err))
	case statErr == nil && info.Mode().Perm()&0o004 != 0 && runtime.GOOS != "windows":
		c.warning(at, "everybody on this machine can read the key, and approve with it: chmod o-r")
	}
}

// keyTrouble is what is wrong with a key file, without its name: people put
// secrets where their file's name belongs.
func keyTrouble(err error) string {
	if _, unread := errors.AsType[*os.PathError](err); unread {
		return reason(err)
	}
	return "it holds something else"
}

// asked checks that whoever has to approve hears of it.
func (c *checker) asked(conf *config) {
	if !conf.Role.watches() {
		return // another process sends the mails
	}
	byMail := false
	for i, p := range conf.Policies.List {
		for j, r := range p.Ladder {
			at := fmt.Sprintf("/policies/%d/ladder/%d/approval", i, j)
			if r.Approvals == 0 || !c.written(at) {
				continue
			}
			asked := map[int][]string{} // tenants by how many people hear of it by mail
			for _, t := range conf.Tenants {
				if rules.Applies(p, t.ID) {
					n := len(conf.Policies.Approvers.Of(t.ID))
					asked[n] = append(asked[n], t.Name)
					byMail = byMail || n > 0
					c.inviter(t, conf, p)
				}
			}
			if silent := asked[0]; len(silent) > 0 && len(conf.Policies.Attention) == 0 && c.whole("/attention") && c.whole("/approvals") && c.whole("/tenants") {
				c.warning(at, "nobody hears that this waits in %s: name approvals.people, approvers of the tenant, or attention", strings.Join(silent, ", "))
			}
			for _, n := range slices.Sorted(maps.Keys(asked)) {
				if n > 0 && n < r.Approvals {
					c.warning(at, "%d people have to approve, and in %s only one is asked by mail; the other has to run `curfew approve`", r.Approvals, strings.Join(asked[n], ", "))
				}
			}
		}
	}
	if at := "/public_url"; byMail && !conf.links() && c.whole(at) {
		if !c.written(at) {
			at = "/approvals"
		}
		c.warning(at, "without a public_url that begins with https:// the mails to approvers hold no link, but the command to run")
	}
}

// inviter checks that a tenant can send mails to those who may approve.
func (c *checker) inviter(t tenantConfig, conf *config, p events.Policy) {
	path := ""
	for i := range conf.Tenants {
		if conf.Tenants[i].ID == t.ID {
			path = fmt.Sprintf("/tenants/%d", i)
		}
	}
	if t.MailFrom == "" && c.whole(path) && !slices.ContainsFunc(c.found, func(f problem) bool { return f.Path == dotted(path+"/mail_from") }) && len(conf.Policies.Approvers.Of(t.ID)) > 0 {
		c.mistake(path+"/mail_from", "this is missing: policy %s asks people for approval by mail; name the mailbox it comes from", p.Name)
	}
}
