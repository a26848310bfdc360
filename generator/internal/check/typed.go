package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/load"
	"github.com/cachegen/cachegen/generator/model"
)

const untypedHelp = "make the package compile as far as this signature goes"

// typed reports whether the types of the signature are all known, for a read down to the
// fields that are stored, and says which are not.
func (m *method) typed() bool {
	if invalid(m.fn.Signature(), map[types.Type]bool{}) {
		m.repo.unknown(m.field, m.at(), "a type in the signature of "+m.fn.Name()+" is not known")
		return false
	}
	if m.model.Kind != model.Read {
		return true
	}
	known := true
	unknownFields(m.fn.Signature(), map[types.Type]bool{}, func(f *types.Var) {
		known = false
		at := diag.Span{Pos: f.Pos(), End: f.Pos() + token.Pos(len(f.Name()))}
		m.repo.unknown(m.repo.fieldAt(f.Pos()), at, "the type of the field "+f.Name()+" is not known")
	})
	return known
}

// unknown reports what the type checker found within a field of the source or, where it
// found nothing there, a text of our own.
func (r *repo) unknown(field *ast.Field, at diag.Span, text string) {
	if field == nil || !r.typeErrors(r.pkg, field) {
		r.Add("CG003", at, untypedHelp, "%s", text)
	}
}

// typeErrors reports what the type checker found within a piece of source, if anything.
func (c *checker) typeErrors(p *load.Package, n ast.Node) bool {
	found := false
	for _, e := range p.TypeErrors {
		if n.Pos() <= e.Pos && e.Pos < n.End() {
			c.Add("CG003", diag.Span{Pos: e.Pos, End: token.NoPos}, untypedHelp, "%s", strings.TrimSpace(e.Msg))
			found = true
		}
	}
	return found
}

// fieldAt is the field of the package's source at a place, nil when it is not there.
func (r *repo) fieldAt(pos token.Pos) (field *ast.Field) {
	for _, f := range r.pkg.Files {
		if f.FileStart <= pos && pos < f.FileEnd {
			ast.Inspect(f.File, func(n ast.Node) bool {
				if have, ok := n.(*ast.Field); ok && have.Pos() <= pos && pos < have.End() {
					field = have
				}
				return true
			})
		}
	}
	return field
}

// declaration reports what is wrong with the declaration of an interface. Of what it embeds
// and does not know the methods would be missing without a word.
func (r *repo) declaration(src *iface, t *types.Interface) {
	r.typeErrors(src.pkg, src.spec)
	decl, ok := src.spec.Type.(*ast.InterfaceType)
	if !ok {
		return
	}
	next := 0
	for _, field := range decl.Methods.List {
		if len(field.Names) > 0 {
			continue
		}
		if next < t.NumEmbeddeds() && invalid(t.EmbeddedType(next), map[types.Type]bool{}) {
			r.unknown(field, diag.Span{Pos: field.Pos(), End: field.End()}, "the interface embedded here is not known")
		}
		next++
	}
}

// invalid reports whether part of t could not be resolved. It looks no further than the
// types that are written down.
func invalid(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t := t.(type) {
	case *types.Basic:
		return t.Kind() == types.Invalid
	case *types.Alias:
		return invalid(types.Unalias(t), seen)
	case *types.Named:
		for a := range t.TypeArgs().Types() {
			if invalid(a, seen) {
				return true
			}
		}
		b, ok := t.Underlying().(*types.Basic)
		return ok && b.Kind() == types.Invalid
	case *types.Map:
		return invalid(t.Key(), seen) || invalid(t.Elem(), seen)
	case *types.Signature:
		return invalid(t.Params(), seen) || invalid(t.Results(), seen)
	case *types.Tuple:
		for v := range t.Variables() {
			if invalid(v.Type(), seen) {
				return true
			}
		}
	case interface{ Elem() types.Type }:
		return invalid(t.Elem(), seen)
	}
	return false
}

// unknownFields calls report for the fields inside t, however deep, whose types could not be
// resolved.
func unknownFields(t types.Type, seen map[types.Type]bool, report func(*types.Var)) {
	if t == nil || seen[t] {
		return
	}
	seen[t] = true
	switch t := t.(type) {
	case *types.Alias:
		unknownFields(types.Unalias(t), seen, report)
	case *types.Named:
		unknownFields(t.Underlying(), seen, report)
	case *types.Struct:
		for f := range t.Fields() {
			if invalid(f.Type(), map[types.Type]bool{}) {
				report(f)
			}
			unknownFields(f.Type(), seen, report)
		}
	case *types.Map:
		unknownFields(t.Key(), seen, report)
		unknownFields(t.Elem(), seen, report)
	case *types.Signature:
		unknownFields(t.Params(), seen, report)
		unknownFields(t.Results(), seen, report)
	case *types.Tuple:
		for v := range t.Variables() {
			unknownFields(v.Type(), seen, report)
		}
	case interface{ Elem() types.Type }:
		unknownFields(t.Elem(), seen, report)
	}
}
