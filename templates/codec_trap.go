package templates

import (
	"go/types"

	"github.com/cachegen/cachegen/generator/model/shape"
	"github.com/dave/jennifer/jen"
)

// trap fails to compile when a named type changes, before anything is lost silently: it
// converts a value of the structure that the code was generated for, and such a conversion
// is legal between identical structures only (tags aside). There is none for a struct with
// left-out fields that this package cannot write down.
func (c *codecs) trap(t types.Type) {
	key := trapKey(t)
	if _, ok := types.Unalias(t).(*types.Named); !ok || c.seen[key] {
		return
	}
	value := sample(t.Underlying(), c.names.pkg)
	if value == nil {
		return
	}
	c.seen[key] = true
	c.file.Line()
	c.file.Commentf("If this line does not compile, %s has changed: run go generate.", c.names.text(t))
	c.file.Var().Id("_").Op("=").Add(typ(t)).Call(value)
}

// own says that a struct is declared by the generator itself: it needs no trap.
func (c *codecs) own(t types.Type) { c.seen[trapKey(t)] = true }

func trapKey(t types.Type) string { return "trap " + exact(t) }

// sample is a zero value of the unnamed type u, nil where it cannot be written or where the
// functions for the type compile for one kind only anyhow.
func sample(u types.Type, from *types.Package) *jen.Statement {
	if !shape.CanWrite(u, from) {
		return nil
	}
	switch u := u.(type) {
	case *types.Struct:
		return structure(u, false).Values()
	case *types.Array:
		return typ(u).Values()
	case *types.Slice, *types.Map:
		return typ(u).Call(jen.Nil())
	case *types.Pointer:
		return jen.Parens(typ(u)).Call(jen.Nil())
	}
	return nil
}
