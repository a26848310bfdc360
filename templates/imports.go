package templates

import (
	"bytes"
	"go/token"
	"go/types"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/model"
	"github.com/dave/jennifer/jen"
)

// imports chooses one name for every package the two files may mention, so that no two
// packages share a name and no package-level declaration or local of ours clashes with one.
// Parameters give way instead: see scope.
type imports struct {
	taken map[string]bool // names an import must not have
	paths []string        // in order of choice
	names map[string]string
	real  map[string]string // the packages' own names
}

// Packages that generated code uses on its own account, by path and name.
var ownImports = [][2]string{
	{"context", "context"}, {"time", "time"}, {"errors", "errors"}, {cachertPath, "cachert"},
	{wirePath, "wire"}, {"bytes", "bytes"}, {"slices", "slices"}, {"maps", "maps"},
	{"google.golang.org/protobuf/proto", "proto"}, {"unsafe", "unsafe"},
}

// Locals that generated bodies use; scope and the codec emitters pick from them.
var ownLocals = []string{
	"a", "c", "cache", "cached", "ctx", "d", "e", "err", "got", "i", "k", "key", "loadErr", "n", "ok", "old",
	"p", "puts", "repo", "result", "ret", "row", "src", "store", "t", "tags", "tenant", "tx", "unit", "v", "x", "zero",
}

func newImports(f *model.File) *imports {
	im := &imports{taken: map[string]bool{}, names: map[string]string{}, real: map[string]string{}}
	for name := range f.Taken {
		im.taken[name] = true
	}
	for _, name := range ownLocals {
		im.taken[name] = true
	}
	for _, own := range ownImports {
		im.add(own[0], own[1])
	}
	w := &packageWalk{im: im, seen: map[types.Type]bool{}, own: f.Pkg}
	for _, r := range f.Repos {
		w.repo(r)
	}
	return im
}

func (im *imports) add(pkgPath, name string) {
	if im.names[pkgPath] != "" {
		return
	}
	free := func(alias string) bool {
		return alias != "_" && !im.taken[alias] && !token.IsKeyword(alias) && !jen.IsReservedWord(alias)
	}
	alias := name
	if parent := path.Base(path.Dir(pkgPath)); !free(alias) && letters.MatchString(parent) {
		alias = parent + name // html/template beside text/template: htmltemplate
	}
	for !free(alias) {
		alias += "pkg"
	}
	im.taken[alias] = true
	im.paths = append(im.paths, pkgPath)
	im.names[pkgPath], im.real[pkgPath] = alias, name
}

var letters = regexp.MustCompile(`^[a-z]+$`)

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// apply tells jennifer, which would otherwise invent names.
func (im *imports) apply(f *jen.File) {
	for _, p := range im.paths {
		base := path.Base(p)
		if majorVersion.MatchString(base) && path.Dir(p) != "." {
			base = path.Base(path.Dir(p))
		}
		if im.names[p] == im.real[p] && base == im.real[p] {
			f.ImportName(p, im.names[p])
		} else {
			f.ImportAlias(p, im.names[p])
		}
	}
}

// groupImports puts the standard library first and the rest behind a blank line, as goimports
// does. Jennifer writes one sorted list; the standard library is where the first element of
// a path has no dot.
func groupImports(code []byte, pkg string) []byte {
	head := []byte("\npackage " + pkg + "\n\nimport (\n")
	before, rest, ok := bytes.Cut(code, head)
	if !ok {
		return code
	}
	list, after, _ := bytes.Cut(rest, []byte(")\n"))
	var std, others []byte
	for line := range bytes.Lines(list) {
		first, _, _ := strings.Cut(strings.Split(string(line), `"`)[1], "/")
		if strings.Contains(first, ".") {
			others = append(others, line...)
		} else {
			std = append(std, line...)
		}
	}
	if len(std) > 0 && len(others) > 0 {
		std = append(std, '\n')
	}
	return slices.Concat(before, head, std, others, []byte(")\n"), after)
}

// packageWalk finds packages: first those a reader sees in signatures and policies, then
// those that only codecs mention.
type packageWalk struct {
	im   *imports
	own  *types.Package
	deep bool // look into the fields of named structs
	seen map[types.Type]bool
}

func (w *packageWalk) repo(r *model.Repo) {
	if fn := r.Tenant.Func; fn != nil {
		w.pkg(fn.Pkg)
	}
	for _, m := range r.Methods {
		w.typ(m.Sig)
		w.policy(m)
	}
	w.deep, w.seen = true, map[types.Type]bool{}
	for _, m := range r.Methods {
		if m.Kind == model.Read {
			w.typ(m.Sig)
		}
	}
	w.deep, w.seen = false, map[types.Type]bool{}
}

func (w *packageWalk) policy(m *model.Method) {
	if r := m.Read; r != nil {
		for _, sentinel := range r.NotFound {
			w.pkg(sentinel.Pkg)
		}
		for _, part := range r.Ctx {
			w.pkg(part.Func.Pkg)
			w.typ(part.Type)
		}
		for _, b := range r.Bypass {
			w.pkg(b.Value.Pkg)
		}
	}
	for _, p := range paths(m) {
		if p.Norm != nil {
			w.pkg(p.Norm.Pkg)
			w.typ(p.Norm.Sig)
		}
	}
}

// paths are those that a method's policy encodes.
func paths(m *model.Method) []model.Path {
	var list []model.Path
	tags := func(tags []model.Tag) {
		for _, t := range tags {
			list = append(list, t.Args...)
		}
	}
	if r := m.Read; r != nil {
		list = append(list, r.Args...)
		tags(r.Tags)
		tags(r.Rows)
	}
	if wr := m.Write; wr != nil {
		tags(wr.Tags)
		tags(wr.After)
		if wr.Old != nil {
			list = append(list, wr.Old.Args...)
			tags(wr.Old.Tags)
		}
		for _, put := range wr.Puts {
			list = append(list, put.Args...)
		}
	}
	return list
}

func (w *packageWalk) pkg(p *types.Package) {
	if p != nil && p != w.own {
		w.im.add(p.Path(), p.Name())
	}
}

func (w *packageWalk) typ(t types.Type) {
	if t == nil || w.seen[t] {
		return
	}
	w.seen[t] = true
	switch t := t.(type) {
	case *types.Alias:
		w.pkg(t.Obj().Pkg())
		w.list(t.TypeArgs())
		if w.deep {
			w.typ(types.Unalias(t))
		}
	case *types.Named:
		w.pkg(t.Obj().Pkg())
		w.list(t.TypeArgs())
		if w.deep {
			w.typ(t.Underlying())
		}
	case *types.Pointer:
		w.typ(t.Elem())
	case *types.Slice:
		w.typ(t.Elem())
	case *types.Array:
		w.typ(t.Elem())
	case *types.Chan:
		w.typ(t.Elem())
	case *types.Map:
		w.typ(t.Key())
		w.typ(t.Elem())
	case *types.Signature:
		w.typ(t.Params())
		w.typ(t.Results())
	case *types.Tuple:
		for v := range t.Variables() {
			w.typ(v.Type())
		}
	case *types.Struct:
		for f := range t.Fields() {
			w.typ(f.Type())
		}
	case *types.Interface:
		for m := range t.ExplicitMethods() {
			w.typ(m.Type())
		}
		for e := range t.EmbeddedTypes() {
			w.typ(e)
		}
	case *types.Union:
		for term := range t.Terms() {
			w.typ(term.Type())
		}
	}
}

func (w *packageWalk) list(l *types.TypeList) {
	for t := range l.Types() {
		w.typ(t)
	}
}
