// Package proto stands in for the package of that name: what generated code needs.
package proto

import (
	"errors"
	"reflect"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Message is a message with one text.
type Message interface {
	ProtoReflect() protoreflect.Message
	Form() *string
}

// Marshal encodes m.
func Marshal(m Message) ([]byte, error) { return []byte("m" + *m.Form()), nil }

// Unmarshal decodes b into m.
func Unmarshal(b []byte, m Message) error {
	if len(b) == 0 || b[0] != 'm' {
		return errors.New("not a message")
	}
	*m.Form() = string(b[1:])
	return nil
}

// Clone copies m.
func Clone(m Message) Message {
	c := reflect.New(reflect.TypeOf(m).Elem()).Interface().(Message)
	*c.Form() = *m.Form()
	return c
}

// Size is the length of the encoding.
func Size(m Message) int { return 1 + len(*m.Form()) }
