package check

import (
	"go/importer"
	"go/token"
	"go/types"
	"path"
	"strconv"
	"strings"

	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/directive"
	"github.com/cachegen/cachegen/generator/model"
)

// stdlib reads packages of the standard library that the source itself does not import,
// such as strings in norm=email:strings.ToLower.
type stdlib struct{ importer types.Importer }

func (s *stdlib) find(name string) *types.Package {
	if s.importer == nil {
		s.importer = importer.Default()
	}
	p, err := s.importer.Import(name)
	if err != nil || strings.Contains(p.Path(), ".") {
		return nil
	}
	return p
}

// object finds what a name in a directive means: a declaration of the own package, or
// qualifier.Name by the imports of the file, of the package, or of the standard library.
// pkg is nil for the own package.
func (r *repo) object(t directive.Text) (obj types.Object, pkg *types.Package) {
	dot := strings.LastIndexByte(t.S, '.')
	if !token.IsIdentifier(t.S[dot+1:]) {
		r.Add("CG102", t.Span(), "write Name or pkg.Name", "%s is not a name", t.S)
		return nil, nil
	}
	if dot < 0 {
		obj = r.pkg.Types.Scope().Lookup(t.S)
		if obj == nil {
			r.Add("CG116", t.Span(), diag.Suggest(t.S, r.pkg.Types.Scope().Names()), "package %s declares no %s", r.pkg.Types.Name(), t.S)
		}
		return obj, nil
	}
	qualifier, name := t.S[:dot], t.S[dot+1:]
	pkg = r.imported(qualifier)
	if pkg == nil {
		r.Add("CG116", t.Span(), "import it in "+path.Base(r.file.Name)+`, if only as _ "path"`, "no imported package is called %s", qualifier)
		return nil, nil
	}
	if obj = pkg.Scope().Lookup(name); obj == nil || !obj.Exported() {
		var exported []string
		for _, n := range pkg.Scope().Names() {
			if token.IsExported(n) {
				exported = append(exported, n)
			}
		}
		r.Add("CG116", t.Span(), diag.Suggest(name, exported), "package %s exports no %s", pkg.Path(), name)
		return nil, nil
	}
	return obj, pkg
}

// imported finds a package by what the file calls it, by its path, by the name it has in
// other files, or in the standard library.
func (r *repo) imported(qualifier string) *types.Package {
	byPath := map[string]*types.Package{}
	for _, p := range r.pkg.Types.Imports() {
		byPath[p.Path()] = p
	}
	for _, spec := range r.file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		p := byPath[name]
		if err != nil || p == nil {
			continue
		}
		local := p.Name()
		if spec.Name != nil {
			local = spec.Name.Name
		}
		if local == qualifier {
			return p
		}
	}
	if p := byPath[qualifier]; p != nil {
		return p
	}
	for _, p := range r.pkg.Types.Imports() {
		if p.Name() == qualifier {
			return p
		}
	}
	return r.std.find(qualifier)
}

// function finds a function that is not a method.
func (r *repo) function(t directive.Text) (model.Func, bool) {
	obj, pkg := r.object(t)
	if obj == nil {
		return model.Func{}, false
	}
	fn, ok := obj.(*types.Func)
	switch {
	case !ok:
		r.Add("CG116", t.Span(), "name a function", "%s is %s", t.S, typeText(obj.Type()))
		return model.Func{}, false
	case fn.Signature().TypeParams() != nil:
		r.Add("CG116", t.Span(), "name a function without type parameters", "%s is %s", t.S, typeText(obj.Type()))
		return model.Func{}, false
	}
	return model.Func{Pkg: pkg, Name: fn.Name(), Sig: fn.Signature()}, true
}

// sentinels finds the errors of notfound=.
func (r *repo) sentinels(options []directive.Option) []model.Object {
	var out []model.Object
	for _, o := range options {
		obj, pkg := r.object(o.Value)
		if obj == nil {
			continue
		}
		v, ok := obj.(*types.Var)
		if !ok || !implementsError(v.Type()) || !types.Comparable(v.Type()) {
			r.Add("CG116", o.Value.Span(), "name a variable: var ErrNotFound = errors.New(...)", "%s is not an error variable that == can tell", o.Value.S)
			continue
		}
		out = append(out, model.Object{Pkg: pkg, Name: v.Name(), Type: v.Type()})
	}
	return out
}

func implementsError(t types.Type) bool {
	return types.Implements(t, types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
}
