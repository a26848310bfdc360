// Package protoreflect stands in for the package of that name: what generated code needs.
package protoreflect

// Message is what messages return.
type Message any

// State is what messages hold.
type State struct{ noCopy [0]func() }
