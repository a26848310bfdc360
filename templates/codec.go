package templates

import (
	"go/types"

	"github.com/cachegen/cachegen/generator/model/shape"
	"github.com/dave/jennifer/jen"
)

// codecs emits the mechanical file's codecs, copies and sizes: for each type that needs
// code of its own one function each, in the order of first use.
type codecs struct {
	file  *jen.File
	names *names

	seen    map[string]bool
	queue   []*shape.Shape
	copying bool // only copies are needed of what is asked for now
}

// codecVar and schemaConst name what the reviewable file refers to.
func (n *names) codecVar(v types.Type) string    { return n.of("codec", v) }
func (n *names) schemaConst(v types.Type) string { return n.of("schema", v) }

// value declares the codec and the schema fingerprint of a read's results.
func (c *codecs) value(s *shape.Shape) {
	key := "codec " + exact(s.Type)
	if c.seen[key] {
		return
	}
	c.seen[key] = true
	fields := []jen.Code{
		field("Append", wire("Append").Call(c.encodeFunc(s))),
		field("Decode", wire("Decode").Call(c.decodeFunc(s))),
	}
	if !s.Shared {
		fields = append(fields, field("Clone", c.cloneFunc(s)))
	}
	fields = append(fields, field("Size", c.sizeFunc(s)))
	schema := c.names.schemaConst(s.Type)
	c.file.Line()
	c.file.Commentf("%s changes with the encoding of %s: older entries are not read.", schema, c.names.text(s.Type))
	c.file.Const().Id(schema).Op("=").Lit(fingerprint(s))
	c.file.Line()
	c.file.Var().Id(c.names.codecVar(s.Type)).Op("=").Add(literal(cachert("Codec").Types(typ(s.Type)), fields...))
	c.flush()
}

// flush emits the functions asked for so far, and those that they ask for.
func (c *codecs) flush() {
	for len(c.queue) > 0 {
		s := c.queue[0]
		c.queue = c.queue[1:]
		if s.Kind != shape.Binary && s.Kind != shape.Text {
			c.trap(s.Type)
		}
		c.encode(s)
		c.decode(s)
		if !s.Shared && !c.seen[copyKey(s)] {
			c.clone(s)
		}
		if !flat(s) {
			c.size(s)
		}
	}
}

// need is the name of a function for s's type, which will be emitted.
func (c *codecs) need(verb string, s *shape.Shape) *jen.Statement {
	key := exact(s.Type)
	if c.copying && !c.seen[key] {
		key = copyKey(s)
	}
	if !c.seen[key] {
		c.seen[key] = true
		c.queue = append(c.queue, s)
	}
	return jen.Id(c.names.of(verb, s.Type))
}

func copyKey(s *shape.Shape) string { return "copy " + exact(s.Type) }

// exact identifies a type.
func exact(t types.Type) string { return types.TypeString(types.Unalias(t), nil) }

// inlined reports whether a value is handled by one call, without a function of its own.
func inlined(s *shape.Shape) bool {
	return s.Kind == shape.Basic || s.Kind == shape.Bytes || s.Kind == shape.Time
}

// encodeFunc, decodeFunc, cloneFunc and sizeFunc are function values over V itself: the
// type's own functions where they fit.
func (c *codecs) encodeFunc(s *shape.Shape) jen.Code {
	if !inlined(s) && !byPointer(s) {
		return c.need("encode", s)
	}
	return jen.Func().Params(jen.Id("e").Op("*").Add(wire("Encoder")), jen.Id("v").Add(typ(s.Type))).Block(
		c.encodeValue(s, jen.Id("v")),
	)
}

func (c *codecs) decodeFunc(s *shape.Shape) jen.Code {
	if !inlined(s) {
		return c.need("decode", s)
	}
	return jen.Func().Params(jen.Id("d").Op("*").Add(wire("Decoder"))).Add(typ(s.Type)).Block(
		jen.Return(c.decodeValue(s)),
	)
}

func (c *codecs) cloneFunc(s *shape.Shape) jen.Code {
	if !inlined(s) && !byPointer(s) {
		return c.need("clone", s)
	}
	if s.Kind == shape.Bytes && unnamedSlice(s.Type) {
		return jen.Qual("bytes", "Clone")
	}
	return jen.Func().Params(jen.Id("v").Add(typ(s.Type))).Add(typ(s.Type)).Block(
		jen.Return(c.cloneValue(s, jen.Id("v"))),
	)
}

func (c *codecs) sizeFunc(s *shape.Shape) jen.Code {
	size := jen.Lit(int(inline(s.Type)))
	param := "_"
	if !flat(s) {
		param = "v"
		size = size.Op("+").Add(c.sizeValue(s, jen.Id("v")))
	}
	return jen.Func().Params(jen.Id(param).Add(typ(s.Type))).Int().Block(jen.Return(size))
}

// isZero is the name of a function that tells the zero value of a type that cannot be
// compared; it is emitted on first use. The encodings are compared.
func (c *codecs) isZero(v types.Type) string {
	name := c.names.of("isZero", v)
	if c.seen["zero "+name] {
		return name
	}
	c.seen["zero "+name] = true
	codec := func() *jen.Statement { return jen.Id(c.names.codecVar(v)).Dot("Append") }
	c.file.Line()
	c.file.Commentf("%s reports whether v is empty: it is encoded as the zero value is.", name)
	c.file.Func().Id(name).Params(jen.Id("v").Add(typ(v))).Bool().Block(
		jen.Var().Id("zero").Add(typ(v)),
		jen.List(jen.Id("want"), jen.Id("_")).Op(":=").Add(codec()).Call(jen.Nil(), jen.Id("zero")),
		jen.List(jen.Id("got"), jen.Id("err")).Op(":=").Add(codec()).Call(jen.Nil(), jen.Id("v")),
		jen.Return(jen.Id("err").Op("==").Nil().Op("&&").Qual("bytes", "Equal").Call(jen.Id("got"), jen.Id("want"))),
	)
	return name
}
