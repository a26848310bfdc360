package check

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/directive"
	"github.com/cachegen/cachegen/generator/internal/load"
)

// iface is an interface type declared in a loaded package, annotated or not: others may
// embed it.
type iface struct {
	pkg     *load.Package
	file    *load.File
	spec    *ast.TypeSpec
	own     []*directive.Directive // of the type's doc comment
	methods map[string]*ast.Field
	reached bool // annotated, or embedded by one that is
}

// collect finds the interfaces of a package.
func (c *checker) collect(p *load.Package) {
	for _, f := range p.Files {
		for _, d := range f.Decls {
			gen, ok := d.(*ast.GenDecl)
			if !ok || gen.Tok != token.TYPE {
				continue
			}
			for _, s := range gen.Specs {
				spec := s.(*ast.TypeSpec)
				doc := spec.Doc
				if doc == nil && len(gen.Specs) == 1 {
					doc = gen.Doc
				}
				c.typeSpec(p, f, spec, doc)
			}
		}
	}
}

// typeSpec records an interface; on any other type a directive is an error.
func (c *checker) typeSpec(p *load.Package, f *load.File, spec *ast.TypeSpec, doc *ast.CommentGroup) {
	i := &iface{pkg: p, file: f, spec: spec, methods: map[string]*ast.Field{}}
	obj, _ := p.Types.Scope().Lookup(spec.Name.Name).(*types.TypeName)
	it, written := spec.Type.(*ast.InterfaceType)
	unknown := obj != nil && written && !types.IsInterface(obj.Type()) // a type that contains itself
	if obj == nil || !types.IsInterface(obj.Type()) && !unknown {
		return // its directives are reported as strays
	}
	c.attach(doc)
	i.own = directive.Of(doc, c.Bag)
	if written {
		for _, field := range it.Methods.List {
			if len(field.Names) == 1 {
				i.methods[field.Names[0].Name] = field
				c.attach(field.Doc)
			}
		}
	}
	if unknown {
		if len(i.own) > 0 {
			c.typeErrors(p, spec)
		}
		return
	}
	c.interfaces[obj] = i
	for _, d := range i.own {
		if d.Verb == "repo" {
			c.order = append(c.order, i)
			return
		}
	}
	for _, d := range i.own {
		c.Add("CG002", d.At, "add //cachegen:repo name=... ttl=... to the interface", "//cachegen:%s stands on an interface that is no repository", d.Verb)
	}
}

func (c *checker) attach(doc *ast.CommentGroup) {
	if doc != nil {
		for _, comment := range doc.List {
			c.attached[comment] = true
		}
	}
}

// strays reports directives that stand where nothing reads them, and comments that look
// like one.
func (c *checker) strays(p *load.Package) {
	for _, f := range p.Files {
		for _, group := range f.Comments {
			for _, comment := range group.List {
				at := diag.Span{Pos: comment.Pos(), End: comment.End()}
				switch {
				case directive.NearMiss(comment):
					c.Add("CG001", at, "write //cachegen: in lower case and without blanks", "this comment looks like a directive and is none")
				case directive.Is(comment) && !c.attached[comment]:
					c.Add("CG002", at, "directives stand in the doc comment of an interface, or of a method in it", "nothing reads this directive")
				}
			}
		}
	}
	for _, i := range c.interfaces {
		if i.pkg != p || i.reached {
			continue
		}
		for _, field := range i.methods {
			for _, d := range directive.Of(field.Doc, c.Bag) {
				c.Add("CG002", d.At, "add //cachegen:repo name=... ttl=... to the interface, or embed it in one that has it",
					"interface %s is no repository", i.spec.Name.Name)
			}
		}
	}
}

// sourceErrors reports what keeps a file with directives from being read. Errors of types
// are reported where an annotated signature needs the type: all others are not ours.
func (c *checker) sourceErrors(p *load.Package) {
	for _, f := range p.Files {
		if !f.Annotated {
			continue
		}
		for _, e := range f.Errors {
			c.AddAt("CG003", e.Pos, "", e.Msg)
		}
	}
}

// declaredNames is the set of names that the files of a package declare.
func declaredNames(p *load.Package) map[string]bool {
	names := map[string]bool{}
	for _, name := range p.Types.Scope().Names() {
		names[name] = true
	}
	return names
}
