package check

import (
	"go/types"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/directive"
	"github.com/cachegen/cachegen/generator/model"
)

// old resolves old=: the read that shows the row before it changes.
func (m *method) old() {
	o, ok := m.dir.Get("old")
	if !ok {
		return
	}
	read, args, ok := m.call(o, roots{}, m.model.Write.Tx)
	if !ok {
		return
	}
	vals := read.model.Values()
	if len(vals) == 0 {
		m.repo.Add("CG160", o.Value.Span(), "name a read that returns the row", "%s returns no row", read.fn.Name())
		return
	}
	if !isStruct(vals[0].Type) {
		m.repo.Add("CG160", o.Value.Span(), "name a read that returns one row", "%s returns %s, which is not one row", read.fn.Name(), typeText(vals[0].Type))
		return
	}
	m.model.Write.Old = &model.OldPlan{Read: read.model, Args: args, Text: o.Value.S}
}

// puts resolves put= and value=.
func (m *method) puts() {
	value, given := m.dir.Get("value")
	options := m.dir.All("put")
	if given && len(options) == 0 {
		m.repo.Add("CG103", value.At, "say which entry: put=ByID(id)", "value= without put=")
	}
	for _, o := range options {
		read, args, ok := m.call(o, roots{ret: true}, nil)
		if !ok {
			continue
		}
		p := model.Put{Read: read.model, Args: args, Text: o.Value.S}
		for _, a := range args {
			p.AfterRun = p.AfterRun || a.Root == model.RootRet
		}
		if p.AfterRun {
			m.repo.Note("CG203", o.Value.Span(), "prefer a parameter where one tells it",
				"the entry of %s is known only after %s: for its tags the write is bounded", p.Text, m.fn.Name())
		}
		if !m.putValue(&p, o, read, value, given) {
			continue
		}
		if other := m.sameValue(p); other != "" {
			m.repo.Add("CG160", o.Value.Span(), "say value=reload, or drop a tag of the other entry instead",
				"put=%s and put=%s would store the same %s in two entries", other, p.Text, p.Value.Text)
			continue
		}
		if !m.ends(read) {
			m.repo.Add("CG160", o.Value.Span(), "give "+read.fn.Name()+" a tag of its parameters, or drop one of its tags here too",
				"nothing ends the old entry of %s where the new value cannot be stored", p.Text)
			continue
		}
		m.model.Write.Puts = append(m.model.Write.Puts, p)
	}
}

// ends reports whether the write renews a tag of the entries of read: those of its arguments
// are renewed by the put itself.
func (m *method) ends(read *method) bool {
	w, r := m.model.Write, read.model.Read
	if len(r.Tags) > 0 || r.Level == model.Eventual || slices.Contains(w.DropAll, m.repo.model.Name) {
		return true
	}
	dropped := slices.Concat(w.Tags, w.After)
	if w.Old != nil {
		dropped = append(dropped, w.Old.Tags...)
	}
	return slices.ContainsFunc(dropped, func(d model.Tag) bool {
		return slices.ContainsFunc(r.Rows, func(t model.Tag) bool { return t.Repo == d.Repo && t.Name == d.Name })
	})
}

// sameValue is an earlier put that stores the value of p in another entry of the same read:
// it is the row of one of them at most.
func (m *method) sameValue(p model.Put) string {
	for _, have := range m.model.Write.Puts {
		if p.From != model.FromReload && have.From == p.From && have.Read == p.Read && have.Text != p.Text {
			return have.Text
		}
	}
	return ""
}

// putValue chooses where the value comes from: value=, else the result where it is the row,
// else the source is asked again. A scalar that fits may be anything, an id or a count.
func (m *method) putValue(p *model.Put, o directive.Option, read *method, value directive.Option, given bool) bool {
	from, name, _ := strings.Cut(value.Value.S, ":")
	switch {
	case !given:
		found := m.fittingResults(read, "")
		if len(found) == 0 || !isStruct(found[0].Type) || len(found) == 1 && before[strings.ToLower(found[0].Source)] {
			p.From = model.FromReload
			return true
		}
		return m.putResult(p, o, read, "")
	case from == "reload" && name == "":
		p.From = model.FromReload
		return true
	case from == "ret":
		return m.putResult(p, value, read, name)
	case from == "arg":
		return m.putArgument(p, read, value, name)
	}
	m.repo.Add("CG102", value.Value.Span(), "write ret, ret:name, arg, arg:name or reload", "value=%s is not known", value.Value.S)
	return false
}

// before holds names of results that tell the row as it was: it is not stored unasked.
var before = map[string]bool{"before": true, "deleted": true, "old": true, "prev": true, "previous": true, "removed": true}

// putResult takes the one result that the read would return too.
func (m *method) putResult(p *model.Put, o directive.Option, read *method, name string) bool {
	found := m.fittingResults(read, name)
	if len(found) != 1 {
		help, what := "name the results and say which: value=ret:after", count(len(found), "result")+" that "
		if len(found) == 0 {
			help, what = "say value=reload, or return the row", "nothing that "
		}
		m.repo.Add("CG160", o.At, help, "%s returns %s%s would return", m.fn.Name(), what, read.fn.Name())
		return false
	}
	r := found[0]
	p.From, p.Value = model.FromRet, model.Path{Root: model.RootRet, Result: r, Type: r.Type, Text: "ret"}
	return true
}

