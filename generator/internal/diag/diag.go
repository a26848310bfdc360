// Package diag holds what the generator has to say about a source: values with an exact
// place, a code and a cure. They are collected, sorted and printed together; nothing stops
// at the first.
package diag

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"
)

// Severity tells whether a diagnostic stops generation.
type Severity uint8

// The severities.
const (
	Error Severity = iota // nothing is written
	Note                  // something to know; the policy is legal
)

// Diagnostic is one finding.
type Diagnostic struct {
	Code     string // "CG113"
	Severity Severity
	Pos, End token.Position // End is on the line of Pos, or invalid
	Message  string         // what is wrong, lower case, in the words of the source
	Help     string         // the cure; may be empty
}

// Bag collects diagnostics. It is used by one goroutine.
type Bag struct {
	Fset *token.FileSet
	list []Diagnostic
}

// Span is a piece of source; End may be token.NoPos.
type Span struct{ Pos, End token.Pos }

// Add records an error. The help may be empty.
func (b *Bag) Add(code string, at Span, help, format string, args ...any) {
	b.add(code, Error, at, help, fmt.Sprintf(format, args...))
}

// Note records something to know.
func (b *Bag) Note(code string, at Span, help, format string, args ...any) {
	b.add(code, Note, at, help, fmt.Sprintf(format, args...))
}

func (b *Bag) add(code string, s Severity, at Span, help, message string) {
	d := Diagnostic{Code: code, Severity: s, Pos: b.Fset.Position(at.Pos), Message: message, Help: help}
	if at.End.IsValid() {
		d.End = b.Fset.Position(at.End)
	}
	b.list = append(b.list, d)
}

// AddAt records an error at a place outside the file set, such as one a compiler named.
func (b *Bag) AddAt(code string, pos token.Position, help, message string) {
	b.list = append(b.list, Diagnostic{Code: code, Pos: pos, Message: message, Help: help})
}

// Sorted returns the diagnostics in the order of their places, without repetitions.
func (b *Bag) Sorted() []Diagnostic {
	list := slices.Clone(b.list)
	slices.SortStableFunc(list, func(x, y Diagnostic) int {
		return cmp.Or(
			cmp.Compare(x.Pos.Filename, y.Pos.Filename),
			cmp.Compare(x.Pos.Line, y.Pos.Line),
			cmp.Compare(x.Pos.Column, y.Pos.Column),
			cmp.Compare(x.Code, y.Code),
			cmp.Compare(x.Message, y.Message),
		)
	})
	return slices.Compact(list)
}

// Failed reports whether any of list is an error.
func Failed(list []Diagnostic) bool {
	return slices.ContainsFunc(list, func(d Diagnostic) bool { return d.Severity == Error })
}
