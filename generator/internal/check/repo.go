package check

import (
	"go/types"
	"strings"
	"time"

	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/directive"
	"github.com/cachegen/cachegen/generator/model"
)

// repo is an annotated interface on its way to a plan.
type repo struct {
	*checker
	*iface
	dir      *directive.Directive
	named    *types.Named
	model    *model.Repo
	methods  []*method
	defaults defaults
}

// defaults are what the repository says for its methods.
type defaults struct {
	ttl       time.Duration // 0: each read needs its own
	jitter    float64
	maxsize   int // 0: the default of the runtime
	negative  time.Duration
	notfound  []model.Object
	level     model.Level
	staleness time.Duration // 0: that of each level
	onerror   model.OnError
}

// newRepo reads the repo directive and finds the methods; nil when the type cannot be one.
func (c *checker) newRepo(i *iface) *repo {
	r := &repo{checker: c, iface: i}
	i.reached = true
	for _, d := range i.own {
		switch {
		case d.Verb != "repo":
		case r.dir != nil:
			c.Add("CG103", d.At, "keep one of them", "%s has two //cachegen:repo directives", i.spec.Name.Name)
		default:
			r.dir = d
		}
	}
	at := diag.Span{Pos: i.spec.Name.Pos(), End: i.spec.Name.End()}
	obj := i.pkg.Types.Scope().Lookup(i.spec.Name.Name).(*types.TypeName)
	named, ok := obj.Type().(*types.Named)
	switch {
	case !ok || i.spec.Assign.IsValid():
		c.Add("CG002", at, "declare an interface of your own that embeds it", "%s is an alias; its methods belong to another type", obj.Name())
		return nil
	case i.spec.TypeParams != nil:
		c.Add("CG002", at, "embed an instantiated one in an interface of your own: type UserRepo interface { "+obj.Name()+"[User] }",
			"%s is generic: its values have no one type", obj.Name())
		return nil
	case !named.Underlying().(*types.Interface).IsMethodSet():
		c.Add("CG002", at, "annotate an interface with methods only", "%s is a constraint", obj.Name())
		return nil
	}
	r.named = named
	r.options()
	r.model = &model.Repo{Iface: obj.Name(), Type: named, Level: r.defaults.level}
	if o, ok := r.dir.Get("name"); ok {
		r.model.Name = o.Value.S
		if !directive.IsName(o.Value.S) || strings.ToLower(o.Value.S) != o.Value.S {
			c.Add("CG102", o.Value.Span(), "use lower-case letters, digits, '_' and '-'", "%q cannot name a repository", o.Value.S)
		}
	} else if !r.dir.Faulty {
		c.Add("CG103", r.dir.At, "name it: name="+model.LowerFirst(obj.Name()), "//cachegen:repo without name=")
	}
	r.tenant()
	r.findMethods()
	return r
}

// options reads what the repository says for its methods.
func (r *repo) options() {
	r.defaults = defaults{jitter: 0.1, level: model.Session}
	if o, ok := r.dir.Get("ttl"); ok {
		r.defaults.ttl = r.duration(o)
	}
	if o, ok := r.dir.Get("jitter"); ok {
		r.defaults.jitter = r.fraction(o)
	}
	if o, ok := r.dir.Get("maxsize"); ok {
		r.defaults.maxsize = r.size(o)
	}
	if o, ok := r.dir.Get("negative"); ok {
		r.defaults.negative = r.duration(o)
	}
	if o, ok := r.dir.Get("level"); ok {
		r.defaults.level = r.level(o)
	}
	if o, ok := r.dir.Get("staleness"); ok {
		r.defaults.staleness = r.staleness(o, r.defaults.level)
	}
	if o, ok := r.dir.Get("onerror"); ok {
		r.defaults.onerror = r.onerror(o)
	}
	r.defaults.notfound = r.sentinels(r.dir.All("notfound"))
}

// tenant resolves tenant=.
func (r *repo) tenant() {
	o, ok := r.dir.Get("tenant")
	if !ok || o.Value.S == "none" {
		return
	}
	if o.Value.S == "ctx" {
		r.model.Tenant.Kind = model.TenantCtx
		return
	}
	fn, ok := r.function(o.Value)
	if !ok {
		return
	}
	if !fromContext(fn.Sig) || !isStringKind(fn.Sig.Results().At(0).Type()) {
		r.Add("CG116", o.Value.Span(), "name a func(context.Context) string, or one with (string, bool)", "%s is %s", o.Value.S, typeText(fn.Sig))
		return
	}
	r.model.Tenant = model.Tenant{Kind: model.TenantFunc, Func: &fn}
}

// fromContext reports whether a function is func(context.Context) T or (T, bool).
func fromContext(s *types.Signature) bool {
	res := s.Results()
	if s.Params().Len() != 1 || s.Variadic() || !isContext(s.Params().At(0).Type()) || res.Len() == 0 || res.Len() > 2 {
		return false
	}
	return res.Len() == 1 || types.Identical(res.At(1).Type(), types.Typ[types.Bool])
}

// repoNames reports repositories of one name: they would share keys.
func (c *checker) repoNames() {
	seen := map[string]*repo{}
	for _, r := range c.repos {
		name := r.model.Name
		if other := seen[name]; other != nil && name != "" {
			o, _ := r.dir.Get("name")
			c.Add("CG131", o.At, "give each a name of its own; "+other.model.Iface+" in package "+other.pkg.Types.Path()+" has this one",
				"two repositories are named %q: their keys would mix", name)
			continue
		}
		seen[name] = r
	}
}

// needsContext reports a method that cannot know its tenant: a read of it would never be
// answered from the cache, a write drops what all tenants have cached.
func (m *method) needsContext() {
	if m.repo.model.Tenant.Kind == model.TenantNone || m.model.TakesContext() {
		return
	}
	if m.model.Kind == model.Read {
		m.repo.Add("CG117", m.at(), "give it a context, or use //cachegen:pass", "%s has no context, so its tenant is not known and it could never be cached", m.fn.Name())
		return
	}
	m.repo.Note("CG117", m.at(), "give it a context", "%s has no context: it drops what all tenants have cached of %s", m.fn.Name(), m.repo.model.Name)
}
