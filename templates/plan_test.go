package templates

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generator/model"
)

// exports is the export data of what tested sources and generated code import.
var exports = sync.OnceValues(func() (map[string]string, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export",
		"../runtime/cachert", "../runtime/wire", "bytes", "errors", "io", "maps", "math/big", "net/http", "net/netip", "slices", "strings", "database/sql", "text/template", "text/template/parse", "html/template")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return files, nil
		} else if err != nil {
			return nil, err
		}
		files[p.ImportPath] = p.Export
	}
})

// checked type-checks files of one package.
func checked(t *testing.T, sources ...string) *types.Package {
	t.Helper()
	files, err := exports()
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, src := range sources {
		f, err := parser.ParseFile(fset, "", src, parser.ParseComments)
		if err != nil {
			t.Fatalf("%v\n%s", err, src)
		}
		parsed = append(parsed, f)
	}
	lookup := func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", lookup)}
	pkg, err := conf.Check("example.com/shop", fset, parsed, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(sources, "\n"))
	}
	return pkg
}

// plan builds a model from the interface Repo in src and one line of options a method, in
// the words of the directives. It trusts them. "repo" has the options of Repo itself;
// "repo:Shelf name=shelves" annotates another interface, whose methods are "Shelf.Get".
func plan(t *testing.T, src string, methods map[string]string) *model.File {
	t.Helper()
	pkg := checked(t, src)
	f := &model.File{Pkg: pkg, Source: "shop.go", Taken: map[string]bool{}}
	for _, name := range pkg.Scope().Names() {
		f.Taken[name] = true
	}
	docs := docComments(t, src)
	f.Repos = []*model.Repo{repository(t, pkg, "Repo", "name=shop "+methods["repo"], "", methods, docs)}
	for key, options := range methods {
		if iface, ok := strings.CutPrefix(key, "repo:"); ok {
			f.Repos = append(f.Repos, repository(t, pkg, iface, options, iface+".", methods, docs))
		}
	}
	slices.SortFunc(f.Repos, func(a, b *model.Repo) int { return int(a.Type.Obj().Pos() - b.Type.Obj().Pos()) })
	return f
}

func repository(t *testing.T, pkg *types.Package, iface, options, prefix string, methods map[string]string, docs map[token.Pos]string) *model.Repo {
	t.Helper()
	named := pkg.Scope().Lookup(iface).Type().(*types.Named)
	r := &model.Repo{Iface: iface, Type: named, Level: model.Session}
	for _, word := range strings.Fields(options) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "name":
			r.Name = value
		case "tenant":
			r.Tenant = model.Tenant{Kind: model.TenantCtx}
			if obj := pkg.Scope().Lookup(value); obj != nil {
				r.Tenant = model.Tenant{Kind: model.TenantFunc, Func: &model.Func{Name: value, Sig: obj.Type().(*types.Signature)}}
			}
		}
	}
	var order []*types.Func
	for fn := range named.Underlying().(*types.Interface).Methods() {
		order = append(order, fn)
	}
	slices.SortFunc(order, func(a, b *types.Func) int { return int(a.Pos() - b.Pos()) })
	for _, fn := range order {
		if !fn.Exported() && fn.Pkg() != pkg {
			r.Embed = true
			continue
		}
		m := method(fn)
		m.Doc = docs[fn.Pos()]
		r.Methods = append(r.Methods, m)
	}
	p := &planner{t: t, pkg: pkg, repo: r}
	for _, kind := range []string{"read", "write", "tx", "pass"} { // writes refer to reads
		for _, m := range r.Methods {
			if words := strings.Fields(methods[prefix+m.Name]); len(words) > 0 && words[0] == kind {
				p.method(m, words)
			}
		}
	}
	return r
}

// docComments are those of all methods of interfaces in src, by the positions of their names.
func docComments(t *testing.T, src string) map[token.Pos]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	docs := map[token.Pos]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if iface, ok := n.(*ast.InterfaceType); ok {
			for _, f := range iface.Methods.List {
				if len(f.Names) == 1 {
					docs[f.Names[0].Pos()] = f.Doc.Text()
				}
			}
		}
		return true
	})
	return docs
}

