package shape

import "go/types"

// pair honours the marshal pairs that a type declares itself. A struct's binary pair always
// counts; any other pair only where the value cannot be taken apart exactly. Half a pair
// never counts, and neither does one promoted from an embedded field: it would rebuild that
// field and lose the others.
func (w *walk) pair(t *types.Named, path string) *Shape {
	s := &Shape{Type: t, Shared: !pointers(t, map[types.Type]bool{}) || immutable(t)}
	_, isStruct := t.Underlying().(*types.Struct)
	hasBinary, appendsBinary := declares(t, "Binary")
	hasText, appendsText := declares(t, "Text")
	if !hasBinary && !hasText {
		return nil
	}
	if (!isStruct || !hasBinary || fieldByField(t)) && w.takesApart(t, path) {
		return nil
	}
	s.Kind, s.Appends = Text, appendsText
	if hasBinary {
		s.Kind, s.Appends = Binary, appendsBinary
	}
	return s
}

// takesApart reports whether the underlying type needs no pair.
func (w *walk) takesApart(t *types.Named, path string) bool {
	probe := &walk{from: w.from, open: w.open, depth: w.depth}
	return probe.underlying(t, path) != nil
}

// declares looks for both halves of a pair, "Binary" or "Text". Without a Marshal method an
// Append method will do.
func declares(t *types.Named, form string) (pair, appends bool) {
	back := declared(t, "Unmarshal"+form)
	if back == nil || !takes(back.Params(), isByteSlice) || !takes(back.Results(), isError) {
		return false, false
	}
	if m := declared(t, "Marshal"+form); m != nil && takes(m.Params()) && takes(m.Results(), isByteSlice, isError) {
		return true, false
	}
	m := declared(t, "Append"+form)
	ok := m != nil && takes(m.Params(), isByteSlice) && takes(m.Results(), isByteSlice, isError)
	return ok, ok
}

// declared is a method of *t that t declares itself.
func declared(t *types.Named, name string) *types.Signature {
	obj, index, _ := types.LookupFieldOrMethod(types.NewPointer(t), false, t.Obj().Pkg(), name)
	if m, ok := obj.(*types.Func); ok && len(index) == 1 {
		return m.Signature()
	}
	return nil
}

func takes(vars *types.Tuple, want ...func(types.Type) bool) bool {
	if vars.Len() != len(want) {
		return false
	}
	for i, ok := range want {
		if !ok(vars.At(i).Type()) {
			return false
		}
	}
	return true
}

func isByteSlice(t types.Type) bool {
	return types.Identical(t, types.NewSlice(types.Typ[types.Byte]))
}

func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}

// isProto recognises *M where M declares the method of protobuf messages.
func isProto(t types.Type) bool {
	p, ok := t.(*types.Pointer)
	if !ok {
		return false
	}
	m, ok := types.Unalias(p.Elem()).(*types.Named)
	if !ok {
		return false
	}
	reflects := declared(m, "ProtoReflect")
	return reflects != nil && takes(reflects.Params()) && takes(reflects.Results(), func(t types.Type) bool {
		named, ok := types.Unalias(t).(*types.Named)
		return ok && is(named, "google.golang.org/protobuf/reflect/protoreflect", "Message")
	})
}

func is(t *types.Named, pkg, name string) bool {
	o := t.Obj()
	return o.Pkg() != nil && o.Pkg().Path() == pkg && o.Name() == name
}

// immutable names types that hold pointers nobody can write through.
func immutable(t *types.Named) bool {
	return is(t, "net/netip", "Addr") || is(t, "net/netip", "AddrPort") || is(t, "net/netip", "Prefix")
}

// lossy says what a well-known pair loses, "" for all others.
func lossy(t *types.Named) string {
	switch {
	case is(t, "math/big", "Float"):
		return "the marshalled form of big.Float does not keep its precision"
	case is(t, "regexp", "Regexp"):
		return "the marshalled form of regexp.Regexp does not keep how it matches"
	}
	return ""
}

// fieldByField names structs whose binary pair fails on some of their values although
// their fields can all be reached.
func fieldByField(t *types.Named) bool {
	return is(t, "github.com/google/uuid", "NullUUID") // an invalid one is marshalled to nothing
}

// pointers reports whether values of t hold anything that assignment shares and that can
// be changed, looking into unexported fields too.
func pointers(t types.Type, seen map[types.Type]bool) bool {
	t = types.Unalias(t)
	if seen[t] {
		return false
	}
	seen[t] = true
	if named, ok := t.(*types.Named); ok && (is(named, "time", "Time") || immutable(named)) {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() == types.UnsafePointer
	case *types.Array:
		return pointers(u.Elem(), seen)
	case *types.Struct:
		for i := range u.NumFields() {
			if pointers(u.Field(i).Type(), seen) {
				return true
			}
		}
		return false
	}
	return true
}
