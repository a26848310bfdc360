// Package templates turns a checked plan into Go code: pure functions from generator/model
// to jennifer, one per emitted declaration.
//
// Render makes both files of a source file. The reviewable one holds what a reviewer judges
// (policy table, policies as literals, one thin method per method of the interface); the
// mechanical one what follows from the types (codecs, copies, sizes, key encoders).
//
// Every name is chosen before rendering: package-level names by names, import names by
// imports, names inside a method by scope. Nothing is looked up and nothing fails here that
// the checker let through.
package templates
