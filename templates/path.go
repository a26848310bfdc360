package templates

import (
	"go/types"

	"github.com/cachegen/cachegen/generator/model"
	"github.com/dave/jennifer/jen"
)

// value is a path as code. A jennifer statement may be used once, so code makes one.
type value struct {
	code func() *jen.Statement
	typ  types.Type
	// skip holds pointers that must not be nil for there to be a value at all: a result
	// that is not there.
	skip []nilCheck
	// absent holds pointers on the way; where one is nil the value counts as nil.
	absent []nilCheck
}

// nilCheck is the condition that a pointer is not nil. Equal text means equal conditions.
type nilCheck struct {
	text string
	code func() *jen.Statement
	ok   bool // code is a truth value instead, and the condition that it is true
}

// notNil joins conditions; at least one is given.
func notNil(checks []nilCheck) *jen.Statement {
	conditions := make([]*jen.Statement, len(checks))
	for i, c := range checks {
		conditions[i] = c.code()
		if !c.ok {
			conditions[i].Op("!=").Nil()
		}
	}
	return join("&&", conditions)
}

// isNil is the opposite of notNil, for pointers.
func isNil(checks []nilCheck) *jen.Statement {
	conditions := make([]*jen.Statement, len(checks))
	for i, c := range checks {
		conditions[i] = c.code().Op("==").Nil()
	}
	return join("||", conditions)
}

// join puts an operator between conditions.
func join[C jen.Code](op string, conditions []C) *jen.Statement {
	s := &jen.Statement{}
	for i, c := range conditions {
		if i > 0 {
			s.Op(op)
		}
		s.Add(c)
	}
	return s
}

func merge(list []nilCheck, more ...nilCheck) []nilCheck {
next:
	for _, c := range more {
		for _, have := range list {
			if have.text == c.text {
				continue next
			}
		}
		list = append(list, c)
	}
	return list
}

// results says how the code at hand reaches a result of the method.
type results func(*model.Result) *jen.Statement

// value resolves a path. Its norm function is not applied: see normed.
func (s *scope) value(p model.Path, res results) value {
	v := value{}
	known := true // from the arguments
	switch p.Root {
	case model.RootParam:
		v.code, v.typ = func() *jen.Statement { return s.param(p.Param) }, p.Param.Type
	case model.RootRet:
		v.code, v.typ, known = func() *jen.Statement { return res(p.Result) }, p.Result.Type, false
	case model.RootRow:
		v.code, known = func() *jen.Statement { return jen.Id(s.row) }, false
		v.typ, _ = model.Element(p.Result.Type)
	case model.RootOld:
		v.code, known = func() *jen.Statement { return jen.Id(s.old) }, false // not nil: see oldRow
	case model.RootCtx:
		v.code, v.typ = func() *jen.Statement { return jen.Id(s.vars[p.Ctx.Var]) }, p.Ctx.Type
	case model.RootNil:
		v.code = jen.Nil
	}
	text := rootText(p)
	for i, f := range p.Fields {
		owner, t := v.code, v.typ
		checked := i == 0 && p.Root == model.RootRow && s.rowChecked
		if t != nil && isPointer(t) && !checked {
			check := nilCheck{text: text, code: owner}
			if i == 0 && !known {
				v.skip = append(v.skip, check)
			} else {
				v.absent = append(v.absent, check)
			}
		}
		v.code = func() *jen.Statement { return owner().Dot(f.Name) }
		v.typ = f.Type
		text += "." + f.Name
	}
	if v.typ == nil || len(p.Fields) == 0 && p.Type != nil {
		v.typ = p.Type
	}
	return v
}

func rootText(p model.Path) string {
	switch p.Root {
	case model.RootParam:
		return "param " + p.Param.Name
	case model.RootRet:
		return "ret " + p.Result.Name
	case model.RootRow:
		return "row " + p.Result.Name
	case model.RootCtx:
		return "ctx " + p.Ctx.Var
	case model.RootNil:
		return "nil"
	}
	return "old"
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// normed is the value after its norm function.
func (v value) normed(norm *model.Func) value {
	if norm == nil {
		return v
	}
	from, to := norm.Sig.Params().At(0).Type(), norm.Sig.Results().At(0).Type()
	code, typed, t := v.code, v.typ, v.typ
	if ptr, ok := t.Underlying().(*types.Pointer); ok && !types.Identical(t, from) {
		v.absent = merge(v.absent, nilCheck{text: "norm", code: code})
		typed = ptr.Elem()
		code = func() *jen.Statement { return jen.Op("*").Add(v.code()) }
	}
	return value{
		code: func() *jen.Statement {
			arg := code()
			if !types.Identical(typed, from) {
				arg = typ(from).Call(arg)
			}
			return object(norm.Pkg, norm.Name).Call(arg)
		},
		typ: to, skip: v.skip, absent: v.absent,
	}
}

// object is a package-level function, constant or variable.
func object(pkg *types.Package, name string) *jen.Statement {
	if pkg == nil {
		return jen.Id(name)
	}
	return jen.Qual(pkg.Path(), name)
}
