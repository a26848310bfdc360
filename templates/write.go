package templates

import (
	"go/types"

	"github.com/cachegen/cachegen/generator/model"
	"github.com/dave/jennifer/jen"
)

// writeMethod runs the source's method as one change of the cache.
func (w *wrapper) writeMethod(m *model.Method) {
	s := w.scope(m)
	w.told(s, func() *jen.Statement {
		return w.self(w.fields[m]).Dot("Do").Call(s.context(), w.change(s))
	})
}

// told is a method whose outcome is what do, an expression that returns an error, has left in
// its named results.
func (w *wrapper) told(s *scope, do func() *jen.Statement) {
	m := s.method
	results := s.resultList()
	var body []jen.Code
	switch {
	case len(m.Values()) == 0 && m.Fails():
		results = jen.Error()
		body = []jen.Code{jen.Return(do())}
	case m.Fails():
		body = []jen.Code{jen.Id(s.err).Op("=").Add(do()), jen.Return(s.resultIDs(true)...)}
	case len(m.Results) == 0:
		results = jen.Null()
		body = []jen.Code{jen.Id("_").Op("=").Add(do())}
	default:
		body = []jen.Code{jen.Id("_").Op("=").Add(do()), jen.Return(s.resultIDs(false)...)}
	}
	w.method(m.Name, w.doc(m)).Params(s.paramList()...).Add(results).Block(body...)
}

// change is the literal that describes the call; closures that have nothing to do are left out.
func (w *wrapper) change(s *scope) *jen.Statement {
	plan := s.method.Write
	res := func(r *model.Result) *jen.Statement { return s.result(r) }
	before, after := w.entries(s, false, res), w.entries(s, true, res)
	var fields []jen.Code
	if plan.Tx != nil {
		fields = append(fields, field("Uncommitted", s.param(plan.Tx).Op("!=").Nil()))
	}
	if len(before)+len(plan.Tags)+len(plan.DropAll) > 0 {
		fields = append(fields, field("Tags", s.tagsFunc(func(g *jen.Group) {
			for _, t := range plan.Tags {
				before = append(before, w.tag(s, t, s.arguments(t.Args, res)))
			}
			emit(g, before)
			for _, repo := range plan.DropAll {
				g.Id(s.tags).Dot("All").Call(jen.Lit(repo))
			}
		})))
	}
	if plan.Old != nil && len(plan.Old.Tags) > 0 {
		fields = append(fields, field("Old", w.oldRow(s, plan.Old, res)))
	}
	fields = append(fields, field("Run", w.run(s)))
	if len(after)+len(plan.After) > 0 {
		fields = append(fields, field("After", s.tagsFunc(func(g *jen.Group) {
			emit(g, after)
			w.resultTags(g, s, plan.After, res)
		})))
	}
	if len(plan.Puts) > 0 {
		put := jen.Func().Params(jen.Id(s.puts).Op("*").Add(cachert("Puts"))).BlockFunc(func(g *jen.Group) {
			var list []guarded
			for _, p := range plan.Puts {
				list = append(list, w.put(s, p, res))
			}
			emit(g, list)
		})
		fields = append(fields, field("Put", put))
	}
	return literal(cachert("Change"), fields...)
}

// result is the named result that holds r.
func (s *scope) result(r *model.Result) *jen.Statement {
	for i, have := range s.method.Results {
		if have == r {
			return jen.Id(s.results[i])
		}
	}
	return jen.Id(s.ret)
}

// run calls the source and keeps its results.
func (w *wrapper) run(s *scope) *jen.Statement {
	return jen.Func().Params(s.contextParam()).Error().Block(s.kept(w.sourceCall(s))...)
}

// kept is call, a call of the source, with its results kept and its error returned.
func (s *scope) kept(call *jen.Statement) []jen.Code {
	var body []jen.Code
	switch {
	case len(s.method.Values()) == 0 && s.method.Fails():
		body = []jen.Code{jen.Return(call)}
	case s.method.Fails():
		body = []jen.Code{jen.List(s.resultIDs(true)...).Op("=").Add(call), jen.Return(jen.Id(s.err))}
	case len(s.method.Results) == 0:
		body = []jen.Code{call, jen.Return(jen.Nil())}
	default:
		body = []jen.Code{jen.List(s.resultIDs(false)...).Op("=").Add(call), jen.Return(jen.Nil())}
	}
	return body
}

