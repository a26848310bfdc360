package check

import (
	"go/ast"
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
	whole := map[string]bool{} // repositories that some write drops as a whole
	for _, u := range c.uses {
		if u.drop {
			dropped[u.repo+"/"+u.name] = true
		} else {
			depended[u.repo+"/"+u.name] = true
		}
	}
	for _, r := range c.repos {
		r.each(model.Write, func(m *method) {
			for _, name := range m.model.Write.DropAll {
				whole[name] = true
			}
			for _, p := range m.model.Write.Puts { // a put drops the tags of the entry it replaces
				for _, t := range p.Read.Read.Tags {
					dropped[t.Repo+"/"+t.Name] = true
				}
			}
		})
	}
	known := c.repoSet()
	elsewhere := &others{checker: c}
	for _, u := range c.uses {
		name := u.repo + "/" + u.name
		switch {
		case !u.drop && !dropped[name] && !whole[u.repo] && known[u.repo]:
			if !u.method.accepts("CG201") && !elsewhere.drops(u) {
				c.undropped(u, dropped)
			}
		case u.drop && !depended[name] && known[u.repo]:
			if !u.method.accepts("CG202") && !elsewhere.depends(u) {
				c.unused(u, depended)
			}
		}
	}
	for _, r := range c.repos {
		r.each(model.Read, func(m *method) {
			if len(m.model.Read.Tags)+len(m.model.Read.Rows)+len(m.dir.All("tag")) == 0 && !whole[r.model.Name] &&
				m.model.Read.Level != model.Eventual && !m.accepts("CG201") {
				c.Add("CG201", m.dir.At, "add tag=, or say that its TTL is all it needs: level=eventual", "no write reaches %s: it depends on no tag and would stay as it is for up to %s", m.fn.Name(), short(m.model.Read.TTL))
			}
		})
	}
}

func (c *checker) repoSet() map[string]bool {
	known := map[string]bool{}
	for _, r := range c.repos {
		known[r.model.Name] = true
	}
	return known
}

// undropped reports a tag that no write drops, and what that means.
func (c *checker) undropped(u use, dropped map[string]bool) {
	help := diag.Suggest(u.name, namesIn(dropped, u.repo))
	if help == "" {
		help = "drop=" + u.option.Value.S + " on the write that changes it, with that write's names in the braces"
	}
	c.Add("CG201", u.option.Value.Span(), help, "no write drops tag %s: what %s returned may be shown for up to %s after it changed",
		u.name, u.method.fn.Name(), short(u.method.model.Read.TTL))
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

// short is 10m rather than 10m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// others looks for uses of a tag in the packages of the module that are not being generated
// for, so that generating one package alone finds no less than generating all.
type others struct {
	*checker
	tags map[string]bool // "drop books/author"
}

func (o *others) drops(u use) bool {
	o.read(u)
	return o.tags["drop "+u.repo+"/"+u.name] || o.tags["drop "+u.repo+"/*"]
}

func (o *others) depends(u use) bool {
	o.read(u)
	return o.tags["tag "+u.repo+"/"+u.name]
}

func (o *others) read(u use) {
	if o.tags != nil {
		return
	}
	o.tags = map[string]bool{}
	for _, comment := range moduleDirectives(u.method.repo.pkg.Dir) {
		for _, d := range directive.Of(&ast.CommentGroup{List: []*ast.Comment{comment}}, &diag.Bag{Fset: o.Fset}) {
			for _, opt := range d.Options {
				if tag, fault := directive.ParseTag(opt.Value); fault == nil && tag.Repo.S != "" {
					o.tags[opt.Name+" "+tag.Repo.S+"/"+tag.Name.S] = true
				}
			}
		}
	}
}
