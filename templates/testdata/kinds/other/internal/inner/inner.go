// Package inner cannot be imported from outside other.
package inner

// Private is known to others by an alias.
type Private struct{ Values []int }
