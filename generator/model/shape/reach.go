package shape

import (
	"go/types"
	"strings"
)

// own reports whether p is the package the code is generated into.
func (w *walk) own(p *types.Package) bool { return p != nil && p.Path() == w.from.Path() }

// written is how the generating package writes a named type: by its own name or, where it
// may not, by the alias that t is.
func (w *walk) written(t types.Type) (types.Type, bool) {
	if u := types.Unalias(t); w.mentions(u) {
		return u, true
	}
	if alias, ok := t.(*types.Alias); ok && w.names(alias.Obj(), alias.TypeArgs()) {
		return t, true
	}
	return nil, false
}

// mentions reports whether every name in t can be written in the generating package.
func (w *walk) mentions(t types.Type) bool {
	switch t := t.(type) {
	case *types.Alias:
		return w.names(t.Obj(), t.TypeArgs()) || w.mentions(types.Unalias(t))
	case *types.Named:
		return w.names(t.Obj(), t.TypeArgs())
	case *types.Map:
		return w.mentions(t.Key()) && w.mentions(t.Elem())
	case interface{ Elem() types.Type }: // pointer, slice, array, channel
		return w.mentions(t.Elem())
	case *types.Struct:
		for f := range t.Fields() {
			if !f.Exported() && !w.own(f.Pkg()) || !w.mentions(f.Type()) {
				return false
			}
		}
	case *types.Signature:
		return w.all(t.Params()) && w.all(t.Results())
	case *types.Interface:
		for m := range t.Methods() {
			if !m.Exported() && !w.own(m.Pkg()) || !w.mentions(m.Type()) {
				return false
			}
		}
	}
	return true
}

func (w *walk) all(vars *types.Tuple) bool {
	for v := range vars.Variables() {
		if !w.mentions(v.Type()) {
			return false
		}
	}
	return true
}

func (w *walk) names(o *types.TypeName, args *types.TypeList) bool {
	for a := range args.Types() {
		if !w.mentions(a) {
			return false
		}
	}
	p := o.Pkg()
	switch {
	case p == nil: // error, comparable
		return true
	case o.Parent() != nil && o.Parent() != p.Scope(): // declared inside a function
		return false
	case w.own(p):
		return true
	}
	return o.Exported() && p.Name() != "main" && importable(p.Path(), w.from.Path())
}

// importable applies the rules of internal and vendored packages.
func importable(path, from string) bool {
	if strings.HasPrefix(path, "vendor/") || strings.Contains(path, "/vendor/") {
		return false
	}
	elems := strings.Split(path, "/")
	for i := len(elems) - 1; i >= 0; i-- {
		if elems[i] == "internal" {
			parent := strings.Join(elems[:i], "/")
			return parent != "" && (from == parent || strings.HasPrefix(from, parent+"/"))
		}
	}
	return true
}
