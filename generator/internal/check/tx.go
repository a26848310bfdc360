package check

import (
	"go/types"

	"github.com/cachegen/cachegen/generator/model"
)

// tx plans a method that gives access to a transaction: to a body that it runs inside, or by
// a store that it returns.
func (m *method) tx() {
	name, iface := m.fn.Name(), m.repo.model.Iface
	fits := "it fits InTx(ctx, func(" + iface + ") error) error and WithTx(tx) (" + iface + ", error)"
	functions := m.functions()
	returns := m.returnsStore()
	switch {
	case returns && m.givesStore() != nil:
		m.repo.Add("CG122", m.at(), "make two methods of it", "%s takes a body and returns a %s", name, iface)
	case returns && len(m.model.Values()) > 1:
		m.repo.Add("CG122", m.at(), "return the "+iface+" alone or with an error", "%s returns more than a %s", name, iface)
	case returns:
		m.model.Tx = &model.TxPlan{Ctx: -1, Store: -1}
	case len(functions) == 0:
		m.repo.Add("CG122", m.at(), fits+"; a method that has committed when it returns is //cachegen:write", "%s neither takes a body nor returns a %s", name, iface)
	case len(functions) > 1:
		m.repo.Add("CG122", m.at(), fits, "%s takes %s, and it is not known which is the body", name, count(len(functions), "function"))
	case !m.model.Fails():
		m.repo.Add("CG122", m.at(), "return an error last: it says whether there was a commit", "%s returns no error", name)
	default:
		m.body(functions[0])
	}
}

// body resolves the parameters of the function that is run inside a transaction.
func (m *method) body(p *model.Param) {
	sig := p.Type.Underlying().(*types.Signature)
	plan := &model.TxPlan{Body: p, Ctx: -1, Store: -1}
	name, help := m.fn.Name(), "let it take a context.Context, a "+m.repo.model.Iface+" or both"
	if sig.Results().Len() != 1 || !isErrorType(sig.Results().At(0).Type()) {
		m.repo.Add("CG122", m.at(), "let it return error alone: it decides between commit and rollback", "the body of %s is %s", name, typeText(sig))
		return
	}
	for i := range sig.Params().Len() {
		t := sig.Params().At(i).Type()
		switch {
		case isContext(t) && plan.Ctx < 0:
			plan.Ctx = i
		case types.Identical(t, m.repo.named) && plan.Store < 0:
			plan.Store = i
		default:
			m.repo.Add("CG122", m.at(), help, "the body of %s takes %s", name, typeText(t))
			return
		}
	}
	if plan.Ctx < 0 && plan.Store < 0 {
		m.repo.Add("CG122", m.at(), help, "the body of %s takes nothing by which its writes could be told from others", name)
		return
	}
	m.model.Tx = plan
}

// functions are the parameters of function type.
func (m *method) functions() []*model.Param {
	var out []*model.Param
	for _, p := range m.model.Params {
		if _, ok := p.Type.Underlying().(*types.Signature); ok {
			out = append(out, p)
		}
	}
	return out
}

func (m *method) returnsStore() bool {
	for _, r := range m.model.Results {
		if types.Identical(r.Type, m.repo.named) {
			return true
		}
	}
	return false
}

// givesStore is the parameter of function type that is called with a store, if there is one.
func (m *method) givesStore() *model.Param {
	for _, p := range m.functions() {
		for v := range p.Type.Underlying().(*types.Signature).Params().Variables() {
			if types.Identical(v.Type(), m.repo.named) {
				return p
			}
		}
	}
	return nil
}

// handsOut notes a store that gets past the cache without a word on why it may.
func (m *method) handsOut() {
	if m.model.Reason == "" && (m.returnsStore() || m.givesStore() != nil) {
		m.repo.Note("CG206", m.at(), `use //cachegen:tx, or say why it is right so: "reason=..."`,
			"%s hands out a %s of the source: writes through it are not seen by the cache", m.fn.Name(), m.repo.model.Iface)
	}
}

// txParam resolves tx=: the parameter that holds a transaction, where there is one.
func (m *method) txParam() *model.Param {
	o, ok := m.dir.Get("tx")
	if !ok {
		return nil
	}
	p := m.paramOf(o)
	if p == nil {
		return nil
	}
	switch p.Type.Underlying().(type) {
	case *types.Pointer, *types.Interface:
		return p
	}
	m.repo.Add("CG122", o.Value.Span(), "name a parameter that is nil outside of transactions: a pointer or an interface",
		"%s is %s and cannot say that there is no transaction", p.Name, typeText(p.Type))
	return nil
}
