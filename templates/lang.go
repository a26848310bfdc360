package templates

import (
	"fmt"
	"go/types"
	"strconv"

	"github.com/dave/jennifer/jen"
)

// The runtime packages that generated code refers to. The generator knows their names only;
// that they exist is proved where generated code is compiled.
const (
	cachertPath = "github.com/cachegen/cachegen/runtime/cachert"
	wirePath    = "github.com/cachegen/cachegen/runtime/wire"
)

func cachert(name string) *jen.Statement { return jen.Qual(cachertPath, name) }

func wire(name string) *jen.Statement { return jen.Qual(wirePath, name) }

// typ is the code of a type. Packages are imported as needed by jennifer, which leaves the
// file's own package unqualified.
func typ(t types.Type) *jen.Statement {
	switch t := t.(type) {
	case *types.Basic:
		if t.Kind() == types.UnsafePointer {
			return jen.Qual("unsafe", "Pointer")
		}
		return jen.Id(t.Name())
	case *types.Alias:
		return named(t.Obj(), t.TypeArgs())
	case *types.Named:
		return named(t.Obj(), t.TypeArgs())
	case *types.Pointer:
		return jen.Op("*").Add(typ(t.Elem()))
	case *types.Slice:
		return jen.Index().Add(typ(t.Elem()))
	case *types.Array:
		return jen.Index(jen.Id(fmt.Sprint(t.Len()))).Add(typ(t.Elem()))
	case *types.Map:
		return jen.Map(typ(t.Key())).Add(typ(t.Elem()))
	case *types.Chan:
		return channel(t)
	case *types.Signature:
		return jen.Func().Add(signature(t))
	case *types.Struct:
		return structure(t, true)
	case *types.Interface:
		return interfaceType(t)
	case *types.TypeParam:
		return jen.Id(t.Obj().Name())
	case *types.Union:
		return union(t)
	}
	panic(fmt.Sprintf("templates: no code for the type %s", t))
}

func named(o *types.TypeName, args *types.TypeList) *jen.Statement {
	s := jen.Id(o.Name())
	if o.Pkg() != nil {
		s = jen.Qual(o.Pkg().Path(), o.Name())
	}
	if args.Len() == 0 {
		return s
	}
	return s.TypesFunc(func(g *jen.Group) {
		for i := range args.Len() {
			g.Add(typ(args.At(i)))
		}
	})
}

func channel(t *types.Chan) *jen.Statement {
	switch t.Dir() {
	case types.SendOnly:
		return jen.Chan().Op("<-").Add(typ(t.Elem()))
	case types.RecvOnly:
		return jen.Op("<-").Chan().Add(typ(t.Elem()))
	}
	if inner, ok := t.Elem().(*types.Chan); ok && inner.Dir() == types.RecvOnly {
		return jen.Chan().Parens(typ(inner))
	}
	return jen.Chan().Add(typ(t.Elem()))
}

// signature is the parameters and results of a function type, with their names.
func signature(t *types.Signature) *jen.Statement {
	s := tuple(t.Params(), t.Variadic())
	if r := t.Results(); r.Len() == 1 && r.At(0).Name() == "" {
		return s.Add(typ(r.At(0).Type()))
	} else if r.Len() > 0 {
		s.Add(tuple(r, false))
	}
	return s
}

func tuple(t *types.Tuple, variadic bool) *jen.Statement {
	var list []jen.Code
	for v := range t.Variables() {
		code := paramType(v.Type(), variadic && len(list) == t.Len()-1)
		if v.Name() != "" {
			code = jen.Id(v.Name()).Add(code)
		}
		list = append(list, code)
	}
	return jen.Params(list...)
}

func paramType(t types.Type, variadic bool) *jen.Statement {
	if slice, ok := t.(*types.Slice); ok && variadic {
		return jen.Op("...").Add(typ(slice.Elem()))
	}
	return typ(t)
}

// structure is a struct type; tags are part of its identity.
func structure(t *types.Struct, tags bool) *jen.Statement {
	return jen.StructFunc(func(g *jen.Group) {
		for i := range t.NumFields() {
			f := t.Field(i)
			code := typ(f.Type())
			if !f.Embedded() {
				code = jen.Id(f.Name()).Add(code)
			}
			if tag := t.Tag(i); tags && tag != "" {
				code.Op(quoted(tag))
			}
			g.Add(code)
		}
	})
}

func quoted(tag string) string {
	if strconv.CanBackquote(tag) {
		return "`" + tag + "`"
	}
	return strconv.Quote(tag)
}

func interfaceType(t *types.Interface) *jen.Statement {
	if t.NumMethods() == 0 && t.NumEmbeddeds() == 0 {
		return jen.Any()
	}
	return jen.InterfaceFunc(func(g *jen.Group) {
		for i := range t.NumExplicitMethods() {
			m := t.ExplicitMethod(i)
			g.Id(m.Name()).Add(signature(m.Signature()))
		}
		for i := range t.NumEmbeddeds() {
			g.Add(typ(t.EmbeddedType(i)))
		}
	})
}

func union(t *types.Union) *jen.Statement {
	s := &jen.Statement{}
	for i := range t.Len() {
		if i > 0 {
			s.Op("|")
		}
		if t.Term(i).Tilde() {
			s.Op("~")
		}
		s.Add(typ(t.Term(i).Type()))
	}
	return s
}

// literal is T{...} with one element a line, in the order given.
func literal(t jen.Code, fields ...jen.Code) *jen.Statement {
	return jen.Add(t).Custom(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, fields...)
}

// field is an element of a literal.
func field(name string, value jen.Code) jen.Code { return jen.Id(name).Op(":").Add(value) }
