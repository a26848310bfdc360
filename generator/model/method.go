package model

import (
	"go/types"
	"strings"
	"time"
	"unicode"
)

// Values are the results but the error.
func (m *Method) Values() []*Result {
	var out []*Result
	for _, r := range m.Results {
		if !r.Error {
			out = append(out, r)
		}
	}
	return out
}

// Fails reports whether the method's last result is an error.
func (m *Method) Fails() bool { return len(m.Values()) < len(m.Results) }

// Arguments are the parameters but the context.
func (m *Method) Arguments() []*Param {
	var out []*Param
	for _, p := range m.Params {
		if !p.Context {
			out = append(out, p)
		}
	}
	return out
}

// TakesContext reports whether a call brings a context.
func (m *Method) TakesContext() bool { return len(m.Arguments()) < len(m.Params) }

// Deref is what a pointer points to, or t itself.
func Deref(t types.Type) types.Type {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

// Element is the type of the rows of a list: a slice, array or map, or a pointer to one.
func Element(t types.Type) (types.Type, bool) {
	switch u := Deref(t).Underlying().(type) {
	case *types.Slice:
		return u.Elem(), true
	case *types.Array:
		return u.Elem(), true
	case *types.Map:
		return u.Elem(), true
	}
	return nil, false
}

// LowerFirst makes an unexported name: "ByID" -> "byID", "ID" -> "id", "URLFor" -> "urlFor".
func LowerFirst(s string) string {
	runes := []rune(s)
	for i, r := range runes {
		if !unicode.IsUpper(r) || i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(r)
	}
	return string(runes)
}

// Duration is d as a person writes it: 10m rather than 10m0s.
func Duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
