package check

import (
	"cmp"
	"slices"

	"github.com/cachegen/cachegen/generator/internal/directive"
	"github.com/cachegen/cachegen/generator/model"
)

// use is one place where a tag is depended on or dropped.
type use struct {
	repo, name string
	method     *method
	option     directive.Option
	args       []model.Path
	drop       bool
	unresolved bool // what is wrong with it was reported; that it is there still counts
}

// tag resolves the tag of tag= or drop=; false when it was reported.
func (m *method) tag(o directive.Option, allow roots) (model.Tag, bool) {
	parsed, fault := directive.ParseTag(o.Value)
	if fault != nil {
		m.repo.fault(fault)
		return model.Tag{}, false
	}
	t := model.Tag{Repo: cmp.Or(parsed.Repo.S, m.repo.model.Name), Name: parsed.Name.S, Text: o.Value.S}
	if parsed.All {
		m.repo.Add("CG102", o.Value.Span(), "* stands in drop= only", "a read cannot depend on %s", o.Value.S)
		return t, false
	}
	ok := true
	for _, arg := range parsed.Args {
		p, found := m.path(arg, allow)
		if !found {
			ok = false
			continue
		}
		if argClass(p) == "" {
			help := "use a field: an integer, a string, a bool, a time.Time, [n]byte or a type with MarshalText"
			if _, list := model.Element(p.Type); list {
				help = "a tag has one value: a tag without arguments or drop=* covers them all, or return the rows and use {row.Field}"
			}
			m.repo.Add("CG114", arg.Span(), help, "%s is %s, which cannot be an argument of a tag", arg.S, typeText(p.Type))
			ok = false
		} else if from := m.repo.pkg.Types; !appends(argType(p), from) {
			m.repo.Add("CG114", arg.Span(), "use a field of a type that can be", "%s is %s, which cannot be named in package %s", arg.S, typeText(argType(p)), from.Name())
			ok = false
		}
		t.Args = append(t.Args, p)
	}
	m.repo.uses = append(m.repo.uses, use{t.Repo, t.Name, m, o, t.Args, o.Name == "drop", !ok})
	return t, ok
}

// unresolved records the tags of a method whose types are not known.
func (m *method) unresolved() {
	for _, o := range append(m.dir.All("tag"), m.dir.All("drop")...) {
		if tag, fault := directive.ParseTag(o.Value); fault == nil {
			m.repo.uses = append(m.repo.uses, use{
				repo: cmp.Or(tag.Repo.S, m.repo.model.Name), name: tag.Name.S, method: m, option: o, drop: o.Name == "drop", unresolved: true,
			})
		}
	}
}

// late reports whether a tag is known only from the result.
func late(t model.Tag) bool {
	for _, p := range t.Args {
		if p.Root == model.RootRet || p.Root == model.RootRow {
			return true
		}
	}
	return false
}

// ofRow reports whether a tag is there only with a row of the result.
func ofRow(t model.Tag) bool {
	return slices.ContainsFunc(t.Args, func(p model.Path) bool { return p.Root == model.RootRow })
}

func fromOld(t model.Tag) bool {
	for _, p := range t.Args {
		if p.Root == model.RootOld {
			return true
		}
	}
	return false
}

// tagForms reports tags whose arguments differ from place to place: what one writes the
// other would never find.
func (c *checker) tagForms() {
	first := map[string]use{}
	for _, u := range c.uses {
		if u.unresolved || u.name == "*" {
			continue
		}
		name := u.repo + "/" + u.name
		f, seen := first[name]
		if !seen {
			first[name] = u
			continue
		}
		where := f.method.repo.model.Iface + "." + f.method.fn.Name()
		if len(u.args) != len(f.args) {
			c.Add("CG115", u.option.Value.Span(), "give it the same arguments everywhere: "+where+" says "+f.option.Value.S,
				"tag %s has %s here and %s in %s", u.name, count(len(u.args), "argument"), count(len(f.args), "argument"), where)
			continue
		}
		for i, p := range u.args {
			switch q := f.args[i]; {
			case argClass(p) != argClass(q):
				c.Add("CG115", u.option.Value.Span(), "use values of one type everywhere", "argument %d of tag %s is %s here and %s in %s",
					i+1, u.name, typeText(p.Type), typeText(q.Type), where)
			case normName(p) != normName(q):
				c.Add("CG115", u.option.Value.Span(), "fold it alike everywhere: norm="+p.Text+":"+cmp.Or(normName(q), normName(p)),
					"argument %d of tag %s is folded by %s here and by %s in %s", i+1, u.name, cmp.Or(normName(p), "nothing"), cmp.Or(normName(q), "nothing"), where)
			}
		}
	}
}

func normName(p model.Path) string {
	if p.Norm == nil {
		return ""
	}
	return funcName(*p.Norm)
}

func funcName(f model.Func) string {
	if f.Pkg == nil {
		return f.Name
	}
	return f.Pkg.Name() + "." + f.Name
}
