package wire

import (
	"math"
	"testing"
)

type (
	small  int8
	large  uint16
	word   string
	flag   bool
	weight float32
	phase  complex128
)

func TestNamedRoundTrip(t *testing.T) {
	var e Encoder
	PutSigned(&e, small(-128))
	PutUnsigned(&e, large(65535))
	PutString(&e, word("w"))
	PutBool(&e, flag(true))
	PutFloat32(&e, weight(1.5))
	PutFloat64(&e, math.Inf(-1))
	PutComplex64(&e, complex64(complex(1, 2)))
	PutComplex128(&e, phase(complex(3, 4)))
	d := Decoder{B: e.B}
	if TakeSigned[small](&d) != -128 || TakeUnsigned[large](&d) != 65535 || TakeString[word](&d) != "w" || !TakeBool[flag](&d) ||
		TakeFloat32[weight](&d) != 1.5 || TakeFloat64[float64](&d) != math.Inf(-1) ||
		TakeComplex64[complex64](&d) != complex(1, 2) || TakeComplex128[phase](&d) != complex(3, 4) || d.Err != nil || len(d.B) > 0 {
		t.Errorf("another value, %v", d.Err)
	}
}

func TestNumbersThatDoNotFit(t *testing.T) {
	for _, v := range []int64{128, -129, math.MaxInt64, math.MinInt64} {
		var e Encoder
		e.Int(v)
		d := Decoder{B: e.B}
		if got := TakeSigned[small](&d); got != 0 || d.Err == nil {
			t.Errorf("%d became %d, %v", v, got, d.Err)
		}
	}
	var e Encoder
	e.Uint(1 << 16)
	d := Decoder{B: e.B}
	if got := TakeUnsigned[large](&d); got != 0 || d.Err == nil {
		t.Errorf("65536 became %d, %v", got, d.Err)
	}
}

func TestElementsAreBoundedByTheirSize(t *testing.T) {
	var e Encoder
	e.Len(10)
	for range 30 {
		e.Int(1)
	}
	d := Decoder{B: e.B}
	if n, ok := d.Elements(3); n != 10 || !ok {
		t.Errorf("%d, %v: 10 elements of 3 bytes are there", n, ok)
	}
	d = Decoder{B: e.B}
	if n, ok := d.Elements(4); ok || d.Err == nil {
		t.Errorf("%d elements of 4 bytes in 30", n)
	}
	var none Encoder
	none.Nil()
	d = Decoder{B: none.B}
	if _, ok := d.Elements(4); ok || d.Err != nil {
		t.Errorf("nil: %v", d.Err)
	}
}
