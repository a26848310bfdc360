// Package shape decides how a Go type is rebuilt exactly from bytes: once, for the checker,
// which refuses what cannot be, and for the templates, which emit the code.
package shape

import (
	"fmt"
	"go/types"
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
	Binary // MarshalBinary or AppendBinary, and UnmarshalBinary
	Text   // MarshalText or AppendText, and UnmarshalText
	Proto  // a pointer to a protobuf message
)

var kindNames = [...]string{"", "basic", "bytes", "time", "pointer", "slice", "array", "map", "struct", "binary", "text", "proto"}

func (k Kind) String() string { return kindNames[k] }

// Shape is the plan for one type.
type Shape struct {
	Kind Kind
	// Type is what the generating package writes for the type: an alias only where the
	// type behind it cannot be named from there.
	Type   types.Type
	Wire   string // Basic: Int, Uint, Float32, ..., a method of wire.Encoder and wire.Decoder
	Prim   string // Basic: the Go type that method takes
	Elem   *Shape // Pointer, Slice, Array, Map
	Key    *Shape // Map
	Len    int64  // Array
	Fields []Field
	// Appends: the pair's first half is AppendBinary or AppendText; there is no Marshal method.
	Appends bool
	// Shared: a copy by assignment shares nothing that can be changed.
	Shared bool
}

// Field is a field of a struct. Shape is nil when it is left out by `cachegen:"-"`.
type Field struct {
	Name  string
	Shape *Shape
}

// Least is the number of bytes that every encoding of s takes, so that a decoder can refuse
// a length that what is left of its input cannot hold.
func (s *Shape) Least() int {
	switch s.Kind {
	case Basic:
		switch s.Wire {
		case "Float32":
			return 5
		case "Float64":
			return 9
		case "Complex64":
			return 10
		case "Complex128":
			return 18
		}
	case Time:
		return 3
	case Array:
		return 1 + int(min(s.Len, 1<<16))*s.Elem.Least()
	case Struct:
		n := 1
		for _, f := range s.Fields {
			if f.Shape != nil {
				n += f.Shape.Least()
			}
		}
		return n
	case Binary, Text:
		return 2
	}
	return 1
}

// Problem is a part of a type that cannot be rebuilt.
type Problem struct {
	Path string // "Book.Meta.mu"
	Text string // what is wrong, with the cure
}

func (p Problem) String() string { return p.Path + ": " + p.Text }

// Of plans t for code in package from. The plan is nil when there are problems.
func Of(t types.Type, from *types.Package) (*Shape, []Problem) {
	w := &walk{from: from, open: map[types.Type]bool{}}
	s := w.of(t, Name(t))
	return s, w.problems
}

// Name is t as a message shows it: package names without paths.
func Name(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}

// describe is Name with a word for what kind of thing it is where that matters.
func describe(t types.Type) string {
	if _, ok := types.Unalias(t).(*types.TypeParam); ok {
		return "type parameter " + Name(t)
	}
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

// CanWrite reports whether code in package from can write t down: every name in it is
// exported or from's own, and every package importable. A struct that Of accepts may hold
// fields, left out, that cannot.
func CanWrite(t types.Type, from *types.Package) bool {
	return (&walk{from: from}).mentions(t)
}

// leaveOut is the cure that all refusals end with.
const leaveOut = "leave the field that holds it out with `cachegen:\"-\"`, or use pass"

func (w *walk) refuse(path, format string, args ...any) *Shape {
	w.problems = append(w.problems, Problem{path, fmt.Sprintf(format, args...)})
	return nil
}
