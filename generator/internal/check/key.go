package check

import (
	"cmp"
	"go/ast"
	"go/types"
	"strconv"
	"strings"

	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/directive"
	"github.com/cachegen/cachegen/generator/model"
)

// key resolves which arguments tell the entries of a read apart: those of the context and
// all parameters, unless key= and ignore= say otherwise.
func (m *method) key() {
	r := m.model.Read
	for i := range r.Ctx {
		part := &r.Ctx[i]
		r.Args = append(r.Args, model.Path{Root: model.RootCtx, Ctx: part, Type: part.Type, Text: "ctx." + part.Func.Name})
	}
	ignored := m.ignored()
	o, ok := m.dir.Get("key")
	if !ok || !m.explicitKey(o, ignored) {
		for _, p := range m.model.Arguments() {
			if !ignored[p] {
				path := model.Path{Root: model.RootParam, Param: p, Type: p.Type, Text: p.Name}
				m.normalise(&path)
				r.Args = append(r.Args, path)
			}
		}
	}
	for _, a := range r.Args {
		if why := keyable(argType(a), m.repo.pkg.Types, map[types.Type]bool{}); why != "" {
			at := m.at()
			if a.Param != nil {
				at = m.paramAt(a.Param)
			}
			m.repo.Add("CG111", at, "give it a type that is compared by content, or use //cachegen:pass; only what does not change the answer is left out: ignore="+a.Text, "%s cannot be part of the key of %s: %s", a.Text, m.fn.Name(), why)
		}
	}
}

// ignored resolves ignore=.
func (m *method) ignored() map[*model.Param]bool {
	out := map[*model.Param]bool{}
	for _, o := range m.dir.All("ignore") {
		if p := m.paramOf(o); p != nil {
			out[p] = true
		}
	}
	if tx := m.model.Read.Tx; tx != nil {
		out[tx] = true
	}
	return out
}

// explicitKey resolves key=space:{path}; false when it names a space only.
func (m *method) explicitKey(o directive.Option, ignored map[*model.Param]bool) bool {
	tag, fault := directive.ParseTag(o.Value)
	if fault == nil && (tag.Repo.S != "" || tag.All) {
		fault = &directive.Fault{At: o.Value, Message: strconv.Quote(o.Value.S) + " is not a key space", Help: "write a name, or name:{path}:{path}"}
	}
	if fault != nil {
		m.repo.fault(fault)
		return true
	}
	m.model.Read.Key = tag.Name.S
	if len(tag.Args) == 0 {
		return false
	}
	covered := map[*model.Param]string{}
	for _, arg := range tag.Args {
		p, ok := m.path(arg, roots{ctx: m.model.Read.Ctx})
		if !ok {
			return true
		}
		if p.Root == model.RootCtx {
			continue // all of them are part of the key already
		}
		m.model.Read.Args = append(m.model.Read.Args, p)
		switch {
		case len(p.Fields) == 0:
			covered[p.Param] = "all"
		case covered[p.Param] == "":
			covered[p.Param] = p.Text
		}
	}
	for _, p := range m.model.Arguments() {
		switch part := covered[p]; {
		case ignored[p] || part == "all":
		case part == "":
			m.repo.Add("CG110", o.At, "add {"+p.Name+"} to the key, or ignore="+p.Name+" if it does not change the answer", "the key of %s leaves out the parameter %s", m.fn.Name(), p.Name)
		default:
			m.repo.Add("CG110", o.At, "use {"+p.Name+"}, or say that the rest does not change the answer: ignore="+p.Name, "the key of %s uses only %s of the parameter %s", m.fn.Name(), part, p.Name)
		}
	}
	return true
}

// paramAt is where a parameter is declared.
func (m *method) paramAt(p *model.Param) diag.Span {
	if m.field == nil || p.Source == "" {
		return m.at()
	}
	for _, field := range m.field.Type.(*ast.FuncType).Params.List {
		for _, name := range field.Names {
			if name.Name == p.Source {
				return diag.Span{Pos: name.Pos(), End: name.End()}
			}
		}
	}
	return m.at()
}

// param finds a parameter by the name that the interface gives it.
func (m *method) param(name string) *model.Param {
	for _, p := range m.model.Arguments() {
		if p.Source == name && name != "_" {
			return p
		}
	}
	return nil
}

// paramOf is the parameter that an option names; nil when there is none, which is reported.
func (m *method) paramOf(o directive.Option) *model.Param {
	p := m.param(o.Value.S)
	if p == nil {
		m.repo.Add("CG113", o.Value.Span(), cmp.Or(diag.Suggest(o.Value.S, m.paramNames()), m.theParameters()), "%s has no parameter %q", m.fn.Name(), o.Value.S)
	}
	return p
}

func (m *method) paramNames() []string {
	var names []string
	for _, p := range m.model.Arguments() {
		if p.Source != "" && p.Source != "_" {
			names = append(names, p.Source)
		}
	}
	return names
}

// theParameters says which names there are.
func (m *method) theParameters() string {
	names := m.paramNames()
	if len(names) == 0 {
		return "name the parameters of " + m.fn.Name() + " in the interface"
	}
	return "the parameters are " + strings.Join(names, ", ")
}

// count is "1 argument" or "2 arguments".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
