package templates

import (
	"slices"

	"github.com/cachegen/cachegen/generator/model"
	"github.com/dave/jennifer/jen"
)

// args appends values to the list that start makes, as one expression. With checks the
// values that depend on them are taken as nil.
func (e *emitter) args(start *jen.Statement, vals []value, asNil bool) *jen.Statement {
	for _, v := range vals {
		if asNil && len(v.absent) > 0 {
			start = start.Dot("Nil").Call()
			continue
		}
		start = e.keys.add(start, v.typ, v.code())
	}
	return start
}

// arguments are the values of paths with their norm functions applied.
func (s *scope) arguments(paths []model.Path, res results) []value {
	vals := make([]value, len(paths))
	for i, p := range paths {
		vals[i] = s.value(p, res).normed(p.Norm)
	}
	return vals
}

// absent collects what may be nil on the way to vals.
func absent(vals []value) []nilCheck {
	var checks []nilCheck
	for _, v := range vals {
		checks = merge(checks, v.absent...)
	}
	return checks
}

// uniform reports whether all values that may be nil are so under the same condition.
func uniform(vals []value, checks []nilCheck) bool {
	for _, v := range vals {
		if n := len(v.absent); n != 0 && n != len(checks) {
			return false
		}
	}
	return true
}

// guarded is code that runs only if pointers are not nil, and what runs otherwise.
type guarded struct {
	checks     []nilCheck
	then, none []jen.Code
}

// emit writes statements in order; neighbours under equal conditions share one if.
func emit(b *jen.Group, list []guarded) {
	for i := 0; i < len(list); {
		merged := list[i]
		for i++; i < len(list) && same(merged.checks, list[i].checks); i++ {
			merged.then = append(merged.then, list[i].then...)
			merged.none = append(merged.none, list[i].none...)
		}
		if len(merged.checks) == 0 {
			for _, code := range merged.then {
				b.Add(code)
			}
			continue
		}
		s := jen.If(notNil(merged.checks)).Block(merged.then...)
		if len(merged.none) > 0 {
			s.Else().Block(merged.none...)
		}
		b.Add(s)
	}
}

func same(a, b []nilCheck) bool {
	return len(a) == len(b) && len(merge(slices.Clone(a), b...)) == len(a)
}

// tag adds one tag. A nil pointer on the way to an argument makes it nil, on the side of
// reads and of writes alike.
func (e *emitter) tag(s *scope, t model.Tag, vals []value) guarded {
	start := func() *jen.Statement { return jen.Id(s.tags).Dot("Tag").Call(jen.Lit(t.Repo + "/" + t.Name)) }
	checks := absent(vals)
	switch {
	case len(checks) == 0:
		return guarded{then: []jen.Code{e.args(start(), vals, false)}}
	case uniform(vals, checks):
		return guarded{checks, []jen.Code{e.args(start(), vals, false)}, []jen.Code{e.args(start(), vals, true)}}
	}
	return guarded{then: []jen.Code{jen.BlockFunc(func(b *jen.Group) {
		b.Id(s.list).Op(":=").Add(start())
		e.each(b, s.list, vals)
	})}}
}

// each appends values to the variable list, one statement a value.
func (e *emitter) each(b *jen.Group, list string, vals []value) {
	for _, v := range vals {
		add := e.keys.add(jen.Id(list), v.typ, v.code())
		if len(v.absent) == 0 {
			b.Add(add)
			continue
		}
		b.If(notNil(v.absent)).Block(add).Else().Block(jen.Id(list).Dot("Nil").Call())
	}
}

// tagsOf adds tags in order. Those that need a result that is not there are left out.
func (e *emitter) tagsOf(b *jen.Group, s *scope, tags []model.Tag, res results) {
	for i := 0; i < len(tags); {
		checks := e.skips(s, tags[i], res)
		var list []guarded
		for ; i < len(tags) && same(checks, e.skips(s, tags[i], res)); i++ {
			list = append(list, e.tag(s, tags[i], s.arguments(tags[i].Args, res)))
		}
		if len(checks) == 0 {
			emit(b, list)
			continue
		}
		b.If(notNil(checks)).BlockFunc(func(b *jen.Group) { emit(b, list) })
	}
}

func (e *emitter) skips(s *scope, t model.Tag, res results) []nilCheck {
	var checks []nilCheck
	for _, v := range s.arguments(t.Args, res) {
		checks = merge(checks, v.skip...)
	}
	return checks
}

// resultTags adds tags known from a result: those of the whole, then those of its rows in
// one loop for each list.
func (e *emitter) resultTags(b *jen.Group, s *scope, tags []model.Tag, res results) {
	var whole []model.Tag
	var lists []*model.Result
	rows := map[*model.Result][]model.Tag{}
	for _, t := range tags {
		list := rowsOf(t)
		if list == nil {
			whole = append(whole, t)
			continue
		}
		if rows[list] == nil {
			lists = append(lists, list)
		}
		rows[list] = append(rows[list], t)
	}
	e.tagsOf(b, s, whole, res)
	for _, list := range lists {
		e.rowLoop(b, s, list, rows[list], res)
	}
}

// rowsOf is the list whose rows a tag names, nil when it names none.
func rowsOf(t model.Tag) *model.Result {
	for _, p := range t.Args {
		if p.Root == model.RootRow {
			return p.Result
		}
	}
	return nil
}

func (e *emitter) rowLoop(b *jen.Group, s *scope, list *model.Result, tags []model.Tag, res results) {
	over := res(list)
	pointer := isPointer(list.Type)
	if pointer {
		over = jen.Op("*").Add(over)
	}
	loop := jen.For(jen.List(jen.Id("_"), jen.Id(s.row)).Op(":=").Range().Add(over)).BlockFunc(func(b *jen.Group) {
		if row, _ := model.Element(list.Type); isPointer(row) && selects(tags) {
			b.If(jen.Id(s.row).Op("==").Nil()).Block(jen.Continue())
			s.rowChecked = true
		}
		e.tagsOf(b, s, tags, res)
		s.rowChecked = false
	})
	if pointer {
		b.If(res(list).Op("!=").Nil()).Block(loop)
		return
	}
	b.Add(loop)
}

// selects reports whether any tag names a field of the row.
func selects(tags []model.Tag) bool {
	for _, t := range tags {
		for _, p := range t.Args {
			if p.Root == model.RootRow && len(p.Fields) > 0 {
				return true
			}
		}
	}
	return false
}
