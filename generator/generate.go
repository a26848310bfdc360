// Package generator turns packages with annotated repository interfaces into the files of
// their caching wrappers: load, check, render. It writes nothing by itself; what it returns
// can be compared with what is on disk, printed, or written by Result.Write.
package generator

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"time"

	"github.com/cachegen/cachegen/generator/internal/check"
	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/load"
	"github.com/cachegen/cachegen/generator/model"
	"github.com/cachegen/cachegen/templates"
)

// Options say what to generate for.
type Options struct {
	// Dir is the absolute directory that patterns are relative to.
	Dir string
	// Tags are build tags, separated by commas.
	Tags string
	// Patterns name packages as the go command does; none means the package in Dir.
	Patterns []string
}

// Generate makes the files for all packages in one load. The error says that nothing could
// be looked at; whatever is wrong with a policy is in the result's diagnostics, and then
// the result has no files.
func Generate(o Options) (*Result, error) {
	clock := &phases{last: time.Now()}
	patterns := o.Patterns
	if len(patterns) == 0 {
		patterns = []string{"."}
	}
	fset := token.NewFileSet()
	pkgs, err := load.Load(fset, load.Config{Dir: o.Dir, Tags: o.Tags, Patterns: patterns})
	if err != nil {
		return nil, err
	}
	clock.end("load")

	bag := &diag.Bag{Fset: fset}
	plans := check.Check(pkgs, bag)
	res := &Result{Diagnostics: bag.Sorted()}
	clock.end("check")

	if !res.Failed() {
		for _, plan := range plans {
			if err := res.render(plan); err != nil {
				return nil, err
			}
		}
		res.orphans(pkgs)
	}
	clock.end("render")
	res.Phases = clock.list
	return res, nil
}

// render adds both files of one source file. What they declare is taken for the files of the
// package that come after: a-b.go and a_b.go would choose the same names.
func (r *Result) render(plan *model.File) error {
	reviewable, mechanical, err := templates.Render(plan)
	if err != nil {
		return err
	}
	for _, code := range [][]byte{reviewable, mechanical} {
		f, err := parser.ParseFile(token.NewFileSet(), "", code, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		declare(plan.Taken, f)
	}
	base := filepath.Join(plan.Dir, strings.TrimSuffix(plan.Source, ".go"))
	r.Files = append(r.Files,
		File{Name: base + "_cachegen.go", Content: reviewable},
		File{Name: base + "_cachegen_codec.go", Content: mechanical},
	)
	return nil
}

// declare adds the names that a file declares to a set.
func declare(names map[string]bool, f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names[d.Name.Name] = true
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					names[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, name := range s.Names {
						names[name.Name] = true
					}
				}
			}
		}
	}
}

// Phase is a step of a run and how long it took.
type Phase struct {
	Name string
	Time time.Duration
}

type phases struct {
	last time.Time
	list []Phase
}

func (p *phases) end(name string) {
	now := time.Now()
	p.list = append(p.list, Phase{name, now.Sub(p.last)})
	p.last = now
}
