package templates

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/types"
	"strings"

	"github.com/cachegen/cachegen/generator/model/shape"
	"github.com/dave/jennifer/jen"
)

// codecs emits the mechanical file'"'"'s codecs, copies and sizes: for each type that needs
// code of its own one function each, in the order of first use.
type codecs struct {
	file  *jen.File
	names *names

	seen  map[string]bool
	queue []*shape.Shape
}

// codecVar and schemaConst name what the reviewable file refers to.
func (n *names) codecVar(v types.Type) string    { return n.of("codec", v) }
func (n *names) schemaConst(v types.Type) string { return n.of("schema", v) }

// value declares the codec and the schema fingerprint of a read'"'"'s results.
func (c *codecs) value(s *shape.Shape) {
	if c.seen["codec "+types.TypeString(s.Type, nil)] {
		return
	}
	c.seen["codec "+types.TypeString(s.Type, nil)] = true
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
	c.file.Commentf("%s changes with the encoding of %s: older entries are not read.", schema, shape.Name(s.Type))
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
		if s.Kind == shape.Struct {
			c.trap(s)
		}
		c.encode(s)
		c.decode(s)
		if !s.Shared {
			c.clone(s)
		}
		if !flat(s) {
			c.size(s)
		}
	}
}

// need is the name of a function for s'"'"'s type, which will be emitted.
func (c *codecs) need(verb string, s *shape.Shape) *jen.Statement {
	key := types.TypeString(s.Type, nil)
	if !c.seen[key] {
		c.seen[key] = true
		c.queue = append(c.queue, s)
	}
	return jen.Id(c.names.of(verb, s.Type))
}

// encodeFunc, decodeFunc, cloneFunc and sizeFunc are function values over V itself.
func (c *codecs) encodeFunc(s *shape.Shape) jen.Code {
	return jen.Func().Params(jen.Id("e").Op("*").Add(wire("Encoder")), jen.Id("v").Add(typ(s.Type))).Block(
		c.encodeValue(s, jen.Id("v")),
	)
}

func (c *codecs) decodeFunc(s *shape.Shape) jen.Code {
	return jen.Func().Params(jen.Id("d").Op("*").Add(wire("Decoder"))).Add(typ(s.Type)).Block(
		jen.Return(c.decodeValue(s)),
	)
}

func (c *codecs) cloneFunc(s *shape.Shape) jen.Code {
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

// trap fails to compile when a struct changes, before anything is lost silently.
func (c *codecs) trap(s *shape.Shape) {
	c.file.Line()
	c.file.Commentf("If this line does not compile, %s has changed: run go generate.", shape.Name(s.Type))
	u := s.Type.Underlying().(*types.Struct)
	if _, unnamed := s.Type.(*types.Struct); unnamed {
		return
	}
	c.file.Var().Id("_").Op("=").Add(typ(s.Type)).Call(structure(u).Values())
}

func (c *codecs) encode(s *shape.Shape) {
	c.file.Line()
	c.file.Func().Add(jen.Id(c.names.of("encode", s.Type))).
		Params(jen.Id("e").Op("*").Add(wire("Encoder")), jen.Id("v").Add(c.byRef(s))).
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
		g.Id("e").Dot(pairName(s)).Call(jen.Id("v"))
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
	e := jen.Id("e")
	switch s.Kind {
	case shape.Basic:
		return e.Dot(s.Wire).Call(convert(s.Prim, s.Type, v))
	case shape.Bytes:
		return e.Dot("Bytes").Call(v)
	case shape.Time:
		return e.Dot("Time").Call(v)
	}
	return c.need("encode", s).Call(e, ref(s, v))
}

// convert is v as the basic type prim; nothing where it is that already.
func convert(prim string, t types.Type, v jen.Code) jen.Code {
	if b, ok := types.Unalias(t).(*types.Basic); ok && b.Name() == prim {
		return v
	}
	return jen.Id(prim).Call(v)
}

func (c *codecs) decode(s *shape.Shape) {
	c.file.Line()
	c.file.Func().Id(c.names.of("decode", s.Type)).
		Params(jen.Id("d").Op("*").Add(wire("Decoder"))).
		Params(jen.Id("v").Add(typ(s.Type))).
		BlockFunc(func(g *jen.Group) {
			c.decodeBody(g, s)
			g.Return(jen.Id("v"))
		})
}

func (c *codecs) decodeBody(g *jen.Group, s *shape.Shape) {
	d, v := func() *jen.Statement { return jen.Id("d") }, func() *jen.Statement { return jen.Id("v") }
	hasLen := func() *jen.Statement {
		return jen.If(jen.List(jen.Id("n"), jen.Id("ok")).Op(":=").Add(d()).Dot("Len").Call(), jen.Id("ok"))
	}
	switch s.Kind {
	case shape.Pointer:
		g.If(d().Dot("Some").Call()).Block(
			v().Op("=").New(typ(s.Elem.Type)),
			jen.Op("*").Add(v()).Op("=").Add(c.decodeValue(s.Elem)),
		)
	case shape.Slice:
		g.Add(hasLen()).Block(
			v().Op("=").Make(typ(s.Type), jen.Id("n")),
			jen.For(jen.Id("i").Op(":=").Range().Add(v())).Block(v().Index(jen.Id("i")).Op("=").Add(c.decodeValue(s.Elem))),
		)
	case shape.Array:
		g.Add(d()).Dot("Fixed").Call(jen.Len(v()))
		g.For(jen.Id("i").Op(":=").Range().Add(v())).Block(v().Index(jen.Id("i")).Op("=").Add(c.decodeValue(s.Elem)))
	case shape.Map:
		g.Add(hasLen()).Block(
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
	d := jen.Id("d")
	switch s.Kind {
	case shape.Basic:
		taken := d.Dot(s.Wire).Call()
		if b, ok := types.Unalias(s.Type).(*types.Basic); ok && b.Name() == s.Prim {
			return taken
		}
		return typ(s.Type).Call(taken)
	case shape.Bytes:
		return d.Dot("Bytes").Call()
	case shape.Time:
		return d.Dot("Time").Call()
	}
	return c.need("decode", s).Call(d)
}

// fingerprint is 64 bits over the structure that the encoding follows.
func fingerprint(s *shape.Shape) string {
	sum := sha256.Sum256([]byte(outline(s)))
	return hex.EncodeToString(sum[:8])
}

func outline(s *shape.Shape) string {
	switch s.Kind {
	case shape.Basic:
		return s.Wire + "/" + s.Type.Underlying().String()
	case shape.Pointer, shape.Slice:
		return fmt.Sprintf("%d(%s)", s.Kind, outline(s.Elem))
	case shape.Array:
		return fmt.Sprintf("%d(%d,%s)", s.Kind, s.Len, outline(s.Elem))
	case shape.Map:
		return fmt.Sprintf("%d(%s,%s)", s.Kind, outline(s.Key), outline(s.Elem))
	case shape.Struct:
		var b strings.Builder
		for _, f := range kept(s) {
			fmt.Fprintf(&b, "%s:%s;", f.Name, outline(f.Shape))
		}
		return fmt.Sprintf("%d{%s}", s.Kind, b.String())
	}
	return fmt.Sprintf("%d[%s]", s.Kind, types.TypeString(s.Type, nil))
}
