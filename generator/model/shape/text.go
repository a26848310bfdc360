package shape

import "go/types"

// HasText reports whether a key or a tag writes values of t as the text of their MarshalText
// method: t declares it, or is a struct of nothing but the field that it was promoted from.
// The text of one field among several would make one of values that differ. Named kinds of
// basic types are written as what they are, times as instants, pointers as what they point to,
// and what embeds a column of database/sql by its fields: its text may be the same for NULL and
// for an empty string.
func HasText(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Basic, *types.Pointer, *types.Interface:
		return false
	}
	obj, index, _ := types.LookupFieldOrMethod(types.NewPointer(t), false, nil, "MarshalText")
	m, ok := obj.(*types.Func)
	if !ok || !takes(m.Signature().Params()) || !takes(m.Signature().Results(), isByteSlice, isError) {
		return false
	}
	if embedsColumn(t) {
		return false
	}
	for _, i := range index[:len(index)-1] {
		s, ok := t.Underlying().(*types.Struct)
		if !ok || s.NumFields() > 1 {
			return false
		}
		t = s.Field(i).Type()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok && is(named, "time", "Time") {
		return false
	}
	return !types.IsInterface(t)
}

// TextByPointer reports whether only a pointer to a t for which HasText holds has the method.
func TextByPointer(t types.Type) bool {
	return types.NewMethodSet(t).Lookup(nil, "MarshalText") == nil
}

func embedsColumn(t types.Type) bool {
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for f := range s.Fields() {
		named, ok := types.Unalias(f.Type()).(*types.Named)
		if f.Embedded() && ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "database/sql" {
			return true
		}
	}
	return false
}
