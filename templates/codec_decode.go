package templates

import (
	"go/types"

	"github.com/cachegen/cachegen/generator/model/shape"
	"github.com/dave/jennifer/jen"
)

func (c *codecs) decode(s *shape.Shape) {
	c.file.Line()
	c.file.Func().Id(c.names.of("decode", s.Type)).
		Params(jen.Id("d").Op("*").Add(wire("Decoder"))).
		Params(jen.Id("v").Add(typ(s.Type))).
		BlockFunc(func(g *jen.Group) {
			c.decodeBody(g, s)
			g.Return() // naked: a struct may hold a lock in a field that is left out
		})
}

func (c *codecs) decodeBody(g *jen.Group, s *shape.Shape) {
	d, v := func() *jen.Statement { return jen.Id("d") }, func() *jen.Statement { return jen.Id("v") }
	hasLen := func(least int) *jen.Statement {
		length := d().Dot("Len").Call()
		if least > 1 {
			length = d().Dot("Elements").Call(jen.Lit(least))
		}
		return jen.If(jen.List(jen.Id("n"), jen.Id("ok")).Op(":=").Add(length), jen.Id("ok"))
	}
	switch s.Kind {
	case shape.Pointer:
		g.If(d().Dot("Some").Call()).Block(
			v().Op("=").New(typ(s.Elem.Type)),
			jen.Op("*").Add(v()).Op("=").Add(c.decodeValue(s.Elem)),
		)
	case shape.Slice:
		g.Add(hasLen(s.Elem.Least())).Block(
			v().Op("=").Make(typ(s.Type), jen.Id("n")),
			jen.For(jen.Id("i").Op(":=").Range().Add(v())).Block(v().Index(jen.Id("i")).Op("=").Add(c.decodeValue(s.Elem))),
		)
	case shape.Array:
		g.Add(d()).Dot("Fixed").Call(jen.Len(v()))
		g.For(jen.Id("i").Op(":=").Range().Add(v())).Block(v().Index(jen.Id("i")).Op("=").Add(c.decodeValue(s.Elem)))
	case shape.Map:
		g.Add(hasLen(s.Key.Least()+s.Elem.Least())).Block(
			v().Op("=").Make(typ(s.Type), jen.Id("n")),
			jen.For(jen.Range().Id("n")).Block(
				jen.Id("k").Op(":=").Add(c.decodeValue(s.Key)),
				v().Index(jen.Id("k")).Op("=").Add(c.decodeValue(s.Elem)),
			),
		)
	case shape.Struct:
		g.Add(d()).Dot("Fixed").Call(jen.Lit(len(kept(s))))
		for _, f := range kept(s) {
			g.Add(v()).Dot(f.Name).Op("=").Add(c.decodeValue(f.Shape))
		}
	case shape.Binary, shape.Text:
		g.Add(d()).Dot(pairName(s)).Call(jen.Op("&").Add(v()))
	case shape.Proto:
		message := s.Type.Underlying().(*types.Pointer).Elem()
		g.If(d().Dot("Some").Call()).Block(
			v().Op("=").New(typ(message)),
			d().Dot("Unmarshal").Call(jen.Func().Params(jen.Id("b").Index().Byte()).Error().Block(
				jen.Return(protoPkg("Unmarshal").Call(jen.Id("b"), v())),
			)),
		)
	}
}

// decodeValue is the expression that takes a value.
func (c *codecs) decodeValue(s *shape.Shape) jen.Code {
	switch {
	case s.Kind == shape.Basic && !plain(s):
		return wire("Take" + constraint(s)).Types(typ(s.Type)).Call(jen.Id("d"))
	case inlined(s):
		return jen.Id("d").Dot(wireMethod(s)).Call()
	}
	return c.need("decode", s).Call(jen.Id("d"))
}
