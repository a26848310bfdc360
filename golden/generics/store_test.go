package generics_test

import (
	"testing"

	"github.com/cachegen/cachegen/golden/generics"
	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestGenericStoreWithPointers(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := generics.NewBooks()
		books := generics.NewCachedBookStore(source, cache)
		probe := goldentest.Watch(t, cache, source)
		get := func(id int64, want *generics.Book) func() {
			return func() {
				got, ok, err := books.Get(t.Context(), id)
				goldentest.Want(t, got, err, want)
				goldentest.Equal(t, ok, want != nil)
				if ok {
					got.Labels[0] = "mine"
				}
			}
		}
		emma := &generics.Book{Title: "Emma", Labels: []string{"novel"}}
		ulysses := &generics.Book{Title: "Ulysses", Labels: []string{"novel"}}
		probe.MissThenHit(get(1, nil))
		goldentest.Do(t, books.Put(t.Context(), 1, emma))
		goldentest.Do(t, books.Put(t.Context(), 2, ulysses))
		probe.MissThenHit(get(1, emma))

		two := int64(2)
		list := func(after generics.Option[int64], want generics.Page[int64, *generics.Book]) func() {
			return func() {
				got, err := books.List(t.Context(), after, 1)
				goldentest.Want(t, got, err, want)
				clear(got.Index)
				if got.Next != nil {
					*got.Next = 0
				}
			}
		}
		first := generics.Page[int64, *generics.Book]{Items: []*generics.Book{emma}, Next: &two, Index: map[int64]int{1: 0}}
		rest := generics.Page[int64, *generics.Book]{Items: []*generics.Book{ulysses}, Index: map[int64]int{2: 0}}
		probe.MissThenHit(list(generics.Option[int64]{}, first))
		probe.MissThenHit(list(generics.Option[int64]{Value: 1, OK: true}, rest))
		probe.MissThenHit(list(generics.Option[int64]{OK: true}, first))

		titles := func(limit generics.Option[int], want generics.Page[int64, string]) func() {
			return func() {
				got, err := books.Titles(t.Context(), limit)
				goldentest.Want(t, got, err, want)
			}
		}
		probe.MissThenHit(titles(generics.Option[int]{}, generics.Page[int64, string]{Items: []string{"Emma", "Ulysses"}, Index: map[int64]int{1: 0, 2: 1}}))
		probe.MissThenHit(titles(generics.Option[int]{Value: 1, OK: true}, generics.Page[int64, string]{Items: []string{"Emma"}, Next: &two, Index: map[int64]int{1: 0}}))

		emma.Title = "Emma II"
		goldentest.Do(t, books.Put(t.Context(), 1, emma))
		probe.MissThenHit(get(1, emma))
		probe.MissThenHit(list(generics.Option[int64]{}, first))
		probe.MissThenHit(titles(generics.Option[int]{}, generics.Page[int64, string]{Items: []string{"Emma II", "Ulysses"}, Index: map[int64]int{1: 0, 2: 1}}))
	})
}

func TestGenericStoreWithNumbers(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := generics.NewMemory[generics.ISBN](func(n int) int { return n })
		stock := generics.NewCachedStockStore(source, cache)
		probe := goldentest.Watch(t, cache, source)
		get := func(want int, found bool) func() {
			return func() {
				got, ok, err := stock.Get(t.Context(), "111")
				goldentest.Want(t, got, err, want)
				goldentest.Equal(t, ok, found)
			}
		}
		list := func(items ...int) func() {
			return func() {
				got, err := stock.List(t.Context(), generics.Option[generics.ISBN]{}, 9)
				goldentest.Want(t, got.Items, err, items)
			}
		}
		probe.MissThenHit(get(0, false))
		probe.MissThenHit(list())
		goldentest.Do(t, stock.Put(t.Context(), "111", 0))
		probe.MissThenHit(list(0))
		probe.MissThenHit(get(0, true))
		goldentest.Do(t, stock.Put(t.Context(), "111", 4))
		probe.MissThenHit(get(4, true))
	})
}
