// Package wire is the vocabulary of generated codecs: the primitives of
// github.com/tinylib/msgp/msgp with the error handling taken out of every line, and the few
// forms msgp does not have (nil against empty, times with their zone, marshal pairs).
//
// Encoder and Decoder are used by one goroutine. The first failure is kept in Err and makes
// all that follows a no-op with zero results, so generated code checks once, at the end.
package wire

import (
	"encoding"
	"fmt"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// Encoder appends values to B.
type Encoder struct {
	B   []byte
	Err error
}

// Decoder takes values from B.
type Decoder struct {
	B   []byte
	Err error
}

// Append adapts an encode function to cachert.Codec.
func Append[V any](encode func(*Encoder, V)) func([]byte, V) ([]byte, error) {
	return func(b []byte, v V) ([]byte, error) {
		e := Encoder{B: b}
		encode(&e, v)
		return e.B, e.Err
	}
}

// Decode adapts a decode function to cachert.Codec: all of b must be consumed.
func Decode[V any](decode func(*Decoder) V) func([]byte) (V, error) {
	return func(b []byte) (V, error) {
		d := Decoder{B: b}
		v := decode(&d)
		if d.Err == nil && len(d.B) > 0 {
			d.Err = fmt.Errorf("cachegen: %d bytes left after the value", len(d.B))
		}
		if d.Err != nil {
			var zero V
			return zero, d.Err
		}
		return v, nil
	}
}

// Nil appends the absence of a pointer, slice or map.
func (e *Encoder) Nil() { e.B = msgp.AppendNil(e.B) }

// Some announces that a pointer's value follows.
func (e *Encoder) Some() { e.B = msgp.AppendBool(e.B, true) }

// Len announces n elements.
func (e *Encoder) Len(n int) { e.B = msgp.AppendArrayHeader(e.B, uint32(n)) }

// Bool appends a truth value.
func (e *Encoder) Bool(v bool) { e.B = msgp.AppendBool(e.B, v) }

// Int appends a signed integer of any size.
func (e *Encoder) Int(v int64) { e.B = msgp.AppendInt64(e.B, v) }

// Uint appends an unsigned integer of any size.
func (e *Encoder) Uint(v uint64) { e.B = msgp.AppendUint64(e.B, v) }

// Float32 appends a number, bit by bit.
func (e *Encoder) Float32(v float32) { e.B = msgp.AppendFloat32(e.B, v) }

// Float64 appends a number, bit by bit.
func (e *Encoder) Float64(v float64) { e.B = msgp.AppendFloat64(e.B, v) }

// Complex64 appends a complex number.
func (e *Encoder) Complex64(v complex64) { e.B = msgp.AppendComplex64(e.B, v) }

// Complex128 appends a complex number.
func (e *Encoder) Complex128(v complex128) { e.B = msgp.AppendComplex128(e.B, v) }

// String appends a string.
func (e *Encoder) String(v string) { e.B = msgp.AppendString(e.B, v) }

// Bytes appends a byte slice; nil and empty stay distinct.
func (e *Encoder) Bytes(v []byte) {
	if v == nil {
		e.Nil()
		return
	}
	e.B = msgp.AppendBytes(e.B, v)
}

// Time appends an instant with its zone: UTC, Local, or a name with an offset. The
// monotonic reading is left out.
func (e *Encoder) Time(v time.Time) {
	e.Int(v.Unix())
	e.Int(int64(v.Nanosecond()))
	switch v.Location() {
	case time.UTC:
		e.Int(0)
	case time.Local:
		e.Int(1)
	default:
		name, offset := v.Zone()
		e.Int(2)
		e.String(name)
		e.Int(int64(offset))
	}
}

// Binary appends what v marshals itself to.
func (e *Encoder) Binary(v encoding.BinaryMarshaler) { e.pair(v.MarshalBinary()) }

// Text appends what v marshals itself to.
func (e *Encoder) Text(v encoding.TextMarshaler) { e.pair(v.MarshalText()) }

// Marshalled appends the result of another marshaller, such as proto.Marshal.
func (e *Encoder) Marshalled(b []byte, err error) { e.pair(b, err) }

func (e *Encoder) pair(b []byte, err error) {
	if err != nil && e.Err == nil {
		e.Err = err
	}
	e.B = msgp.AppendBytes(e.B, b)
}

// take runs one msgp reader.
func take[T any](d *Decoder, read func([]byte) (T, []byte, error)) T {
	var zero T
	if d.Err != nil {
		return zero
	}
	v, rest, err := read(d.B)
	if err != nil {
		d.Err = err
		return zero
	}
	d.B = rest
	return v
}

// Some reports whether a pointer's value follows.
func (d *Decoder) Some() bool { return !d.null() && take(d, msgp.ReadBoolBytes) }

// Len returns the number of elements that follow, and false for nil. Each element takes at
// least a byte, so a number beyond what is left is refused before anybody allocates for it.
func (d *Decoder) Len() (int, bool) {
	if d.null() {
		return 0, false
	}
	n := int(take(d, msgp.ReadArrayHeaderBytes))
	if n > len(d.B) {
		d.fail("cachegen: %d elements announced, %d bytes left", n, len(d.B))
		n = 0
	}
	return n, d.Err == nil
}

// Fixed checks that exactly n elements follow.
func (d *Decoder) Fixed(n int) {
	if got, _ := d.Len(); got != n {
		d.fail("cachegen: %d elements found, want %d", got, n)
	}
}

func (d *Decoder) fail(format string, args ...any) {
	if d.Err == nil {
		d.Err = fmt.Errorf(format, args...)
	}
}

// null consumes a nil if one stands next.
func (d *Decoder) null() bool {
	if d.Err != nil || !msgp.IsNil(d.B) {
		return false
	}
	d.B = d.B[1:]
	return true
}

// Bool takes a truth value.
func (d *Decoder) Bool() bool { return take(d, msgp.ReadBoolBytes) }

// Int takes a signed integer.
func (d *Decoder) Int() int64 { return take(d, msgp.ReadInt64Bytes) }

// Uint takes an unsigned integer.
func (d *Decoder) Uint() uint64 { return take(d, msgp.ReadUint64Bytes) }

// Float32 takes a number.
func (d *Decoder) Float32() float32 { return take(d, msgp.ReadFloat32Bytes) }

// Float64 takes a number.
func (d *Decoder) Float64() float64 { return take(d, msgp.ReadFloat64Bytes) }

// Complex64 takes a complex number.
func (d *Decoder) Complex64() complex64 { return take(d, msgp.ReadComplex64Bytes) }

// Complex128 takes a complex number.
func (d *Decoder) Complex128() complex128 { return take(d, msgp.ReadComplex128Bytes) }

// String takes a string.
func (d *Decoder) String() string { return take(d, msgp.ReadStringBytes) }

// Bytes takes a byte slice of its own.
func (d *Decoder) Bytes() []byte {
	if d.null() {
		return nil
	}
	b := take(d, func(b []byte) ([]byte, []byte, error) { return msgp.ReadBytesZC(b) })
	if d.Err != nil {
		return nil
	}
	return append([]byte{}, b...)
}

// Time takes an instant with its zone.
func (d *Decoder) Time() time.Time {
	t := time.Unix(d.Int(), d.Int())
	switch d.Int() {
	case 0:
		return t.UTC()
	case 1:
		return t
	}
	name, offset := d.String(), d.Int()
	if int64(int32(offset)) != offset {
		d.fail("cachegen: zone offset %d", offset)
		return t
	}
	return t.In(time.FixedZone(name, int(offset)))
}

// Binary takes a value that unmarshals itself into v.
func (d *Decoder) Binary(v encoding.BinaryUnmarshaler) { d.Unmarshal(v.UnmarshalBinary) }

// Text takes a value that unmarshals itself into v.
func (d *Decoder) Text(v encoding.TextUnmarshaler) { d.Unmarshal(v.UnmarshalText) }

// Unmarshal takes a value by another unmarshaller, which may keep the bytes.
func (d *Decoder) Unmarshal(f func([]byte) error) {
	b := d.Bytes()
	if d.Err == nil {
		d.Err = f(b)
	}
}

// Clone copies a value by its codec, for types that only their own marshalling can copy. A
// value that does not survive that is returned itself: it could not be stored either, so
// only calls that shared one load share it.
func Clone[V any](v V, encode func(*Encoder, V), decode func(*Decoder) V) V {
	b, err := Append(encode)(nil, v)
	if err != nil {
		return v
	}
	c, err := Decode(decode)(b)
	if err != nil {
		return v
	}
	return c
}
