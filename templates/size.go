package templates

import (
	"go/types"

	"github.com/cachegen/cachegen/generator/model/shape"
	"github.com/dave/jennifer/jen"
)

// inline is the size of a value without what it points to, on a 64-bit machine wherever
// the generator runs.
func inline(t types.Type) int64 { return types.SizesFor("gc", "amd64").Sizeof(t) }

// flat reports whether values of s hold no memory outside themselves.
func flat(s *shape.Shape) bool {
	switch s.Kind {
	case shape.Basic:
		return s.Wire != "String"
	case shape.Time:
		return true
	case shape.Array:
		return flat(s.Elem)
	case shape.Struct:
		for _, f := range kept(s) {
			if !flat(f.Shape) {
				return false
			}
		}
		return true
	}
	return false
}

// sizeValue is the expression of the memory that v holds outside itself.
func (c *codecs) sizeValue(s *shape.Shape, v jen.Code) jen.Code {
	if s.Kind == shape.Basic || s.Kind == shape.Bytes {
		return jen.Len(v)
	}
	return c.need("size", s).Call(ref(s, v))
}

func (c *codecs) size(s *shape.Shape) {
	param := "v"
	if s.Kind == shape.Binary || s.Kind == shape.Text {
		param = "_"
	}
	c.file.Line()
	c.file.Func().Id(c.names.of("size", s.Type)).
		Params(jen.Id(param).Add(c.byRef(s))).Params(jen.Id("n").Int()).
		BlockFunc(func(g *jen.Group) {
			c.sizeBody(g, s)
			g.Return(jen.Id("n"))
		})
}

func (c *codecs) sizeBody(g *jen.Group, s *shape.Shape) {
	add := func(code jen.Code) jen.Code { return jen.Id("n").Op("+=").Add(code) }
	switch s.Kind {
	case shape.Pointer:
		g.If(jen.Id("v").Op("!=").Nil()).BlockFunc(func(g *jen.Group) {
			g.Add(add(jen.Lit(int(inline(s.Elem.Type)))))
			if !flat(s.Elem) {
				g.Add(add(c.sizeValue(s.Elem, deref{jen.Op("*").Id("v")})))
			}
		})
	case shape.Slice:
		g.Add(add(jen.Lit(int(inline(s.Elem.Type))).Op("*").Len(jen.Id("v"))))
		c.sizeElements(g, s.Elem)
	case shape.Array:
		c.sizeElements(g, s.Elem)
	case shape.Map:
		g.Add(add(jen.Lit(int(inline(s.Elem.Type) + inline(s.Key.Type) + 16)).Op("*").Len(jen.Id("v"))))
		k, x := "_", "_"
		var body []jen.Code
		if !flat(s.Key) {
			k = "k"
			body = append(body, add(c.sizeValue(s.Key, jen.Id("k"))))
		}
		if !flat(s.Elem) {
			x = "x"
			body = append(body, add(c.sizeValue(s.Elem, jen.Id("x"))))
		}
		if len(body) > 0 {
			loop := jen.List(jen.Id(k), jen.Id(x))
			if x == "_" {
				loop = jen.Id(k)
			}
			g.For(loop.Op(":=").Range().Id("v")).Block(body...)
		}
	case shape.Struct:
		for _, f := range kept(s) {
			if !flat(f.Shape) {
				g.Add(add(c.sizeValue(f.Shape, jen.Id("v").Dot(f.Name))))
			}
		}
	case shape.Binary, shape.Text:
		g.Add(add(jen.Lit(int(inline(s.Type)))).(*jen.Statement).Comment("an estimate: its fields are its own"))
	case shape.Proto:
		g.If(jen.Id("v").Op("!=").Nil()).Block(add(jen.Lit(2).Op("*").Add(protoPkg("Size").Call(jen.Id("v")))))
	}
}

func (c *codecs) sizeElements(g *jen.Group, elem *shape.Shape) {
	if !flat(elem) {
		g.For(jen.Id("i").Op(":=").Range().Id("v")).Block(
			jen.Id("n").Op("+=").Add(c.sizeValue(elem, jen.Id("v").Index(jen.Id("i")))),
		)
	}
}
