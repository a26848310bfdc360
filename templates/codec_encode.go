package templates

import (
	"go/types"

	"github.com/cachegen/cachegen/generator/model/shape"
	"github.com/dave/jennifer/jen"
)

func (c *codecs) encode(s *shape.Shape) {
	v := "v"
	if s.Kind == shape.Struct && len(kept(s)) == 0 {
		v = "_"
	}
	c.file.Line()
	c.file.Func().Add(jen.Id(c.names.of("encode", s.Type))).
		Params(jen.Id("e").Op("*").Add(wire("Encoder")), jen.Id(v).Add(c.byRef(s))).
		BlockFunc(func(g *jen.Group) { c.encodeBody(g, s) })
}

// byPointer reports whether values are handed to their functions by pointer.
func byPointer(s *shape.Shape) bool {
	return s.Kind == shape.Struct || s.Kind == shape.Binary || s.Kind == shape.Text || s.Kind == shape.Array
}

// byRef is the type of the parameter of a value's functions.
func (c *codecs) byRef(s *shape.Shape) jen.Code {
	if byPointer(s) {
		return jen.Op("*").Add(typ(s.Type))
	}
	return typ(s.Type)
}

// deref is *v; its address is v.
type deref struct{ *jen.Statement }

// ref passes the addressable v to one of its functions.
func ref(s *shape.Shape, v jen.Code) jen.Code {
	if _, ok := v.(deref); ok && byPointer(s) {
		return jen.Id("v")
	}
	if byPointer(s) {
		return jen.Op("&").Add(v)
	}
	return v
}

func (c *codecs) encodeBody(g *jen.Group, s *shape.Shape) {
	isNil := func() {
		g.If(jen.Id("v").Op("==").Nil()).Block(jen.Id("e").Dot("Nil").Call(), jen.Return())
	}
	switch s.Kind {
	case shape.Pointer:
		isNil()
		g.Id("e").Dot("Some").Call()
		g.Add(c.encodeValue(s.Elem, deref{jen.Op("*").Id("v")}))
	case shape.Slice:
		isNil()
		g.Id("e").Dot("Len").Call(jen.Len(jen.Id("v")))
		g.For(jen.Id("i").Op(":=").Range().Id("v")).Block(c.encodeValue(s.Elem, jen.Id("v").Index(jen.Id("i"))))
	case shape.Array:
		g.Id("e").Dot("Len").Call(jen.Len(jen.Id("v")))
		g.For(jen.Id("i").Op(":=").Range().Id("v")).Block(c.encodeValue(s.Elem, jen.Id("v").Index(jen.Id("i"))))
	case shape.Map:
		isNil()
		g.Id("e").Dot("Len").Call(jen.Len(jen.Id("v")))
		g.For(jen.List(jen.Id("k"), jen.Id("x")).Op(":=").Range().Id("v")).Block(
			c.encodeValue(s.Key, jen.Id("k")),
			c.encodeValue(s.Elem, jen.Id("x")),
		)
	case shape.Struct:
		g.Id("e").Dot("Len").Call(jen.Lit(len(kept(s))))
		for _, f := range kept(s) {
			g.Add(c.encodeValue(f.Shape, jen.Id("v").Dot(f.Name)))
		}
	case shape.Binary, shape.Text:
		if s.Appends {
			g.Id("e").Dot("Marshalled").Call(jen.Id("v").Dot("Append" + pairName(s)).Call(jen.Nil()))
		} else {
			g.Id("e").Dot(pairName(s)).Call(jen.Id("v"))
		}
	case shape.Proto:
		isNil()
		g.Id("e").Dot("Some").Call()
		g.Id("e").Dot("Marshalled").Call(protoPkg("Marshal").Call(jen.Id("v")))
	}
}

func protoPkg(name string) *jen.Statement { return jen.Qual("google.golang.org/protobuf/proto", name) }

func pairName(s *shape.Shape) string {
	if s.Kind == shape.Binary {
		return "Binary"
	}
	return "Text"
}

// kept are the fields that are encoded.
func kept(s *shape.Shape) []shape.Field {
	var out []shape.Field
	for _, f := range s.Fields {
		if f.Shape != nil {
			out = append(out, f)
		}
	}
	return out
}

// encodeValue is the statement that appends the addressable v.
func (c *codecs) encodeValue(s *shape.Shape, v jen.Code) jen.Code {
	switch {
	case s.Kind == shape.Basic && !plain(s):
		return wire("Put"+constraint(s)).Call(jen.Id("e"), v)
	case inlined(s):
		return jen.Id("e").Dot(wireMethod(s)).Call(v)
	}
	return c.need("encode", s).Call(jen.Id("e"), ref(s, v))
}

// wireMethod is the method of wire.Encoder and wire.Decoder for an inlined value.
func wireMethod(s *shape.Shape) string {
	switch s.Kind {
	case shape.Bytes:
		return "Bytes"
	case shape.Time:
		return "Time"
	}
	return s.Wire
}

// plain reports whether a basic value is of the very type that its method takes.
func plain(s *shape.Shape) bool {
	b, ok := types.Unalias(s.Type).(*types.Basic)
	return ok && b.Name() == s.Prim
}

// constraint is what the wire functions for all types of a basic kind are called after.
func constraint(s *shape.Shape) string {
	switch s.Wire {
	case "Int":
		return "Signed"
	case "Uint":
		return "Unsigned"
	}
	return s.Wire
}

// convert is v as the basic type prim; nothing where it is that already.
func convert(prim string, t types.Type, v jen.Code) jen.Code {
	if b, ok := types.Unalias(t).(*types.Basic); ok && b.Name() == prim {
		return v
	}
	return jen.Id(prim).Call(v)
}