func method(fn *types.Func) *model.Method {
	sig := fn.Signature()
	m := &model.Method{Name: fn.Name(), Kind: model.Pass, Sig: sig}
	for v := range sig.Params().Variables() {
		name := v.Name()
		if name == "" || name == "_" {
			name = "arg" + string(rune('A'+len(m.Params)))
			if types.TypeString(v.Type(), nil) == "context.Context" {
				name = "ctx"
			}
		}
		m.Params = append(m.Params, &model.Param{
			Name: name, Source: v.Name(), Type: v.Type(),
			Context:  types.TypeString(v.Type(), nil) == "context.Context",
			Variadic: sig.Variadic() && len(m.Params) == sig.Params().Len()-1,
		})
	}
	for v := range sig.Results().Variables() {
		isErr := v.Type().String() == "error" && len(m.Results) == sig.Results().Len()-1
		name := v.Name()
		if name == "" && isErr {
			name = "err"
		}
		m.Results = append(m.Results, &model.Result{Name: name, Source: v.Name(), Type: v.Type(), Error: isErr})
	}
	return m
}

type planner struct {
	t    *testing.T
	pkg  *types.Package
	repo *model.Repo
	m    *model.Method
}

func (p *planner) method(m *model.Method, words []string) {
	p.m = m
	switch words[0] {
	case "read":
		m.Kind = model.Read
		m.Read = &model.ReadPlan{Key: m.Name, TTL: 10 * time.Minute, Jitter: 0.1, Level: model.Session}
		for _, param := range m.Arguments() {
			m.Read.Args = append(m.Read.Args, model.Path{Root: model.RootParam, Param: param, Type: param.Type, Text: param.Name})
		}
	case "write":
		m.Kind = model.Write
		m.Write = &model.WritePlan{Level: model.Session}
	case "tx":
		m.Kind = model.Tx
		m.Tx = p.tx(m)
	}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		if m.Read != nil {
			p.readOption(m.Read, key, value)
		} else {
			p.writeOption(m.Write, key, value)
		}
	}
}

// tx finds the body, and in it the context and the store.
func (p *planner) tx(m *model.Method) *model.TxPlan {
	plan := &model.TxPlan{Ctx: -1, Store: -1}
	for _, param := range m.Params {
		sig, ok := param.Type.Underlying().(*types.Signature)
		if !ok {
			continue
		}
		plan.Body = param
		for i := range sig.Params().Len() {
			if types.Identical(sig.Params().At(i).Type(), p.repo.Type) {
				plan.Store = i
			} else {
				plan.Ctx = i
			}
		}
	}
	return plan
}

// without takes the transaction out of the key.
func (p *planner) without(r *model.ReadPlan, name string) {
	r.Tx = p.path(name).Param
	r.Args = slices.DeleteFunc(r.Args, func(a model.Path) bool { return a.Param == r.Tx })
}

func (p *planner) readOption(r *model.ReadPlan, key, value string) {
	switch key {
	case "tag":
		if tag, late := p.tag(value); late {
			r.Rows = append(r.Rows, tag)
		} else {
			r.Tags = append(r.Tags, tag)
		}
	case "tx":
		p.without(r, value)
	case "negative":
		r.Negative = 30 * time.Second
	case "notfound":
		pkg, name := p.object(value)
		r.NotFound = append(r.NotFound, model.Object{Pkg: pkg, Name: name})
	case "absent":
		r.Absent = map[string]model.AbsentForm{"nil": model.AbsentNil, "zero": model.AbsentZero, "bool": model.AbsentBool}[value]
	case "ctx":
		_, name := p.object(value)
		sig := p.pkg.Scope().Lookup(name).Type().(*types.Signature)
		r.Ctx = append(r.Ctx, model.CtxPart{
			Func: model.Func{Name: name, Sig: sig}, Var: model.LowerFirst(name), Type: sig.Results().At(0).Type(), OK: sig.Results().Len() == 2,
		})
		part := &r.Ctx[len(r.Ctx)-1]
		r.Args = append([]model.Path{{Root: model.RootCtx, Ctx: part, Type: part.Type, Text: value}}, r.Args...)
	case "norm": // of the tags before it, too
		param, fn, _ := strings.Cut(value, ":")
		p.norm(r.Args, param, fn)
		for _, tag := range r.Tags {
			p.norm(tag.Args, param, fn)
		}
	case "bypass":
		path, lit, equal := strings.Cut(value, ":==")
		if !equal {
			path, lit, _ = strings.Cut(value, ":!=")
		}
		b := model.Bypass{Path: p.path(path), Equal: equal, Lit: lit, Source: value}
		if p.pkg.Scope().Lookup(lit) != nil {
			b.Lit, b.Value = "", model.Object{Name: lit}
		}
		r.Bypass = append(r.Bypass, b)
	}
}

