package templates

import (
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/cachegen/cachegen/generator/model"
	"github.com/dave/jennifer/jen"
)

// scope holds the names inside one generated method: the source's parameter names where
// they hide nothing the body needs, and locals that differ from all of them.
type scope struct {
	method  *model.Method
	params  map[*model.Param]string
	vars    map[string]string // names of the variables for CtxPart.Var
	results []string
	used    map[string]bool

	ctx                            string // the context parameter, "" when there is none
	tags, puts, ret, row, old, err string
	key, ok, list                  string
	rowChecked                     bool // the row at hand is known not to be nil
}

func newScope(m *model.Method, receiver string, pkg *types.Package, im *imports) *scope {
	s := &scope{method: m, params: map[*model.Param]string{}, vars: map[string]string{}, used: map[string]bool{receiver: true}}
	mentioned := mentions(m, pkg, im)
	for _, p := range m.Params {
		name := p.Name
		for name == "" || name == "_" || mentioned[name] || !s.free(name) {
			name += "Arg"
		}
		s.used[name] = true
		s.params[p] = name
		if p.Context {
			s.ctx = name
		}
	}
	maps.Copy(s.used, mentioned)
	if m.Read != nil {
		for _, part := range m.Read.Ctx {
			s.vars[part.Var] = s.pick(part.Var)
		}
	}
	for _, r := range m.Results {
		s.results = append(s.results, s.pick(resultNames(r)...))
	}
	s.tags = s.pick("t", "tags")
	s.puts = s.pick("p", "puts")
	s.row = s.pick("row", "elem")
	s.old = s.pick("old", "oldRow")
	s.key = s.pick("key", "args")
	s.ok = s.pick("ok", "found")
	s.list = s.pick("a", "list")
	s.ret, s.err = s.outcome()
	return s
}

// outcome names the value and the error where the method's results have no names of their own.
func (s *scope) outcome() (ret, err string) {
	ret, err = "ret", "err"
	for i, r := range s.method.Results {
		switch {
		case r.Error:
			err = s.results[i]
		case len(s.method.Values()) == 1:
			ret = s.results[i]
		}
	}
	if !slices.Contains(s.results, ret) {
		ret = s.pick("ret", "got")
	}
	if !slices.Contains(s.results, err) {
		err = s.pick("err", "loadErr")
	}
	return ret, err
}

func resultNames(r *model.Result) []string {
	if r.Name != "" && r.Name != "_" {
		return []string{r.Name, r.Name + "Result"}
	}
	if r.Error {
		return []string{"err", "loadErr"}
	}
	if isBool(r.Type) {
		return []string{"ok", "found"}
	}
	return []string{"ret", "result"}
}

// pick chooses a local name and reserves it.
func (s *scope) pick(candidates ...string) string {
	name := candidates[0]
	for _, c := range candidates[1:] {
		if s.free(name) {
			break
		}
		name = c
	}
	for !s.free(name) {
		name += "Value"
	}
	s.used[name] = true
	return name
}

// free reports whether a local of that name would hide nothing.
func (s *scope) free(name string) bool {
	return !s.used[name] && !token.IsKeyword(name) && types.Universe.Lookup(name) == nil
}

// declared reports whether the method itself declares a name that its closures could hide.
func (s *scope) declared(name string) bool {
	for _, param := range s.params {
		if param == name {
			return true
		}
	}
	return name == s.puts || len(s.method.Values()) > 0 && slices.Contains(s.results, name)
}

func (s *scope) param(p *model.Param) *jen.Statement { return jen.Id(s.params[p]) }

// context is the context to hand on.
func (s *scope) context() *jen.Statement {
	if s.ctx == "" {
		return jen.Qual("context", "Background").Call()
	}
	return jen.Id(s.ctx)
}

// contextParam is the parameter list of a closure that gets a context; unnamed where the
// source takes none.
func (s *scope) contextParam() *jen.Statement {
	t := jen.Qual("context", "Context")
	if s.ctx == "" {
		return t
	}
	return jen.Id(s.ctx).Add(t)
}

// mentions lists the names of imports and of the file's own package that the body refers to.
func mentions(m *model.Method, pkg *types.Package, im *imports) map[string]bool {
	names := map[string]bool{}
	if m.Kind == model.Pass {
		return names
	}
	names[im.names[cachertPath]], names[im.names["context"]] = true, true
	if m.Tx != nil && m.Tx.Body != nil {
		for v := range m.Tx.Body.Type.Underlying().(*types.Signature).Params().Variables() {
			walkNames(v.Type(), func(_ *types.Package, name string) { names[name] = true })
		}
	}
	if m.Write != nil && m.Write.Old != nil {
		names[im.names["errors"]] = true
	}
	add := func(p *types.Package, name string) {
		if p == nil || p == pkg {
			names[name] = true
		} else {
			names[im.names[p.Path()]] = true
		}
	}
	reads := []*model.Method{m}
	if m.Write != nil {
		if m.Write.Old != nil {
			reads = append(reads, m.Write.Old.Read)
		}
		for _, p := range m.Write.Puts {
			reads = append(reads, p.Read)
		}
	}
	for _, read := range reads {
		for _, r := range read.Results {
			walkNames(r.Type, add)
		}
		mentionsOfPolicy(read.Read, add)
		for _, p := range paths(read) {
			if p.Norm != nil {
				add(p.Norm.Pkg, p.Norm.Name)
				walkNames(p.Norm.Sig.Params().At(0).Type(), add)
			}
		}
	}
	for _, p := range m.Params {
		walkNames(p.Type, add)
		if isBytes(p.Type) { // to copy it
			names[im.names["bytes"]] = true
		}
	}
	return names
}

func mentionsOfPolicy(r *model.ReadPlan, add func(*types.Package, string)) {
	if r == nil {
		return
	}
	for _, o := range r.NotFound {
		add(o.Pkg, o.Name)
	}
	for _, b := range r.Bypass {
		if b.Value.Name != "" {
			add(b.Value.Pkg, b.Value.Name)
		}
	}
	for _, c := range r.Ctx {
		add(c.Func.Pkg, c.Func.Name)
	}
}

// walkNames calls add for the named types that the code of t is made of.
func walkNames(t types.Type, add func(*types.Package, string)) {
	named := func(o *types.TypeName, args *types.TypeList) {
		if o.Pkg() != nil {
			add(o.Pkg(), o.Name())
		}
		for a := range args.Types() {
			walkNames(a, add)
		}
	}
	switch t := t.(type) {
	case *types.Alias:
		named(t.Obj(), t.TypeArgs())
	case *types.Named:
		named(t.Obj(), t.TypeArgs())
	case *types.Map:
		walkNames(t.Key(), add)
		walkNames(t.Elem(), add)
	case *types.Struct:
		for f := range t.Fields() {
			walkNames(f.Type(), add)
		}
	case interface{ Elem() types.Type }: // pointer, slice, array, channel
		walkNames(t.Elem(), add)
	}
}
