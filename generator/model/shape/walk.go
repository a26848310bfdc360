package shape

import (
	"go/types"
	"reflect"
	"strings"
)

// maxDepth bounds how deep types nest; generic types can grow without end.
const maxDepth = 64

// walk plans one type. It has seen no more than the types on its way down.
type walk struct {
	from     *types.Package
	open     map[types.Type]bool // named types being walked
	depth    int
	problems []Problem
}

func (w *walk) of(t types.Type, path string) *Shape {
	if w.depth++; w.depth > maxDepth {
		w.depth--
		return w.refuse(path, "the type nests more than %d levels deep; use pass", maxDepth)
	}
	defer func() { w.depth-- }()
	named, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return w.underlying(types.Unalias(t), path)
	}
	written, ok := w.written(t)
	if !ok {
		return w.refuse(path, "%s cannot be named in package %s; %s", Name(t), w.from.Name(), leaveOut)
	}
	s := w.named(named, path)
	if s != nil {
		s.Type = written
	}
	return s
}

func (w *walk) named(t *types.Named, path string) *Shape {
	if is(t, "time", "Time") {
		return &Shape{Kind: Time, Type: t, Shared: true}
	}
	if text := lossy(t); text != "" {
		return w.refuse(path, "%s; %s", text, leaveOut)
	}
	if w.open[t] {
		return w.refuse(path, "%s contains itself; a recursive value cannot be cached: use pass", Name(t))
	}
	w.open[t] = true
	defer delete(w.open, t)
	if s := w.pair(t, path); s != nil {
		return s
	}
	return w.underlying(t, path)
}

func (w *walk) underlying(t types.Type, path string) *Shape {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return w.basic(t, u, path)
	case *types.Pointer:
		if isProto(t) {
			return &Shape{Kind: Proto, Type: t}
		}
		return w.composite(&Shape{Kind: Pointer, Type: t}, u.Elem(), path)
	case *types.Slice:
		if b, ok := types.Unalias(u.Elem()).(*types.Basic); ok && b.Kind() == types.Byte {
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
		key := w.key(u.Key(), path+"[key]")
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
		return w.refuse(path, "%s cannot be cached: it means something in this process only; %s", Name(t), leaveOut)
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
	ok, foreign, opaque := true, false, false
	for i := range u.NumFields() {
		f := u.Field(i)
		at := path + "." + f.Name()
		reachable := f.Exported() || w.own(f.Pkg())
		if reflect.StructTag(u.Tag(i)).Get("cachegen") == "-" || f.Name() == "_" {
			s.Fields = append(s.Fields, Field{Name: f.Name()})
			s.Shared = s.Shared && f.Name() == "_" // copies leave it out too, so that a hit and a miss look alike
			opaque = opaque || !reachable || !w.mentions(f.Type())
			continue
		}
		if !reachable {
			if !foreign { // one problem a type: the cure is the same for the others
				w.refuse(at, "an unexported field of %s cannot be read; give %s a MarshalBinary/UnmarshalBinary pair, %s", Name(t), Name(t), leaveOut)
			}
			ok, foreign = false, true
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
	if _, unnamed := t.(*types.Struct); unnamed && opaque {
		w.refuse(path, "%s cannot be written down in package %s; give it a name, or use pass", Name(t), w.from.Name())
		ok = false
	}
	if !ok {
		return nil
	}
	return s
}

// key plans the key of a map: a value that is equal to itself after it was rebuilt.
func (w *walk) key(t types.Type, path string) *Shape {
	s := w.of(t, path)
	if s == nil {
		return nil
	}
	if text := notKey(s); text != "" {
		return w.refuse(path, "%s; use a key of strings and numbers, or %s", text, leaveOut)
	}
	return s
}

// notKey says why a rebuilt s would be another key, "" when it is the same.
func notKey(s *Shape) string {
	switch s.Kind {
	case Pointer, Proto:
		return Name(s.Type) + " in the key of a map stands for one object, and a rebuilt one is another"
	case Time:
		return "time.Time in the key of a map compares its zone by identity, which a rebuilt one does not keep"
	case Binary, Text:
		if !s.Shared {
			return Name(s.Type) + " in the key of a map compares its pointers by identity, which a rebuilt one does not keep"
		}
	case Array:
		return notKey(s.Elem)
	case Struct:
		for _, f := range s.Fields {
			if f.Shape == nil && f.Name != "_" {
				return "the field " + f.Name + " of " + Name(s.Type) + " in the key of a map is left out, so that two keys could become one"
			}
			if f.Shape != nil {
				if text := notKey(f.Shape); text != "" {
					return text
				}
			}
		}
	}
	return ""
}
