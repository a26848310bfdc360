package check

import (
	"go/token"
	"go/types"
	"strings"

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
	r.TTL, r.Jitter, r.Level = def.ttl, def.jitter, def.level
	if o, ok := m.dir.Get("ttl"); ok {
		r.TTL = m.repo.duration(o)
	}
	if o, ok := m.dir.Get("jitter"); ok {
		r.Jitter = m.repo.fraction(o)
	}
	if o, ok := m.dir.Get("level"); ok {
		r.Level = m.repo.level(o)
	}
	if r.TTL == 0 {
		m.repo.Add("CG140", m.dir.At, "say how long an entry may live: ttl=10m here or on the repository", "%s has no TTL", m.fn.Name())
	}
	m.cacheable()
	m.readNorms()
	m.contextParts()
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
	for _, r := range m.values() {
		if _, problems := shape.Of(r.Type, m.repo.pkg.Types); len(problems) > 0 {
			texts := make([]string, len(problems))
			for i, p := range problems {
				texts[i] = p.String()
			}
			m.repo.Add("CG120", m.at(), "", "the result of %s cannot be cached: %s", m.fn.Name(), strings.Join(texts, "\n\t"))
		}
	}
}

// contextParts resolves ctx=: parts of the key that the context holds.
func (m *method) contextParts() {
	taken := map[string]bool{}
	for _, p := range m.model.Params {
		taken[p.Name] = true
	}
	takesContext := len(m.arguments()) < len(m.model.Params)
	for _, o := range m.dir.All("ctx") {
		fn, ok := m.repo.function(o.Value)
		if !ok {
			continue
		}
		if !takesContext {
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
		name := lowerFirst(fn.Name)
		for taken[name] || name == fn.Name || types.Universe.Lookup(name) != nil {
			name += "Part"
		}
		taken[name] = true
		m.model.Read.Ctx = append(m.model.Read.Ctx, model.CtxPart{Func: fn, Var: name, Type: t, OK: fn.Sig.Results().Len() == 2})
	}
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
	b := model.Bypass{Path: p, Equal: c.Equal, Source: o.Value.S}
	p.Norm = nil
	if lit, known := literalType(c.Value.S); known {
		b.Lit = c.Value.S
		if lit == nil || !(types.AssignableTo(lit, p.Type) || types.AssignableTo(lit, deref(p.Type)) && c.Value.S != "nil") {
			m.wrongValue(c, p)
			return
		}
	} else {
		obj, pkg := m.repo.object(c.Value)
		if obj == nil {
			return
		}
		_, isConst := obj.(*types.Const)
		if _, isVar := obj.(*types.Var); !isConst && !isVar || !types.Comparable(p.Type) ||
			!types.AssignableTo(obj.Type(), p.Type) && !types.AssignableTo(obj.Type(), deref(p.Type)) {
			m.wrongValue(c, p)
			return
		}
		b.Value = model.Object{Pkg: pkg, Name: obj.Name(), Type: obj.Type()}
	}
	m.model.Read.Bypass = append(m.model.Read.Bypass, b)
}

func (m *method) wrongValue(c directive.Condition, p model.Path) {
	m.repo.Add("CG116", c.Value.Span(), "compare it with a value of its type", "%s is %s and cannot be %s", p.Text, typeText(p.Type), c.Value.S)
}

// literalType is the type of a literal in a condition. A name is none.
func literalType(s string) (t types.Type, literal bool) {
	switch {
	case s == "true" || s == "false":
		return types.Typ[types.UntypedBool], true
	case s == "nil":
		return types.Typ[types.UntypedNil], true
	case s[0] == '"' || s[0] == '-' || '0' <= s[0] && s[0] <= '9':
		tv, err := types.Eval(token.NewFileSet(), nil, token.NoPos, s)
		if err != nil || tv.Value == nil {
			return nil, true
		}
		return tv.Type, true
	}
	return nil, false
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
	}
	if len(a.values()) != len(b.values()) {
		return "their results differ"
	}
	for i, v := range a.values() {
		if !types.Identical(v.Type, b.values()[i].Type) {
			return "their results differ"
		}
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
