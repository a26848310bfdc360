// Package shape decides how a Go type is rebuilt exactly from bytes: once, for the checker,
// which refuses what cannot be, and for the templates, which emit the code.
package shape

import (
	"fmt"
	"go/types"
	"reflect"
	"strings"
)

// Kind is a way of encoding.
type Kind uint8

// The kinds.
const (
	Basic Kind = iota + 1 // Wire names the primitive
	Bytes                 // []byte and named kinds of it
	Time                  // time.Time
	Pointer
	Slice
	Array
	Map
	Struct // field by field
	Binary // MarshalBinary and UnmarshalBinary
	Text   // MarshalText and UnmarshalText
	Proto  // a protobuf message; Type is the message, always behind a pointer
)

// Shape is the plan for one type.
type Shape struct {
	Kind   Kind
	Type   types.Type
	Wire   string // Basic: Int, Uint, Float32, ..., a method of wire.Encoder and wire.Decoder
	Prim   string // Basic: the Go type that method takes
	Elem   *Shape // Pointer, Slice, Array, Map
	Key    *Shape // Map
	Len    int64  // Array
	Fields []Field
	// Shared: a copy by assignment shares nothing that can be changed.
	Shared bool
}

// Field is a field of a struct. Shape is nil when it is left out by `cachegen:"-"`.
type Field struct {
	Name  string
	Shape *Shape
}

// Problem is a part of a type that cannot be rebuilt.
type Problem struct {
	Path string // "Book.Meta.mu"
	Text string // what is wrong, with the cure
}

func (p Problem) String() string { return p.Path + ": " + p.Text }

// Of plans t for code in package from.
func Of(t types.Type, from *types.Package) (*Shape, []Problem) {
	w := &walk{from: from, open: map[types.Type]bool{}}
	s := w.of(t, Name(t))
	return s, w.problems
}

// Name is t as a message shows it: package names without paths.
func Name(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}

type walk struct {
	from     *types.Package
	open     map[types.Type]bool // named types being walked
	problems []Problem
}

func (w *walk) refuse(path, format string, args ...any) *Shape {
	w.problems = append(w.problems, Problem{path, fmt.Sprintf(format, args...)})
	return nil
}

