// Package load reads the packages to generate for: all in one call, dependencies through
// the compiler's export data, function bodies and the generator's own earlier output left
// out. So neither stale or broken output nor an error elsewhere in the package stands in the
// way of generating again.
package load

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/packages"
)

// Config says what to load.
type Config struct {
	Dir      string // working directory, absolute
	Tags     string // build tags, separated by commas
	Patterns []string
}

// Package is one package with the files its people wrote.
type Package struct {
	Types *types.Package
	Dir   string // absolute
	Files []*File
	// TypeErrors are what the type checker found, in any file.
	TypeErrors []types.Error
}

// File is a parsed source file.
type File struct {
	*ast.File
	Name       string // absolute
	Constraint string // build constraint, "" for none
	Errors     scanner.ErrorList
	// Annotated: the text of a directive stands in it, though perhaps not as one.
	Annotated bool
}

// Load reads all packages that the patterns match. An error means that nothing could be
// loaded, because a pattern matches nothing or go list failed.
func Load(fset *token.FileSet, cfg Config) ([]*Package, error) {
	l := &loader{fset: fset, files: map[string]*File{}}
	pkgs, err := l.load(cfg, everything)
	if err != nil {
		return nil, err
	}
	if unreadable := l.unreadable(pkgs); len(unreadable) > 0 {
		// go list reads the imports of every file and gives up on one it cannot parse,
		// such as output with conflict markers.
		l = &loader{fset: fset, files: map[string]*File{}}
		if pkgs, err = l.without(cfg, unreadable); err != nil {
			return nil, err
		}
	}
	if len(pkgs) == 0 {
		// A build that fails before it begins leaves no trace in export mode.
		if _, err := l.load(cfg, packages.NeedName); err != nil {
			return nil, err
		}
	}
	out, err := l.collect(pkgs)
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("no Go packages match %s", strings.Join(cfg.Patterns, " "))
	}
	return out, err
}

const everything = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedTypes | packages.NeedSyntax

type loader struct {
	fset  *token.FileSet
	mu    sync.Mutex
	files map[string]*File // guarded by mu
}

func (l *loader) load(cfg Config, mode packages.LoadMode, flags ...string) ([]*packages.Package, error) {
	if cfg.Tags != "" {
		flags = append(flags, "-tags="+cfg.Tags)
	}
	conf := &packages.Config{Mode: mode, Dir: cfg.Dir, Fset: l.fset, ParseFile: l.parse, BuildFlags: flags}
	return packages.Load(conf, cfg.Patterns...)
}

// without loads all packages as if some files of theirs held nothing. The go command is told
// so: packages.Config.Overlay would throw away all export data, and take ten times as long.
func (l *loader) without(cfg Config, files map[string]string) (pkgs []*packages.Package, err error) {
	dir, err := os.MkdirTemp("", "cachegen-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for name, pkg := range files {
		overlay.Replace[name] = filepath.Join(dir, pkg+".go")
		if err := os.WriteFile(overlay.Replace[name], []byte("package "+pkg+"\n"), 0o600); err != nil {
			return nil, err
		}
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), list, 0o600); err != nil {
		return nil, err
	}
	return l.load(cfg, everything, "-overlay="+filepath.Join(dir, "overlay.json"))
}

// parse reads one file: own output as its package clause, everything else without bodies.
func (l *loader) parse(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
	if IsOutput(name, src) {
		return &ast.File{Name: ast.NewIdent(packageName(src))}, nil
	}
	f, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if f == nil {
		return nil, err
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			fn.Body = nil
		}
	}
	file := &File{File: f, Name: name, Annotated: bytes.Contains(src, []byte("//cachegen:"))}
	if list, ok := err.(scanner.ErrorList); ok {
		file.Errors = list
	}
	l.mu.Lock()
	l.files[name] = file
	l.mu.Unlock()
	return f, nil
}

var packageClause = regexp.MustCompile(`(?m)^package[ \t]+(\w+)`)

func packageName(src []byte) string {
	if m := packageClause.FindSubmatch(src); m != nil {
		return string(m[1])
	}
	return "_"
}

// unreadable finds own output that go list could not read, and the names of its packages.
func (l *loader) unreadable(pkgs []*packages.Package) map[string]string {
	files := map[string]string{}
	for _, p := range pkgs {
		if !slices.ContainsFunc(p.Errors, func(e packages.Error) bool { return e.Kind != packages.TypeError }) {
			continue
		}
		outputsIn(p.Dir, func(name string, src []byte) {
			if _, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly); err != nil {
				files[name] = p.Name // right or wrong, it is what the other files say
			}
		})
	}
	return files
}

// written is the file that people wrote: f itself or, where cgo made f, the one that it was
// made from; "" where cgo made it from nothing.
func (l *loader) written(f *File, sources []string) string {
	if slices.Contains(sources, f.Name) {
		return f.Name
	}
	origin := filepath.Base(l.fset.Position(f.Package).Filename)
	for _, name := range sources {
		if filepath.Base(name) == origin {
			return name
		}
	}
	return ""
}

// collect turns loaded packages into ours, in the order of their paths.
func (l *loader) collect(pkgs []*packages.Package) ([]*Package, error) {
	slices.SortFunc(pkgs, func(a, b *packages.Package) int { return cmp.Compare(a.PkgPath, b.PkgPath) })
	var out []*Package
	for _, p := range pkgs {
		pkg := &Package{Types: p.Types, Dir: p.Dir, TypeErrors: p.TypeErrors}
		for _, name := range p.CompiledGoFiles {
			f := l.files[name]
			if f == nil {
				continue
			}
			if f.Name = l.written(f, p.GoFiles); f.Name != "" {
				f.Constraint = constraintOf(f.Name, f.File)
				pkg.Files = append(pkg.Files, f)
			}
		}
		if len(p.GoFiles) > 0 && pkg.Types != nil { // perhaps nothing is left but output
			out = append(out, pkg)
			continue
		}
		for _, e := range p.Errors {
			if e.Kind != packages.TypeError {
				return nil, errors.New(strings.TrimSpace(e.Msg))
			}
		}
	}
	return out, nil
}
