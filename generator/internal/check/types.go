package check

import (
	"go/types"
	"unicode"

	"github.com/cachegen/cachegen/generator/model"
	"github.com/cachegen/cachegen/generator/model/shape"
)

// typeText is a type as a diagnostic shows it.
func typeText(t types.Type) string { return shape.Name(t) }

func isNamed(t types.Type, pkg, name string) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == pkg && n.Obj().Name() == name
}

func isContext(t types.Type) bool { return isNamed(t, "context", "Context") }

func isErrorType(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }

func isStringKind(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

func isBool(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsBoolean != 0
}

// deref is what a pointer points to, or t itself.
func deref(t types.Type) types.Type {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

// element is the type of the rows of a list: a slice, array or map, or a pointer to one.
func element(t types.Type) (types.Type, bool) {
	switch u := deref(t).Underlying().(type) {
	case *types.Slice:
		return u.Elem(), true
	case *types.Array:
		return u.Elem(), true
	case *types.Map:
		return u.Elem(), true
	}
	return nil, false
}

// mutable reports whether a method could change what its caller sees through a value of t.
func mutable(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] || isContext(t) || isNamed(t, "time", "Time") {
		return false
	}
	seen[t] = true
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() == types.UnsafePointer
	case *types.Array:
		return mutable(u.Elem(), seen)
	case *types.Struct:
		for f := range u.Fields() {
			if mutable(f.Type(), seen) {
				return true
			}
		}
		return false
	}
	return true
}

// values are the results but the error.
func (m *method) values() []*model.Result {
	var out []*model.Result
	for _, r := range m.model.Results {
		if !r.Error {
			out = append(out, r)
		}
	}
	return out
}

// takesContext reports whether a call brings a context.
func (m *method) takesContext() bool { return len(m.arguments()) < len(m.model.Params) }

// arguments are the parameters but the context.
func (m *method) arguments() []*model.Param {
	var out []*model.Param
	for _, p := range m.model.Params {
		if !p.Context {
			out = append(out, p)
		}
	}
	return out
}

// lowerFirst makes an unexported name: "Customer" -> "customer", "ID" -> "id".
func lowerFirst(s string) string {
	runes := []rune(s)
	for i, r := range runes {
		if !unicode.IsUpper(r) || i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(r)
	}
	return string(runes)
}
