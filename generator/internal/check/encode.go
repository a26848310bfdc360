package check

import (
	"go/types"

	"github.com/cachegen/cachegen/generator/model"
	"github.com/cachegen/cachegen/generator/model/shape"
)

// taggable says in which class of texts a tag argument of type t is written: arguments of
// one class that are equal look alike. "" means that t cannot be one.
func taggable(t types.Type) string {
	t = model.Deref(t)
	switch {
	case isNamed(t, "time", "Time"):
		return "time"
	case shape.HasText(t):
		return "text of " + types.TypeString(types.Unalias(t), nil)
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch info := u.Info(); {
		case info&types.IsBoolean != 0:
			return "bool"
		case info&types.IsString != 0:
			return "string"
		case info&types.IsInteger != 0 && u.Kind() != types.Uintptr:
			return "integer"
		}
	case *types.Array:
		if b, ok := types.Unalias(u.Elem()).(*types.Basic); ok && b.Kind() == types.Byte {
			return types.TypeString(u, nil)
		}
	}
	return ""
}

// appends reports whether code in package from can append a value of t to a key. What is no
// basic value, time or text is appended by a function, whose parameter has to be written down.
func appends(t types.Type, from *types.Package) bool {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsComplex == 0 {
			return true
		}
	case *types.Struct, *types.Array:
		if isNamed(t, "time", "Time") || shape.HasText(t) && !shape.TextByPointer(t) {
			return true
		}
	}
	return shape.CanWrite(t, from)
}

// keyable says why values of t cannot be told apart in a key, "" when they can.
func keyable(t types.Type, from *types.Package, open map[types.Type]bool) string {
	if !appends(t, from) {
		return typeText(t) + " cannot be named in package " + from.Name()
	}
	if isNamed(t, "time", "Time") || shape.HasText(t) {
		return ""
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		if open[named] {
			return typeText(t) + " contains itself"
		}
		open[named] = true
		defer delete(open, named)
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Kind() == types.UnsafePointer || u.Kind() == types.Uintptr || u.Kind() == types.Invalid {
			return typeText(t) + " means something in this process only"
		}
		return ""
	case *types.Map:
		if b, ok := u.Key().Underlying().(*types.Basic); !ok || b.Info()&types.IsOrdered == 0 {
			return "the keys of " + typeText(t) + " have no order"
		}
		return keyable(u.Elem(), from, open)
	case *types.Struct:
		for f := range u.Fields() {
			if f.Name() == "_" {
				continue
			}
			if !f.Exported() && f.Pkg().Path() != from.Path() {
				return "the field " + f.Name() + " of " + typeText(t) + " cannot be read from package " + from.Name()
			}
			if why := keyable(f.Type(), from, open); why != "" {
				return why
			}
		}
		return ""
	case *types.Pointer, *types.Slice, *types.Array:
		return keyable(u.(interface{ Elem() types.Type }).Elem(), from, open)
	}
	return "values of " + typeText(t) + " cannot be compared by their content"
}

// argType is the type of an argument after its norm.
func argType(p model.Path) types.Type {
	if p.Norm != nil {
		return p.Norm.Sig.Results().At(0).Type()
	}
	return p.Type
}

// argClass is the class of a tag argument.
func argClass(p model.Path) string { return taggable(argType(p)) }
