package templates

import (
	"go/types"

	"github.com/cachegen/cachegen/generator/model/shape"
	"github.com/dave/jennifer/jen"
)

// argument is the expression of a copy of v, an argument of type t; nil where assignment is
// a copy, and where there is no exact one: the source must be asked what the caller asked.
func (c *codecs) argument(t types.Type, v jen.Code) jen.Code {
	s, problems := shape.Of(t, c.names.pkg)
	if len(problems) > 0 || s.Shared || !exactly(s) {
		return nil
	}
	c.copying = true
	defer func() { c.copying = false }()
	code := c.cloneValue(s, v)
	for len(c.queue) > 0 {
		s := c.queue[0]
		c.queue = c.queue[1:]
		c.trap(s.Type)
		c.clone(s)
	}
	return code
}

// exactly reports whether copies of s leave nothing out and take no detour over bytes.
func exactly(s *shape.Shape) bool {
	switch s.Kind {
	case shape.Binary, shape.Text:
		return s.Shared
	case shape.Pointer, shape.Slice, shape.Array, shape.Map:
		return exactly(s.Elem)
	case shape.Struct:
		for _, f := range s.Fields {
			if f.Shape == nil || !exactly(f.Shape) {
				return false
			}
		}
	}
	return true
}

// cloneValue is the expression of a copy of the addressable v.
func (c *codecs) cloneValue(s *shape.Shape, v jen.Code) jen.Code {
	switch {
	case s.Shared:
		return v
	case s.Kind == shape.Bytes && unnamedSlice(s.Type):
		return jen.Qual("bytes", "Clone").Call(v)
	case s.Kind == shape.Bytes:
		return typ(s.Type).Call(jen.Qual("bytes", "Clone").Call(v))
	}
	return c.need("clone", s).Call(ref(s, v))
}

func unnamedSlice(t types.Type) bool {
	_, ok := types.Unalias(t).(*types.Slice)
	return ok
}

func (c *codecs) clone(s *shape.Shape) {
	c.file.Line()
	c.file.Func().Id(c.names.of("clone", s.Type)).
		Params(jen.Id("v").Add(c.byRef(s))).Add(typ(s.Type)).
		BlockFunc(func(g *jen.Group) { c.cloneBody(g, s) })
}

func (c *codecs) cloneBody(g *jen.Group, s *shape.Shape) {
	isNil := func() { g.If(jen.Id("v").Op("==").Nil()).Block(jen.Return(jen.Nil())) }
	switch s.Kind {
	case shape.Pointer:
		isNil()
		g.Id("c").Op(":=").Add(c.cloneValue(s.Elem, deref{jen.Op("*").Id("v")}))
		g.Return(jen.Op("&").Id("c"))
	case shape.Slice:
		if s.Elem.Shared {
			g.Return(jen.Qual("slices", "Clone").Call(jen.Id("v")))
			return
		}
		isNil()
		g.Id("c").Op(":=").Make(typ(s.Type), jen.Len(jen.Id("v")))
		g.For(jen.Id("i").Op(":=").Range().Id("v")).Block(
			jen.Id("c").Index(jen.Id("i")).Op("=").Add(c.cloneValue(s.Elem, jen.Id("v").Index(jen.Id("i")))),
		)
		g.Return(jen.Id("c"))
	case shape.Array:
		g.Var().Id("c").Add(typ(s.Type))
		g.For(jen.Id("i").Op(":=").Range().Id("v")).Block(
			jen.Id("c").Index(jen.Id("i")).Op("=").Add(c.cloneValue(s.Elem, jen.Id("v").Index(jen.Id("i")))),
		)
		g.Return(jen.Id("c"))
	case shape.Map:
		if s.Elem.Shared { // keys always are
			g.Return(jen.Qual("maps", "Clone").Call(jen.Id("v")))
			return
		}
		isNil()
		g.Id("c").Op(":=").Make(typ(s.Type), jen.Len(jen.Id("v")))
		g.For(jen.List(jen.Id("k"), jen.Id("x")).Op(":=").Range().Id("v")).Block(
			jen.Id("c").Index(jen.Id("k")).Op("=").Add(c.cloneValue(s.Elem, jen.Id("x"))),
		)
		g.Return(jen.Id("c"))
	case shape.Struct:
		var fields []jen.Code
		for _, f := range kept(s) {
			fields = append(fields, field(f.Name, c.cloneValue(f.Shape, jen.Id("v").Dot(f.Name))))
		}
		g.Return(literal(typ(s.Type), fields...))
	case shape.Binary, shape.Text:
		g.Return(wire("Clone").Call(jen.Op("*").Id("v"), c.encodeFunc(s), c.need("decode", s)))
	case shape.Proto:
		isNil()
		g.Return(protoPkg("Clone").Call(jen.Id("v")).Assert(typ(s.Type)))
	}
}
