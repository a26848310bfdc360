package templates

import (
	"go/types"

	"github.com/cachegen/cachegen/generator/model/shape"
	"github.com/dave/jennifer/jen"
)

// keys appends values to a cachert.Args: scalars inline, everything else through one
// function for each type in the mechanical file.
type keys struct {
	file  *jen.File
	names *names
	trap  func(types.Type)
	seen  map[string]bool
	queue []types.Type
}

// add appends v, a value of type t, to the list a.
func (k *keys) add(a *jen.Statement, t types.Type, v *jen.Statement) *jen.Statement {
	if method, prim := primitive(t); method != "" {
		return a.Dot(method).Call(convert(prim, t, v))
	}
	if isTime(t) {
		return a.Dot("Time").Call(v)
	}
	if shape.HasText(t) && !shape.TextByPointer(t) && !canBeNil(t) {
		return a.Dot("Text").Call(v)
	}
	return jen.Id(k.need(t)).Call(a, v)
}

// primitive is the method of cachert.Args for a basic kind and the type it takes.
func primitive(t types.Type) (method, prim string) {
	b, ok := t.Underlying().(*types.Basic)
	if !ok {
		return "", ""
	}
	switch info := b.Info(); {
	case info&types.IsBoolean != 0:
		return "Bool", "bool"
	case info&types.IsString != 0:
		return "Str", "string"
	case info&types.IsUnsigned != 0:
		return "Uint", "uint64"
	case info&types.IsInteger != 0:
		return "Int", "int64"
	case info&types.IsFloat != 0:
		return "Float", "float64"
	}
	return "", ""
}

func isTime(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "time" && named.Obj().Name() == "Time"
}

// canBeNil reports whether a key may hold Nil in place of a value of t.
func canBeNil(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Slice, *types.Map:
		return true
	}
	return false
}

func isBytes(t types.Type) bool {
	s, ok := t.Underlying().(*types.Slice)
	return ok && isByte(s.Elem())
}

func isByte(t types.Type) bool {
	b, ok := types.Unalias(t).(*types.Basic)
	return ok && b.Kind() == types.Byte
}

// need is the name of the function for t, which will be emitted.
func (k *keys) need(t types.Type) string {
	t = types.Unalias(t)
	exact := types.TypeString(t, nil)
	if !k.seen[exact] {
		k.seen[exact] = true
		k.queue = append(k.queue, t)
	}
	return k.names.of("key", t)
}

// flush emits the functions asked for, and those that they ask for.
func (k *keys) flush() {
	for len(k.queue) > 0 {
		t := k.queue[0]
		k.queue = k.queue[1:]
		k.keyFunc(t)
	}
}

// keyFunc is func booksKeyPage(a *cachert.Args, v Page) *cachert.Args.
func (k *keys) keyFunc(t types.Type) {
	if _, ok := t.Underlying().(*types.Struct); ok && !shape.HasText(t) {
		k.trap(t)
	}
	k.file.Line()
	k.file.Func().Id(k.names.of("key", t)).
		Params(jen.Id("a").Add(argsPtr()), jen.Id("v").Add(typ(t))).Add(argsPtr()).
		BlockFunc(func(g *jen.Group) { k.keyBody(g, t) })
}

func argsPtr() *jen.Statement { return jen.Op("*").Add(cachert("Args")) }

func (k *keys) keyBody(g *jen.Group, t types.Type) {
	a, v := func() *jen.Statement { return jen.Id("a") }, func() *jen.Statement { return jen.Id("v") }
	if canBeNil(t) {
		g.If(v().Op("==").Nil()).Block(jen.Return(a().Dot("Nil").Call()))
	}
	if shape.HasText(t) {
		text := v()
		if shape.TextByPointer(t) {
			text = jen.Op("&").Add(v())
		}
		g.Return(a().Dot("Text").Call(text))
		return
	}
	switch u := t.Underlying().(type) {
	case *types.Basic: // complex
		g.Return(a().Dot("Open").Call().Dot("Float").Call(part("real", u, v())).Dot("Float").Call(part("imag", u, v())).Dot("Close").Call())
	case *types.Pointer:
		elem := jen.Op("*").Add(v())
		if canBeNil(u.Elem()) { // a pointer to nil is not a nil pointer
			g.Return(k.add(a().Dot("Open").Call(), u.Elem(), elem).Dot("Close").Call())
		} else {
			g.Return(k.add(a(), u.Elem(), elem))
		}
	case *types.Slice:
		if isBytes(t) {
			g.Return(a().Dot("Bytes").Call(v()))
			return
		}
		g.Add(a().Dot("Open").Call().Dot("Len").Call(jen.Len(v())))
		g.For(jen.List(jen.Id("_"), jen.Id("x")).Op(":=").Range().Add(v())).Block(k.add(a(), u.Elem(), jen.Id("x")))
		g.Return(a().Dot("Close").Call())
	case *types.Array:
		if isByte(u.Elem()) {
			g.Return(a().Dot("Bytes").Call(v().Index(jen.Empty(), jen.Empty())))
			return
		}
		g.Add(a().Dot("Open").Call())
		g.For(jen.List(jen.Id("_"), jen.Id("x")).Op(":=").Range().Add(v())).Block(k.add(a(), u.Elem(), jen.Id("x")))
		g.Return(a().Dot("Close").Call())
	case *types.Map:
		g.Return(cachert("Map").Call(a(), v(), k.mapFunc(u.Key()), k.mapFunc(u.Elem())))
	case *types.Struct:
		g.Add(a().Dot("Open").Call())
		for f := range u.Fields() {
			if f.Name() != "_" {
				g.Add(k.add(a(), f.Type(), v().Dot(f.Name())))
			}
		}
		g.Return(a().Dot("Close").Call())
	}
}

// part is the real or imaginary part as float64.
func part(name string, c *types.Basic, v *jen.Statement) *jen.Statement {
	p := jen.Id(name).Call(v)
	if c.Kind() == types.Complex64 {
		return jen.Id("float64").Call(p)
	}
	return p
}

func (k *keys) mapFunc(t types.Type) *jen.Statement {
	return jen.Func().Params(jen.Id("a").Add(argsPtr()), jen.Id("x").Add(typ(t))).Block(k.add(jen.Id("a"), t, jen.Id("x")))
}
