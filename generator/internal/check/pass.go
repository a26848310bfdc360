package check

import (
	"cmp"
	"go/ast"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/directive"
	"github.com/cachegen/cachegen/generator/model"
	"github.com/cachegen/cachegen/generator/model/shape"
)

// passList applies //cachegen:pass methods=... of the interface and reports the methods that
// nobody has classified: a new write must not slip past the cache.
func (r *repo) passList() {
	listed := map[string]bool{}
	for _, d := range r.own {
		switch d.Verb {
		case "pass":
			r.passDirective(d, listed)
		case "read", "write", "tx":
			r.Add("CG002", d.At, "put it on the method", "//cachegen:%s on the interface", d.Verb)
		}
	}
	for _, m := range r.methods {
		if m.model.Kind == model.Pass && (m.dir != nil || listed[m.fn.Name()]) {
			m.handsOut()
		}
		if m.dir != nil || listed[m.fn.Name()] || attempted(m.field) {
			continue
		}
		help := "add //cachegen:read, //cachegen:write or //cachegen:pass to it"
		if m.returnsStore() || m.givesStore() != nil {
			help = "add //cachegen:tx to it, or //cachegen:pass with a reason"
		}
		if m.field == nil {
			help = "declare it once more in " + r.model.Iface + " with a directive, or list it: //cachegen:pass methods=" + m.fn.Name()
		}
		r.Add("CG150", m.at(), help, "method %s is not classified", m.fn.Name())
	}
}

func (r *repo) passDirective(d *directive.Directive, listed map[string]bool) {
	o, ok := d.Get("methods")
	if !ok && d.Faulty {
		return
	}
	if !ok {
		r.Add("CG103", d.At, "list the methods: methods=Close,Ping", "//cachegen:pass on the interface without methods=")
		return
	}
	pos := o.Value.Pos
	for name := range strings.SplitSeq(o.Value.S, ",") {
		at := directive.Text{S: name, Pos: pos}
		pos = at.Span().End + 1
		m := r.byName(name)
		switch {
		case m == nil:
			r.Add("CG113", at.Span(), cmp.Or(diag.Suggest(name, r.names()), "its methods are "+strings.Join(r.names(), ", ")), "%s has no method %q", r.model.Iface, name)
			continue
		case m.dir != nil:
			r.Add("CG151", at.Span(), "remove one of them", "%s is listed here and has a directive of its own", name)
		}
		listed[name] = true
		if reason, ok := d.Get("reason"); ok {
			m.model.Reason = reason.Value.S
		}
	}
}

// listMethods adds the methods to the plan. One that the package cannot write down passes
// through the embedded source.
func (r *repo) listMethods() {
	for _, m := range r.methods {
		if m.model.Kind == model.Pass && !shape.CanWrite(m.fn.Signature(), r.pkg.Types) {
			r.model.Embed = true
			continue
		}
		r.model.Methods = append(r.model.Methods, m.model)
	}
	if m := r.byName(r.model.Iface); m != nil && r.model.Embed {
		r.Add("CG002", m.at(), "rename the interface", "method %s is called as its interface, which has to be embedded for the methods that this package cannot name", m.fn.Name())
	}
}

func (r *repo) byName(name string) *method {
	for _, m := range r.methods {
		if m.fn.Name() == name {
			return m
		}
	}
	return nil
}

func (r *repo) names() []string {
	var names []string
	for _, m := range r.methods {
		names = append(names, m.fn.Name())
	}
	return names
}

// attempted reports whether a method's doc comment holds what should have been a directive:
// its fault is reported, and enough.
func attempted(f *ast.Field) bool {
	return f != nil && f.Doc != nil && slices.ContainsFunc(f.Doc.List, func(c *ast.Comment) bool {
		return directive.Is(c) || directive.NearMiss(c)
	})
}
