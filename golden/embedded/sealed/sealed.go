// Package sealed is somebody else's interface that only its own types can satisfy.
package sealed

// Closer is closed by whoever made it.
type Closer interface {
	Close() error
	sealed()
}

// Handle is embedded by what wants to be a Closer.
type Handle struct{ Closed int }

// Close counts.
func (h *Handle) Close() error {
	h.Closed++
	return nil
}

func (h *Handle) sealed() {}
