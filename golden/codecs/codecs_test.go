package codecs

import (
	"context"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func of[T any](values ...T) func(int) T { return func(i int) T { return values[i] } }

var (
	full = Scalars{
		Bool: true, Int: math.MinInt, Int8: -128, Int16: -1, Int32: math.MaxInt32, Int64: math.MinInt64,
		Uint: math.MaxUint, Uint8: 255, Uint16: 1, Uint32: math.MaxUint32, Uint64: math.MaxUint64,
		Float32: 0.1, Float64: math.SmallestNonzeroFloat64, Complex: complex(1, math.Inf(-1)),
		String: "a\x00b\xff", Color: "red", Ratio: -1,
	}
	day = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
)

func nested(i int) *Nested {
	name, seven := "", int64(7)
	deep, row, digest := &seven, full, Digest{1, 2}
	switch i {
	case 0:
		return &Nested{}
	case 1: // empty, where the zero value is nil
		return &Nested{
			Name: &name, Rows: []Scalars{}, Ptrs: []*Scalars{}, Matrix: [][]int{}, ByName: map[string]*Scalars{},
			Lists: map[Color][]Cents{}, ByDay: map[[2]int]bool{}, Blob: Blob{}, Tags: Tags{}, Prices: Prices{},
		}
	}
	n := &Nested{
		Name: &name, Deep: &deep, Rows: []Scalars{{}, full}, Ptrs: []*Scalars{nil, &row}, Matrix: [][]int{nil, {}, {1, 2}},
		ByName: map[string]*Scalars{"nil": nil, "": {Int: 1}}, Lists: map[Color][]Cents{"red": {1, -2}, "none": nil, "empty": {}},
		ByDay: map[[2]int]bool{{1, 2}: true, {2, 1}: false}, Blob: Blob{0, 255}, Digest: digest,
		Tags: Tags{"a", ""}, Prices: Prices{"red": 1}, Grid: Grid{{1, 2, 3}, {-1, 0, 32767}},
	}
	n.Inner.X, n.Inner.Next = 1, &struct{ Z string }{"z"}
	return n
}

func embedding(i int) *Embedding {
	if i == 0 {
		return nil
	}
	row := full
	return &Embedding{
		Base: Base{ID: 1, Created: day}, Scalars: &row, Title: "t", secret: "kept",
		Cached: map[string]int{"x": 1}, token: make(chan int),
	}
}

func amounts(int) map[string][]*Amount {
	two := NewAmount(-2, 1, 2)
	return map[string][]*Amount{"": nil, "a": {nil, &two}}
}

// roundTrips checks the values 0 to n-1 of a read.
func roundTrips[T any](t *testing.T, probe *goldentest.Probe, n int, read func(context.Context, int) (T, error), want func(int) T) {
	t.Helper()
	for i := range n {
		probe.MissThenHit(func() {
			t.Helper()
			got, err := read(t.Context(), i)
			goldentest.Want(t, got, err, want(i))
			goldentest.Scribble(&got)
		})
	}
}

func TestValuesComeBackExactly(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		make := Makers{
			Scalars: of(Scalars{}, full, Scalars{Float64: math.Inf(1), Float32: float32(math.Copysign(0, -1))}),
			Nested:  nested, Embedding: embedding, Amounts: amounts,
			Grid:   of(Grid{}, Grid{{1}, {0, 2}}),
			Blob:   func(i int) Blob { return []Blob{nil, {}, {1, 2}}[i] },
			Bytes:  func(i int) []byte { return [][]byte{nil, {}, []byte("x")}[i] },
			Time:   of(time.Time{}, day),
			Prices: func(i int) Prices { return []Prices{nil, {}, {"red": 1, "": 2}}[i] },
		}
		source := &Values{Make: make}
		store := NewCachedStore(source, cache)
		probe := goldentest.Watch(t, cache, source)
		roundTrips(t, probe, 3, store.Scalars, make.Scalars)
		roundTrips(t, probe, 3, store.Nested, make.Nested)
		roundTrips(t, probe, 2, store.Grid, make.Grid)
		roundTrips(t, probe, 3, store.Blob, make.Blob)
		roundTrips(t, probe, 3, store.Bytes, make.Bytes)
		roundTrips(t, probe, 2, store.Time, make.Time)
		roundTrips(t, probe, 3, store.Prices, make.Prices)
		roundTrips(t, probe, 1, store.Amounts, make.Amounts)

		probe.MissThenHit(func() {
			got, err := store.Embedding(t.Context(), 1)
			want := embedding(1)
			want.Cached, want.token = nil, nil // left out of hits and of misses
			goldentest.Want(t, got, err, want)
			goldentest.Scribble(&got)
		})

		goldentest.Do(t, store.Reset(t.Context()))
		roundTrips(t, probe, 1, store.Scalars, make.Scalars)
		roundTrips(t, probe, 1, store.Nested, make.Nested)
		roundTrips(t, probe, 1, store.Grid, make.Grid)
		roundTrips(t, probe, 1, store.Blob, make.Blob)
		roundTrips(t, probe, 1, store.Bytes, make.Bytes)
		roundTrips(t, probe, 1, store.Time, make.Time)
		roundTrips(t, probe, 1, store.Prices, make.Prices)
		roundTrips(t, probe, 1, store.Amounts, make.Amounts)
		probe.MissThenHit(func() { _, _ = store.Embedding(t.Context(), 1) })
	})
}