func (w *walk) of(t types.Type, path string) *Shape {
	t = types.Unalias(t)
	if named, ok := t.(*types.Named); ok {
		if is(named, "time", "Time") {
			return &Shape{Kind: Time, Type: t, Shared: true}
		}
		if w.open[t] {
			return w.refuse(path, "%s contains itself; a recursive value cannot be cached: use pass", Name(t))
		}
		w.open[t] = true
		defer delete(w.open, t)
		if _, ok := named.Underlying().(*types.Struct); ok {
			if s := w.pair(named, path); s != nil {
				return s
			}
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return w.basic(t, u, path)
	case *types.Pointer:
		if named, ok := types.Unalias(u.Elem()).(*types.Named); ok && hasMethod(named, "ProtoReflect") {
			return &Shape{Kind: Proto, Type: t}
		}
		return w.composite(&Shape{Kind: Pointer, Type: t}, u.Elem(), path)
	case *types.Slice:
		if b, ok := u.Elem().(*types.Basic); ok && b.Kind() == types.Byte {
			return &Shape{Kind: Bytes, Type: t}
		}
		return w.composite(&Shape{Kind: Slice, Type: t}, u.Elem(), path+"[]")
	case *types.Array:
		s := w.composite(&Shape{Kind: Array, Type: t, Len: u.Len()}, u.Elem(), path+"[]")
		if s != nil {
			s.Shared = s.Elem.Shared
		}
		return s
	case *types.Map:
		key := w.of(u.Key(), path+"[key]")
		s := w.composite(&Shape{Kind: Map, Type: t, Key: key}, u.Elem(), path+"[]")
		if key == nil {
			return nil
		}
		return s
	case *types.Struct:
		return w.structure(t, u, path)
	}
	return w.refuse(path, "%s cannot be rebuilt from bytes; use pass for this method, or leave the field out with `cachegen:\"-\"`", describe(t))
}

func (w *walk) composite(s *Shape, elem types.Type, path string) *Shape {
	if s.Elem = w.of(elem, path); s.Elem == nil {
		return nil
	}
	return s
}

func (w *walk) basic(t types.Type, b *types.Basic, path string) *Shape {
	s := &Shape{Kind: Basic, Type: t, Shared: true}
	info := b.Info()
	switch {
	case b.Kind() == types.Uintptr || b.Kind() == types.UnsafePointer || b.Kind() == types.Invalid:
		return w.refuse(path, "%s cannot be cached: it means something in this process only", Name(t))
	case info&types.IsBoolean != 0:
		s.Wire, s.Prim = "Bool", "bool"
	case info&types.IsString != 0:
		s.Wire, s.Prim = "String", "string"
	case info&types.IsUnsigned != 0:
		s.Wire, s.Prim = "Uint", "uint64"
	case info&types.IsInteger != 0:
		s.Wire, s.Prim = "Int", "int64"
	default: // float32, float64, complex64, complex128
		s.Wire, s.Prim = strings.ToUpper(b.Name()[:1])+b.Name()[1:], b.Name()
	}
	return s
}

func (w *walk) structure(t types.Type, u *types.Struct, path string) *Shape {
	s := &Shape{Kind: Struct, Type: t, Shared: true}
	ok := true
	for i := range u.NumFields() {
		f := u.Field(i)
		at := path + "." + f.Name()
		if reflect.StructTag(u.Tag(i)).Get("cachegen") == "-" || f.Name() == "_" {
			s.Fields = append(s.Fields, Field{Name: f.Name()})
			s.Shared = false // copies leave it out too, so that a hit and a miss look alike
			continue
		}
		if !f.Exported() && f.Pkg() != w.from {
			w.refuse(at, "an unexported field of %s cannot be read; give %s a MarshalBinary/UnmarshalBinary pair, leave the field that holds it out with `cachegen:\"-\"`, or use pass", Name(t), Name(t))
			ok = false
			continue
		}
		fs := w.of(f.Type(), at)
		if fs == nil {
			ok = false
			continue
		}
		s.Shared = s.Shared && fs.Shared
		s.Fields = append(s.Fields, Field{f.Name(), fs})
	}
	if !ok {
		return nil
	}
	return s
}

// pair honours the marshal pairs of a struct type: a binary pair always, a text pair when
// the fields cannot all be reached. Half a pair never counts.
func (w *walk) pair(named *types.Named, path string) *Shape {
	shared := !pointers(named, map[types.Type]bool{}) || immutable(named)
	if hasMethod(named, "MarshalBinary") && hasMethod(named, "UnmarshalBinary") {
		return &Shape{Kind: Binary, Type: named, Shared: shared}
	}
	if !hasMethod(named, "MarshalText") || !hasMethod(named, "UnmarshalText") {
		return nil
	}
	probe := &walk{from: w.from, open: map[types.Type]bool{}}
	if probe.structure(named, named.Underlying().(*types.Struct), path) != nil {
		return nil // field by field is exact
	}
	return &Shape{Kind: Text, Type: named, Shared: shared}
}

// hasMethod looks in the method set of *named.
func hasMethod(named *types.Named, name string) bool {
	obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(named), false, named.Obj().Pkg(), name)
	_, ok := obj.(*types.Func)
	return ok
}

func is(named *types.Named, pkg, name string) bool {
	o := named.Obj()
	return o.Pkg() != nil && o.Pkg().Path() == pkg && o.Name() == name
}

// immutable names types that hold pointers nobody can write through.
func immutable(named *types.Named) bool {
	return is(named, "net/netip", "Addr") || is(named, "net/netip", "AddrPort") || is(named, "net/netip", "Prefix")
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

func describe(t types.Type) string {
	switch t.Underlying().(type) {
	case *types.Interface:
		return "interface " + Name(t)
	case *types.Signature:
		return "function " + Name(t)
	case *types.Chan:
		return "channel " + Name(t)
	}
	return Name(t)
}
