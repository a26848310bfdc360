package check

import (
	"go/types"

	"github.com/cachegen/cachegen/generator/internal/directive"
	"github.com/cachegen/cachegen/generator/model"
	"github.com/cachegen/cachegen/generator/model/shape"
)

// norm is a function that folds the values of a path before they become part of a key.
type norm struct {
	option directive.Option
	path   string
	fn     model.Func
	used   bool
}

// readNorms resolves the norm= options of a method.
func (m *method) readNorms() {
	for _, o := range m.dir.All("norm") {
		p, name, fault := directive.ParseNorm(o.Value)
		if fault != nil {
			m.repo.fault(fault)
			continue
		}
		fn, ok := m.repo.function(name)
		if !ok {
			continue
		}
		s := fn.Sig
		if s.Params().Len() != 1 || s.Results().Len() != 1 || s.Variadic() || !types.Identical(s.Params().At(0).Type(), s.Results().At(0).Type()) {
			m.repo.Add("CG116", name.Span(), "name a func(T) T", "%s is %s", name.S, typeText(s))
			continue
		}
		m.norms = append(m.norms, norm{option: o, path: p.S, fn: fn})
	}
}

// normalise attaches the norm of a path that was resolved.
func (m *method) normalise(p *model.Path) {
	for i := range m.norms {
		n := &m.norms[i]
		if n.path != p.Text {
			continue
		}
		n.used = true
		takes := n.fn.Sig.Params().At(0).Type()
		converts := types.Identical(model.Deref(p.Type).Underlying(), takes.Underlying()) && shape.CanWrite(takes, m.repo.pkg.Types)
		if !types.Identical(p.Type, takes) && !types.Identical(model.Deref(p.Type), takes) && !converts {
			m.repo.Add("CG116", n.option.Value.Span(), "name a function of that type", "%s is %s, %s takes %s", p.Text, typeText(p.Type), n.fn.Name, typeText(takes))
			continue
		}
		p.Norm = &n.fn
	}
}

// unusedNorms reports those that no key and no tag has used.
func (m *method) unusedNorms() {
	for _, n := range m.norms {
		if !n.used {
			m.repo.Add("CG113", n.option.At, "norm= folds a whole key argument or the argument of a tag", "nothing in the key or the tags is called %q", n.path)
		}
	}
}
