package kinds

import (
	"math"
	"math/big"
	"math/rand"
	"net/netip"
	"net/url"
	"reflect"
	"time"
	"unsafe"

	"kinds/other"
)

// settable makes unexported fields accessible to the tests of this package.
func settable(v reflect.Value) reflect.Value {
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

// kept reports whether a field is encoded.
func kept(f reflect.StructField) bool { return f.Tag.Get("cachegen") != "-" && f.Name != "_" }

// random is a value in which nil, empty and full parts are about equally frequent.
func random(t reflect.Type, r *rand.Rand) reflect.Value {
	v := reflect.New(t).Elem()
	fill(v, r, 4)
	return v
}

func fill(v reflect.Value, r *rand.Rand, depth int) {
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		zones := []*time.Location{time.UTC, time.Local, time.FixedZone("X", r.Intn(80000)-40000)}
		*p = time.Unix(r.Int63n(1<<36)-1<<35, r.Int63n(1e9)).In(zones[r.Intn(3)])
		return
	case *big.Int:
		p.SetInt64(r.Int63() - r.Int63())
		return
	case *url.URL:
		u, _ := url.Parse([]string{"", "https://u:p@example.org/a%20b?q=1#f", "/x"}[r.Intn(3)])
		*p = *u
		return
	case *netip.Addr:
		*p = []netip.Addr{{}, netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fe80::1%eth0")}[r.Intn(3)]
		return
	case *netip.AddrPort:
		*p = []netip.AddrPort{{}, netip.MustParseAddrPort("[::1]:80")}[r.Intn(2)]
		return
	case *netip.Prefix:
		*p = []netip.Prefix{{}, netip.MustParsePrefix("10.0.0.0/8")}[r.Intn(2)]
		return
	case *Amount:
		*p = []Amount{{}, NewAmount(r.Int63(), -2), {exp: 7}}[r.Intn(3)]
		return
	case *other.Message:
		p.Text = []string{"", "hello"}[r.Intn(2)]
		return
	case *Appended:
		return
	}
	n := r.Intn(4) - 1 // -1: nil
	if depth == 0 {
		n = -1
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.Intn(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> r.Intn(64))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> r.Intn(64))
	case reflect.Float32, reflect.Float64:
		v.SetFloat([]float64{0, math.Copysign(0, -1), math.Inf(1), math.NaN(), r.NormFloat64()}[r.Intn(5)])
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(complex(r.NormFloat64(), math.Inf(-1)))
	case reflect.String:
		v.SetString(string(make([]byte, r.Intn(3)*20)) + "\xff\u00e9")
	case reflect.Pointer:
		if n >= 0 {
			v.Set(reflect.New(v.Type().Elem()).Convert(v.Type()))
			fill(v.Elem(), r, depth-1)
		}
	case reflect.Slice:
		if n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n+r.Intn(2)))
		}
		for i := range v.Len() {
			fill(v.Index(i), r, depth-1)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), r, depth-1)
		}
	case reflect.Map:
		if n >= 0 {
			v.Set(reflect.MakeMap(v.Type()))
		}
		for range max(n, 0) {
			k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(k, r, depth-1)
			fill(e, r, depth-1)
			v.SetMapIndex(k, e)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if kept(v.Type().Field(i)) {
				fill(settable(v.Field(i)), r, depth)
			}
		}
	}
}

// same is equality bit by bit: NaN is itself, nil is not empty, times have equal zones.
func same(a, b reflect.Value) bool {
	switch x := a.Interface().(type) {
	case time.Time:
		y := b.Interface().(time.Time)
		return x.Equal(y) && x.Round(0).String() == y.Round(0).String()
	case big.Int:
		y := b.Interface().(big.Int)
		return x.Cmp(&y) == 0
	case netip.Addr, netip.AddrPort, netip.Prefix:
		return x == b.Interface()
	case url.URL, Amount:
		return reflect.DeepEqual(x, b.Interface())
	case other.Message:
		return x.Text == b.Interface().(other.Message).Text
	}
	switch a.Kind() {
	case reflect.Float32, reflect.Float64:
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float())
	case reflect.Complex64, reflect.Complex128:
		x, y := a.Complex(), b.Complex()
		return math.Float64bits(real(x)) == math.Float64bits(real(y)) && math.Float64bits(imag(x)) == math.Float64bits(imag(y))
	case reflect.Pointer:
		return a.IsNil() == b.IsNil() && (a.IsNil() || same(a.Elem(), b.Elem()))
	case reflect.Slice:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Array:
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
		for _, k := range a.MapKeys() {
			if e := b.MapIndex(k); !e.IsValid() || !same(a.MapIndex(k), e) {
				return false
			}
		}
		return true
	case reflect.Struct:
		x, y := addressable(a), addressable(b)
		for i := range a.NumField() {
			if kept(a.Type().Field(i)) && !same(settable(x.Field(i)), settable(y.Field(i))) {
				return false
			}
		}
		return true
	}
	return a.Interface() == b.Interface()
}

func addressable(v reflect.Value) reflect.Value {
	p := reflect.New(v.Type()).Elem()
	p.Set(v)
	return p
}

// scribble writes over all that can be reached from v.
func scribble(v reflect.Value) {
	if v.CanSet() && v.CanAddr() {
		switch p := v.Addr().Interface().(type) {
		case *big.Int:
			p.SetBit(p, 3, p.Bit(3)^1)
			for i, w := range p.Bits() {
				p.Bits()[i] = ^w
			}
			return
		case *Amount:
			if p.value != nil {
				scribble(reflect.ValueOf(p.value))
			}
			return
		case *time.Time, *netip.Addr, *netip.AddrPort, *netip.Prefix, *url.URL, *Appended:
			v.SetZero()
			return
		case *other.Message:
			p.Text += "!"
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			scribble(v.Elem())
			if v.Elem().CanSet() && v.Type().Elem() != reflect.TypeFor[big.Int]() && v.Type().Elem() != reflect.TypeFor[other.Message]() {
				v.Elem().SetZero()
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			scribble(v.Index(i))
			v.Index(i).SetZero()
		}
	case reflect.Array:
		for i := range v.Len() {
			scribble(v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			e := addressable(v.MapIndex(k))
			scribble(e)
			v.SetMapIndex(k, reflect.Zero(v.Type().Elem()))
		}
		if !v.IsNil() {
			v.SetMapIndex(reflect.Zero(v.Type().Key()), reflect.Zero(v.Type().Elem()))
		}
	case reflect.Struct:
		x := v
		if !v.CanAddr() {
			x = addressable(v)
		}
		for i := range v.NumField() {
			if kept(v.Type().Field(i)) {
				scribble(settable(x.Field(i)))
			}
		}
	}
}
