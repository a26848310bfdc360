package several_test

import (
	"testing"
	"time"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/several"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func book(id int64) several.Book {
	return several.Book{ID: id, AuthorID: 7, Title: "Title", Added: day.AddDate(0, 0, int(id))}
}

func setUp(t *testing.T, cache *cachert.Cache) (*several.CachedBookRepo, *goldentest.Probe) {
	t.Helper()
	source := &several.Memory{}
	books := several.NewCachedBookRepo(source, cache)
	for id := int64(1); id <= 3; id++ {
		got, n, err := books.Add(t.Context(), book(id))
		goldentest.Want(t, got, err, book(id))
		goldentest.Equal(t, n, int(id))
	}
	return books, goldentest.Watch(t, cache, source)
}

func TestHitReturnsEachResult(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		books, probe := setUp(t, cache)
		list := func(limit int, want []several.Book, total int) func() {
			return func() {
				got, n, err := books.List(t.Context(), 7, limit)
				goldentest.Want(t, got, err, want)
				goldentest.Equal(t, n, total)
			}
		}
		probe.MissThenHit(list(2, []several.Book{book(1), book(2)}, 3))
		probe.MissThenHit(list(0, []several.Book{}, 3))

		page := func(after int64, want []several.Book, wantMore bool) func() {
			return func() {
				got, more, err := books.Page(t.Context(), 7, after)
				goldentest.Want(t, got, err, want)
				goldentest.Equal(t, more, wantMore)
			}
		}
		probe.MissThenHit(page(0, []several.Book{book(1), book(2)}, true))
		probe.MissThenHit(page(2, []several.Book{book(3)}, false))

		neighbours := func(id int64, prev, next *several.Book) func() {
			return func() {
				gotPrev, gotNext, err := books.Neighbours(t.Context(), id)
				goldentest.Want(t, gotPrev, err, prev)
				goldentest.Equal(t, gotNext, next)
				if gotNext != nil {
					gotNext.Title = "mine"
				}
			}
		}
		one, two, three := book(1), book(2), book(3)
		probe.MissThenHit(neighbours(1, nil, &two))
		probe.MissThenHit(neighbours(2, &one, &three))
		probe.MissThenHit(neighbours(3, &two, nil))

		span := func(until time.Time, ids map[int64]bool, text string) func() {
			return func() {
				from, to, got, s, err := books.Span(t.Context())
				goldentest.Want(t, got, err, ids)
				goldentest.Equal(t, s, text)
				if !from.Equal(book(1).Added) || !to.Equal(until) {
					t.Errorf("from %v to %v", from, to)
				}
			}
		}
		probe.MissThenHit(span(three.Added, map[int64]bool{1: true, 2: true, 3: true}, "3 books"))

		if _, _, err := books.Add(t.Context(), book(4)); err != nil {
			t.Fatal(err)
		}
		four := book(4)
		probe.MissThenHit(list(2, []several.Book{one, two}, 4))
		probe.MissThenHit(neighbours(3, &two, &four))
		probe.MissThenHit(neighbours(1, nil, &two)) // had no row before it to depend on
		probe.MissThenHit(span(four.Added, map[int64]bool{1: true, 2: true, 3: true, 4: true}, "4 books"))
	})
}

func TestFalseIsNotKeptWithoutNegative(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		books, probe := setUp(t, cache)
		find := func(id int64, want several.Book, found bool) func() {
			return func() {
				got, ok, err := books.Find(t.Context(), id)
				goldentest.Want(t, got, err, want)
				goldentest.Equal(t, ok, found)
			}
		}
		probe.MissThenHit(find(1, book(1), true))
		probe.Always(find(9, several.Book{}, false))
	})
}

func TestEachWriteEndsWhatDependsOnIt(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		books, probe := setUp(t, cache)
		reads := []func(){
			func() { _, _, _ = books.Find(t.Context(), 1) },
			func() { _, _, _ = books.List(t.Context(), 7, 2) },
			func() { _, _, _ = books.Neighbours(t.Context(), 2) },
			func() { _, _, _, _, _ = books.Span(t.Context()) },
		}
		for _, read := range reads {
			probe.MissThenHit(read)
		}
		if _, _, err := books.Add(t.Context(), book(1)); err != nil {
			t.Fatal(err)
		}
		for _, read := range reads {
			probe.MissThenHit(read)
		}
		moved := book(1) // to another author: a listed book has changed
		moved.AuthorID = 8
		if _, _, err := books.Add(t.Context(), moved); err != nil {
			t.Fatal(err)
		}
		probe.MissThenHit(func() {
			got, n, err := books.List(t.Context(), 7, 2)
			goldentest.Want(t, got, err, []several.Book{book(2), book(3)})
			goldentest.Equal(t, n, 2)
		})
	})
}
