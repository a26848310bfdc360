package wire

import (
	"bytes"
	"math"
	"math/big"
	"testing"
	"testing/quick"
	"time"
)

// row has one field of each form.
type row struct {
	B   bool
	I   int64
	U   uint64
	F   float64
	S   string
	Raw []byte
	L   []string
	P   *int64
	T   time.Time
}

func encodeRow(e *Encoder, v row) {
	e.Len(9)
	e.Bool(v.B)
	e.Int(v.I)
	e.Uint(v.U)
	e.Float64(v.F)
	e.String(v.S)
	e.Bytes(v.Raw)
	if v.L == nil {
		e.Nil()
	} else {
		e.Len(len(v.L))
		for _, s := range v.L {
			e.String(s)
		}
	}
	if v.P == nil {
		e.Nil()
	} else {
		e.Some()
		e.Int(*v.P)
	}
	e.Time(v.T)
}

func decodeRow(d *Decoder) (v row) {
	d.Fixed(9)
	v.B, v.I, v.U, v.F, v.S, v.Raw = d.Bool(), d.Int(), d.Uint(), d.Float64(), d.String(), d.Bytes()
	if n, ok := d.Len(); ok {
		v.L = make([]string, n)
		for i := range v.L {
			v.L[i] = d.String()
		}
	}
	if d.Some() {
		p := d.Int()
		v.P = &p
	}
	v.T = d.Time()
	return v
}

func same(a, b row) bool {
	return a.B == b.B && a.I == b.I && a.U == b.U && math.Float64bits(a.F) == math.Float64bits(b.F) && a.S == b.S &&
		(a.Raw == nil) == (b.Raw == nil) && bytes.Equal(a.Raw, b.Raw) &&
		(a.L == nil) == (b.L == nil) && len(a.L) == len(b.L) &&
		(a.P == nil) == (b.P == nil) && (a.P == nil || *a.P == *b.P) &&
		a.T.Equal(b.T) && a.T.String() == b.T.String()
}

func TestRoundTrip(t *testing.T) {
	enc, dec := Append(encodeRow), Decode(decodeRow)
	check := func(b bool, i int64, u uint64, f float64, s string, raw []byte, l []string, p *int64, sec uint32, nsec uint32) bool {
		v := row{b, i, u, f, s, raw, l, p, time.Unix(int64(sec), int64(nsec%1e9)).UTC()}
		data, err := enc(nil, v)
		if err != nil {
			return false
		}
		got, err := dec(data)
		if err != nil || !same(v, got) {
			return false
		}
		for n := range len(data) { // every prefix is an error, none a panic
			if _, err := dec(data[:n]); err == nil {
				return false
			}
		}
		_, err = dec(append(data, 0))
		return err != nil
	}
	if err := quick.Check(check, nil); err != nil {
		t.Error(err)
	}
}

func TestZones(t *testing.T) {
	now := time.Now()
	for _, in := range []time.Time{now.UTC(), now, now.In(time.FixedZone("X", -3600)), {}, time.Unix(1<<40, 1)} {
		data, err := Append(func(e *Encoder, v time.Time) { e.Time(v) })(nil, in)
		if err != nil {
			t.Fatal(err)
		}
		out, err := Decode(func(d *Decoder) time.Time { return d.Time() })(data)
		if err != nil || !out.Equal(in) || out.Format(time.RFC3339Nano) != in.Format(time.RFC3339Nano) {
			t.Errorf("%v became %v, %v", in, out, err)
		}
	}
}

func TestNilAndEmptyStayDistinct(t *testing.T) {
	enc, dec := Append(encodeRow), Decode(decodeRow)
	for _, in := range []row{{}, {Raw: []byte{}, L: []string{}}} {
		data, _ := enc(nil, in)
		if out, err := dec(data); err != nil || !same(in, out) {
			t.Errorf("%+v became %+v, %v", in, out, err)
		}
	}
}

func TestDecodedBytesAreOnesOwn(t *testing.T) {
	data, _ := Append(func(e *Encoder, v []byte) { e.Bytes(v) })(nil, []byte("abc"))
	out, err := Decode(func(d *Decoder) []byte { return d.Bytes() })(data)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] = 'X'
	if string(out) != "abc" {
		t.Errorf("%q: the value aliases the stored bytes", out)
	}
}

func TestAnnouncedLengthIsBounded(t *testing.T) {
	_, err := Decode(func(d *Decoder) []string {
		n, ok := d.Len()
		if ok || n != 0 {
			t.Errorf("Len = %d, %v for a hostile header", n, ok)
		}
		return nil
	})([]byte{0xdd, 0xff, 0xff, 0xff, 0xff})
	if err == nil {
		t.Error("no error")
	}
}

func TestPairsAndClone(t *testing.T) {
	enc := func(e *Encoder, v *big.Int) { e.Text(v) }
	dec := func(d *Decoder) *big.Int {
		v := new(big.Int)
		d.Text(v)
		return v
	}
	in := big.NewInt(42)
	out := Clone(in, enc, dec)
	if out == in || out.Cmp(in) != 0 {
		t.Errorf("Clone = %v", out)
	}
	if _, err := Decode(dec)([]byte{0xc4, 1, 'x'}); err == nil {
		t.Error("text that does not unmarshal must be an error")
	}
}

func FuzzDecode(f *testing.F) {
	data, _ := Append(encodeRow)(nil, row{S: "s", L: []string{"a"}, Raw: []byte{1}})
	f.Add(data)
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := Decode(decodeRow)(b)
		if err != nil {
			return
		}
		again, err := Append(encodeRow)(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		if w, err := Decode(decodeRow)(again); err != nil || !same(v, w) {
			t.Errorf("%+v became %+v, %v", v, w, err)
		}
	})
}
