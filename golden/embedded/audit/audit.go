// Package audit is somebody else's interface, without directives.
package audit

import "context"

// Log records who did what.
type Log interface {
	// Last returns the newest line about a subject.
	Last(ctx context.Context, subject int64) (string, error)
	// Append records a line.
	Append(ctx context.Context, subject int64, line string) error
	// Flush writes what is buffered.
	Flush() error
}