func (p *planner) writeOption(w *model.WritePlan, key, value string) {
	switch key {
	case "drop":
		if repo, ok := strings.CutSuffix(value, "*"); ok {
			w.DropAll = append(w.DropAll, cmp.Or(strings.TrimSuffix(repo, "/"), p.repo.Name))
			return
		}
		tag, late := p.tag(value)
		switch {
		case strings.Contains(value, "{old"):
			w.Old.Tags = append(w.Old.Tags, tag)
		case late:
			w.After = append(w.After, tag)
		default:
			w.Tags = append(w.Tags, tag)
		}
	case "tx":
		w.Tx = p.path(value).Param
	case "old":
		read, args, _ := p.read(value)
		w.Old = &model.OldPlan{Read: read, Args: args, Text: value}
	case "put":
		read, args, late := p.read(value)
		put := model.Put{Read: read, Args: args, AfterRun: late, Text: value}
		if len(p.m.Values()) > 0 {
			put.From, put.Value = model.FromRet, p.path("ret")
		}
		w.Puts = append(w.Puts, put)
	case "norm": // of the tags before it
		param, fn, _ := strings.Cut(value, ":")
		for _, tag := range w.Tags {
			p.norm(tag.Args, param, fn)
		}
	case "value":
		put := &w.Puts[len(w.Puts)-1]
		if value == "reload" {
			put.From = model.FromReload
		} else {
			put.From, put.Value = model.FromArg, p.path(value)
		}
	}
}

// read resolves ByID(ret.ID).
func (p *planner) read(text string) (read *model.Method, args []model.Path, late bool) {
	name, list, _ := strings.Cut(strings.TrimSuffix(text, ")"), "(")
	for _, m := range p.repo.Methods {
		if m.Name == name {
			read = m
		}
	}
	for arg := range strings.SplitSeq(list, ",") {
		if arg != "" {
			args = append(args, p.path(arg))
			late = late || args[len(args)-1].Root != model.RootParam
		}
	}
	return read, args, late
}

// tag resolves author:{b.AuthorID}:{x} or orders/user:{id}.
func (p *planner) tag(text string) (tag model.Tag, late bool) {
	name, rest, _ := strings.Cut(text, ":")
	tag = model.Tag{Repo: p.repo.Name, Name: name, Text: text}
	if repo, name, ok := strings.Cut(name, "/"); ok {
		tag.Repo, tag.Name = repo, name
	}
	for arg := range strings.SplitSeq(rest, ":") {
		if arg = strings.Trim(arg, "{}"); arg != "" {
			path := p.path(arg)
			tag.Args = append(tag.Args, path)
			late = late || path.Root == model.RootRet || path.Root == model.RootRow
		}
	}
	return tag, late
}

func (p *planner) norm(paths []model.Path, text, fn string) {
	for i := range paths {
		if paths[i].Text == text {
			paths[i].Norm = &model.Func{Name: fn, Sig: p.pkg.Scope().Lookup(fn).Type().(*types.Signature)}
		}
	}
}

func (p *planner) object(text string) (*types.Package, string) {
	qualifier, name, ok := strings.Cut(text, ".")
	if !ok {
		return nil, text
	}
	for _, imp := range p.pkg.Imports() {
		if imp.Name() == qualifier {
			return imp, name
		}
	}
	p.t.Fatalf("no import %s", qualifier)
	return nil, ""
}

func (p *planner) path(text string) model.Path {
	parts := strings.Split(text, ".")
	path := model.Path{Text: text}
	switch parts[0] {
	case "ret", "row":
		path.Root, path.Result = model.RootRet, p.m.Values()[0]
		path.Type = path.Result.Type
		if parts[0] == "row" {
			path.Root = model.RootRow
			path.Type, _ = model.Element(path.Type)
		}
	case "old":
		path.Root, path.Type = model.RootOld, p.m.Write.Old.Read.Results[0].Type
	default:
		path.Root = model.RootParam
		for _, param := range p.m.Params {
			if param.Name == parts[0] {
				path.Param, path.Type = param, param.Type
			}
		}
		if path.Param == nil {
			p.t.Fatalf("%s: no parameter %q", p.m.Name, parts[0])
		}
	}
	for _, name := range parts[1:] {
		obj, _, _ := types.LookupFieldOrMethod(path.Type, true, p.pkg, name)
		if obj == nil {
			p.t.Fatalf("%s: no field %s in %s", p.m.Name, name, text)
		}
		path.Type = obj.Type()
		path.Fields = append(path.Fields, model.Field{Name: name, Type: obj.Type()})
	}
	return path
}
