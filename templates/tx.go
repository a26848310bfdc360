package templates

import (
	"go/types"

	"github.com/cachegen/cachegen/generator/model"
	"github.com/dave/jennifer/jen"
)

// derived emits the method that wraps a store which the source has handed out.
func (w *wrapper) derived() {
	if w.with == "" {
		return
	}
	src, unit := w.names.local("src"), w.names.local("unit")
	in := func(member string) jen.Code { return field(member, w.self(member).Dot("In").Call(jen.Id(unit))) }
	members := []jen.Code{field(w.source, jen.Id(src))}
	if w.tx != "" {
		members = append(members, in(w.tx))
	}
	for _, m := range w.repo.Methods {
		if name, ok := w.fields[m]; ok {
			members = append(members, in(name))
		}
	}
	w.method(w.with, w.with+" wraps a store that the source has handed out: its reads go to "+src+", its writes belong to "+unit+".").
		Params(jen.Id(src).Add(w.iface()), jen.Id(unit).Op("*").Add(cachert("Unit"))).
		Op("*").Id(w.typeName).
		Block(jen.Return(literal(jen.Op("&").Id(w.typeName), members...)))
}

// txMethod gives access to a transaction.
func (w *wrapper) txMethod(m *model.Method) {
	if m.Tx.Body == nil {
		w.handOut(m)
		return
	}
	s := w.scope(m)
	run := s.pick("tx", "run")
	w.told(s, func() *jen.Statement {
		ctx := s.ctx
		if ctx == "" {
			ctx = s.pick("ctx")
		}
		return w.self(w.tx).Dot("Run").Call(s.context(), jen.Func().
			Params(jen.Id(ctx).Qual("context", "Context"), jen.Id(run).Op("*").Add(cachert("Transaction"))).
			Error().
			Block(s.kept(w.sourceCallWith(s, m.Tx.Body, w.attempt(s, ctx, run)))...))
	})
}

// attempt is the body that the source runs: the caller's body, with its writes joined.
func (w *wrapper) attempt(s *scope, ctx, run string) *jen.Statement {
	plan := s.method.Tx
	sig := plan.Body.Type.Underlying().(*types.Signature)
	store, unit := s.pick("store", "inside"), s.pick("unit", "joined")
	var params, args []jen.Code
	for i := range sig.Params().Len() {
		name, arg := ctx, jen.Id(ctx)
		if i == plan.Store {
			name, arg = store, w.self(w.with).Call(jen.Id(store), jen.Id(unit))
		}
		params = append(params, jen.Id(name).Add(typ(sig.Params().At(i).Type())))
		args = append(args, arg)
	}
	inner := ctx
	if plan.Ctx < 0 {
		inner = "_"
	}
	if plan.Store < 0 {
		unit = "_"
	}
	return jen.Func().Params(params...).Error().Block(
		jen.Return(jen.Id(run).Dot("Body").Call(jen.Id(ctx), jen.Func().
			Params(jen.Id(inner).Qual("context", "Context"), jen.Id(unit).Op("*").Add(cachert("Unit"))).
			Error().
			Block(jen.Return(s.param(plan.Body).Call(args...))))),
	)
}

// handOut wraps the store that the source returns.
func (w *wrapper) handOut(m *model.Method) {
	s := w.scope(m)
	store := s.pick("store", "inside")
	fails := m.Fails()
	returned := func(store *jen.Statement) *jen.Statement {
		if fails {
			return jen.Return(store, jen.Id(s.err))
		}
		return jen.Return(store)
	}
	results := []jen.Code{jen.Id(store)}
	if fails {
		results = append(results, jen.Id(s.err))
	}
	doc := w.doc(m) + `

Reads of the store go to its source. Writes belong to the unit of work in the context they
are called with. Without one the commit is not seen: the tags stay marked, and reads of them
go to the source, until the lease ends, within which the transaction has to be committed.`
	w.method(m.Name, doc).Params(s.paramList()...).Add(resultTypes(m)).Block(
		jen.List(results...).Op(":=").Add(w.sourceCall(s)),
		jen.If(jen.Id(store).Op("==").Nil()).Block(returned(jen.Nil())),
		returned(w.self(w.with).Call(jen.Id(store), jen.Nil())),
	)
}
