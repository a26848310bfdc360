package check

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"

	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/directive"
	"github.com/cachegen/cachegen/generator/model"
	"github.com/cachegen/cachegen/generator/model/shape"
)

// read plans a cached read.
func (m *method) read() {
	r, def := &model.ReadPlan{Key: m.fn.Name()}, m.repo.defaults
	m.model.Read = r
	m.checkAccept()
	m.needsContext()
	r.TTL, r.Jitter, r.MaxSize, r.Level = def.ttl, def.jitter, def.maxsize, def.level
	if o, ok := m.dir.Get("ttl"); ok {
		r.TTL = m.repo.duration(o)
	}
	if o, ok := m.dir.Get("jitter"); ok {
		r.Jitter = m.repo.fraction(o)
	}
	if o, ok := m.dir.Get("maxsize"); ok {
		r.MaxSize = m.repo.size(o)
	}
	if o, ok := m.dir.Get("level"); ok {
		r.Level = m.repo.level(o)
	}
	if r.Level != model.Strict && r.Level != model.Eventual {
		r.Staleness = def.staleness
	}
	if o, ok := m.dir.Get("staleness"); ok {
		r.Staleness = m.repo.staleness(o, r.Level)
	}
	if r.TTL == 0 && !m.dir.Faulty && !m.repo.dir.Faulty {
		m.repo.Add("CG140", m.dir.At, "say how long an entry may live: ttl=10m here or on the repository", "%s has no TTL", m.fn.Name())
	}
	m.cacheable()
	m.readNorms()
	m.contextParts()
	r.Tx = m.txParam()
	m.key()
	m.absence()
	for _, o := range m.dir.All("tag") {
		if t, ok := m.tag(o, roots{ret: true, row: true, ctx: r.Ctx}); ok {
			if late(t) {
				r.Rows = append(r.Rows, t)
			} else {
				r.Tags = append(r.Tags, t)
			}
		}
	}
	for _, o := range m.dir.All("bypass") {
		m.bypass(o)
	}
	m.unusedNorms()
}

// cacheable reports results that cannot be rebuilt exactly.
func (m *method) cacheable() {
	if len(m.model.Results) == 0 {
		m.repo.Add("CG121", m.at(), "use //cachegen:pass", "%s has no result: there is nothing to cache", m.fn.Name())
	}
	for _, r := range m.model.Values() {
		_, problems := shape.Of(r.Type, m.repo.pkg.Types)
		for _, p := range problems {
			m.repo.Add("CG120", m.at(), "", "the result of %s cannot be cached: %s", m.fn.Name(), p)
		}
	}
}

// contextParts resolves ctx=: parts of the key that the context holds.
func (m *method) contextParts() {
	taken := map[string]bool{}
	for _, p := range m.model.Params {
		taken[p.Name] = true
	}
	for _, o := range m.dir.All("ctx") {
		fn, ok := m.repo.function(o.Value)
		if !ok {
			continue
		}
		if !m.model.TakesContext() {
			m.repo.Add("CG116", o.At, "give it one, or make the part a parameter", "%s has no context", m.fn.Name())
			continue
		}
		if !fromContext(fn.Sig) {
			m.repo.Add("CG116", o.Value.Span(), "name a func(context.Context) T, or one with (T, bool)", "%s is %s", o.Value.S, typeText(fn.Sig))
			continue
		}
		t := fn.Sig.Results().At(0).Type()
		if why := keyable(t, m.repo.pkg.Types, map[types.Type]bool{}); why != "" {
			m.repo.Add("CG111", o.Value.Span(), "return something that can be part of a key", "%s", why)
			continue
		}
		two := fn.Sig.Results().Len() == 2
		if !two && !hasZero(t, m.repo.pkg.Types) {
			m.repo.Add("CG116", o.Value.Span(), "return (T, bool), false where there is none", "== cannot tell whether %s returned something: %s", o.Value.S, typeText(t))
			continue
		}
		name := model.LowerFirst(fn.Name)
		for taken[name] || name == fn.Name || types.Universe.Lookup(name) != nil {
			name += "Part"
		}
		taken[name] = true
		m.model.Read.Ctx = append(m.model.Read.Ctx, model.CtxPart{Func: fn, Var: name, Type: t, OK: two})
	}
}

// hasZero reports whether code in package from can compare a value of t with its zero value.
func hasZero(t types.Type, from *types.Package) bool {
	switch t.Underlying().(type) {
	case *types.Struct, *types.Array:
		return isNamed(t, "time", "Time") || types.Comparable(t) && shape.CanWrite(t, from)
	}
	return true
}

