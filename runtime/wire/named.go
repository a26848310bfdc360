package wire

// The functions of this file take any type of one kind. Generated code uses them for named
// types and for integers of less than 64 bits: a type that becomes one of another kind no
// longer compiles, where a conversion would go on with other values, and a number that does
// not fit is an error.

// Signed is any signed integer.
type Signed interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64
}

// Unsigned is any unsigned integer.
type Unsigned interface {
	~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// PutSigned appends a signed integer.
func PutSigned[T Signed](e *Encoder, v T) { e.Int(int64(v)) }

// PutUnsigned appends an unsigned integer.
func PutUnsigned[T Unsigned](e *Encoder, v T) { e.Uint(uint64(v)) }

// PutBool appends a truth value.
func PutBool[T ~bool](e *Encoder, v T) { e.Bool(bool(v)) }

// PutString appends a string.
func PutString[T ~string](e *Encoder, v T) { e.String(string(v)) }

// PutFloat32 appends a number.
func PutFloat32[T ~float32](e *Encoder, v T) { e.Float32(float32(v)) }

// PutFloat64 appends a number.
func PutFloat64[T ~float64](e *Encoder, v T) { e.Float64(float64(v)) }

// PutComplex64 appends a complex number.
func PutComplex64[T ~complex64](e *Encoder, v T) { e.Complex64(complex64(v)) }

// PutComplex128 appends a complex number.
func PutComplex128[T ~complex128](e *Encoder, v T) { e.Complex128(complex128(v)) }

// TakeSigned takes a signed integer that T can hold.
func TakeSigned[T Signed](d *Decoder) T {
	v := d.Int()
	if int64(T(v)) != v {
		d.fail("cachegen: %d does not fit in %T", v, T(0))
		return 0
	}
	return T(v)
}

// TakeUnsigned takes an unsigned integer that T can hold.
func TakeUnsigned[T Unsigned](d *Decoder) T {
	v := d.Uint()
	if uint64(T(v)) != v {
		d.fail("cachegen: %d does not fit in %T", v, T(0))
		return 0
	}
	return T(v)
}

// TakeBool takes a truth value.
func TakeBool[T ~bool](d *Decoder) T { return T(d.Bool()) }

// TakeString takes a string.
func TakeString[T ~string](d *Decoder) T { return T(d.String()) }

// TakeFloat32 takes a number.
func TakeFloat32[T ~float32](d *Decoder) T { return T(d.Float32()) }

// TakeFloat64 takes a number.
func TakeFloat64[T ~float64](d *Decoder) T { return T(d.Float64()) }

// TakeComplex64 takes a complex number.
func TakeComplex64[T ~complex64](d *Decoder) T { return T(d.Complex64()) }

// TakeComplex128 takes a complex number.
func TakeComplex128[T ~complex128](d *Decoder) T { return T(d.Complex128()) }

// Elements is Len for elements that take at least the given number of bytes each, so that
// a decoder never allocates for more of them than the input can hold.
func (d *Decoder) Elements(least int) (int, bool) {
	n, ok := d.Len()
	if ok && n > len(d.B)/least {
		d.fail("cachegen: %d elements of %d bytes or more announced, %d bytes left", n, least, len(d.B))
		return 0, false
	}
	return n, ok
}
