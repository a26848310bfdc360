package templates

import (
	"fmt"
	"go/types"
	"time"

	"github.com/cachegen/cachegen/generator/model"
	"github.com/dave/jennifer/jen"
)

// constructor emits NewCachedBookRepo with all policies as literals, one setting a line.
func (w *wrapper) constructor() {
	src, cache, repo := w.names.local("src"), w.names.local("cache"), w.names.local("repo")
	w.file.Line()
	w.file.Commentf("%s puts %s in front of %s.", w.newName, cache, src)
	w.file.Func().Id(w.newName).
		Params(jen.Id(src).Add(w.iface()), jen.Id(cache).Op("*").Add(cachert("Cache"))).
		Op("*").Id(w.typeName).
		BlockFunc(func(g *jen.Group) {
			if len(w.fields) == 0 && w.tx == "" { // nothing but pass: the name is registered all the same
				g.Id(cache).Dot("Repo").Call(w.repoPolicy())
			} else {
				g.Id(repo).Op(":=").Id(cache).Dot("Repo").Call(w.repoPolicy())
			}
			g.Return(literal(jen.Op("&").Id(w.typeName), w.members(src, repo)...))
		})
}

func (w *wrapper) members(src, repo string) []jen.Code {
	members := []jen.Code{field(w.source, jen.Id(src))}
	if w.tx != "" {
		members = append(members, field(w.tx, cachert("NewTransactor").Call(jen.Id(repo))))
	}
	for _, m := range w.repo.Methods {
		switch m.Kind {
		case model.Read:
			members = append(members, field(w.fields[m], w.newReader(m, repo)))
		case model.Write:
			members = append(members, field(w.fields[m], newWriter(m, repo)))
		}
	}
	return members
}

func (w *wrapper) repoPolicy() jen.Code {
	fields := []jen.Code{field("Name", jen.Lit(w.repo.Name))}
	switch w.repo.Tenant.Kind {
	case model.TenantCtx:
		fields = append(fields, field("Tenant", cachert("TenantFromContext")))
	case model.TenantFunc:
		fields = append(fields, field("Tenant", tenantFunc(w.repo.Tenant.Func)))
	}
	return literal(cachert("RepoPolicy"), fields...)
}

// tenantFunc is the user's function as func(context.Context) (string, bool).
func tenantFunc(f *model.Func) jen.Code {
	results := f.Sig.Results()
	plain := isString(results.At(0).Type())
	if results.Len() == 2 && plain {
		return object(f.Pkg, f.Name)
	}
	tenant := jen.Id("tenant")
	if !plain {
		tenant = jen.String().Call(tenant)
	}
	body := []jen.Code{
		jen.Id("tenant").Op(":=").Add(object(f.Pkg, f.Name)).Call(jen.Id("ctx")),
		jen.Return(tenant, jen.Id("tenant").Op("!=").Lit("")),
	}
	if results.Len() == 2 {
		body = []jen.Code{
			jen.List(jen.Id("tenant"), jen.Id("ok")).Op(":=").Add(object(f.Pkg, f.Name)).Call(jen.Id("ctx")),
			jen.Return(tenant, jen.Id("ok")),
		}
	}
	return jen.Func().Params(jen.Id("ctx").Qual("context", "Context")).Params(jen.String(), jen.Bool()).Block(body...)
}

func isString(t types.Type) bool {
	b, ok := types.Unalias(t).(*types.Basic)
	return ok && b.Kind() == types.String
}

