package templates

import (
	"go/types"
	"slices"

	"github.com/cachegen/cachegen/generator/model"
	"github.com/dave/jennifer/jen"
)

// readMethod answers from the cache, or through the source.
func (w *wrapper) readMethod(m *model.Method) {
	s := w.scope(m)
	get := func() *jen.Statement {
		return w.self(w.fields[m]).Dot("Get").Call(s.context(), w.call(m, s.context, s.callArgs()), w.load(m, s, w.sourceCall(s)))
	}
	vals := m.Values()
	body := func(g *jen.Group) {
		w.copyArguments(g, s)
		switch {
		case len(vals) == 1 && m.Fails():
			g.Return(get())
		case len(vals) == 0:
			g.List(jen.Id("_"), jen.Id(s.err)).Op(":=").Add(get())
			g.Return(jen.Id(s.err))
		default:
			w.unpack(g, s, get())
		}
	}
	w.method(m.Name, w.doc(m)).Params(s.paramList()...).Add(resultTypes(m)).BlockFunc(body)
}

// copyArguments copies what parameters of the key point to, because of this schedule:
//
//  1. A asks for ids 1 and 2; B asks for the same and joins A's load
//  2. A's context ends, A returns, and its caller puts other ids into the slice
//  3. the source reads the slice, and what it finds is B's answer and the entry of 1 and 2
//
// The rest of the parameters do not bear on the result.
func (w *wrapper) copyArguments(g *jen.Group, s *scope) {
	for _, p := range s.method.Arguments() {
		of := func(path model.Path) bool { return path.Param == p }
		if !slices.ContainsFunc(paths(s.method), of) {
			continue
		}
		if code := w.codecs.argument(p.Type, s.param(p)); code != nil {
			g.Add(s.param(p)).Op("=").Add(code).Comment("a shared load may outlive this call")
		}
	}
}

// unpack returns several results, or results without an error. Where there is no error to
// return, a context that ends while another caller loads must not become an answer.
func (w *wrapper) unpack(g *jen.Group, s *scope, get *jen.Statement) {
	m := s.method
	ret := s.ret
	vals := m.Values()
	err := s.err
	if !m.Fails() && s.ctx == "" {
		err = "_"
	}
	g.List(jen.Id(ret), jen.Id(err)).Op(":=").Add(get)
	if !m.Fails() && s.ctx != "" {
		g.If(jen.Id(err).Op("!=").Nil()).Block(
			jen.Comment(s.ctx+" ended while another caller was loading"),
			jen.Return(w.sourceCall(s)),
		)
	}
	var results []jen.Code
	for i, r := range m.Results {
		switch {
		case r.Error:
			results = append(results, jen.Id(err))
		case len(vals) == 1:
			results = append(results, jen.Id(ret))
		default:
			results = append(results, jen.Id(ret).Dot(s.results[i]))
		}
	}
	g.Return(results...)
}

// callArgs hands the method's own arguments to its call method.
func (s *scope) callArgs() []jen.Code {
	var args []jen.Code
	for _, p := range s.method.Arguments() {
		args = append(args, s.param(p))
	}
	return args
}

// call is c.byIDCall(id); reads with parts from the context hand that on too.
func (w *wrapper) call(m *model.Method, ctx func() *jen.Statement, args []jen.Code) *jen.Statement {
	if len(m.Read.Ctx) > 0 {
		args = append([]jen.Code{ctx()}, args...)
	}
	return w.self(w.calls[m]).Call(args...)
}

// load is the closure that asks the source: sourceCall, as a V and an error. m is the read,
// s the method the closure stands in.
func (w *wrapper) load(m *model.Method, s *scope, sourceCall *jen.Statement) *jen.Statement {
	v := w.valueType(m)
	vals := m.Values()
	return jen.Func().Params(s.contextParam()).Params(typ(v), jen.Error()).BlockFunc(func(g *jen.Group) {
		switch {
		case len(vals) == 1 && m.Fails():
			g.Return(sourceCall)
		case len(vals) == 1:
			g.Return(sourceCall, jen.Nil())
		case len(vals) == 0:
			g.Return(jen.Struct().Values(), sourceCall)
		default:
			var locals, fields []jen.Code
			err := jen.Nil()
			for i, name := range w.scope(m).results {
				local := name
				if s.method != m && s.declared(name) {
					local = s.pick(name + "Now")
				}
				locals = append(locals, jen.Id(local))
				if m.Results[i].Error {
					err = jen.Id(local)
				} else {
					fields = append(fields, jen.Id(name).Op(":").Id(local))
				}
			}
			g.List(locals...).Op(":=").Add(sourceCall)
			g.Return(typ(v).Values(fields...), err)
		}
	})
}

