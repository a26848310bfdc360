// Package other is the package of somebody else.
package other

import (
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
	"kinds/other/internal/inner"
)

// Pair is generic.
type Pair[A comparable, B any] struct {
	First  A
	Second B
	Index  map[A]int
}

// Item is plain.
type Item struct {
	Name string
	Sub  *Item2
}

// Item2 is reached through Item.
type Item2 struct{ Tags []string }

// Public is the only name that others have for it.
type Public = inner.Private

// Hidden has left-out fields that other packages cannot name.
type Hidden struct {
	mu   sync.Mutex `cachegen:"-"`
	Note []string
}

// Message stands for a generated protobuf message.
type Message struct {
	state protoreflect.State
	Text  string
}

// ProtoReflect marks messages.
func (m *Message) ProtoReflect() protoreflect.Message { return nil }

// Form is what the stand-in of proto marshals.
func (m *Message) Form() *string { return &m.Text }
