package lists_test

import (
	"sync"
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/lists"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

var (
	emma = lists.Book{ID: 1, ISBN: "111", Title: "Emma", Labels: []string{"novel", "classic"}}
	ulys = lists.Book{ID: 2, ISBN: "222", Title: "Ulysses", Labels: []string{"novel"}}
)

func setUp(t *testing.T, cache *cachert.Cache) (*lists.CachedBookRepo, *goldentest.Probe) {
	t.Helper()
	source := &lists.Memory{}
	books := lists.NewCachedBookRepo(source, cache)
	goldentest.Do(t, books.Create(t.Context(), emma, ulys))
	return books, goldentest.Watch(t, cache, source)
}

func TestListOfRows(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		books, probe := setUp(t, cache)
		byIDs := func(want []*lists.Book, ids ...int64) func() {
			return func() {
				got, err := books.ByIDs(t.Context(), ids)
				goldentest.Want(t, got, err, want)
				for _, b := range got { // the caller's own
					b.Title, b.Labels[0] = "mine", "mine"
				}
			}
		}
		probe.MissThenHit(byIDs([]*lists.Book{&emma, &ulys}, 1, 2))
		probe.MissThenHit(byIDs([]*lists.Book{&ulys, &emma}, 2, 1))
		probe.MissThenHit(byIDs([]*lists.Book{&emma, &emma}, 1, 1))
		probe.MissThenHit(byIDs([]*lists.Book{&emma}, 1, 3))
		probe.MissThenHit(byIDs([]*lists.Book{&emma}, 1))
		probe.MissThenHit(byIDs(nil, 12))
		probe.MissThenHit(byIDs(nil))
		probe.MissThenHit(byIDs(nil, []int64{}...)) // empty, not nil

		goldentest.Do(t, books.Rename(t.Context(), 2, "Odyssey"))
		renamed := ulys
		renamed.Title = "Odyssey"
		probe.MissThenHit(byIDs([]*lists.Book{&emma, &renamed}, 1, 2))
		probe.Hit(byIDs([]*lists.Book{&emma}, 1)) // has no row that changed

		third := lists.Book{ID: 3, ISBN: "333", Title: "Persuasion", Labels: []string{"novel"}}
		goldentest.Do(t, books.Create(t.Context(), third))
		probe.MissThenHit(byIDs([]*lists.Book{&emma, &third}, 1, 3)) // was missing

		third.Title = "Persuasion, revised"
		saved, err := books.SaveAll(t.Context(), []lists.Book{third})
		goldentest.Want(t, saved, err, []*lists.Book{&third})
		probe.MissThenHit(byIDs([]*lists.Book{&emma, &third}, 1, 3))
	})
}

func TestMapOfRowsByVariadic(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		books, probe := setUp(t, cache)
		byISBN := func(want map[string]lists.Book, isbns ...string) func() {
			return func() {
				got, err := books.ByISBN(t.Context(), isbns...)
				goldentest.Want(t, got, err, want)
				for isbn, b := range got {
					b.Labels[0] = "mine"
					delete(got, isbn)
				}
			}
		}
		probe.MissThenHit(byISBN(map[string]lists.Book{"111": emma, "222": ulys}, "111", "222"))
		probe.MissThenHit(byISBN(map[string]lists.Book{}, "111222"))
		probe.MissThenHit(byISBN(map[string]lists.Book{}))
		goldentest.Do(t, books.Rename(t.Context(), 1, "Emma, annotated"))
		renamed := emma
		renamed.Title = "Emma, annotated"
		probe.MissThenHit(byISBN(map[string]lists.Book{"111": renamed, "222": ulys}, "111", "222"))
	})
}

