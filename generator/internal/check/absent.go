package check

import (
	"go/types"
	"time"

	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/model"
)

// absence resolves how the read says "not there" and how long that is remembered.
func (m *method) absence() {
	r := m.model.Read
	r.NotFound = m.repo.defaults.notfound
	if own := m.dir.All("notfound"); len(own) > 0 {
		r.NotFound = m.repo.sentinels(own)
	}
	vals := m.model.Values()
	if !m.model.Fails() {
		if own, ok := m.dir.Get("notfound"); ok {
			m.repo.Add("CG161", own.At, "remove it", "%s returns no error", m.fn.Name())
		}
		r.NotFound = nil
	}
	own, given := m.dir.Get("negative")
	negative := m.repo.defaults.negative
	at := m.dir.At
	if given {
		negative, at = m.repo.duration(own), own.At
	}
	r.Absent = absentForm(vals, negative, len(r.NotFound) > 0)
	if r.Absent != model.AbsentNone || len(r.NotFound) > 0 {
		r.Negative = negative
	} else if given && negative > 0 {
		m.repo.Add("CG161", diag.Span(at), "name the error that says so: notfound=ErrNotFound", "nothing in the results of %s can say \"not there\"", m.fn.Name())
	}
}

// absentForm recognises (nil, nil), a false last result, and the zero value where nothing
// else can say it. Behind a list false says that there are no more pages, or the like.
func absentForm(vals []*model.Result, negative time.Duration, sentinel bool) model.AbsentForm {
	if len(vals) == 0 {
		return model.AbsentNone
	}
	if len(vals) > 1 {
		if isBool(vals[len(vals)-1].Type) && !isList(vals[0].Type) {
			return model.AbsentBool
		}
		return model.AbsentNone
	}
	if _, ok := vals[0].Type.Underlying().(*types.Pointer); ok {
		return model.AbsentNil
	}
	if sentinel || negative == 0 {
		return model.AbsentNone
	}
	_, isStruct := vals[0].Type.Underlying().(*types.Struct)
	if isStruct || isStringKind(vals[0].Type) {
		return model.AbsentZero
	}
	return model.AbsentNone
}

// isList reports whether t is a slice, but of bytes: those are one value.
func isList(t types.Type) bool {
	s, ok := t.Underlying().(*types.Slice)
	return ok && !types.Identical(s.Elem().Underlying(), types.Typ[types.Byte])
}