// bypass resolves a condition under which the source is read.
func (m *method) bypass(o directive.Option) {
	c, fault := directive.ParseCondition(o.Value)
	if fault != nil {
		m.repo.fault(fault)
		return
	}
	p, ok := m.path(c.Path, roots{})
	if !ok {
		return
	}
	p.Norm = nil // what is compared is the argument itself
	b := model.Bypass{Path: p, Equal: c.Equal, Source: o.Value.S}
	var value types.Object
	if isLiteral(c.Value.S) {
		b.Lit = c.Value.S
	} else {
		obj, pkg := m.repo.object(c.Value)
		if obj == nil {
			return
		}
		value, b.Value = obj, model.Object{Pkg: pkg, Name: obj.Name(), Type: obj.Type()}
	}
	if !compares(p.Type, b.Lit, value) {
		m.repo.Add("CG116", c.Value.Span(), "compare it with a value of its type", "%s is %s and cannot be %s", p.Text, typeText(p.Type), c.Value.S)
		return
	}
	m.model.Read.Bypass = append(m.model.Read.Bypass, b)
}

// isLiteral reports whether a value in a condition is a literal. All others are names.
func isLiteral(s string) bool {
	return s == "true" || s == "false" || s == "nil" || s[0] == '"' || s[0] == '-' || '0' <= s[0] && s[0] <= '9'
}

// compares reports whether Go can compare a value of type t, or what it points to, with a
// literal, or with a constant or variable.
func compares(t types.Type, literal string, object types.Object) bool {
	pkg := types.NewPackage("condition", "condition")
	value := literal
	switch o := object.(type) {
	case nil:
		if expr, err := parser.ParseExpr(literal); err != nil || !plain(expr) {
			return false
		}
		if (literal == "true" || literal == "false") && !isBool(model.Deref(t)) {
			return false // of an interface, say
		}
	case *types.Const:
		value = "value"
		pkg.Scope().Insert(types.NewConst(token.NoPos, pkg, value, o.Type(), o.Val()))
	case *types.Var:
		value = "value"
		pkg.Scope().Insert(types.NewVar(token.NoPos, pkg, value, o.Type()))
	default:
		return false
	}
	if pointer := object != nil && model.Deref(object.Type()) != object.Type(); literal != "nil" && !pointer {
		t = model.Deref(t)
	}
	pkg.Scope().Insert(types.NewVar(token.NoPos, pkg, "argument", t))
	_, err := types.Eval(token.NewFileSet(), pkg, token.NoPos, "argument == "+value)
	return err == nil
}

// plain reports whether an expression is one literal, or a predeclared word.
func plain(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.UnaryExpr:
		return e.Op == token.SUB && plain(e.X)
	case *ast.BasicLit, *ast.Ident:
		return true
	}
	return false
}

// sharedKeys checks methods that share a key space: what one stores the other will read.
func (r *repo) sharedKeys() {
	first := map[string]*method{}
	r.each(model.Read, func(m *method) {
		f := first[m.model.Read.Key]
		if f == nil {
			first[m.model.Read.Key] = m
			return
		}
		at := m.at()
		if o, ok := m.dir.Get("key"); ok {
			at = o.At
		}
		if why := differs(f, m); why != "" {
			r.Add("CG112", diag.Span(at), "give it a key space of its own", "%s shares the key space %s with %s, but %s", m.fn.Name(), m.model.Read.Key, f.fn.Name(), why)
		}
	})
}

func differs(a, b *method) string {
	x, y := a.model.Read, b.model.Read
	if len(x.Args) != len(y.Args) {
		return "their keys have " + count(len(y.Args), "argument") + " and " + count(len(x.Args), "argument")
	}
	for i := range x.Args {
		if !types.Identical(x.Args[i].Type, y.Args[i].Type) || normName(x.Args[i]) != normName(y.Args[i]) {
			return "their arguments are of different types"
		}
		if contextName(x.Args[i]) != contextName(y.Args[i]) {
			return "their contexts tell them apart by different functions"
		}
	}
	if len(a.model.Values()) != len(b.model.Values()) {
		return "their results differ"
	}
	for i, v := range a.model.Values() {
		if !types.Identical(v.Type, b.model.Values()[i].Type) {
			return "their results differ"
		}
	}
	if !slices.Equal(tagNames(a), tagNames(b)) {
		return "they depend on different tags"
	}
	if len(x.NotFound) != len(y.NotFound) || x.Absent != y.Absent {
		return "they say \"not there\" in different ways"
	}
	for i := range x.NotFound {
		if x.NotFound[i].Name != y.NotFound[i].Name || x.NotFound[i].Pkg != y.NotFound[i].Pkg {
			return "they say \"not there\" in different ways"
		}
	}
	return ""
}

// tagNames lists the tags of a read, without their arguments: those may be written otherwise
// in a method with other parameters.
func tagNames(m *method) []string {
	var out []string
	for _, t := range slices.Concat(m.model.Read.Tags, m.model.Read.Rows) {
		out = append(out, t.Repo+"/"+t.Name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// contextName is the function that a part of a key comes from, "" for parameters.
func contextName(p model.Path) string {
	if p.Ctx == nil {
		return ""
	}
	return funcName(p.Ctx.Func)
}