func (w *wrapper) newReader(m *model.Method, repo string) jen.Code {
	v := w.valueType(m)
	w.codec(v)
	r := m.Read
	fields := []jen.Code{
		field("Method", jen.Lit(m.Name)),
		field("Key", jen.Lit(r.Key)),
		field("Schema", jen.Id(w.names.schemaConst(v))),
		field("Level", level(r.Level)),
	}
	if r.Staleness > 0 {
		fields = append(fields, field("Staleness", duration(r.Staleness)))
	}
	fields = append(fields, field("TTL", duration(r.TTL)), field("Jitter", jen.Lit(r.Jitter)))
	if r.MaxSize > 0 {
		fields = append(fields, field("MaxSize", size(r.MaxSize)))
	}
	if r.Negative > 0 {
		fields = append(fields, field("Negative", duration(r.Negative)))
	}
	if len(r.NotFound) > 0 {
		sentinels := make([]jen.Code, len(r.NotFound))
		for i, o := range r.NotFound {
			sentinels[i] = object(o.Pkg, o.Name)
		}
		fields = append(fields, field("NotFound", jen.Index().Error().Values(sentinels...)))
	}
	if absent := w.absent(m, v); absent != nil {
		fields = append(fields, field("Absent", absent))
	}
	fields = append(fields, field("Codec", jen.Id(w.names.codecVar(v))))
	return cachert("NewReader").Call(jen.Id(repo), literal(cachert("ReadPolicy").Types(typ(v)), fields...))
}

// absent is the function that recognises a result without error that says "not there".
func (w *wrapper) absent(m *model.Method, v types.Type) jen.Code {
	when := func(condition *jen.Statement) jen.Code {
		return jen.Func().Params(jen.Id("ret").Add(typ(v))).Bool().Block(jen.Return(condition))
	}
	vals := m.Values()
	switch m.Read.Absent {
	case model.AbsentNil:
		if p, ok := types.Unalias(v).(*types.Pointer); ok {
			return cachert("IsNil").Types(typ(p.Elem()))
		}
		return when(jen.Id("ret").Op("==").Nil())
	case model.AbsentBool:
		return when(jen.Op("!").Id("ret").Dot(w.fieldOf(m, vals[len(vals)-1])))
	case model.AbsentZero:
		if types.Comparable(v) {
			return cachert("IsZero").Types(typ(v))
		}
		return jen.Id(w.codecs.isZero(v))
	}
	return nil
}

func (w *wrapper) fieldOf(m *model.Method, r *model.Result) string {
	s := w.scope(m)
	for i, have := range m.Results {
		if have == r {
			return s.results[i]
		}
	}
	return ""
}

func newWriter(m *model.Method, repo string) jen.Code {
	fields := []jen.Code{
		field("Method", jen.Lit(m.Name)),
		field("Level", level(m.Write.Level)),
	}
	if m.Write.Staleness > 0 {
		fields = append(fields, field("Staleness", duration(m.Write.Staleness)))
	}
	switch {
	case m.Write.OnError == "fail":
		fields = append(fields, field("OnError", cachert("OnErrorFail")))
	case m.Write.OnError == "outbox":
		fields = append(fields, field("OnError", cachert("OnErrorOutbox")))
	case m.Write.OnError == "proceed" || !m.Fails(): // without an error result nobody could be told of a refusal
		fields = append(fields, field("OnError", cachert("OnErrorProceed")))
	}
	return cachert("NewWriter").Call(jen.Id(repo), literal(cachert("WritePolicy"), fields...))
}

func level(l model.Level) jen.Code { return cachert("Level" + upperFirst(string(l))) }

// size is n in KiB or MiB where it is a multiple of these.
func size(n int) jen.Code {
	switch {
	case n%(1<<20) == 0:
		return jen.Lit(n >> 20).Op("<<").Lit(20)
	case n%(1<<10) == 0:
		return jen.Lit(n >> 10).Op("<<").Lit(10)
	}
	return jen.Lit(n)
}

// duration is d in the largest unit that divides it.
func duration(d time.Duration) jen.Code {
	units := []struct {
		unit time.Duration
		name string
	}{
		{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"},
		{time.Millisecond, "Millisecond"}, {time.Microsecond, "Microsecond"},
	}
	for _, u := range units {
		switch {
		case d == u.unit:
			return jen.Qual("time", u.name)
		case d%u.unit == 0:
			return jen.Id(fmt.Sprint(int64(d/u.unit))).Op("*").Qual("time", u.name)
		}
	}
	return jen.Id(fmt.Sprint(int64(d)))
}
