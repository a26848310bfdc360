package check

import (
	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/model"
)

// leased checks that writes keep what reads at level leased promise. Such a read is answered
// near, in any process, for as long as its staleness: a write that does not wait as long
// between its marks and its commit is overtaken by old values.
func (c *checker) leased() {
	reads := map[string]*method{} // by the tags they depend on, and repo/* for all of a repository
	for _, r := range c.repos {
		r.each(model.Read, func(m *method) {
			if m.model.Read.Level == model.Leased {
				reads[r.model.Name+"/*"] = m
			}
		})
	}
	for _, u := range c.uses {
		if r := u.method.model.Read; !u.drop && r != nil && r.Level == model.Leased {
			reads[u.repo+"/"+u.name] = u.method
		}
	}
	for _, u := range c.uses {
		if read := reads[u.repo+"/"+u.name]; u.drop && u.method.model.Write != nil && read != nil {
			u.method.waits(u.option.Value.Span(), read)
		}
	}
	for _, r := range c.repos {
		r.each(model.Write, func(m *method) {
			for _, p := range m.model.Write.Puts {
				if p.Read.Read.Level == model.Leased {
					m.waits(m.dir.At, r.byName(p.Read.Name))
				}
			}
		})
	}
}

// waits reports a write that changes what a leased read depends on, and does not wait.
func (m *method) waits(at diag.Span, read *method) {
	if l := m.model.Write.Level; l != model.Leased && !m.accepts("CG207") {
		m.repo.Add("CG207", at, "say level=leased here, or level=strict on "+read.fn.Name(),
			"%s, at level %s, does not wait for near values of %s, which is leased: they would outlive its commit", m.fn.Name(), l, read.fn.Name())
	}
}
