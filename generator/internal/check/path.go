package check

import (
	"cmp"
	"go/types"
	"strings"

	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/directive"
	"github.com/cachegen/cachegen/generator/model"
)

// roots says where the paths of an option may start, besides parameters.
type roots struct {
	ret, row bool
	ctx      []model.CtxPart
	old      *method // the read of old=
}

// path resolves a dotted name; false when it was reported.
func (m *method) path(p directive.Path, allow roots) (model.Path, bool) {
	out := model.Path{Text: p.S}
	var rest []directive.Text
	if !m.root(&out, &rest, p, allow) {
		return out, false
	}
	for _, part := range rest {
		if !m.selectField(&out, part) {
			return out, false
		}
	}
	m.normalise(&out)
	return out, true
}

// root finds where a path starts. A parameter hides the words ret, row, old and ctx.
func (m *method) root(out *model.Path, rest *[]directive.Text, p directive.Path, allow roots) bool {
	head := p.Parts[0]
	*rest = p.Parts[1:]
	if param := m.param(head.S); param != nil {
		out.Root, out.Param, out.Type = model.RootParam, param, param.Type
		return true
	}
	switch head.S {
	case "ret":
		return m.rootRet(out, head, allow.ret)
	case "row":
		return m.rootRow(out, head, allow.row)
	case "old":
		if allow.old != nil {
			out.Root, out.Type = model.RootOld, allow.old.model.Values()[0].Type
			return true
		}
		m.repo.Add("CG113", head.Span(), "old is the row that old=ByID(id) reads in a drop of a write", "there is no old row here")
		return false
	case "ctx":
		return m.rootCtx(out, rest, p, allow.ctx)
	}
	help := cmp.Or(diag.Suggest(head.S, append(m.paramNames(), "ret", "row")), m.theParameters())
	m.repo.Add("CG113", head.Span(), help, "%s has no parameter %q", m.fn.Name(), head.S)
	return false
}

func (m *method) rootRet(out *model.Path, head directive.Text, allowed bool) bool {
	vals := m.model.Values()
	if !allowed || len(vals) == 0 {
		m.repo.Add("CG113", head.Span(), "use the parameters", "there is no result here")
		return false
	}
	out.Root, out.Result, out.Type = model.RootRet, vals[0], vals[0].Type
	return true
}

func (m *method) rootRow(out *model.Path, head directive.Text, allowed bool) bool {
	if allowed {
		for _, r := range m.model.Values() {
			if e, ok := model.Element(r.Type); ok {
				out.Root, out.Result, out.Type = model.RootRow, r, e
				return true
			}
		}
	}
	m.repo.Add("CG113", head.Span(), "row is an element of a list; use ret for the result itself", "%s has no result with rows here", m.fn.Name())
	return false
}

// rootCtx finds ctx.Func among the parts that ctx= declares.
func (m *method) rootCtx(out *model.Path, rest *[]directive.Text, p directive.Path, parts []model.CtxPart) bool {
	var names []string
	for i := range parts {
		names = append(names, "ctx."+parts[i].Func.Name)
		if len(p.Parts) > 1 && p.Parts[1].S == parts[i].Func.Name {
			out.Root, out.Ctx, out.Type = model.RootCtx, &parts[i], parts[i].Type
			*rest = p.Parts[2:]
			return true
		}
	}
	help := "declare it: ctx=pkg.Func makes {ctx.Func}"
	if len(names) > 0 {
		help = "there is " + strings.Join(names, ", ")
	}
	m.repo.Add("CG113", p.Span(), help, "%s is no part of the context that ctx= names", p.S)
	return false
}

// selectField selects one field; promoted ones are spelt out.
func (m *method) selectField(out *model.Path, part directive.Text) bool {
	t := out.Type
	obj, index, _ := types.LookupFieldOrMethod(t, true, m.repo.pkg.Types, part.S)
	v, ok := obj.(*types.Var)
	if !ok {
		m.noField(t, part, obj)
		return false
	}
	for _, i := range index[:len(index)-1] { // the embedded fields on the way
		f := model.Deref(t).Underlying().(*types.Struct).Field(i)
		out.Fields = append(out.Fields, model.Field{Name: f.Name(), Type: f.Type()})
		t = f.Type()
	}
	out.Fields = append(out.Fields, model.Field{Name: v.Name(), Type: v.Type()})
	out.Type = v.Type()
	return true
}

func (m *method) noField(t types.Type, part directive.Text, obj types.Object) {
	names := fieldNames(model.Deref(t), m.repo.pkg.Types)
	help := diag.Suggest(part.S, names)
	switch {
	case obj != nil:
		help = "name a field: a method cannot be part of a path"
	case help == "" && len(names) > 0:
		help = "it has " + strings.Join(names, ", ")
	}
	if _, list := model.Element(t); list && help == "" {
		help = "row is an element of a list that is returned; those of a parameter have no name: use a tag without arguments, or drop=*"
	}
	m.repo.Add("CG113", part.Span(), help, "%s has no field %q", typeText(t), part.S)
}

// fieldNames lists the fields of a struct that package from may use, promoted ones last.
func fieldNames(t types.Type, from *types.Package) []string {
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	var own, promoted []string
	for f := range s.Fields() {
		if f.Exported() || f.Pkg() == from {
			own = append(own, f.Name())
			if f.Embedded() {
				promoted = append(promoted, fieldNames(model.Deref(f.Type()), from)...)
			}
		}
	}
	return append(own, promoted...)
}
