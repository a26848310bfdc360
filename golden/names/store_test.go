package shelf

import (
	"testing"
	"time"

	rt "github.com/cachegen/cachegen/runtime/cachert"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestParametersKeepTheirPlaces(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *rt.Cache) {
		source := &memory{}
		items := newCachedItemStore(source, cache)
		probe := goldentest.Watch(t, cache, source)
		get := func(ret, row, ok bool, text string) func() {
			return func() {
				got, err := items.Get(t.Context(), 1, "t", ret, row, ok, 2, 3, "p", "old")
				goldentest.Want(t, string(got.Bytes), err, text)
			}
		}
		probe.MissThenHit(get(true, false, false, "1 t true false false 2 3 p old\n"))
		probe.MissThenHit(get(false, true, false, "1 t false true false 2 3 p old\n"))
		probe.MissThenHit(get(false, false, true, "1 t false false true 2 3 p old\n"))

		length := func(nil, true, error bool, want int) func() {
			return func() {
				got, err := items.Len(t.Context(), 1, "t", nil, true, error)
				goldentest.Want(t, got, err, want)
			}
		}
		probe.MissThenHit(length(false, false, false, 1))
		probe.MissThenHit(length(true, false, false, 3))
		probe.MissThenHit(length(true, false, true, 9))

		size := func(d time.Duration, bytes string) func() {
			return func() {
				n, found, err := items.size(t.Context(), 1, "t", d, []byte(bytes))
				goldentest.Want(t, n, err, int64(d)+1)
				goldentest.Equal(t, found, true)
			}
		}
		probe.MissThenHit(size(4, "x"))
		probe.Hit(size(4, "ignored"))
		probe.MissThenHit(size(5, "x"))

		goldentest.Do(t, items.Select(t.Context(), 1, "t"))
		probe.MissThenHit(get(true, false, false, "1 t true false false 2 3 p old\n"))
		probe.MissThenHit(length(true, false, false, 3))
		probe.MissThenHit(size(4, "x"))

		a, b, err := items.Type(t.Context(), 7, "other", true)
		goldentest.Want(t, []int{a, b}, err, []int{8, 5})
		probe.MissThenHit(get(true, false, false, "1 t true false false 2 3 p old\n")) // flag:true
		probe.Hit(length(true, false, false, 3))
		_, _, err = items.Type(t.Context(), 1, "t", false)
		goldentest.Do(t, err)
		probe.MissThenHit(length(true, false, false, 3)) // item:1:t
	})
}

func TestNamesThatDifferByCase(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *rt.Cache) {
		source := &memory{}
		items := NewCachedItemstore(source, cache)
		probe := goldentest.Watch(t, cache, source)
		all := func(want []cachert) func() {
			return func() {
				got, err := items.All(t.Context())
				goldentest.Want(t, got, err, want)
			}
		}
		probe.MissThenHit(all(nil))
		goldentest.Do(t, items.Add(t.Context(), cachert{Bytes: []byte("x")}, 1, 2))
		probe.MissThenHit(all([]cachert{{Bytes: []byte("x")}}))
	})
}
