package kinds

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand"
	"reflect"
	"runtime"
	"testing"
	"testing/quick"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
	"kinds/other"
)

// codec is a cachert.Codec of any type, by reflection.
type codec struct {
	name                        string
	of                          reflect.Type
	encode, decode, clone, size reflect.Value
}

func of[V any](name string, c cachert.Codec[V]) codec {
	return codec{name, reflect.TypeFor[V](), reflect.ValueOf(c.Append), reflect.ValueOf(c.Decode), reflect.ValueOf(c.Clone), reflect.ValueOf(c.Size)}
}

var codecs = []codec{
	of("Scalars", kindsCodecScalars),
	of("Named", kindsCodecNamedPtr),
	of("Nested", kindsCodecNestedSlice),
	of("Pairs", kindsCodecPairsPtr),
	of("PairsMap", kindsCodecPointToPairs),
	of("Locked", kindsCodecLockedPtr),
	of("Times", kindsCodecTimes),
	of("Small", kindsCodecSmall),
	of("Word", kindsCodecString),
	of("Bytes", kindsCodecByteSlice),
	of("Raw", kindsCodecRaw),
	of("When", kindsCodecTimeTime),
	of("Amount", kindsCodecAmount),
	of("Message", kindsCodecOtherMessagePtr),
	of("Grid", kindsCodecGrid),
	of("Public", kindsCodecInnerPrivate),
}

func (c codec) append(t *testing.T, v reflect.Value) []byte {
	t.Helper()
	out := c.encode.Call([]reflect.Value{reflect.ValueOf([]byte(nil)), v})
	if err := out[1].Interface(); err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	return out[0].Bytes()
}

func (c codec) take(b []byte) (reflect.Value, error) {
	out := c.decode.Call([]reflect.Value{reflect.ValueOf(b)})
	err, _ := out[1].Interface().(error)
	return out[0], err
}

// each runs f on random values of every codec.
func each(t *testing.T, f func(t *testing.T, c codec, v reflect.Value)) {
	for _, c := range codecs {
		t.Run(c.name, func(t *testing.T) {
			run := func(v reflect.Value) bool { f(t, c, v); return !t.Failed() }
			config := &quick.Config{MaxCount: 60, Rand: rand.New(rand.NewSource(1)), Values: func(args []reflect.Value, r *rand.Rand) {
				args[0] = reflect.ValueOf(random(c.of, r))
			}}
			if err := quick.Check(run, config); err != nil {
				t.Error(err)
			}
			run(reflect.Zero(c.of))
		})
	}
}

func TestRoundTripIsExact(t *testing.T) {
	each(t, func(t *testing.T, c codec, v reflect.Value) {
		got, err := c.take(c.append(t, v))
		if err != nil || !same(got, v) {
			t.Errorf("%+v became %+v, %v", v, got, err)
		}
	})
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	b, err := kindsCodecString.Append([]byte("before"), "x")
	if err != nil || !bytes.HasPrefix(b, []byte("before")) || len(b) == 6 {
		t.Errorf("%q, %v", b, err)
	}
}

func TestDecodedSharesNothingWithItsInput(t *testing.T) {
	each(t, func(t *testing.T, c codec, v reflect.Value) {
		b := c.append(t, v)
		got, err := c.take(b)
		clear(b)
		if err != nil || !same(got, v) {
			t.Errorf("%+v became %+v, %v", v, got, err)
		}
	})
}

func TestCloneIsExactAndSharesNothing(t *testing.T) {
	each(t, func(t *testing.T, c codec, v reflect.Value) {
		if c.clone.IsNil() {
			return
		}
		before := c.append(t, v)
		want, err := c.take(before)
		if err != nil {
			t.Fatal(err)
		}
		copied := c.clone.Call([]reflect.Value{v})[0]
		if !same(copied, v) {
			t.Errorf("clone %+v of %+v", copied, v)
		}
		scribble(copied)
		if !same(want, v) {
			t.Errorf("changing the clone changed the original: %+v", v)
		}
	})
}

func TestCutAndForgedInput(t *testing.T) {
	each(t, func(t *testing.T, c codec, v reflect.Value) {
		b := c.append(t, v)
		for n := range len(b) {
			if _, err := c.take(b[:n:n]); err == nil {
				t.Fatalf("%d of %d bytes were enough", n, len(b))
			}
		}
		if _, err := c.take(append(bytes.Clone(b), 0xc0)); err == nil {
			t.Error("a byte too many was accepted")
		}
		r := rand.New(rand.NewSource(int64(len(b))))
		for range min(len(b), 200) { // any answer will do, but no panic
			forged := bytes.Clone(b)
			forged[r.Intn(len(forged))] = byte(r.Intn(256))
			_, _ = c.take(forged)
		}
	})
}