// reflect.DeepEqual asks more of a time than a value can keep: the zone as a pointer, the
// monotonic clock.
func TestTimesKeepInstantAndZone(t *testing.T) {
	berlin := time.FixedZone("CEST", 2*60*60)
	odd := time.FixedZone("", -(3*60*60 + 30*60 + 15))
	times := []time.Time{{}, day, day.In(berlin), day.In(odd), day.Local(), time.Now(), time.Unix(0, 0).UTC(), time.Date(-5, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(99999, 1, 1, 0, 0, 0, 0, berlin)}
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &Values{Make: Makers{Times: func(i int) Times {
			at := times[i]
			return Times{At: at, Maybe: &at, List: []time.Time{at, day}, Length: -time.Nanosecond, Month: time.May}
		}}}
		store := NewCachedStore(source, cache)
		probe := goldentest.Watch(t, cache, source)
		for i, want := range times {
			probe.MissThenHit(func() {
				got, err := store.Times(t.Context(), i)
				goldentest.Want(t, [2]int64{int64(got.Length), int64(got.Month)}, err, [2]int64{-1, 5})
				for _, at := range append(got.List[:1], got.At, *got.Maybe) {
					_, offset := at.Zone()
					if _, wanted := want.Zone(); !at.Equal(want) || offset != wanted || at.IsZero() != want.IsZero() {
						t.Errorf("got %v, want %v", at, want)
					}
				}
				*got.Maybe, got.List[0] = time.Time{}, time.Time{}.Add(1)
			})
		}
		goldentest.Do(t, store.Reset(t.Context()))
		probe.MissThenHit(func() { _, _ = store.Times(t.Context(), 0) })
	})
}

func TestMarshalPairs(t *testing.T) {
	prefix := netip.MustParsePrefix("10.0.0.0/8")
	big1, _ := new(big.Int).SetString("-123456789012345678901234567890", 10)
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &Values{Make: Makers{Paired: func(i int) Paired {
			if i == 0 {
				return Paired{}
			}
			p := Paired{
				Addr: netip.MustParseAddr("fe80::1%eth0"), Prefix: &prefix, Big: new(big.Int).Set(big1),
				Link:   &url.URL{Scheme: "https", Host: "example.com", Path: "/a b", RawQuery: "q=1"},
				Amount: NewAmount(2, 1, -1), Level: 200,
				Hosts: map[netip.Addr]string{netip.MustParseAddr("::1"): "localhost", {}: "none"},
			}
			p.Sum.Set(big1)
			return p
		}}}
		store := NewCachedStore(source, cache)
		probe := goldentest.Watch(t, cache, source)
		for i := range 2 {
			probe.MissThenHit(func() {
				want := source.Make.Paired(i)
				got, err := store.Paired(t.Context(), i)
				if got.Sum.Cmp(&want.Sum) != 0 {
					t.Errorf("sum %v, want %v", &got.Sum, &want.Sum)
				}
				got.Sum.SetInt64(1) // scribbled, and zero has two representations
				want.Sum.SetInt64(1)
				goldentest.Want(t, got, err, want)
				if got.Big != nil {
					got.Big.SetInt64(1)
					got.Link.Host, got.Amount.units[0] = "mine", 9
					clear(got.Hosts)
				}
			})
		}
		goldentest.Do(t, store.Reset(t.Context()))
		probe.MissThenHit(func() { _, _ = store.Paired(t.Context(), 1) })
	})
}
