// Package check turns annotated interfaces into plans: it reads the directives, resolves
// every name in them with go/types, and reports whatever does not fit. A plan without errors
// holds all that the templates need.
package check

import (
	"go/ast"
	"go/types"
	"path/filepath"

	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/load"
	"github.com/cachegen/cachegen/generator/model"
)

// checker holds what the rules share. It is used by one goroutine.
type checker struct {
	*diag.Bag
	interfaces map[*types.TypeName]*iface
	order      []*iface // those with a repo directive, in source order
	repos      []*repo
	attached   map[*ast.Comment]bool // directives that stand where they mean something
	uses       []use                 // of tags, by reads and writes
	std        *stdlib
}

// Check plans every source file with annotated interfaces.
func Check(pkgs []*load.Package, bag *diag.Bag) []*model.File {
	c := &checker{Bag: bag, interfaces: map[*types.TypeName]*iface{}, attached: map[*ast.Comment]bool{}, std: &stdlib{}}
	for _, p := range pkgs {
		c.sourceErrors(p)
		c.collect(p)
	}
	for _, i := range c.order {
		if r := c.newRepo(i); r != nil {
			c.repos = append(c.repos, r)
		}
	}
	c.repoNames()
	for _, r := range c.repos {
		for _, m := range r.methods {
			m.classify()
		}
		r.passList()
		r.listMethods()
	}
	for _, r := range c.repos {
		r.each(model.Read, (*method).read)
		r.sharedKeys()
		r.each(model.Write, (*method).write)
		r.each(model.Tx, (*method).tx)
	}
	c.tagForms()
	c.coverage()
	c.leased()
	for _, p := range pkgs {
		c.strays(p)
	}
	return c.files()
}

// each runs a rule over the methods of one kind.
func (r *repo) each(kind model.Kind, rule func(*method)) {
	for _, m := range r.methods {
		if m.model.Kind == kind {
			rule(m)
		}
	}
}

// files groups the plans by source file. Those of one package share the set of names taken.
func (c *checker) files() []*model.File {
	var out []*model.File
	byName := map[*load.File]*model.File{}
	taken := map[*load.Package]map[string]bool{}
	for _, r := range c.repos {
		f := byName[r.file]
		if f == nil {
			if taken[r.pkg] == nil {
				taken[r.pkg] = declaredNames(r.pkg)
			}
			f = &model.File{
				Pkg: r.pkg.Types, Dir: r.pkg.Dir, Source: filepath.Base(r.file.Name), Constraint: r.file.Constraint, Taken: taken[r.pkg],
			}
			byName[r.file] = f
			out = append(out, f)
		}
		f.Repos = append(f.Repos, r.model)
	}
	return out
}
