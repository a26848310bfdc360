package templates

import (
	"github.com/cachegen/cachegen/generator/model"
	"github.com/dave/jennifer/jen"
)

// oldRow is the closure that reads the row before the write and adds its tags.
func (w *wrapper) oldRow(s *scope, plan *model.OldPlan, res results) *jen.Statement {
	if s.declared(s.err) {
		inner := *s
		inner.err = s.pick("oldErr")
		s = &inner
	}
	vals := s.arguments(plan.Args, res)
	ctx := s.ctx
	if ctx == "" {
		ctx = s.pick("ctx")
	}
	param := ctx
	if !plan.Read.TakesContext() {
		param = "_"
	}
	return jen.Func().Params(
		jen.Id(param).Qual("context", "Context"),
		jen.Id(s.tags).Op("*").Add(cachert("Tags")),
	).Error().BlockFunc(func(g *jen.Group) {
		if checks := needed(vals); len(checks) > 0 {
			g.If(isNil(checks)).Block(jen.Return(jen.Nil()))
		}
		ok := w.readOld(g, s, plan.Read, w.sourceRead(plan.Read, ctx, vals))
		notThere(g, s, plan.Read, ok)
		w.tagsOf(g, s, plan.Tags, res)
		g.Return(jen.Nil())
	})
}

// needed are all pointers behind which vals stand.
func needed(vals []value) []nilCheck {
	var checks []nilCheck
	for _, v := range vals {
		checks = merge(merge(checks, v.skip...), v.absent...)
	}
	return checks
}

// readOld assigns the results of the read that matter and returns the name of its "found".
func (w *wrapper) readOld(g *jen.Group, s *scope, read *model.Method, call *jen.Statement) (ok string) {
	vals := read.Values()
	var names []jen.Code
	for i, r := range read.Results {
		switch {
		case r.Error:
			names = append(names, jen.Id(s.err))
		case i == 0:
			names = append(names, jen.Id(s.old))
		case r == vals[len(vals)-1] && read.Read.Absent == model.AbsentBool:
			ok = s.ok
			names = append(names, jen.Id(ok))
		default:
			names = append(names, jen.Id("_"))
		}
	}
	g.List(names...).Op(":=").Add(call)
	return ok
}

// notThere ends the closure when there is no such row, or it cannot be read.
func notThere(g *jen.Group, s *scope, read *model.Method, ok string) {
	var missing []jen.Code
	if isPointer(read.Values()[0].Type) {
		missing = append(missing, jen.Id(s.old).Op("==").Nil())
	}
	if ok != "" {
		missing = append(missing, jen.Op("!").Id(ok))
	}
	if !read.Fails() {
		if len(missing) > 0 {
			g.If(join("||", missing)).Block(jen.Return(jen.Nil()))
		}
		return
	}
	var sentinels []jen.Code
	for _, o := range read.Read.NotFound {
		sentinels = append(sentinels, jen.Qual("errors", "Is").Call(jen.Id(s.err), object(o.Pkg, o.Name)))
	}
	if len(sentinels) > 0 {
		g.If(join("||", sentinels)).Block(jen.Return(jen.Nil()))
	}
	failed := append([]jen.Code{jen.Id(s.err).Op("!=").Nil()}, missing...)
	g.If(join("||", failed)).Block(jen.Return(jen.Id(s.err)))
}
