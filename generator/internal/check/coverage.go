package check

import (
	"cmp"
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/directive"
	"github.com/cachegen/cachegen/generator/model"
)

// coverage checks that reads and writes meet: what a read depends on some write drops, and
// what a write drops some read depends on.
func (c *checker) coverage() {
	dropped, depended := map[string]bool{}, map[string]bool{}
	for _, u := range c.uses {
		if u.drop {
			dropped[u.repo+"/"+u.name] = true
		} else {
			depended[u.repo+"/"+u.name] = true
		}
	}
	known, swept := map[string]bool{}, map[string]bool{} // swept: by every write
	for _, r := range c.repos {
		known[r.model.Name] = true
		swept[r.model.Name] = r.allDropAll()
		r.each(model.Write, func(m *method) {
			for _, p := range m.model.Write.Puts { // a put drops the tags of the entry it replaces
				for _, t := range p.Read.Read.Tags {
					dropped[t.Repo+"/"+t.Name] = true
				}
			}
		})
	}
	elsewhere := &others{checker: c}
	for _, u := range c.uses {
		name := u.repo + "/" + u.name
		switch {
		case u.unresolved:
		case u.drop && (depended[name] || u.name == "*" && known[u.repo] || u.method.accepts("CG202") || elsewhere.depends(u)):
		case !u.drop && (dropped[name] || swept[u.repo] || u.method.accepts("CG201") || elsewhere.drops(u)):
		case !known[u.repo] && !elsewhere.repos[u.repo]:
			c.nowhere(u, slices.Sorted(maps.Keys(elsewhere.repos)))
		case u.drop:
			c.unused(u, depended)
		default:
			c.undropped(u, dropped)
		}
	}
	for _, r := range c.repos {
		if !swept[r.model.Name] {
			r.each(model.Read, (*method).reachable)
		}
	}
}

// allDropAll reports whether every write of the repository drops all of it, so that no read
// needs a tag.
func (r *repo) allDropAll() bool {
	writes, all := 0, true
	r.each(model.Write, func(m *method) {
		writes++
		all = all && slices.Contains(m.model.Write.DropAll, r.model.Name)
	})
	return writes > 0 && all
}

// reachable reports a read with an answer that no write reaches: one that depends on no tag,
// because there is none or because all are made of what the answer does not hold.
func (m *method) reachable() {
	r, tags := m.model.Read, m.dir.All("tag")
	if r.Level == model.Eventual || m.accepts("CG201") || m.dir.Faulty {
		return
	}
	const all = "add a tag of the parameters, or one without arguments, and drop it where %s"
	switch {
	case len(tags) == 0:
		m.repo.Add("CG201", m.dir.At, "add tag=, or say that its TTL is all it needs: level=eventual",
			"%s depends on no tag: what a write without drop=* changes would be missing for up to %s", m.fn.Name(), lifetime(r.TTL))
	case len(r.Rows) < len(tags): // one of the parameters, or a faulty one
	case !slices.ContainsFunc(r.Rows, func(t model.Tag) bool { return !ofRow(t) }):
		m.repo.Add("CG201", tags[0].Value.Span(), fmt.Sprintf(all, "a row is added"),
			"the list of %s depends only on the rows that it holds: a new row may be missing for up to %s", m.fn.Name(), lifetime(r.TTL))
	case r.Negative > 0:
		m.repo.Add("CG201", tags[0].Value.Span(), fmt.Sprintf(all, "it is created")+"; or negative=0s",
			"%s depends only on its result: what it did not find may be missing for up to %s after it was created", m.fn.Name(), lifetime(min(r.Negative, r.TTL)))
	}
}

// nowhere reports a tag of a repository that is not in the module.
func (c *checker) nowhere(u use, repos []string) {
	code := "CG201"
	if u.drop {
		code = "CG202"
	}
	help := cmp.Or(diag.Suggest(u.repo, repos), `if another program has it, say so: accept=`+code+` "reason=..."`)
	c.Add(code, u.option.Value.Span(), help, "no repository of this module is called %s", u.repo)
}

// undropped reports a tag that no write drops, and what that means.
func (c *checker) undropped(u use, dropped map[string]bool) {
	help := diag.Suggest(u.name, namesIn(dropped, u.repo))
	if help == "" {
		help = "drop=" + u.option.Value.S + " on the write that changes it, with that write's names in the braces"
	}
	who := "no write drops"
	if dropped[u.repo+"/*"] {
		who = "nothing but drop=* drops"
	}
	c.Add("CG201", u.option.Value.Span(), help, who+" tag %s: what %s returned may be shown for up to %s after it changed",
		u.name, u.method.fn.Name(), lifetime(u.method.model.Read.TTL))
}

// unused reports a dropped tag that no read depends on.
func (c *checker) unused(u use, depended map[string]bool) {
	help := diag.Suggest(u.name, namesIn(depended, u.repo))
	if help == "" {
		help = "remove it, or add tag=" + u.name + " to the read it is meant for"
	}
	c.Add("CG202", u.option.Value.Span(), help, "no read depends on tag %s", u.name)
}

func namesIn(tags map[string]bool, repo string) []string {
	var names []string
	for name := range tags {
		if own, ok := strings.CutPrefix(name, repo+"/"); ok {
			names = append(names, own)
		}
	}
	slices.Sort(names)
	return names
}

// others looks for repositories and uses of tags in the packages of the module that are not
// being generated for, so that generating one package alone finds no more than generating
// all. It reads the directives as words and knows no types: which of the repositories of
// a package an unqualified tag belongs to, it leaves open.
type others struct {
	*checker
	repos map[string]bool
	tags  map[string]bool // "drop books/author"
}

func (o *others) drops(u use) bool {
	o.read(u)
	return o.tags["drop "+u.repo+"/"+u.name]
}

func (o *others) depends(u use) bool {
	o.read(u)
	return o.tags["tag "+u.repo+"/"+u.name] || u.name == "*" && o.repos[u.repo]
}

func (o *others) read(u use) {
	if o.tags != nil {
		return
	}
	o.repos, o.tags = map[string]bool{}, map[string]bool{}
	loaded := map[string]bool{}
	for _, r := range o.checker.repos {
		loaded[r.pkg.Dir] = true
		o.repos[r.model.Name] = true
	}
	for dir, comments := range moduleDirectives(u.method.repo.pkg.Dir) {
		if !loaded[dir] {
			o.packageUses(directive.Of(&ast.CommentGroup{List: comments}, &diag.Bag{Fset: o.Fset}))
		}
	}
}

func (o *others) packageUses(list []*directive.Directive) {
	var own []string
	for _, d := range list {
		if name, ok := d.Get("name"); ok && d.Verb == "repo" {
			own = append(own, name.Value.S)
			o.repos[name.Value.S] = true
		}
	}
	for _, d := range list {
		for _, opt := range d.Options {
			if opt.Name != "tag" && opt.Name != "drop" {
				continue
			}
			tag, fault := directive.ParseTag(opt.Value)
			if fault != nil {
				continue
			}
			repos := own
			if tag.Repo.S != "" {
				repos = []string{tag.Repo.S}
			}
			for _, repo := range repos {
				o.tags[opt.Name+" "+repo+"/"+tag.Name.S] = true
			}
		}
	}
}

// lifetime is a TTL in a sentence; a missing one has been reported.
func lifetime(ttl time.Duration) string {
	if ttl == 0 {
		return "its TTL"
	}
	return model.Duration(ttl)
}
