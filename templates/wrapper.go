package templates

import (
	"go/token"
	"go/types"
	"strings"

	"github.com/cachegen/cachegen/generator/model"
	"github.com/dave/jennifer/jen"
)

// wrapper emits the code of one interface.
type wrapper struct {
	*emitter
	repo     *model.Repo
	typeName string // CachedBookRepo
	newName  string // NewCachedBookRepo
	receiver string
	source   string // field that holds the source
	tx       string // field that makes units of work of transactions, "" where no method has a body
	with     string // method that wraps a store that was handed out, "" where none is
	fields   map[*model.Method]string
	calls    map[*model.Method]string // names of the call methods
	results  map[*model.Method]*types.Named
}

func (e *emitter) newWrapper(r *model.Repo) *wrapper {
	w := &wrapper{
		emitter: e, repo: r,
		fields: map[*model.Method]string{}, calls: map[*model.Method]string{}, results: map[*model.Method]*types.Named{},
	}
	exported := token.IsExported(r.Iface)
	w.typeName, w.newName = "cached"+upperFirst(r.Iface), "newCached"+upperFirst(r.Iface)
	if exported {
		w.typeName, w.newName = "Cached"+r.Iface, "NewCached"+r.Iface
	}
	w.typeName, w.newName = e.names.declare(w.typeName), e.names.declare(w.newName)
	w.nameMembers()
	w.nameReceiver()
	return w
}

// nameMembers chooses fields and call methods that differ from the interface's methods and
// from each other.
func (w *wrapper) nameMembers() {
	used := map[string]bool{}
	for _, m := range w.repo.Methods {
		used[m.Name] = true
	}
	member := func(name, suffix string) string {
		for used[name] || token.IsKeyword(name) {
			name += suffix
		}
		used[name] = true
		return name
	}
	w.source = w.repo.Iface
	if !w.repo.Embed {
		w.source = member("src", "Repo")
	}
	for _, m := range w.repo.Methods {
		if m.Tx != nil && m.Tx.Body != nil && w.tx == "" {
			w.tx = member("tx", "Runner")
		}
		if m.Tx != nil && (m.Tx.Body == nil || m.Tx.Store >= 0) && w.with == "" {
			w.with = member("with", "Source")
		}
	}
	for _, m := range w.repo.Methods {
		if m.Kind != model.Read && m.Kind != model.Write {
			continue
		}
		suffix := "Read"
		if m.Kind == model.Write {
			suffix = "Write"
		}
		w.fields[m] = member(model.LowerFirst(m.Name), suffix)
		if m.Kind == model.Read {
			w.calls[m] = member(model.LowerFirst(m.Name)+"Call", "Of")
		}
	}
}

// nameReceiver chooses one receiver for all methods: no parameter is called so.
func (w *wrapper) nameReceiver() {
	used := map[string]bool{}
	for _, m := range w.repo.Methods {
		for _, p := range m.Params {
			used[p.Name] = true
		}
		for _, r := range m.Results {
			used[r.Name] = true
		}
	}
	for _, name := range []string{"c", "cached", "cachedRepo", "wrapper"} {
		w.receiver = name
		if !used[name] {
			return
		}
	}
}

func (w *wrapper) scope(m *model.Method) *scope {
	return newScope(m, w.receiver, w.model.Pkg, w.imports)
}

// method begins func (c *CachedBookRepo) Name under a doc comment; "" is none.
func (w *wrapper) method(name, doc string) *jen.Statement {
	w.file.Line()
	if doc != "" {
		w.comment(doc)
	}
	return w.file.Func().Params(jen.Id(w.receiver).Op("*").Id(w.typeName)).Id(name)
}

func (w *wrapper) self(member string) *jen.Statement { return jen.Id(w.receiver).Dot(member) }

// iface is the interface's name as written in its package.
func (w *wrapper) iface() *jen.Statement { return jen.Id(w.repo.Iface) }

func (w *wrapper) typeDecl() {
	w.file.Line()
	w.comment(w.table())
	w.file.Type().Id(w.typeName).StructFunc(func(g *jen.Group) {
		if w.repo.Embed {
			g.Add(w.iface().Comment("the source; embedded because it has methods that only its own package can name"))
		} else {
			g.Id(w.source).Add(w.iface())
		}
		if w.tx != "" {
			g.Id(w.tx).Op("*").Add(cachert("Transactor"))
		}
		for _, m := range w.repo.Methods {
			switch m.Kind {
			case model.Read:
				g.Id(w.fields[m]).Op("*").Add(cachert("Reader")).Types(typ(w.valueType(m)))
			case model.Write:
				g.Id(w.fields[m]).Op("*").Add(cachert("Writer"))
			}
		}
	})
}

// traps fail to compile when the source or the runtime has moved on.
func (w *wrapper) traps() {
	w.file.Line()
	w.file.Commentf("If this line does not compile, %s has changed: run go generate.", w.repo.Iface)
	w.file.Var().Id("_").Add(w.iface()).Op("=").Parens(jen.Op("*").Id(w.typeName)).Parens(jen.Nil())
	if w.repo == w.model.Repos[0] {
		w.file.Line()
		w.file.Comment("If this line does not compile, cachegen and its runtime differ in version: take both from one release, then run go generate.")
		w.file.Const().Id("_").Op("=").Add(cachert("API1"))
	}
}

// comment emits lines as one comment; "" is an empty line and a tab begins a code block.
func (w *wrapper) comment(text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		switch {
		case line == "":
			w.file.Comment("//")
		case strings.HasPrefix(line, "\t"):
			w.file.Comment("//" + line)
		default:
			w.file.Comment("// " + line)
		}
	}
}