func TestMapsAndNestedSlicesAreKeys(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		books, probe := setUp(t, cache)
		labelled := func(want []string, labels map[string]bool, not ...[]string) func() {
			return func() {
				got, err := books.Labelled(t.Context(), labels, not...)
				goldentest.Want(t, got, err, want)
			}
		}
		probe.MissThenHit(labelled([]string{"Emma"}, map[string]bool{"novel": true, "classic": true}))
		probe.MissThenHit(labelled([]string{"Ulysses"}, map[string]bool{"novel": true, "classic": false}))
		probe.MissThenHit(labelled([]string{"Emma", "Ulysses"}, map[string]bool{"novel": true}))
		probe.MissThenHit(labelled([]string{"Emma", "Ulysses"}, map[string]bool{"novel": true}, nil))
		probe.MissThenHit(labelled([]string{"Emma", "Ulysses"}, map[string]bool{"novel": true}, []string{"a", "b"}))
		probe.MissThenHit(labelled([]string{"Emma", "Ulysses"}, map[string]bool{"novel": true}, []string{"a"}, []string{"b"}))
		probe.MissThenHit(labelled([]string{}, map[string]bool{"poem": true}))
		probe.MissThenHit(labelled([]string{"Emma", "Ulysses"}, map[string]bool{}))
		probe.MissThenHit(labelled([]string{"Emma", "Ulysses"}, nil))

		count := func(want map[int]int, lists ...[]int64) func() {
			return func() {
				got, err := books.CountAll(t.Context(), lists)
				goldentest.Want(t, got, err, want)
			}
		}
		probe.MissThenHit(count(map[int]int{0: 2, 1: 1}, []int64{1, 2}, []int64{2}))
		probe.MissThenHit(count(map[int]int{0: 1, 1: 1}, []int64{1}, []int64{2, 2}))
		probe.MissThenHit(count(map[int]int{0: 2}, []int64{1, 2, 2}))
		probe.MissThenHit(count(map[int]int{0: 0}, []int64{}))
		probe.MissThenHit(count(nil))
	})
}

// Callers that ask for the same at once share one load, and each of them owns what he gets.
func TestSharedLoad(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &lists.Memory{}
		books := lists.NewCachedBookRepo(source, cache)
		goldentest.Do(t, books.Create(t.Context(), emma, ulys))
		want := []*lists.Book{&emma, &ulys}
		var callers sync.WaitGroup
		for range 16 {
			callers.Go(func() {
				ids := []int64{1, 2}
				for range 20 {
					got, err := books.ByIDs(t.Context(), ids)
					goldentest.Want(t, got, err, want)
					goldentest.Scribble(&got)
				}
				goldentest.Scribble(&ids)
			})
		}
		callers.Wait()
	})
}

func TestEachWriteEndsItsLists(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		books, probe := setUp(t, cache)
		third := lists.Book{ID: 3, ISBN: "333", Title: "Persuasion", Labels: []string{"novel"}}
		novels := func(want ...string) func() {
			return func() {
				got, err := books.Labelled(t.Context(), map[string]bool{"novel": true})
				goldentest.Want(t, got, err, want)
			}
		}
		byISBN := func(want map[string]lists.Book) func() {
			return func() {
				got, err := books.ByISBN(t.Context(), "333")
				goldentest.Want(t, got, err, want)
			}
		}
		count := func(n int) func() {
			return func() {
				got, err := books.CountAll(t.Context(), [][]int64{{1, 3}})
				goldentest.Want(t, got, err, map[int]int{0: n})
			}
		}
		probe.MissThenHit(novels("Emma", "Ulysses"))
		probe.MissThenHit(byISBN(map[string]lists.Book{}))
		probe.MissThenHit(count(1))
		goldentest.Do(t, books.Create(t.Context(), third))
		probe.MissThenHit(novels("Emma", "Ulysses", "Persuasion"))
		probe.MissThenHit(byISBN(map[string]lists.Book{"333": third}))
		probe.MissThenHit(count(2))

		goldentest.Do(t, books.Rename(t.Context(), 1, "Emma II"))
		probe.MissThenHit(novels("Emma II", "Ulysses", "Persuasion"))
		probe.Hit(count(2))

		third.Title = "Persuasion II"
		_, err := books.SaveAll(t.Context(), []lists.Book{third})
		goldentest.Do(t, err)
		probe.MissThenHit(novels("Emma II", "Ulysses", "Persuasion II"))
		probe.MissThenHit(byISBN(map[string]lists.Book{"333": third}))
	})
}
