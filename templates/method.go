package templates

import (
	"fmt"
	"go/types"
	"strings"

	"github.com/cachegen/cachegen/generator/model"
	"github.com/dave/jennifer/jen"
)

// doc is the source's comment, or one line that tells the method's kind.
func (w *wrapper) doc(m *model.Method) string {
	if strings.TrimSpace(m.Doc) != "" {
		return m.Doc
	}
	source := w.repo.Iface + "." + m.Name
	switch m.Kind {
	case model.Read:
		return fmt.Sprintf("%s answers %s from the cache.", m.Name, source)
	case model.Write:
		return fmt.Sprintf("%s runs %s and tells the cache.", m.Name, source)
	case model.Tx:
		return fmt.Sprintf("%s is %s; the cache is told of what is committed.", m.Name, source)
	}
	return fmt.Sprintf("%s is %s, not cached.", m.Name, source)
}

// paramList is the parameter list as the interface has it; neighbours of one type share it.
func (s *scope) paramList() []jen.Code { return s.declare(s.method.Params, true) }

// declare lists parameters; without variadic the last is a slice.
func (s *scope) declare(params []*model.Param, variadic bool) []jen.Code {
	var list []jen.Code
	for i := 0; i < len(params); {
		p := params[i]
		names := []jen.Code{s.param(p)}
		for i++; i < len(params) && sameType(p, params[i]); i++ {
			names = append(names, s.param(params[i]))
		}
		list = append(list, jen.List(names...).Add(paramType(p.Type, p.Variadic && variadic)))
	}
	return list
}

func sameType(a, b *model.Param) bool {
	return !a.Variadic && !b.Variadic && types.Identical(a.Type, b.Type)
}

// resultTypes is the result list without names.
func resultTypes(m *model.Method) *jen.Statement {
	var list []jen.Code
	for _, r := range m.Results {
		list = append(list, typ(r.Type))
	}
	switch len(list) {
	case 0:
		return jen.Null()
	case 1:
		return jen.Add(list...)
	}
	return jen.Params(list...)
}

// resultList is the result list with names.
func (s *scope) resultList() *jen.Statement {
	var list []jen.Code
	for i, r := range s.method.Results {
		list = append(list, jen.Id(s.results[i]).Add(typ(r.Type)))
	}
	return jen.Params(list...)
}

// resultIDs are the names of the results, without the error on request.
func (s *scope) resultIDs(withError bool) []jen.Code {
	var list []jen.Code
	for i, r := range s.method.Results {
		if !r.Error || withError {
			list = append(list, jen.Id(s.results[i]))
		}
	}
	return list
}

// sourceCall is c.src.ByID(ctx, id).
func (w *wrapper) sourceCall(s *scope) *jen.Statement { return w.sourceCallWith(s, nil, nil) }

// sourceCallWith is sourceCall with another argument for one parameter.
func (w *wrapper) sourceCallWith(s *scope, param *model.Param, instead *jen.Statement) *jen.Statement {
	return w.self(w.source).Dot(s.method.Name).CallFunc(func(g *jen.Group) {
		for _, p := range s.method.Params {
			if p == param {
				g.Add(instead)
				continue
			}
			arg := s.param(p)
			if p.Variadic {
				arg.Op("...")
			}
			g.Add(arg)
		}
	})
}

// valueType is V of a read: its result, a struct of its results, or struct{}.
func (w *wrapper) valueType(m *model.Method) types.Type {
	vals := m.Values()
	switch len(vals) {
	case 0:
		return types.NewStruct(nil, nil)
	case 1:
		return vals[0].Type
	}
	return w.resultStruct(m)
}

// resultStruct declares the struct that holds several results together.
func (w *wrapper) resultStruct(m *model.Method) *types.Named {
	if w.results[m] != nil {
		return w.results[m]
	}
	s := w.scope(m)
	var fields []*types.Var
	for i, r := range m.Results {
		if !r.Error {
			fields = append(fields, types.NewField(0, w.model.Pkg, s.results[i], r.Type, false))
		}
	}
	name := w.names.declare(model.LowerFirst(w.repo.Iface) + upperFirst(m.Name) + "Result")
	u := types.NewStruct(fields, nil)
	w.results[m] = types.NewNamed(types.NewTypeName(0, w.model.Pkg, name, nil), u, nil)
	w.mech.Line()
	w.mech.Commentf("%s holds the results of %s.%s together.", name, w.repo.Iface, m.Name)
	w.mech.Type().Id(name).Add(structure(u, false))
	w.codecs.own(w.results[m])
	return w.results[m]
}

// passMethod calls the source and nothing else.
func (w *wrapper) passMethod(m *model.Method) {
	s := w.scope(m)
	call := w.sourceCall(s)
	if len(m.Results) > 0 {
		call = jen.Return(call)
	}
	w.method(m.Name, w.doc(m)).Params(s.paramList()...).Add(resultTypes(m)).Block(call)
}