// callMethod emits byIDCall: key, tags and conditions of one call.
func (w *wrapper) callMethod(m *model.Method) {
	s := w.scope(m)
	v := w.valueType(m)
	var params []jen.Code
	if len(m.Read.Ctx) > 0 {
		params = append(params, jen.Id(s.ctx).Qual("context", "Context"))
	}
	params = append(params, s.declare(m.Arguments(), false)...)
	w.method(w.calls[m], "").Params(params...).Add(cachert("Call")).Types(typ(v)).BlockFunc(func(g *jen.Group) {
		missing := s.contextParts(g)
		key := w.key(g, s)
		var fields []jen.Code
		if key != nil {
			fields = append(fields, field("Key", key))
		}
		if len(m.Read.Tags) > 0 {
			fields = append(fields, field("Tags", s.tagsFunc(func(g *jen.Group) { w.tagsOf(g, s, m.Read.Tags, nil) })))
		}
		if len(m.Read.Rows) > 0 {
			fields = append(fields, field("Rows", w.rows(s, v)))
		}
		if bypass := s.bypass(missing); bypass != nil {
			fields = append(fields, field("Bypass", bypass))
		}
		call := cachert("Call").Types(typ(v))
		if len(fields) == 0 {
			g.Return(call.Values())
			return
		}
		g.Return(literal(call, fields...))
	})
}

// contextParts takes the key's parts out of the context and returns the conditions under
// which one is missing.
func (s *scope) contextParts(g *jen.Group) []*jen.Statement {
	var missing []*jen.Statement
	oks := 0
	for _, part := range s.method.Read.Ctx {
		from := object(part.Func.Pkg, part.Func.Name).Call(jen.Id(s.ctx))
		name := s.vars[part.Var]
		if !part.OK {
			g.Id(name).Op(":=").Add(from)
			missing = append(missing, isZero(name, part.Type))
			continue
		}
		ok := s.ok
		if oks++; oks > 1 {
			ok = s.pick(name + "OK")
		}
		g.List(jen.Id(name), jen.Id(ok)).Op(":=").Add(from)
		missing = append(missing, jen.Op("!").Id(ok))
	}
	return missing
}

// isZero compares a variable with its type's zero value.
func isZero(name string, t types.Type) *jen.Statement {
	v := jen.Id(name)
	if isTime(t) {
		return v.Dot("IsZero").Call()
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch info := u.Info(); {
		case info&types.IsBoolean != 0:
			return jen.Op("!").Add(v)
		case info&types.IsString != 0:
			return v.Op("==").Lit("")
		}
		return v.Op("==").Lit(0)
	case *types.Struct, *types.Array:
		return v.Op("==").Parens(typ(t).Values())
	}
	return v.Op("==").Nil()
}

// key is the encoded arguments; where some stand behind pointers they are appended one by
// one before.
func (w *wrapper) key(g *jen.Group, s *scope) *jen.Statement {
	vals := s.arguments(s.method.Read.Args, nil)
	if len(vals) == 0 {
		return nil
	}
	if len(absent(vals)) == 0 {
		return w.args(cachert("NewArgs").Call(), vals, false)
	}
	g.Id(s.key).Op(":=").Add(cachert("NewArgs").Call())
	w.each(g, s.key, vals)
	return jen.Id(s.key)
}

// tagsFunc is func(t *cachert.Tags) { ... }.
func (s *scope) tagsFunc(body func(*jen.Group)) *jen.Statement {
	return jen.Func().Params(jen.Id(s.tags).Op("*").Add(cachert("Tags"))).BlockFunc(body)
}

// rows is the closure that adds the tags known only from the result.
func (w *wrapper) rows(s *scope, v types.Type) *jen.Statement {
	ret := s.ret
	single := len(s.method.Values()) == 1
	res := func(r *model.Result) *jen.Statement {
		if single {
			return jen.Id(ret)
		}
		return jen.Id(ret).Dot(w.fieldOf(s.method, r))
	}
	return jen.Func().Params(jen.Id(ret).Add(typ(v)), jen.Id(s.tags).Op("*").Add(cachert("Tags"))).BlockFunc(func(g *jen.Group) {
		w.resultTags(g, s, s.method.Read.Rows, res)
	})
}

// bypass joins the conditions under which a call goes to the source; nil: there are none.
func (s *scope) bypass(conditions []*jen.Statement) *jen.Statement {
	for _, b := range s.method.Read.Bypass {
		conditions = append(conditions, s.condition(b))
	}
	if tx := s.method.Read.Tx; tx != nil {
		conditions = append(conditions, s.param(tx).Op("!=").Nil())
	}
	if len(conditions) == 0 {
		return nil
	}
	return join("||", conditions)
}

// condition compares a parameter with a value. Behind a nil pointer nothing is demanded.
func (s *scope) condition(b model.Bypass) *jen.Statement {
	v := s.value(b.Path, nil)
	if ptr, ok := v.typ.Underlying().(*types.Pointer); ok && b.Lit != "nil" && !isPointerValue(b.Value) {
		pointer := v.code
		v.absent = append(v.absent, nilCheck{text: b.Path.Text, code: pointer})
		v.code, v.typ = func() *jen.Statement { return jen.Op("*").Add(pointer()) }, ptr.Elem()
	}
	var holds *jen.Statement
	switch {
	case b.Lit == "true" || b.Lit == "false":
		holds = v.code()
		if (b.Lit == "true") != b.Equal {
			holds = jen.Op("!").Add(holds)
		}
	default:
		op, value := "!=", jen.Id(b.Lit)
		if b.Equal {
			op = "=="
		}
		if b.Value.Name != "" {
			value = object(b.Value.Pkg, b.Value.Name)
		}
		holds = v.code().Op(op).Add(value)
	}
	if len(v.absent) == 0 {
		return holds
	}
	return jen.Parens(notNil(v.absent).Op("&&").Add(holds))
}

func isPointerValue(o model.Object) bool { return o.Type != nil && isPointer(o.Type) }
