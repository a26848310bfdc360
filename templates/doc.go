// Package templates turns a resolved plan (generator/model) into Go code: pure functions
// from data to code, one for each declaration that is emitted. It imports neither the
// checker nor the runtime; that the names it writes exist is proved where generated code is
// compiled.
//
// What is here so far is the mechanical half: codecs, copies and sizes of values.
package templates