// TestHostileLengths claims more elements than there are bytes, at every place where a
// length can stand. Inside of a number the claim may become part of it and go unnoticed,
// but nowhere may it be believed.
func TestHostileLengths(t *testing.T) {
	huge := binary.BigEndian.AppendUint32([]byte{0xdd}, math.MaxUint32) // array 32
	blob := binary.BigEndian.AppendUint32([]byte{0xc6}, math.MaxUint32) // bin 32
	text := binary.BigEndian.AppendUint32([]byte{0xdb}, math.MaxUint32) // str 32
	each(t, func(t *testing.T, c codec, v reflect.Value) {
		b := c.append(t, v)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		tries := 0
		for at := range min(len(b), 60) {
			for _, bad := range [][]byte{huge, blob, text} {
				forged := append(append(bytes.Clone(b[:at]), bad...), b[at:]...)
				if _, err := c.take(forged); err == nil && at == 0 {
					t.Fatalf("accepted %x", forged)
				}
				tries++
			}
		}
		runtime.ReadMemStats(&after)
		if used := int(after.TotalAlloc - before.TotalAlloc); used > tries*(1<<20) {
			t.Errorf("%d tries took %d bytes", tries, used)
		}
	})
	// 100 elements announced, 120 bytes left: enough for bytes, not for structs.
	if _, err := kindsCodecNestedSlice.Decode(append([]byte{0xdc, 0, 100}, make([]byte, 120)...)); err == nil {
		t.Error("100 structs in 120 bytes")
	}
}

func TestNumbersThatDoNotFit(t *testing.T) {
	b, err := kindsCodecSmall.Append(nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := kindsCodecSmall.Decode(b); v != 100 || err != nil {
		t.Error(v, err)
	}
	if v, err := kindsCodecSmall.Decode([]byte{0xd1, 0x01, 0x2c}); err == nil {
		t.Errorf("300 became %d", v)
	}
}

func TestFloatsBitByBit(t *testing.T) {
	odd := math.Float64frombits(0x7ff8dead0000beef)
	v := Scalars{F64: odd, F32: float32(math.Inf(-1)), C128: complex(odd, math.Copysign(0, -1))}
	b, _ := kindsCodecScalars.Append(nil, v)
	got, err := kindsCodecScalars.Decode(b)
	if err != nil || !same(reflect.ValueOf(got), reflect.ValueOf(v)) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTimesKeepTheirZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		berlin = time.FixedZone("CET", 3600)
	}
	now := time.Now()
	for _, v := range []time.Time{
		{}, now, now.UTC(), now.In(berlin), time.Unix(-1<<40, 999_999_999), time.Date(9999, 12, 31, 23, 59, 59, 1, time.FixedZone("", -86399)),
		time.Date(2026, 10, 25, 2, 30, 0, 0, berlin), time.Unix(1, 0).In(time.FixedZone("UTC", 0)),
	} {
		b, _ := kindsCodecTimeTime.Append(nil, v)
		got, err := kindsCodecTimeTime.Decode(b)
		if err != nil || !same(reflect.ValueOf(got), reflect.ValueOf(v)) {
			t.Errorf("%v became %v, %v", v, got, err)
		}
		if v.Location() == time.UTC && got != v {
			t.Errorf("%#v became %#v", v, got)
		}
	}
}

func TestLeftOutFieldsAreZero(t *testing.T) {
	v := &Locked{Name: "n", cache: map[string]int{"a": 1}, Meta: other.Hidden{Note: []string{"x"}}}
	v.mu.Lock()
	b, _ := kindsCodecLockedPtr.Append(nil, v)
	decoded, err := kindsCodecLockedPtr.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []*Locked{decoded, kindsCodecLockedPtr.Clone(v)} {
		if got.Name != "n" || got.cache != nil || !got.mu.TryLock() || len(got.Meta.Note) != 1 {
			t.Errorf("%+v", got)
		}
	}
}

func TestSizeGrowsWithWhatIsHeld(t *testing.T) {
	text := string(make([]byte, 1000))
	for name, d := range map[string]int{
		"string":  kindsCodecScalars.Size(Scalars{S: text}) - kindsCodecScalars.Size(Scalars{}),
		"pages":   kindsCodecNestedSlice.Size([]Nested{{Pages: [][]byte{make([]byte, 1000)}}}) - kindsCodecNestedSlice.Size([]Nested{{}}),
		"map":     kindsCodecNestedSlice.Size([]Nested{{ByUUID: map[UUID]map[string][]int{{}: {text: nil}}}}) - kindsCodecNestedSlice.Size([]Nested{{}}),
		"pointer": kindsCodecNestedSlice.Size([]Nested{{Opt: &text}}) - kindsCodecNestedSlice.Size([]Nested{{}}),
		"message": kindsCodecOtherMessagePtr.Size(&other.Message{Text: text}) - kindsCodecOtherMessagePtr.Size(nil),
	} {
		if d < 1000 || d > 4000 {
			t.Errorf("%s: 1000 bytes more count as %d", name, d)
		}
	}
}

func TestEqualSchemasForEqualStructures(t *testing.T) {
	schemas := map[string]string{}
	for name, s := range map[string]string{
		"Scalars": kindsSchemaScalars, "Named": kindsSchemaNamedPtr, "Nested": kindsSchemaNestedSlice,
		"Pairs": kindsSchemaPairsPtr, "Locked": kindsSchemaLockedPtr, "Small": kindsSchemaSmall, "Word": kindsSchemaString,
	} {
		if len(s) != 16 || schemas[s] != "" {
			t.Errorf("%s: %q as %s", name, s, schemas[s])
		}
		schemas[s] = name
	}
	if kindsSchemaByteSlice != kindsSchemaRaw {
		t.Error("the name of a type counts")
	}
}
