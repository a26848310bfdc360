package check

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/directive"
	"github.com/cachegen/cachegen/generator/model"
)

// method is one method of an annotated interface.
type method struct {
	repo  *repo
	fn    *types.Func
	field *ast.Field // its declaration, nil when that is in another package
	dir   *directive.Directive
	model *model.Method
	norms []norm
}

// at is where diagnostics about the method as a whole point.
func (m *method) at() diag.Span {
	if m.field != nil {
		return diag.Span{Pos: m.field.Names[0].Pos(), End: m.field.Names[0].End()}
	}
	return diag.Span{Pos: m.repo.spec.Name.Pos(), End: m.repo.spec.Name.End()}
}

// declared is a method as one interface declares it.
type declared struct {
	fn    *types.Func
	field *ast.Field
}

// findMethods lists the methods in the order in which a reader meets them: those declared
// here, then those of each embedded interface in turn.
func (r *repo) findMethods() {
	seen := map[string]*method{}
	for _, d := range r.declarations(r.named, map[*types.TypeName]bool{}) {
		if !d.fn.Exported() && d.fn.Pkg() != r.pkg.Types {
			r.model.Embed = true
			continue
		}
		m := seen[d.fn.Name()]
		if m == nil {
			m = &method{repo: r, fn: d.fn, field: d.field}
			seen[d.fn.Name()] = m
			r.methods = append(r.methods, m)
		}
		if d.field != nil && !annotated(m.field) && (m.field == nil || annotated(d.field)) {
			m.fn, m.field = d.fn, d.field // with the names of the parameters that its directive uses
		}
	}
	for _, m := range r.methods {
		m.signature()
	}
}

// annotated reports whether a method's doc comment holds a directive.
func annotated(f *ast.Field) bool {
	return f != nil && f.Doc != nil && slices.ContainsFunc(f.Doc.List, directive.Is)
}

// declarations walks an interface and those it embeds. The source of interfaces of this
// package is known, of others only their types are.
func (r *repo) declarations(t types.Type, seen map[*types.TypeName]bool) []declared {
	var src *iface
	if named, ok := types.Unalias(t).(*types.Named); ok {
		if seen[named.Obj()] {
			return nil
		}
		seen[named.Obj()] = true
		if src = r.interfaces[named.Origin().Obj()]; src != nil && src.pkg == r.pkg {
			src.reached = true
		} else {
			src = nil
		}
	}
	it, ok := t.Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	if src != nil {
		r.declaration(src, it)
	}
	var out []declared
	for i := range it.NumExplicitMethods() {
		d := declared{fn: it.ExplicitMethod(i)}
		if src != nil {
			d.field = src.methods[d.fn.Name()]
		}
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b declared) int { return int(a.fn.Pos() - b.fn.Pos()) })
	for e := range it.EmbeddedTypes() {
		out = append(out, r.declarations(e, seen)...)
	}
	return out
}

// signature fills in what the types say of the method.
func (m *method) signature() {
	sig := m.fn.Signature()
	m.model = &model.Method{Name: m.fn.Name(), Kind: model.Pass, Sig: sig}
	if m.field != nil {
		m.model.Doc = strings.TrimSpace(m.field.Doc.Text())
	}
	used := map[string]bool{}
	for v := range sig.Params().Variables() {
		used[v.Name()] = true
	}
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		p := &model.Param{
			Name: v.Name(), Source: v.Name(), Type: v.Type(),
			Context:  isContext(v.Type()),
			Variadic: sig.Variadic() && i == sig.Params().Len()-1,
		}
		if p.Name == "" || p.Name == "_" {
			p.Name = unnamed(p, i, used)
		}
		m.model.Params = append(m.model.Params, p)
	}
	for i := range sig.Results().Len() {
		v := sig.Results().At(i)
		m.model.Results = append(m.model.Results, &model.Result{
			Name: v.Name(), Source: v.Name(), Type: v.Type(),
			Error: i == sig.Results().Len()-1 && isErrorType(v.Type()),
		})
	}
}

// unnamed chooses a name for a parameter without one.
func unnamed(p *model.Param, i int, used map[string]bool) string {
	name := "arg" + string(rune('A'+i%26))
	if p.Context {
		name = "ctx"
	}
	for used[name] {
		name += "Arg"
	}
	used[name] = true
	return name
}

// classify finds the method's one directive. Without one it is reported by passList, after
// the interface had its say.
func (m *method) classify() {
	if m.field == nil || m.field.Doc == nil {
		return
	}
	for _, d := range directive.Of(m.field.Doc, m.repo.Bag) {
		switch {
		case d.Verb == "repo":
			m.repo.Add("CG002", d.At, "it belongs to the doc comment of the interface", "//cachegen:repo on a method")
		case m.dir != nil:
			m.repo.Add("CG151", d.At, "keep one of them", "%s is both %s and %s", m.fn.Name(), m.dir.Verb, d.Verb)
		default:
			m.dir = d
			m.model.Kind = map[string]model.Kind{"read": model.Read, "write": model.Write, "tx": model.Tx, "pass": model.Pass}[d.Verb]
			if o, ok := d.Get("reason"); ok {
				m.model.Reason = o.Value.S
			}
			if o, ok := d.Get("methods"); ok {
				m.repo.Add("CG103", o.At, "methods= belongs to a //cachegen:pass on the interface", "methods= on a method")
			}
		}
	}
	if m.dir != nil && !m.typed() {
		m.model.Kind = model.Pass
		m.unresolved()
	}
}