// entries adds the tags of the entries that puts replace: those known before the write, or
// those known only after it.
func (w *wrapper) entries(s *scope, afterRun bool, res results) []guarded {
	var list []guarded
	for _, p := range s.method.Write.Puts {
		if p.AfterRun != afterRun {
			continue
		}
		args, checks := s.putArgs(p, res)
		entry := jen.Id(s.tags).Dot("Entry").Call(w.call(p.Read, s.context, args)).Comment("put=" + p.Text + " replaces this entry")
		list = append(list, guarded{checks: checks, then: []jen.Code{entry}})
	}
	return list
}

// putArgs are the arguments of the read whose entry is put, and the pointers behind which
// they stand.
func (s *scope) putArgs(p model.Put, res results) ([]jen.Code, []nilCheck) {
	var args []jen.Code
	var checks []nilCheck
	for _, v := range s.arguments(p.Args, res) {
		args = append(args, v.code())
		checks = merge(merge(checks, v.skip...), v.absent...)
	}
	return args, checks
}

// put stores one value, or lets the read load it again.
func (w *wrapper) put(s *scope, p model.Put, res results) guarded {
	args, checks := s.putArgs(p, res)
	reader := w.self(w.fields[p.Read])
	call := w.call(p.Read, s.context, args)
	if p.From == model.FromReload {
		return guarded{checks: checks, then: []jen.Code{reader.Dot("Reload").Call(jen.Id(s.puts), call, w.reload(s, p, res))}}
	}
	v := s.value(p.Value, res)
	checks = merge(merge(checks, v.skip...), v.absent...)
	if ok := found(s.method); ok != nil && p.From == model.FromRet {
		checks = merge(checks, nilCheck{"found", func() *jen.Statement { return res(ok) }, true})
	}
	want := w.valueType(p.Read)
	code := v.code()
	pointer, isPtr := v.typ.Underlying().(*types.Pointer)
	wantPtr, wantsPtr := want.Underlying().(*types.Pointer)
	switch {
	case wantsPtr && types.Identical(wantPtr.Elem(), v.typ):
		code = jen.Op("&").Add(code)
	case isPtr && types.Identical(pointer.Elem(), want):
		checks = merge(checks, nilCheck{text: rootText(p.Value), code: v.code})
		code = jen.Op("*").Add(code)
	case isPtr && p.Read.Read.Absent != model.AbsentNil:
		checks = merge(checks, nilCheck{text: rootText(p.Value), code: v.code})
	}
	return guarded{checks: checks, then: []jen.Code{reader.Dot("Put").Call(jen.Id(s.puts), call, code)}}
}

// found is the last result of (T, bool) and (T, bool, error): where it is false the value may
// stand for nothing, as on the side of reads, and the next read had better load it.
func found(m *model.Method) *model.Result {
	vals := m.Values()
	if len(vals) > 1 && isBool(vals[len(vals)-1].Type) {
		return vals[len(vals)-1]
	}
	return nil
}

func isBool(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsBoolean != 0
}

// reload is the load closure of a read with the put's arguments.
func (w *wrapper) reload(s *scope, p model.Put, res results) *jen.Statement {
	inner := *s
	switch {
	case !p.Read.TakesContext():
		inner.ctx = ""
	case inner.ctx == "":
		inner.ctx = s.pick("ctx")
	}
	return w.load(p.Read, &inner, w.sourceRead(p.Read, inner.ctx, s.arguments(p.Args, res)))
}

// sourceRead is c.src.ByID(ctx, id) with arguments of another method.
func (w *wrapper) sourceRead(read *model.Method, ctx string, vals []value) *jen.Statement {
	return w.self(w.source).Dot(read.Name).CallFunc(func(g *jen.Group) {
		next := 0
		for _, p := range read.Params {
			if p.Context {
				g.Id(ctx)
				continue
			}
			arg := vals[next].code()
			next++
			if p.Variadic {
				arg.Op("...")
			}
			g.Add(arg)
		}
	})
}