// fittingResults are the results of the write, of that name if one is given, that the read
// would return too; none where the read returns several values.
func (m *method) fittingResults(read *method, name string) []*model.Result {
	want := read.model.Values()
	if len(want) != 1 {
		return nil
	}
	var found []*model.Result
	for _, r := range m.model.Values() {
		if fits(r.Type, want[0].Type) && (name == "" || r.Source == name) {
			found = append(found, r)
		}
	}
	return found
}

func isStruct(t types.Type) bool {
	_, ok := model.Deref(t).Underlying().(*types.Struct)
	return ok
}

// fits reports whether a value can be stored where want is, give or take one pointer.
func fits(t, want types.Type) bool {
	if types.Identical(t, want) {
		return true
	}
	if p, ok := want.Underlying().(*types.Pointer); ok && types.Identical(p.Elem(), t) {
		return true
	}
	p, ok := t.Underlying().(*types.Pointer)
	return ok && types.Identical(p.Elem(), want)
}

func (m *method) putArgument(p *model.Put, read *method, value directive.Option, name string) bool {
	var found []*model.Param
	for _, a := range m.model.Arguments() {
		if want := read.model.Values(); len(want) == 1 && fits(a.Type, want[0].Type) && (name == "" || a.Name == name) {
			found = append(found, a)
		}
	}
	switch {
	case len(read.model.Values()) != 1:
		m.repo.Add("CG160", value.At, "say value=reload", "%s returns %s: no argument holds them all", read.fn.Name(), count(len(read.model.Values()), "value"))
		return false
	case len(found) == 0:
		m.repo.Add("CG160", value.At, "say value=reload", "%s has no argument%s that %s would return", m.fn.Name(), called(name), read.fn.Name())
		return false
	case len(found) > 1:
		var names []string
		for _, p := range found {
			names = append(names, p.Name)
		}
		m.repo.Add("CG160", value.At, "name one: value=arg:"+strings.Join(names, " or value=arg:"), "%s has %s that %s would return",
			m.fn.Name(), count(len(found), "argument"), read.fn.Name())
		return false
	}
	p.From = model.FromArg
	p.Value = model.Path{Root: model.RootParam, Param: found[0], Type: found[0].Type, Text: found[0].Name}
	return true
}

func called(name string) string {
	if name == "" {
		return ""
	}
	return " " + name
}

// call resolves ByID(ret.ID): a read of the same repository, with an argument for each of
// its parameters. That of its transaction may be left out: it is tx then, where that fits, or
// nil.
func (m *method) call(o directive.Option, allow roots, tx *model.Param) (*method, []model.Path, bool) {
	call, fault := directive.ParseCall(o.Value)
	if fault != nil {
		m.repo.fault(fault)
		return nil, nil, false
	}
	read := m.repo.byName(call.Method.S)
	if read != nil && read.dir == nil && annotated(read.field) {
		return nil, nil, false // what is wrong with its directive was reported
	}
	if read == nil || read.model.Read == nil {
		var reads []string
		m.repo.each(model.Read, func(r *method) { reads = append(reads, r.fn.Name()) })
		help := diag.Suggest(call.Method.S, reads)
		if help == "" && len(reads) > 0 {
			help = "the reads are " + strings.Join(reads, ", ")
		}
		m.repo.Add("CG160", call.Method.Span(), help, "%s has no read %q", m.repo.model.Iface, call.Method.S)
		return nil, nil, false
	}
	params := read.model.Arguments()
	if len(params) == len(call.Args)+1 && read.model.Read.Tx != nil {
		params = slices.DeleteFunc(params, func(p *model.Param) bool { return p == read.model.Read.Tx })
	}
	if len(params) != len(call.Args) {
		m.repo.Add("CG160", o.Value.Span(), "give one for each parameter but the context", "%s takes %s, here are %d", read.fn.Name(), count(len(params), "argument"), len(call.Args))
		return nil, nil, false
	}
	if read.model.TakesContext() && !m.model.TakesContext() && len(read.model.Read.Ctx) > 0 {
		m.repo.Add("CG160", o.Value.Span(), "give it a context", "%s needs a context for its key, and %s has none", read.fn.Name(), m.fn.Name())
		return nil, nil, false
	}
	var args []model.Path
	ok := true
	for i, a := range call.Args {
		p, found := m.path(a, allow)
		if found && !types.AssignableTo(p.Type, params[i].Type) {
			m.repo.Add("CG160", a.Span(), "", "%s is %s, %s takes %s", a.S, typeText(p.Type), read.fn.Name(), typeText(params[i].Type))
			found = false
		}
		p.Norm = nil // the read folds its own arguments
		args = append(args, p)
		ok = ok && found
	}
	if i := slices.Index(read.model.Arguments(), read.model.Read.Tx); i >= 0 && len(args) < len(read.model.Arguments()) {
		args = slices.Insert(args, i, transaction(tx, read.model.Read.Tx))
	}
	return read, args, ok
}

// transaction is tx as an argument for a parameter, nil where there is none or it does not fit.
func transaction(tx, param *model.Param) model.Path {
	if tx == nil || !types.AssignableTo(tx.Type, param.Type) {
		return model.Path{Root: model.RootNil, Type: param.Type, Text: "nil"}
	}
	return model.Path{Root: model.RootParam, Param: tx, Type: tx.Type, Text: tx.Name}
}
